"""Cases for the ops of core/ops/reduce.h, softmax.h, scan.h and sort.h that op_cases.py does not have."""
import numpy as np
import torch
import torch.nn.functional as F


def softmaxes(r):
    for op in ("softmax", "log_softmax"):
        for shape, dim in (((2, 3, 5, 7), 1), ((2, 3, 5, 7), 3), ((3, 2, 4), -2), ((5, 7), 0), ((2, 3, 2, 131), -3),
                           ((1, 1, 6), 2), ((9,), 0), ((4, 1, 3), 1)):
            if op == "log_softmax" and shape in ((9,), (1, 1, 6)):
                continue
            r.case(op, {"x": r.normal(*shape, scale=3)}, lambda x, f=getattr(F, op), d=dim: f(x, d), dim=dim)


def record(r):
    for family in (softmaxes,):
        family(r)
