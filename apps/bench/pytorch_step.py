#!/usr/bin/env python3
"""The training step of `radial-bench step` in PyTorch: the same networks, losses, optimizer and JSON fields.

Needs PyTorch 1.13 or later, or 2 for --compile. `compare` in the same folder runs both and reports the ratio.
"""
import argparse
import contextlib
import functools
import json
import resource
import statistics
import time

import torch
from torch import nn

import pytorch_models

LOSSES_SHOWN = 5
DEVICE_BLOCK = 10


class Softmax(nn.Module):
    def __init__(self, dim, classes):
        super().__init__()
        self.linear = nn.Linear(dim, classes)

    def forward(self, feature, labels):
        return nn.functional.cross_entropy(self.linear(feature), labels)


class RbfSoftmax(nn.Module):
    """Logits s * exp(-|x - W|^2 / gamma), the distances by one matrix product."""

    def __init__(self, dim, classes, scale=2.0, gamma=1.0):
        super().__init__()
        self.prototypes = nn.Parameter(torch.empty(classes, dim))
        nn.init.xavier_uniform_(self.prototypes)
        self.scale, self.gamma = scale, gamma

    def forward(self, feature, labels):
        norms = feature.square().sum(1, keepdim=True) + self.prototypes.square().sum(1)
        distance = (norms - 2 * feature @ self.prototypes.t()).clamp(min=0)
        return nn.functional.cross_entropy(self.scale * torch.exp(-distance / self.gamma), labels)


LOSSES = {"softmax": Softmax, "rbf-softmax": RbfSoftmax}


class Classifier(nn.Module):
    """Network and loss as one module, so that --compile sees the whole forward pass."""

    def __init__(self, model, loss):
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, images, labels):
        return self.loss(self.model(images), labels)


def peak_resident_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def quartiles(times):
    times = sorted(times)
    if len(times) == 1:
        return times * 3
    return statistics.quantiles(times, n=4, method="inclusive")


def configure(args):
    """Threads, seed, and what float32 means on the device."""
    device = torch.device(args.device)
    if args.precision == "tf32" and device.type != "cuda":
        raise SystemExit("pytorch_step: --precision tf32 needs --device cuda")
    if args.graph == "on" and not (args.compile and device.type == "cuda"):
        raise SystemExit("pytorch_step: --graph on needs --compile and --device cuda")
    if args.compile and not hasattr(torch, "compile"):
        raise SystemExit(f"pytorch_step: --compile needs PyTorch 2, this is {torch.__version__}")
    if args.optimize_for_inference and not args.evaluate:
        raise SystemExit("pytorch_step: --optimize-for-inference needs --evaluate")
    if args.optimize_for_inference and args.compile:
        raise SystemExit("pytorch_step: --optimize-for-inference excludes --compile")
    torch.set_num_threads(args.threads or torch.get_num_threads())
    torch.manual_seed(1)
    if device.type == "cuda":
        torch.cuda.set_device(device.index or 0)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = args.precision == "tf32"
    return device


def synchronise(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


def autocast(device, precision, **options):
    """The context of a forward pass."""
    if precision != "bf16":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, **options)


def optimized_for_inference(classifier, images, labels, autocast):
    """Network and loss in TorchScript: traced, frozen, and passed through PyTorch's optimisations for inference. A
    trace under autocast contains its casts, so the result runs without it."""
    with torch.no_grad(), autocast(cache_enabled=False):
        traced = torch.jit.trace(classifier, (images, labels), check_trace=False)
    return torch.jit.optimize_for_inference(torch.jit.freeze(traced))


