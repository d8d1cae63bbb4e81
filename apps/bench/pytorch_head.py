#!/usr/bin/env python3
"""Times RBF-Softmax and ArcFace over many classes in PyTorch, forward and backward, each written in
several ways; prints one JSON object per way. The counterpart of `radial-bench head`.

usage: pytorch_head.py [--loss rbf-softmax|arcface] [--classes C] [--dim D] [--batch N] [--threads T] [--steps S]
"""
import argparse
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F

SCALE, GAMMA = 2.0, 1.0  # RBF-Softmax
ARC_SCALE, MARGIN = 64.0, 0.5


def rbf_cdist(x, w, y):
    return F.cross_entropy(SCALE * torch.exp(torch.cdist(x, w).square() * (-1 / GAMMA)), y)


def rbf_matmul(x, w, y):
    distances = x.square().sum(1, keepdim=True) + w.square().sum(1) - 2 * x @ w.T
    return F.cross_entropy(SCALE * torch.exp(distances * (-1 / GAMMA)), y)


def rbf_addmm(x, w, y):
    """The product with the norms added to it in one call, and in-place steps where autograd allows them."""
    logits = torch.addmm(w.square().sum(1)[None], x, w.T, beta=-1 / GAMMA, alpha=2 / GAMMA)
    logits = (logits - x.square().sum(1, keepdim=True) / GAMMA).exp_()
    return F.cross_entropy(SCALE * logits, y)


def arcface_all(x, w, y):
    """The margin by a one-hot mask over all classes."""
    cosine = F.linear(F.normalize(x), F.normalize(w)).clamp(-1 + 1e-7, 1 - 1e-7)
    theta = torch.arccos(cosine)
    hot = F.one_hot(y, w.shape[0]).to(x.dtype)
    return F.cross_entropy(ARC_SCALE * torch.cos(theta + MARGIN * hot), y)


def arcface_own(x, w, y):
    """The margin on the own cosines alone."""
    cosine = F.linear(F.normalize(x), F.normalize(w))
    rows = torch.arange(x.shape[0])
    own = cosine[rows, y]
    sine = (1 - own.square()).clamp(min=1e-8).sqrt()
    moved = own * math.cos(MARGIN) - sine * math.sin(MARGIN)
    moved = torch.where(own > -math.cos(MARGIN), moved, own - MARGIN * math.sin(MARGIN))
    return F.cross_entropy(ARC_SCALE * cosine.index_put((rows, y), moved), y)


def arcface_scatter(x, w, y):
    """The same, the own logits added to the others' in place."""
    cosine = F.linear(F.normalize(x), F.normalize(w))
    own = cosine.gather(1, y[:, None])
    sine = (1 - own.square()).clamp(min=1e-8).sqrt()
    moved = torch.where(own > -math.cos(MARGIN), own * math.cos(MARGIN) - sine * math.sin(MARGIN),
                        own - MARGIN * math.sin(MARGIN))
    return F.cross_entropy((ARC_SCALE * cosine).scatter_add_(1, y[:, None], ARC_SCALE * (moved - own)), y)


WAYS = {"rbf-softmax": [rbf_cdist, rbf_matmul, rbf_addmm], "arcface": [arcface_all, arcface_own, arcface_scatter]}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--loss", choices=WAYS, default="rbf-softmax")
    for name, value in (("classes", 100000), ("dim", 512), ("batch", 256), ("threads", 0), ("steps", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    x = (0.02 * torch.randn(args.batch, args.dim)).requires_grad_()
    bound = math.sqrt(6 / (args.classes + args.dim))
    w = torch.empty(args.classes, args.dim).uniform_(-bound, bound).requires_grad_()
    y = torch.arange(args.batch) * 7919 % args.classes
    for way in WAYS[args.loss]:
        times = []
        for step in range(args.steps + 2):
            x.grad = w.grad = None
            start = time.perf_counter()
            value = way(x, w, y)
            value.backward()
            if step >= 2:
                times.append(1000 * (time.perf_counter() - start))
        print(json.dumps({"program": f"PyTorch {torch.__version__}", "loss": args.loss, "way": way.__name__,
                          "threads": torch.get_num_threads(), "value": value.item(),
                          "milliseconds": statistics.median(times), "milliseconds_min": min(times)}))


if __name__ == "__main__":
    main()
