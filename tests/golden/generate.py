"""Writes the values that the golden tests compare with: python3 tests/golden/generate.py (PyTorch 2, torchvision, timm
and NumPy).

Each file below contains the cases of one script: ops of core/ops.h and losses/functional.h, layers, losses, optimizers,
the losses of five training steps of LeNets++ (modules), and networks. Run it again after adding one of these; with
names of files, such as shape_ops, it writes only these files. Other scripts must be run separately:
auto_augment_cases.py, image_cases.py, view_cases.py and weight_name_cases.py, which need torchvision or timm,
verification_cases.py, which needs scikit-learn, and harsh_loss_cases.py, which also records the errors of PyTorch's
float32."""
import importlib
import pathlib
import sys

import torch

from recorder import Recorder

SCRIPTS = {  # by file
    "conv_modules": "conv_module_cases",
    "conv_ops": "conv_op_cases",
    "elementwise_ops": "elementwise_op_cases",
    "head_losses": "head_loss_cases",
    "head_ops": "head_op_cases",
    "mobilenet": "mobilenet_cases",
    "models": "model_cases",
    "modules": "module_cases",
    "norm_modules": "norm_module_cases",
    "norm_ops": "norm_op_cases",
    "ops": "op_cases",
    "optimizers": "optimizer_cases",
    "pair_losses": "pair_loss_cases",
    "pair_ops": "pair_op_cases",
    "reduce_ops": "reduce_op_cases",
    "regnet": "regnet_cases",
    "shape_ops": "shape_op_cases",
    "term_losses": "term_loss_cases",
    "term_ops": "term_op_cases",
    "zoo": "zoo_cases",
    "zoo_ops": "zoo_op_cases",
}

if __name__ == "__main__":
    torch.set_num_threads(2)
    for name in sys.argv[1:] or SCRIPTS:
        recorder = Recorder(seed=20201)
        importlib.import_module(SCRIPTS[name]).record(recorder)
        recorder.write(pathlib.Path(__file__).parent / f"{name}.safetensors")
