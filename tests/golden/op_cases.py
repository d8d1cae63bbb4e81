"""Cases for every op of core/ops.h and losses/functional.h."""
import numpy as np
import torch
import torch.nn.functional as F

from philox import unit


def elementwise(r):
    shapes = [((2, 3, 5, 7), (2, 3, 5, 7)), ((2, 3, 5, 7), (3, 1, 1)), ((2, 3, 5, 7), (1, 3, 5, 1)),
              ((4, 1, 3), (5, 1)), ((7,), (1,)), ((1, 16, 3, 3), (2, 16, 3, 3))]
    for op in ("add", "sub", "mul", "div"):
        for a, b in shapes:
            # Divisors are kept away from 0, where the quotient is inexact.
            right = r.normal(*b) if op != "div" else r.uniform(*b, low=0.5, high=2.0) * np.sign(r.normal(*b))
            r.case(op, {"a": r.normal(*a), "b": right.astype(np.float32)},
                   lambda a, b, f=getattr(torch, op): f(a, b))
    for op in ("add", "mul"):
        for scalar in (0.75, -2.5):
            r.case(op, {"a": r.normal(2, 3, 5, 7)}, lambda a, f=getattr(torch, op), s=scalar: f(a, s), scalar=scalar)
    for op in ("exp", "square"):
        for shape in ((2, 3, 5, 7), (33,)):
            r.case(op, {"x": r.normal(*shape)}, lambda x, f=getattr(torch, op): f(x))
    for op in ("log", "sqrt"):
        for shape in ((2, 3, 5, 7), (33,)):
            r.case(op, {"x": r.uniform(*shape, low=0.1, high=4.0)}, lambda x, f=getattr(torch, op): f(x))


def activations(r):
    shapes = [(2, 3, 5, 7), (1, 16, 3, 3), (3, 20, 1, 5), (5, 7), (33,)]
    for op in ("relu", "silu", "sigmoid", "tanh"):
        for shape in shapes:
            r.case(op, {"x": r.normal(*shape, scale=3)}, lambda x, f=getattr(F, op): f(x))
    r.case("relu", {"x": r.normal(2, 16, 5, 7)}, lambda x: F.relu(x), temporary=True)
    for shape, slopes in ((shapes[0], 3), (shapes[0], 1), (shapes[1], 16), (shapes[2], 20), ((5, 7), 7),
                          ((2, 1, 5, 5), 1)):
        r.case("prelu", {"x": r.normal(*shape), "slope": r.normal(slopes, scale=0.3)},
               lambda x, slope: F.prelu(x, slope))
    for p, shape in ((0.0, (2, 3, 5, 7)), (0.5, (2, 3, 5, 7)), (0.2, (5, 33))):
        kept = torch.from_numpy((unit(99, int(np.prod(shape))) >= p).reshape(shape))
        r.case("dropout", {"x": r.normal(*shape)}, lambda x, m=kept, q=p: x * m / (1 - q), p=p, seed=99)


def reductions(r):
    for op in ("sum", "mean"):
        for dims, keep in (([], False), ([0], False), ([1], True), ([2, 3], False), ([0, 2, 3], True), ([-1], False)):
            axes = dims or [0, 1, 2, 3]
            r.case(op, {"x": r.normal(2, 3, 5, 7)},
                   lambda x, f=getattr(torch, op), a=axes, k=keep: f(x, dim=a, keepdim=k), dims=dims, keep_dim=keep)
        r.case(op, {"x": r.normal(20, 16)}, lambda x, f=getattr(torch, op): f(x, dim=[1]), dims=[1], keep_dim=False)
    for shape, dim in (((2, 3, 5, 7), 1), ((2, 3, 5, 7), 3), ((20, 16), 0), ((20, 16), -1)):
        r.case("max", {"x": r.normal(*shape)}, lambda x, d=dim: torch.max(x, d).values, dim=dim)
    for shape in ((5, 7), (1, 20), (16, 1)):
        r.case("argmax", {"x": r.normal(*shape)}, lambda x: torch.argmax(x, -1), no_grad=("x",))


