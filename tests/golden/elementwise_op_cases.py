"""Cases for the ops of core/ops/elementwise.h and activation.h that op_cases.py does not have."""
import torch.nn.functional as F


def hard_activations(r):
    for shape in ((2, 3, 5, 7), (33,)):
        r.case("relu6", {"x": r.normal(*shape, scale=5)}, lambda x: F.relu6(x))
        r.case("hard_sigmoid", {"x": r.normal(*shape, scale=4)}, lambda x: F.hardsigmoid(x))
        r.case("hard_swish", {"x": r.normal(*shape, scale=4)}, lambda x: F.hardswish(x))
    r.case("relu6", {"x": r.normal(2, 16, 3, 3, scale=5)}, lambda x: F.relu6(x), temporary=True)
    r.case("hard_swish", {"x": r.normal(1, 20, 3, 2, scale=4)}, lambda x: F.hardswish(x))


def record(r):
    hard_activations(r)
