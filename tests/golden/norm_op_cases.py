"""Cases for the ops of core/ops/norm.h and linear_algebra.h that op_cases.py does not have."""
import numpy as np
import torch
import torch.nn.functional as F


def vectors(r, shape, weight, bias):
    inputs = {}
    if weight:
        inputs["weight"] = r.normal(*shape, shift=1)
    if bias:
        inputs["bias"] = r.normal(*shape)
    return inputs


def layer_norms(r):
    for shape, dims, weight, bias, epsilon in (
            ((5, 7), 1, True, True, 1e-5), ((3, 2, 33), 1, True, False, 1e-3), ((2, 3, 5, 7), 2, True, True, 1e-5),
            ((2, 3, 5, 7), 3, False, True, 1e-2), ((2, 3, 4, 5), 4, True, True, 1e-5), ((1, 16), 1, False, False, 0.0),
            ((19,), 1, True, True, 1e-5), ((2, 3, 2, 5), 1, True, True, 1e-6), ((2, 150), 1, True, True, 1e-5)):
        normalised = shape[len(shape) - dims:]
        r.case("layer_norm", {"x": r.normal(*shape, scale=2, shift=0.5), **vectors(r, normalised, weight, bias)},
               lambda x, weight=None, bias=None, n=normalised, e=epsilon: F.layer_norm(x, n, weight, bias, e),
               normalised=normalised, epsilon=epsilon)
        if bias:
            r.case("rms_norm", {"x": r.normal(*shape, scale=2, shift=0.5), **vectors(r, normalised, weight, False)},
                   lambda x, weight=None, n=normalised, e=epsilon: F.rms_norm(x, n, weight, e), normalised=normalised,
                   epsilon=epsilon)


def channel_norms(r):
    for shape, weight, bias, epsilon in (((2, 3, 5, 7), True, True, 1e-6), ((1, 16, 3, 2), True, False, 1e-3),
                                         ((3, 33, 2, 1), False, True, 1e-5)):
        r.case("layer_norm2d", {"x": r.normal(*shape, scale=2, shift=0.5), **vectors(r, (shape[1],), weight, bias)},
               lambda x, weight=None, bias=None, e=epsilon: F.layer_norm(
                   x.permute(0, 2, 3, 1), (x.shape[1],), weight, bias, e).permute(0, 3, 1, 2), epsilon=epsilon)


def group_norms(r):
    for shape, groups, weight, bias, epsilon in (
            ((2, 6, 3, 5), 2, True, True, 1e-5), ((2, 6, 3, 5), 6, True, True, 1e-5),
            ((1, 16, 3, 2), 1, True, False, 1e-3), ((2, 36, 1, 3), 4, False, True, 1e-5),
            ((4, 6, 7), 3, True, True, 1e-5), ((5, 12), 3, True, True, 1e-2), ((2, 4, 2, 3, 2), 2, False, False, 1e-5),
            ((1, 70, 2, 2), 35, True, True, 1e-5)):
        r.case("group_norm", {"x": r.normal(*shape, scale=2, shift=0.5), **vectors(r, (shape[1],), weight, bias)},
               lambda x, weight=None, bias=None, g=groups, e=epsilon: F.group_norm(x, g, weight, bias, e),
               groups=groups, epsilon=epsilon)
    for shape, weight, bias, epsilon in (((2, 3, 5, 7), True, True, 1e-5), ((1, 16, 3, 2), False, False, 1e-3),
                                         ((3, 33, 4), True, True, 1e-5)):
        r.case("instance_norm", {"x": r.normal(*shape, scale=2, shift=0.5), **vectors(r, (shape[1],), weight, bias)},
               lambda x, weight=None, bias=None, e=epsilon: F.instance_norm(x, None, None, weight, bias, eps=e),
               epsilon=epsilon)


def transposed(x, flag):
    return x.transpose(-1, -2) if flag else x


def products(r):
    for batch, m, k, n in (((2,), 5, 7, 3), ((2, 3), 1, 4, 6), ((1,), 9, 1, 2)):
        for ta in (False, True):
            for tb in (False, True):
                a, b = r.normal(*batch, *((k, m) if ta else (m, k))), r.normal(*batch, *((n, k) if tb else (k, n)))
                r.case("bmm", {"a": a, "b": b},
                       lambda a, b, ta=ta, tb=tb: transposed(a, ta) @ transposed(b, tb), transpose_a=ta, transpose_b=tb)
    for ta, tb in ((False, False), (False, True), (True, False), (True, True)):  # one second operand for all
        a, b = r.normal(3, *((7, 5) if ta else (5, 7))), r.normal(*((2, 7) if tb else (7, 2)))
        r.case("bmm", {"a": a, "b": b}, lambda a, b, ta=ta, tb=tb: transposed(a, ta) @ transposed(b, tb),
               transpose_a=ta, transpose_b=tb)


def attentions(r):
    """Mask: "" for none, "float" with a gradient, "bool" as 0 and 1."""
    for lead, rows, keys, dim, out, mask, causal, scale in (
            ((2, 3), 5, 5, 4, 4, "", False, None), ((2, 3), 5, 7, 4, 6, "", False, 0.3),
            ((1, 2), 7, 7, 3, 3, "", True, None), ((2, 1), 3, 5, 4, 4, "", True, None),
            ((2, 2), 5, 3, 4, 2, "", True, None), ((3, 1), 1, 1, 5, 5, "", False, None),
            ((2, 3), 5, 7, 4, 4, (5, 7), False, None), ((2, 3), 4, 5, 4, 4, (2, 1, 1, 5), False, None),
            ((2, 3), 4, 5, 4, 4, (3, 4, 5), False, 2.0), ((2, 3), 4, 5, 4, 4, (2, 3, 4, 5), False, None),
            ((2, 2), 4, 6, 4, 4, "bool", False, None)):
        inputs = {"q": r.normal(*lead, rows, dim), "k": r.normal(*lead, keys, dim), "v": r.normal(*lead, keys, out)}
        attributes = {"causal": causal}
        if scale is not None:
            attributes["scale"] = scale
        if mask == "bool":
            flags = r.rng.integers(0, 2, (lead[0], 1, rows, keys))
            flags[0, 0, 0] = 0  # a row without keys
            inputs["mask"] = flags.astype(np.int64)
        elif mask:
            inputs["mask"] = r.normal(*mask)

        def function(q, k, v, mask=None, causal=causal, scale=scale):
            if mask is not None and mask.dtype == torch.int64:
                mask = mask != 0
            return F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal, scale=scale)
        r.case("scaled_dot_product_attention", inputs, function, **attributes)


def record(r):
    for family in (layer_norms, channel_norms, group_norms, products, attentions):
        family(r)