def shapes(r):
    for to in ([2, 105], [6, 5, 7], [210], [2, 3, 35, 1], [2, 3, 7, 5]):
        r.case("reshape", {"x": r.normal(2, 3, 5, 7)}, lambda x, t=to: x.reshape(t), shape=to)
    for shape in ((2, 3, 5, 7), (1, 20, 3, 3), (5, 7), (3, 2, 4)):
        r.case("flatten", {"x": r.normal(*shape)}, lambda x: x.flatten(1))
    for dim, begin, end in ((0, 1, 3), (1, 0, 2), (2, 1, 4), (3, 6, 7), (-1, 0, 7)):
        r.case("slice", {"x": r.normal(3, 3, 5, 7)}, lambda x, d=dim, b=begin, e=end: x.narrow(d, b, e - b), dim=dim,
               begin=begin, end=end)
    for shape in ((5, 7), (1, 20), (33, 16)):
        r.case("transpose", {"x": r.normal(*shape)}, lambda x: x.t())
    for dim, extents in ((0, (1, 2)), (1, (3, 16, 1)), (2, (5, 4)), (3, (2, 7)), (-3, (3, 3))):
        parts = {}
        for i, extent in enumerate(extents):
            shape = [2, 3, 5, 7]
            shape[dim] = extent
            parts[f"part{i}"] = r.normal(*shape)
        r.case("concat", parts, lambda d=dim, **p: torch.cat(list(p.values()), d), dim=dim, parts=len(extents))
    for shape in ((10, 7), (5, 3, 2), (1, 16)):
        index = r.labels(6, shape[0])
        r.case("gather_rows", {"x": r.normal(*shape), "index": index}, lambda x, index: x[index])
    for rows, classes in ((5, 7), (1, 20), (33, 3)):
        r.case("pick", {"x": r.normal(rows, classes), "index": r.labels(rows, classes)},
               lambda x, index: x.gather(1, index[:, None])[:, 0])


def products(r):
    for m, k, n in ((5, 7, 3), (1, 16, 20), (33, 1, 5)):
        for ta in (False, True):
            for tb in (False, True):
                a, b = r.normal(*((k, m) if ta else (m, k))), r.normal(*((n, k) if tb else (k, n)))
                r.case("matmul", {"a": a, "b": b},
                       lambda a, b, ta=ta, tb=tb: (a.t() if ta else a) @ (b.t() if tb else b), transpose_a=ta,
                       transpose_b=tb)
    for rows, dim, out, bias in ((5, 7, 3, True), (1, 16, 20, True), (33, 20, 1, False), (16, 128, 32, True)):
        inputs = {"x": r.normal(rows, dim), "weight": r.normal(out, dim)}
        if bias:
            inputs["bias"] = r.normal(out)
        r.case("linear", inputs, lambda x, weight, bias=None: F.linear(x, weight, bias))


# batch, channels, height, width, filters, kernel, stride, padding, dilation, groups, bias
CONVOLUTIONS = [
    (2, 3, 8, 8, 16, (3, 3), (1, 1), (1, 1), (1, 1), 1, True),
    (1, 1, 9, 7, 20, (5, 5), (1, 1), (2, 2), (1, 1), 1, True),
    (3, 16, 7, 7, 20, (3, 3), (2, 2), (1, 1), (1, 1), 1, False),
    (2, 20, 5, 6, 16, (1, 1), (1, 1), (0, 0), (1, 1), 1, True),
    (2, 16, 6, 6, 3, (1, 1), (2, 2), (0, 0), (1, 1), 1, False),
    (2, 3, 11, 9, 5, (3, 3), (1, 1), (2, 2), (2, 2), 1, True),
    (2, 4, 9, 11, 6, (3, 2), (2, 1), (1, 0), (1, 2), 1, True),
    (2, 16, 7, 5, 16, (3, 3), (1, 1), (1, 1), (1, 1), 16, True),
    (1, 16, 9, 9, 16, (5, 5), (2, 2), (2, 2), (1, 1), 16, False),
    (2, 16, 6, 6, 20, (3, 3), (1, 1), (1, 1), (1, 1), 4, True),
    (2, 3, 6, 6, 6, (3, 3), (1, 1), (1, 1), (1, 1), 3, True),
    (1, 1, 5, 5, 1, (5, 5), (1, 1), (0, 0), (1, 1), 1, True),
    (2, 3, 13, 13, 8, (4, 4), (3, 3), (0, 0), (1, 1), 1, True),
    (1, 32, 4, 4, 32, (3, 3), (1, 1), (1, 1), (1, 1), 1, True),
]


