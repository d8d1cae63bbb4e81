"""Writes model_costs.json: python3 tests/golden/model_costs.py (PyTorch 2, torchvision, timm).

For every network of the registry it contains the number of trained parameters, multiply-adds and activations. Forward hooks
count them on the networks of torchvision, timm and apps/bench/pytorch_models.py. It also contains the number of tensors
up to the feature, and the 64-bit FNV-1a hash of their names and shapes, as lines "conv1.weight 64,3,7,7" in the order
of the names."""
import json
import pathlib

import torch
from torch import nn

import reference_models


def cost(net, image):
    total = {"parameters": sum(p.numel() for p in net.parameters() if p.requires_grad), "multiply_adds": 0, "activations": 0}

    def count(module, _inputs, output):
        per_element = module.weight[0].numel() + (module.bias is not None)
        total["multiply_adds"] += output.numel() * per_element
        total["activations"] += output.numel()
    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        net.eval()(torch.zeros(1, *image))
    for hook in hooks:
        hook.remove()
    return total


def fnv1a(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return value


def tensors(net):
    lines = sorted(f"{key} {','.join(str(n) for n in value.shape)}\n"
                   for key, value in reference_models.trunk_state(net).items())
    return {"tensors": len(lines), "hash": f"{fnv1a(''.join(lines)):016x}"}


if __name__ == "__main__":
    costs = {}
    for name in reference_models.NAMES:
        net, image = reference_models.build(name)
        costs[name] = cost(net, image) | (tensors(net) if name not in ("lenetpp", "airbench94") else {})
        print(name, costs[name], flush=True)
    rows = ",\n".join(f'"{name}": {json.dumps(row)}' for name, row in costs.items())
    (pathlib.Path(__file__).parent / "model_costs.json").write_text(f"{{\n{rows}\n}}\n")
