#!/usr/bin/env python3
"""The training step of `radial-bench step` in PyTorch: the same network, loss, optimizer and JSON fields.

Needs PyTorch 1.13 or later. `compare`, beside this file, runs both and reports the ratio.
"""
import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn

CLASSES = 10


def lenetpp(dim):
    """LeNets++: (5x5 convolution, PReLU with a slope a channel) twice and a pool, three times; then the feature."""
    layers, channels = [], 1
    for width in (32, 64, 128):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 5, padding=2), nn.PReLU(width)]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 3 * 3, dim))


class Softmax(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.linear = nn.Linear(dim, CLASSES)

    def forward(self, feature, labels):
        return nn.functional.cross_entropy(self.linear(feature), labels)


class RbfSoftmax(nn.Module):
    """Logits s * exp(-|x - W|^2 / gamma), the distances by one matrix product."""

    def __init__(self, dim, scale=2.0, gamma=1.0):
        super().__init__()
        self.prototypes = nn.Parameter(torch.empty(CLASSES, dim))
        nn.init.xavier_uniform_(self.prototypes)
        self.scale, self.gamma = scale, gamma

    def forward(self, feature, labels):
        norms = feature.square().sum(1, keepdim=True) + self.prototypes.square().sum(1)
        distance = (norms - 2 * feature @ self.prototypes.t()).clamp(min=0)
        return nn.functional.cross_entropy(self.scale * torch.exp(-distance / self.gamma), labels)


LOSSES = {"softmax": Softmax, "rbf-softmax": RbfSoftmax}


def training_gflop(dim, batch):
    """2 a multiply-add; forward, weights' gradient and, but for the first layer, input's gradient."""
    total, channels, side = 0, 1, 28
    for width in (32, 64, 128):
        for _ in range(2):
            total += side * side * 25 * channels * width * (2 if channels == 1 else 3)
            channels = width
        side //= 2
    total += 3 * (channels * side * side * dim + dim * CLASSES)
    return 2e-9 * total * batch


def peak_resident_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def quartiles(times):
    times = sorted(times)
    if len(times) == 1:
        return times * 3
    return statistics.quantiles(times, n=4, method="inclusive")


def measure(args):
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    resident_before = peak_resident_bytes()
    model, loss_function = lenetpp(args.dim), LOSSES[args.loss](args.dim)
    images = torch.randn(args.batch, 1, 28, 28)
    labels = torch.arange(args.batch) % CLASSES
    if args.channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    parameters = [*model.parameters(), *loss_function.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.001, momentum=0.9)

    def step():
        optimizer.zero_grad()
        loss = loss_function(model(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()

    times = []
    for i in range(args.warmup + args.steps):
        start = time.perf_counter()
        step()
        if i >= args.warmup:
            times.append(1000 * (time.perf_counter() - start))
    lower, median, upper = quartiles(times)
    gflop = training_gflop(args.dim, args.batch)
    return {
        "program": f"pytorch {torch.__version__}" + (" channels-last" if args.channels_last else ""),
        "model": "lenetpp",
        "loss": args.loss,
        "dim": args.dim,
        "batch": args.batch,
        "threads": torch.get_num_threads(),
        "steps": args.steps,
        "milliseconds": median,
        "milliseconds_min": min(times),
        "milliseconds_lower_quartile": lower,
        "milliseconds_upper_quartile": upper,
        "images_per_second": 1000 * args.batch / median,
        "gflop": gflop,
        "gflop_per_second": 1000 * gflop / median,
        "peak_resident_bytes": peak_resident_bytes(),
        "resident_growth_bytes": peak_resident_bytes() - resident_before,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dim", type=int, default=32)
    parser.add_argument("--loss", choices=LOSSES, default="rbf-softmax")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--channels-last", action="store_true")
    print(json.dumps(measure(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
