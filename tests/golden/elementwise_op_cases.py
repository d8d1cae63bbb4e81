"""Cases for the ops of core/ops/elementwise.h, compare.h and activation.h that op_cases.py does not have."""
import numpy as np
import torch
import torch.nn.functional as F

BROADCASTS = [((2, 3, 3, 2), (2, 3, 3, 2)), ((2, 3, 3, 2), (3, 1, 1)), ((4, 1, 3), (5, 1)), ((1, 4, 3, 1), (2, 4, 3, 1)),
              ((7,), (1,))]


def hard_activations(r):
    for shape in ((2, 3, 5, 4), (17,)):
        r.case("relu6", {"x": r.normal(*shape, scale=5)}, lambda x: F.relu6(x))
        r.case("hard_sigmoid", {"x": r.normal(*shape, scale=4)}, lambda x: F.hardsigmoid(x))
        r.case("hard_swish", {"x": r.normal(*shape, scale=4)}, lambda x: F.hardswish(x))
    r.case("relu6", {"x": r.normal(2, 16, 3, 1, scale=5)}, lambda x: F.relu6(x), temporary=True)
    r.case("hard_swish", {"x": r.normal(1, 20, 3, 2, scale=4)}, lambda x: F.hardswish(x))


def activations(r):
    shapes = ((2, 3, 3, 2), (17,))
    plain = {"gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "selu": F.selu, "mish": F.mish,
             "softsign": F.softsign, "log_sigmoid": F.logsigmoid}
    for op, function in plain.items():
        for shape in shapes:
            r.case(op, {"x": r.normal(*shape, scale=3)}, lambda x, f=function: f(x))
    for shape, alpha in zip(shapes, (1.0, 0.7)):
        r.case("elu", {"x": r.normal(*shape, scale=2)}, lambda x, a=alpha: F.elu(x, a), alpha=alpha)
        r.case("celu", {"x": r.normal(*shape, scale=2)}, lambda x, a=alpha: F.celu(x, a), alpha=alpha)
    for shape, slope, temporary in ((shapes[0], 0.01, False), (shapes[1], 0.3, True), ((5, 7), -0.2, True)):
        r.case("leaky_relu", {"x": r.normal(*shape)}, lambda x, s=slope: F.leaky_relu(x, s), slope=slope,
               temporary=temporary)
    for shape, bound in zip(shapes, (0.5, 0.25)):
        r.case("hard_tanh", {"x": r.normal(*shape)}, lambda x, b=bound: F.hardtanh(x, -b, 2 * b), low=-bound,
               high=2 * bound)
        r.case("soft_shrink", {"x": r.normal(*shape)}, lambda x, b=bound: F.softshrink(x, b), bound=bound)
        r.case("hard_shrink", {"x": r.normal(*shape)}, lambda x, b=bound: F.hardshrink(x, b), bound=bound)
    for shape, dim in (((2, 4, 5, 3), 1), ((2, 3, 2, 6), -1), ((6, 5), 0), ((2, 3, 4, 5), 2)):
        r.case("glu", {"x": r.normal(*shape, scale=2)}, lambda x, d=dim: F.glu(x, d), dim=dim)


def elementary(r):
    shapes = ((2, 3, 3, 2), (17,))
    ranges = {"expm1": (-3, 2), "log1p": (-0.8, 3), "log2": (0.1, 4), "log10": (0.1, 4), "rsqrt": (0.2, 4),
              "sin": (-4, 4), "cos": (-4, 4), "tan": (-1.3, 1.3), "asin": (-0.9, 0.9), "acos": (-0.9, 0.9),
              "atan": (-4, 4), "sinh": (-2, 2), "cosh": (-2, 2), "erf": (-2, 2), "abs": (-2, 2), "sign": (-2, 2),
              "floor": (-4, 4), "ceil": (-4, 4), "round": (-4, 4), "reciprocal": (0.4, 3)}
    for op, (low, high) in ranges.items():
        for shape in shapes:
            r.case(op, {"x": r.uniform(*shape, low=low, high=high)}, lambda x, f=getattr(torch, op): f(x))
    for exponent in (3.0, 2.0, 0.5, -1.5, 0.0):
        r.case("pow", {"x": r.uniform(2, 3, 3, 1, low=0.3, high=2)}, lambda x, e=exponent: torch.pow(x, e),
               exponent=exponent)
    for a, b in BROADCASTS:
        r.case("pow", {"a": r.uniform(*a, low=0.3, high=2), "b": r.normal(*b)}, torch_binary(torch.pow))
        r.case("atan2", {"a": r.normal(*a), "b": r.normal(*b)}, torch_binary(torch.atan2))
        divisor = (r.uniform(*b, low=0.6, high=2.0) * np.sign(r.normal(*b))).astype(np.float32)
        for op in ("remainder", "fmod"):
            r.case(op, {"a": r.normal(*a, scale=2), "b": divisor}, torch_binary(getattr(torch, op)))


def torch_binary(function):
    return lambda a, b: function(a, b)


def comparisons(r):
    for op in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
        function = torch.eq if op == "equal" else getattr(torch, op)
        for a, b in BROADCASTS[:4]:
            # Whole numbers, so that some are equal.
            inputs = {"a": np.round(r.normal(*a)), "b": np.round(r.normal(*b))}
            r.case(op, inputs, torch_binary(function), no_grad=("a", "b"))
        r.case(op, {"a": np.round(r.normal(2, 3, 3, 2))}, lambda a, f=function: f(a, 1.0), no_grad=("a",), number=1.0)
    for op in ("logical_and", "logical_or"):
        for a, b in BROADCASTS[:3]:
            inputs = {"a": np.round(r.normal(*a)), "b": np.round(r.normal(*b))}
            r.case(op, inputs, torch_binary(getattr(torch, op)), no_grad=("a", "b"))
    r.case("logical_not", {"x": np.round(r.normal(2, 3, 3, 2))}, lambda x: torch.logical_not(x), no_grad=("x",))
    special = r.normal(5, 7)
    special[0, :3] = np.nan, np.inf, -np.inf
    r.case("is_nan", {"x": special}, lambda x: torch.isnan(x), no_grad=("x",))
    r.case("is_finite", {"x": special}, lambda x: torch.isfinite(x), no_grad=("x",))
    for a, b in BROADCASTS:
        r.case("maximum", {"a": r.normal(*a), "b": r.normal(*b)}, torch_binary(torch.maximum))
        r.case("minimum", {"a": r.normal(*a), "b": r.normal(*b)}, torch_binary(torch.minimum))


def choices(r):
    shapes = [((2, 3, 3, 2), (2, 3, 3, 2), (2, 3, 3, 2)), ((3, 2), (2, 3, 3, 2), (1,)), ((2, 1, 3, 2), (3, 1, 1), (2,)),
              ((4, 1), (1, 7), (4, 7)), ((3, 1, 1), (2, 3, 3, 2), (2, 1, 3, 2)), ((2, 3, 1, 3), (), (5, 1))]
    for condition, a, b in shapes:
        inputs = {"condition": np.round(r.normal(*condition)), "a": r.normal(*a), "b": r.normal(*b)}
        inputs = {name: np.asarray(value, np.float32) for name, value in inputs.items()}
        r.case("where", inputs, lambda condition, a, b: torch.where(condition != 0, a, b), no_grad=("condition",))


def record(r):
    hard_activations(r)
    activations(r)
    elementary(r)
    comparisons(r)
    choices(r)