def convolutions(r):
    for n, c, h, w, k, kernel, stride, pad, dilation, groups, bias in CONVOLUTIONS:
        inputs = {"x": r.normal(n, c, h, w), "weight": r.normal(k, c // groups, *kernel)}
        if bias:
            inputs["bias"] = r.normal(k)
        r.case("conv2d", inputs,
               lambda x, weight, bias=None, s=stride, p=pad, d=dilation, g=groups:
                   F.conv2d(x, weight, bias, s, p, d, g),
               stride=stride, pad=pad, dilation=dilation, groups=groups)


def pools(r):
    geometries = [((2, 3, 8, 8), (2, 2), (2, 2), (0, 0)), ((1, 16, 7, 9), (2, 2), (2, 2), (0, 0)),
                  ((2, 20, 9, 7), (3, 3), (2, 2), (1, 1)), ((3, 1, 7, 7), (3, 2), (1, 2), (1, 0)),
                  ((2, 3, 5, 5), (5, 5), (5, 5), (0, 0)), ((1, 4, 11, 6), (2, 3), (3, 2), (1, 1))]
    for shape, window, stride, pad in geometries:
        attributes = {"window": window, "stride": stride, "pad": pad}
        r.case("max_pool2d", {"x": r.normal(*shape)},
               lambda x, w=window, s=stride, p=pad: F.max_pool2d(x, w, s, p), **attributes)
        r.case("avg_pool2d", {"x": r.normal(*shape)},
               lambda x, w=window, s=stride, p=pad: F.avg_pool2d(x, w, s, p, count_include_pad=False), **attributes)
    for shape in ((2, 3, 5, 7), (1, 16, 1, 1), (3, 20, 7, 7), (2, 1, 4, 4)):
        r.case("global_avg_pool", {"x": r.normal(*shape)}, lambda x: x.mean((2, 3)))


def batch_norms(r):
    for shape in ((2, 3, 5, 7), (1, 16, 3, 3), (4, 20, 3, 2), (3, 1, 4, 4), (8, 5)):
        for training in (True, False):
            for clamp in (False, True):
                def function(x, scale, shift, running_mean, running_variance, t=training, c=clamp):
                    y = F.batch_norm(x, running_mean, running_variance, scale, shift, t, 0.2, 1e-3)
                    return {"y": F.relu(y) if c else y, "after_running_mean": running_mean,
                            "after_running_variance": running_variance}
                c = shape[1]
                inputs = {"x": r.normal(*shape, scale=2, shift=0.5), "scale": r.normal(c), "shift": r.normal(c),
                          "running_mean": r.normal(c), "running_variance": r.uniform(c, low=0.5, high=2)}
                r.case("batch_norm", inputs, function, no_grad=("running_mean", "running_variance"), training=training,
                       relu=clamp, momentum=0.2, epsilon=1e-3)


def batch_norms_with_residual(r):
    for shape in ((2, 3, 5, 7), (1, 16, 3, 3), (8, 5)):
        for training in (True, False):
            for clamp in (False, True):
                def function(x, scale, shift, residual, running_mean, running_variance, t=training, c=clamp):
                    y = F.batch_norm(x, running_mean, running_variance, scale, shift, t, 0.2, 1e-3) + residual
                    return {"y": F.relu(y) if c else y, "after_running_mean": running_mean,
                            "after_running_variance": running_variance}
                c = shape[1]
                inputs = {"x": r.normal(*shape, scale=2, shift=0.5), "scale": r.normal(c), "shift": r.normal(c),
                          "residual": r.normal(*shape), "running_mean": r.normal(c),
                          "running_variance": r.uniform(c, low=0.5, high=2)}
                r.case("batch_norm", inputs, function, no_grad=("running_mean", "running_variance"), training=training,
                       relu=clamp, momentum=0.2, epsilon=1e-3)


def rbf(feature, prototypes, scale, gamma):
    return scale * torch.exp(-torch.cdist(feature, prototypes, compute_mode="donot_use_mm_for_euclid_dist")**2 / gamma)


def losses(r):
    for rows, classes in ((5, 7), (1, 20), (16, 10), (33, 3)):
        r.case("log_softmax", {"x": r.normal(rows, classes, scale=3)}, lambda x: F.log_softmax(x, -1))
        for smoothing in (0.0, 0.1):
            r.case("cross_entropy", {"logits": r.normal(rows, classes, scale=3), "labels": r.labels(rows, classes)},
                   lambda logits, labels, s=smoothing: F.cross_entropy(logits, labels, label_smoothing=s),
                   smoothing=smoothing)
    for rows, dim, classes, bias in ((16, 32, 10, True), (1, 2, 10, True), (5, 7, 3, False), (33, 20, 16, True)):
        inputs = {"feature": r.normal(rows, dim), "weight": r.normal(classes, dim, scale=0.5),
                  "labels": r.labels(rows, classes)}
        if bias:
            inputs["bias"] = r.normal(classes)
        r.case("softmax_loss", inputs,
               lambda feature, weight, labels, bias=None: F.cross_entropy(F.linear(feature, weight, bias), labels))
    for rows, dim, classes, scale, gamma in ((16, 32, 10, 2, 1), (1, 2, 10, 8, 2), (5, 7, 3, 4, 1.3),
                                             (33, 20, 16, 2, 4)):
        # Features at a distance of about the kernel's width from the prototypes, where kernels are not near 0.
        near = {"feature": r.normal(rows, dim, scale=(0.4 * gamma / dim)**0.5),
                "prototypes": r.normal(classes, dim, scale=(0.4 * gamma / dim)**0.5)}

        def loss(feature, prototypes, labels, s=scale, g=gamma):
            logits = rbf(feature, prototypes, s, g)
            distance = ((feature - prototypes[labels])**2).sum(1)
            return {"y": F.cross_entropy(logits, labels), "mean_distance": distance.mean(),
                    "mean_kernel": torch.exp(-distance / g).mean()}
        r.case("rbf_softmax_loss", {**near, "labels": r.labels(rows, classes)}, loss, scale=scale, gamma=gamma)
        r.case("rbf_logits", near, lambda feature, prototypes, s=scale, g=gamma: rbf(feature, prototypes, s, g),
               scale=scale, gamma=gamma)


def conversions(r):
    """Conversions to a type and back, so that all results are float32; gradients are rounded like the values."""
    def there_and_back(x, dtype):
        return x.to(getattr(torch, dtype)).to(x.dtype)
    # Numbers halfway between two bfloat16 numbers, and numbers that are rounded to a power of two.
    ties = np.concatenate([(1 + np.arange(1, 64, 2) / 256) * s for s in (1, -1, 2.0**-20)] + [[1.998, -1.9999, 0, 3]])
    for dtype, x in (("bfloat16", r.normal(2, 3, 5, 7)), ("bfloat16", r.normal(33, scale=1e4)),
                     ("bfloat16", ties.astype(np.float32)), ("float32", r.normal(2, 3, 5, 7)),
                     ("float64", r.normal(5, 7))):
        r.case("cast", {"x": x}, lambda x, d=dtype: there_and_back(x, d), dtype=dtype)


def gelus(r):
    """At the end, so that the random numbers of the other cases stay the same."""
    for shape in ((2, 3, 5, 7), (1, 16, 3, 3), (3, 20, 1, 5), (5, 7), (33,)):
        r.case("gelu", {"x": r.normal(*shape, scale=3)}, F.gelu)


def label_ranks(r):
    """Rows of continuous numbers, and of few different ones, whose ties are in the order of their columns."""
    def ranks(x, labels):
        own, column = x.gather(1, labels[:, None]), torch.arange(x.shape[1])
        return ((x > own) | ((x == own) & (column < labels[:, None]))).sum(1)
    for rows, classes, step in ((5, 7, 0), (33, 20, 0), (1, 16, 0), (16, 10, 1), (7, 33, 0.5), (3, 1, 0)):
        x = r.normal(rows, classes)
        r.case("label_ranks", {"x": x if step == 0 else np.round(x / step).astype(np.float32),
                               "labels": r.labels(rows, classes)}, ranks, no_grad=("x",))


def record(r):
    for family in (elementwise, activations, reductions, shapes, products, convolutions, pools, batch_norms, losses,
                   batch_norms_with_residual, conversions, gelus, label_ranks):
        family(r)
