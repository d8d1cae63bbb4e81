"""Cases for the ops of core/ops/reduce.h, softmax.h, scan.h and sort.h that op_cases.py does not have."""
import numpy as np
import torch
import torch.nn.functional as F


def softmaxes(r):
    for op in ("softmax", "log_softmax"):
        for shape, dim in (((2, 3, 4, 5), 1), ((2, 3, 4, 5), 3), ((3, 2, 4), -2), ((5, 7), 0), ((2, 131), -2),
                           ((1, 1, 6), 2), ((9,), 0), ((4, 1, 3), 1)):
            if op == "log_softmax" and shape in ((9,), (1, 1, 6)):
                continue
            r.case(op, {"x": r.normal(*shape, scale=3)}, lambda x, f=getattr(F, op), d=dim: f(x, d), dim=dim)


DIMS = (([], False), ([1], True), ([0, 2, 3], True), ([-4], False), ([1, -1], False))


def over(function, dims, keep, rank=4):
    """function(x, dim=..., keepdim=...) over `dims`; all if there are none."""
    return lambda x: function(x, dim=list(range(rank)) if dims == [] else dims, keepdim=keep)


def extremes(r):
    for shape, dim in (((2, 3, 4, 5), 1), ((2, 3, 4, 5), -1), ((5, 4), 0), ((7,), 0)):
        r.case("min", {"x": r.normal(*shape)}, lambda x, d=dim: torch.min(x, d).values, dim=dim)
    for op in ("amax", "amin"):
        for dims, keep in DIMS:
            r.case(op, {"x": r.normal(2, 3, 2, 5)}, over(getattr(torch, op), dims, keep), dims=dims, keep_dim=keep)
        for shape, dims in (((5, 7), [0]), ((3, 4, 6), [-2])):  # with ties
            r.case(op, {"x": np.round(r.normal(*shape))}, over(getattr(torch, op), dims, False), dims=dims,
                   keep_dim=False, ties=True)
    for op in ("argmax", "argmin"):
        for shape, dim, keep in (((2, 3, 4, 5), 1, False), ((2, 3, 4, 5), -1, True), ((5, 7), 0, False),
                                 ((6,), 0, False), ((3, 4, 2), 1, True)):
            r.case(op, {"x": r.normal(*shape)}, over(getattr(torch, op), dim, keep), no_grad=("x",), dim=dim,
                   keep_dim=keep)


def products(r):
    for dims, keep in DIMS:
        axes = sorted(d % 4 for d in dims or range(4))
        x = 1 + r.normal(2, 3, 2, 3, scale=0.3)

        def function(x, axes=axes, keep=keep):
            for d in reversed(axes):
                x = torch.prod(x, d, keepdim=keep)
            return x
        r.case("prod", {"x": x}, function, dims=dims, keep_dim=keep)
    x = r.normal(4, 5)
    x[1, 2] = x[2, 1] = x[2, 3] = 0
    for dim in (0, 1):
        r.case("prod", {"x": x}, lambda x, d=dim: torch.prod(x, d), dims=[dim], keep_dim=False)


def moments(r):
    for op in ("var", "std"):
        for dims, keep in DIMS:
            correction = len(dims) % 2
            r.case(op, {"x": r.normal(2, 3, 2, 5, shift=2)},
                   lambda x, f=getattr(torch, op), d=dims, k=keep, c=correction:
                       f(x, dim=d or [0, 1, 2, 3], correction=c, keepdim=k),
                   dims=dims, keep_dim=keep, correction=correction)
        r.case(op, {"x": r.normal(6, 4, shift=1000)}, lambda x, f=getattr(torch, op): f(x, dim=[0], correction=1),
               dims=[0], keep_dim=False, correction=1)


def norms(r):
    for p in (1, 2, 0):  # 0 stands for infinity
        for dims, keep in DIMS:
            r.case("norm", {"x": r.normal(2, 3, 2, 3)},
                   over(lambda x, p=p or float("inf"), **how: torch.linalg.vector_norm(x, p, **how), dims, keep),
                   dims=dims, keep_dim=keep, p=p)


def log_sums(r):
    for dims, keep in DIMS:
        r.case("log_sum_exp", {"x": r.normal(2, 3, 2, 5, scale=3)}, over(torch.logsumexp, dims, keep), dims=dims,
               keep_dim=keep)


def counts(r):
    for op, function in (("all", lambda x, d, k: (x != 0).all(d, keepdim=k).to(x.dtype)),
                         ("any", lambda x, d, k: (x != 0).any(d, keepdim=k).to(x.dtype)),
                         ("count_nonzero", lambda x, d, k: (x != 0).sum(d, keepdim=k))):
        for axis, keep in ((1, False), (2, True), (-1, False), (0, False)):
            x = np.round(r.normal(2, 3, 3, 2, scale=0.6))
            r.case(op, {"x": x}, lambda x, f=function, d=axis, k=keep: f(x, d, k), no_grad=("x",), dims=[axis],
                   keep_dim=keep)


def scans(r):
    for op, function in (("cumsum", torch.cumsum), ("cumprod", torch.cumprod),
                         ("cummax", lambda x, d: torch.cummax(x, d).values)):
        for shape, dim in (((2, 3, 4, 5), 1), ((2, 3, 4, 5), -1), ((5, 7), 0), ((70,), 0), ((3, 1), 1)):
            r.case(op, {"x": r.normal(*shape)}, lambda x, f=function, d=dim: f(x, d), dim=dim)
    x = r.normal(4, 5)
    x[0, 0] = x[1, 2] = x[2, 1] = x[2, 3] = 0
    for dim in (0, 1):
        r.case("cumprod", {"x": x}, lambda x, d=dim: torch.cumprod(x, d), dim=dim)
    r.case("cummax", {"x": np.round(r.normal(4, 6))}, lambda x: torch.cummax(x, 1).values, dim=1, ties=True)


def sorts(r):
    for shape, dim, descending in (((2, 3, 4, 5), 1, False), ((2, 3, 4, 5), -1, True), ((5, 7), 0, True),
                                   ((33,), 0, False), ((1, 260), 1, False), ((3, 1), 1, False)):
        def function(x, d=dim, down=descending):
            values, indices = torch.sort(x, dim=d, descending=down, stable=True)
            return {"y": values, "indices": indices}
        r.case("sort", {"x": r.normal(*shape)}, function, dim=dim, descending=descending)
    for shape, dim, descending in (((5, 7), -1, False), ((2, 3, 5), 1, True)):  # with ties
        r.case("argsort", {"x": np.round(r.normal(*shape))},
               lambda x, d=dim, down=descending: torch.argsort(x, dim=d, descending=down, stable=True), no_grad=("x",),
               dim=dim, descending=descending)
    for shape, dim, k, largest in (((2, 3, 4, 5), 1, 2, True), ((2, 3, 4, 5), -1, 5, False), ((66, 2), 0, 3, True),
                                   ((2, 70), 1, 4, False), ((9,), 0, 0, True), ((2, 60), 1, 40, True)):
        def function(x, d=dim, k=k, largest=largest):
            values, indices = torch.topk(x, k, dim=d, largest=largest, sorted=True)
            return {"y": values, "indices": indices}
        r.case("topk", {"x": r.normal(*shape)}, function, dim=dim, k=k, largest=largest)


def record(r):
    for family in (softmaxes, extremes, products, moments, norms, log_sums, counts, scans, sorts):
        family(r)