class Step:
    """Zeroed gradients, forward, loss, backward, SGD with momentum 0.9; or forward alone, in evaluation."""

    def __init__(self, args, device):
        (channels, side, _), classes = pytorch_models.published(args.model)
        self.side, self.classes = args.image or side, args.classes or classes
        model, self.dim = pytorch_models.build(args.model, args.dim or None)
        classifier = Classifier(model, LOSSES[args.loss](self.dim, self.classes)).to(device)
        self.images = torch.randn(args.batch, channels, self.side, self.side).to(device)
        self.labels = (torch.arange(args.batch) % self.classes).to(device)
        if args.channels_last:
            classifier = classifier.to(memory_format=torch.channels_last)
            self.images = self.images.to(memory_format=torch.channels_last)
        self.evaluates = args.evaluate
        classifier.train(not args.evaluate)
        self.optimizer = torch.optim.SGD(classifier.parameters(), lr=0.001, momentum=0.9)
        self.forward = classifier
        if args.compile:
            self.forward = torch.compile(classifier, mode="reduce-overhead" if args.graph == "on" else None)
        self.autocast = functools.partial(autocast, device, args.precision)
        if args.optimize_for_inference:
            self.forward = optimized_for_inference(classifier, self.images, self.labels, self.autocast)
            self.autocast = contextlib.nullcontext

    def evaluate(self):
        with torch.inference_mode(), self.autocast():
            return self.forward(self.images, self.labels)

    def __call__(self):
        if self.evaluates:
            return self.evaluate()
        self.optimizer.zero_grad()
        with self.autocast():
            loss = self.forward(self.images, self.labels)
        loss.backward()
        self.optimizer.step()
        return loss


def measure_steps(step, args, device):
    """Milliseconds a step, of each block of steps between two waits for the device, and the first steps' losses."""
    losses, times = [], []
    for _ in range(args.warmup):
        loss = step().item()
        if len(losses) < LOSSES_SHOWN:
            losses.append(loss)
    block = args.block or (DEVICE_BLOCK if device.type == "cuda" else 1)
    synchronise(device)
    for _ in range(-(-args.steps // block)):
        start = time.perf_counter()
        for _ in range(block):
            loss = step()
        loss = loss.item()
        synchronise(device)
        times.append(1000 * (time.perf_counter() - start) / block)
        if len(losses) < LOSSES_SHOWN and block == 1:
            losses.append(loss)
    return times, losses, block * len(times)


def program_name(args):
    parts = [f"pytorch {torch.__version__}"]
    parts += ["autocast-bf16"] if args.precision == "bf16" else []
    parts += ["compile"] if args.compile else []
    parts += ["graph"] if args.graph == "on" else []
    parts += ["optimize-for-inference"] if args.optimize_for_inference else []
    parts += ["channels-last"] if args.channels_last else []
    return " ".join(parts)


def measure(args):
    device = configure(args)
    resident_before = peak_resident_bytes()
    step = Step(args, device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    times, losses, steps = measure_steps(step, args, device)
    lower, median, upper = quartiles(times)
    return {
        "program": program_name(args),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "model": args.model,
        "loss": args.loss,
        "dim": step.dim,
        "image": step.side,
        "classes": step.classes,
        "batch": args.batch,
        "precision": args.precision,
        "graph": args.graph,
        "evaluate": args.evaluate,
        "threads": torch.get_num_threads(),
        "steps": steps,
        "milliseconds": median,
        "milliseconds_min": min(times),
        "milliseconds_lower_quartile": lower,
        "milliseconds_upper_quartile": upper,
        "images_per_second": 1000 * args.batch / median,
        "peak_tensor_bytes": torch.cuda.max_memory_allocated() if device.type == "cuda" else None,
        "reserved_bytes": torch.cuda.max_memory_reserved() if device.type == "cuda" else None,
        "peak_resident_bytes": peak_resident_bytes(),
        "resident_growth_bytes": peak_resident_bytes() - resident_before,
        "losses": losses,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=pytorch_models.NAMES, default="lenetpp")
    parser.add_argument("--loss", choices=LOSSES, default="rbf-softmax")
    parser.add_argument("--dim", type=int, default=0, help="0: the model's")
    parser.add_argument("--image", type=int, default=0, help="height and width; 0: the model's")
    parser.add_argument("--classes", type=int, default=0, help="0: those of the model's data")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=("float32", "tf32", "bf16"), default="float32")
    parser.add_argument("--evaluate", action="store_true", help="forward alone, in evaluation")
    parser.add_argument("--graph", choices=("on", "off"), default="off", help="on: with --compile, CUDA graphs")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's choice")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--block", type=int, default=0, help="steps between two looks at the clock; 0: 1, on CUDA 10")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--optimize-for-inference", action="store_true",
                        help="with --evaluate: trace, freeze and torch.jit.optimize_for_inference")
    print(json.dumps(measure(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
