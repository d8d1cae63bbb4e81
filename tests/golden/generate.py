"""Writes the values that the golden tests compare with: python3 tests/golden/generate.py (PyTorch 2, torchvision, timm
and NumPy).

ops.safetensors and the files *_ops.safetensors contain every op of core/ops.h and losses/functional.h;
modules.safetensors contains every layer (norm_modules.safetensors those of layers/norm.h and attention.h), loss and
optimizer, and the losses of five training steps of LeNets++; models.safetensors contains small residual networks, and zoo.safetensors the other networks. Run it again after adding
an op, a layer, a loss, an optimizer or a model; with names of files, such as shape_ops, it writes only these.
Other scripts must be run separately: auto_augment_cases.py, image_cases.py, view_cases.py and weight_name_cases.py,
which need torchvision or timm, and harsh_loss_cases.py, which also records the errors of PyTorch's float32."""
import pathlib
import sys

import torch

import conv_op_cases
import elementwise_op_cases
import head_loss_cases
import head_op_cases
import model_cases
import module_cases
import norm_module_cases
import norm_op_cases
import op_cases
import pair_loss_cases
import pair_op_cases
import reduce_op_cases
import shape_op_cases
import term_loss_cases
import term_op_cases
import zoo_cases
import zoo_op_cases
from recorder import Recorder

if __name__ == "__main__":
    torch.set_num_threads(2)
    folder = pathlib.Path(__file__).parent
    wanted = sys.argv[1:]
    for name, cases in (("ops", op_cases), ("elementwise_ops", elementwise_op_cases), ("shape_ops", shape_op_cases),
                        ("reduce_ops", reduce_op_cases), ("norm_ops", norm_op_cases), ("conv_ops", conv_op_cases),
                        ("modules", module_cases), ("norm_modules", norm_module_cases), ("models", model_cases),
                        ("head_ops", head_op_cases),
                        ("head_losses", head_loss_cases), ("term_ops", term_op_cases), ("term_losses", term_loss_cases),
                        ("pair_ops", pair_op_cases), ("pair_losses", pair_loss_cases), ("zoo_ops", zoo_op_cases),
                        ("zoo", zoo_cases)):
        if wanted and name not in wanted:
            continue
        recorder = Recorder(seed=20201)
        cases.record(recorder)
        recorder.write(folder / f"{name}.safetensors")
