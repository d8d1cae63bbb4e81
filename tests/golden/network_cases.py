"""Writes networks.safetensors: the logits of every network of torchvision and timm whose weights Radial reads.

python3 tests/golden/network_cases.py [NAME...] (torchvision, timm, safetensors). With names, it computes these networks
alone, and keeps the others as they are in the file.

Weights are random. Each tensor's numbers depend on the hash of its name, so that Radial can compute the same ones (see
networks_test.cpp). Batch norms get statistics similar to those after training. Variances are between half and twice the
mean variance of the norm's input, which is stored ("NAME/variances", in the order of the norms' sorted names), and
means are up to half a standard deviation. Convolutions before norms have small weights, as in trained networks, so that
the variances are small enough for a norm's epsilon to matter. "NAME/logits" contains every 20th logit, computed in
float64."""
import json
import math
import pathlib
import sys
import time

import numpy as np
import timm
import torch
import torchvision
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import philox
import reference_models

EVERY = 20


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def weights(state, name):
    """The values of a tensor that is not a statistic of a norm."""
    shape, seed = state[name].shape, fnv1a(name)
    if name.endswith("bias"):
        return philox.uniform(seed, shape, -0.2, 0.2)
    if len(shape) == 1:
        return philox.uniform(seed, shape, 0.5, 1.5)
    before_norm = name.removesuffix("weight") + "bias" not in state
    gain = 0.1 if before_norm else math.sqrt(2)
    bound = gain * math.sqrt(3 / math.prod(shape[1:]))
    return philox.uniform(seed, shape, -bound, bound)


def set_statistics(net, variances):
    """Lets each batch norm set its statistics in the next pass."""
    def before(key, norm):
        def hook(_, inputs):
            variance = float(np.float32(inputs[0].var((0, 2, 3), correction=0).mean()))
            deviation = math.sqrt(variance)
            variances[key] = variance
            shape = norm.running_var.shape
            norm.running_var.copy_(torch.from_numpy(
                philox.uniform(fnv1a(key + ".running_var"), shape, 0.5 * variance, 2 * variance)))
            norm.running_mean.copy_(torch.from_numpy(
                philox.uniform(fnv1a(key + ".running_mean"), shape, -0.5 * deviation, 0.5 * deviation)))
        return hook
    for key, norm in net.named_modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.register_forward_pre_hook(before(key, norm))


def run(make, image):
    """The logits, and the mean variances of the norms' inputs."""
    with torch.device("meta"):
        net = make().eval()
    state = net.state_dict()
    values = {name: torch.from_numpy(weights(state, name)) for name in state
              if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))}
    values |= {name: torch.zeros(tensor.shape, dtype=tensor.dtype) for name, tensor in state.items()
               if name not in values}
    net.load_state_dict(values, assign=True)
    net.double()
    variances = {}
    set_statistics(net, variances)
    with torch.no_grad():
        logits = net(torch.from_numpy(philox.uniform(fnv1a("images"), image, -1.7, 1.7)).double())
    return logits.numpy(), np.array([variances[key] for key in sorted(variances)], np.float32)


def torchvision_network(name):
    # torchvision computes a RegNet's widths as tensors, whose values it needs.
    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        return getattr(torchvision.models, name.replace("-", "_"))(weights=None)


def cases():
    small, large = (2, 3, 64, 80), (1, 3, 224, 224)
    for name in reference_models.IMAGENET:
        yield "torchvision", name, small if not name.startswith("vgg") else large, \
            lambda name=name: torchvision_network(name)
    for i in range(8):
        name = f"efficientnet-b{i}"
        yield "torchvision", name, small, lambda i=i: getattr(torchvision.models, f"efficientnet_b{i}")(weights=None)
        yield "timm", name, small, lambda i=i: timm.create_model(f"efficientnet_b{i}")
        yield "timm", "tf-" + name, small, lambda i=i: timm.create_model(f"tf_efficientnet_b{i}")
    for kind in "xy":
        for size in ("400mf", "800mf", "1-6gf", "3-2gf"):  # the others are wider and have the same blocks
            name = f"regnet-{kind}-{size}"
            yield "torchvision", name, small, lambda name=name: torchvision_network(name)
    for name, theirs in (("regnet-x-400mf", "regnetx_004_tv"), ("regnet-y-400mf", "regnety_004")):
        yield "timm", name, small, lambda theirs=theirs: timm.create_model(theirs)
    for name in reference_models.pytorch_models.MOBILENET:
        yield "torchvision", name, small, lambda name=name: torchvision_network(name)


def main():
    path, tensors, listed = pathlib.Path(__file__).parent / "networks.safetensors", {}, []
    if sys.argv[1:]:
        tensors = load_file(path)
        with safe_open(path, "numpy") as file:
            before = {case["name"]: case for case in json.loads(file.metadata()["cases"])}
    for form, network, image, make in cases():
        name = f"{form}.{network}"
        if sys.argv[1:] and name not in sys.argv[1:]:
            listed += [before[name]] if name in before else []
            continue
        start = time.time()
        logits, variances = run(make, image)
        tensors[f"{name}/logits"] = logits[:, ::EVERY].astype(np.float32)
        if variances.size:
            tensors[f"{name}/variances"] = variances
        listed.append({"name": name, "network": network, "format": form, "image": image})
        print(f"{name}: {np.abs(logits).max():.3g}, variances {variances.min(initial=9):.2g} to "
              f"{variances.max(initial=0):.2g}, {time.time() - start:.1f} s", flush=True)
    about = {"cases": json.dumps(listed), "pytorch": torch.__version__, "torchvision": torchvision.__version__,
             "timm": timm.__version__}
    save_file(tensors, path, about)


if __name__ == "__main__":
    main()
