"""Cases for the ops of core/ops/shape.h, index.h and create.h that op_cases.py does not have."""
import numpy as np
import torch


def orders(r):
    for shape, order in (((2, 3, 4, 5), (0, 2, 3, 1)), ((2, 5, 7, 3), (0, 3, 1, 2)), ((1, 3, 17, 6), (0, 2, 1, 3)),
                         ((3, 2, 5, 4), (-1, 1, 0, 2)), ((2, 3, 4, 5), (0, 1, 3, 2)), ((5, 19), (1, 0)),
                         ((2, 1, 3, 4, 2), (4, 0, 3, 1, 2)), ((2, 3, 1, 2, 3, 2), (0, 5, 3, 2, 4, 1)),
                         ((1, 4, 5), (0, 1, 2)), ((7,), (0,))):
        r.case("permute", {"x": np.asarray(r.normal(*shape))}, lambda x, o=order: x.permute(o), order=order)
    for shape, a, b in (((2, 3, 4, 5), 1, 2), ((2, 3, 4, 5), -1, 0), ((3, 4, 5), 1, -1)):
        r.case("transpose", {"x": np.asarray(r.normal(*shape))}, lambda x, a=a, b=b: x.transpose(a, b), dim0=a, dim1=b)
    for shape, dim in (((2, 1, 3, 4), 1), ((1, 3, 5, 7), 0), ((2, 3, 5, 1), -1), ((2, 1, 1), -2), ((1,), 0)):
        r.case("squeeze", {"x": np.asarray(r.normal(*shape))}, lambda x, d=dim: x.squeeze(d), dim=dim)
    for shape, dim in (((2, 3, 4, 5), 1), ((2, 3, 5), 0), ((2, 3, 5), -1), ((3, 2, 5), -3), ((4,), 1)):
        r.case("unsqueeze", {"x": np.asarray(r.normal(*shape))}, lambda x, d=dim: x.unsqueeze(d), dim=dim)


def boxes(r):
    for shape, dim, begin, end, step in (((3, 2, 3, 2), 0, 0, 3, 2), ((1, 5, 3, 2), 1, 1, 5, 3),
                                         ((2, 3, 3, 2), 2, 0, 3, 2), ((2, 3, 2, 7), -1, 1, 7, 2),
                                         ((2, 1, 3, 3), 3, 2, 3, 5), ((2, 5, 1, 3), -3, 0, 5, 1)):
        index = [slice(None)] * 4
        index[dim] = slice(begin, end, step)
        r.case("slice", {"x": r.normal(*shape)}, lambda x, i=tuple(index): x[i], dim=dim, begin=begin, end=end,
               step=step)
    for shape, slices in (((3, 4, 2, 5), [[0, 3, 1], [1, -1, 1], [0, 99, 2]]), ((4, 7), [[-2, 99, 1], [-6, -1, 3]]),
                          ((2, 3, 3, 5, 2), [[1, 2, 1], [0, 3, 1], [1, 3, 1], [0, 5, 4], [0, 2, 1]]),
                          ((9,), [[2, 8, 2]])):
        r.case("slice", {"x": np.asarray(r.normal(*shape))},
               lambda x, s=slices: x[tuple(slice(*each) for each in s)], slices=slices)
    for shape, dims in (((2, 3, 4, 5), (2, 3)), ((2, 3, 4, 5), (-1,)), ((2, 3, 4, 5), (0, 1)), ((5, 4), (0, 1)),
                        ((7,), (0,)), ((2, 3), ())):
        r.case("flip", {"x": np.asarray(r.normal(*shape))}, lambda x, d=dims: x.flip(d), dims=dims)
    for shape, to in (((3, 1), (3, 5)), ((1, 3, 1, 4), (2, 3, 3, 4)), ((2, 1, 4, 1), (2, 3, 4, 5)), ((5,), (2, 3, 5)),
                      ((), (2, 3)), ((2, 3), (2, 3)), ((1, 3, 1, 1), (2, 3, 4, 5))):
        r.case("broadcast_to", {"x": np.asarray(r.normal(*shape))}, lambda x, t=to: x.expand(t), shape=to)
    for shape, diagonal in (((5, 7), 0), ((3, 6, 4), -2), ((2, 2, 5, 5), 1), ((4, 3), 9), ((1, 5), -1)):
        for op in ("tril", "triu"):
            r.case(op, {"x": np.asarray(r.normal(*shape))},
                   lambda x, o=op, d=diagonal: getattr(torch, o)(x, d), diagonal=diagonal)
    for shape, offset, a, b in (((5, 7), 0, 0, 1), ((5, 7), 3, 0, 1), ((2, 5, 4), -1, 1, 2), ((2, 3, 4, 5), 1, -1, 1),
                                ((2, 3, 4, 5), 0, 2, 3), ((4, 3), 3, 0, 1)):
        r.case("diagonal", {"x": np.asarray(r.normal(*shape))},
               lambda x, o=offset, a=a, b=b: torch.diagonal(x, o, a, b), offset=offset, dim0=a, dim1=b)
    for shape, offset in (((5,), 0), ((4,), 2), ((3,), -1), ((4, 6), 1), ((1,), 0)):
        r.case("diag", {"x": np.asarray(r.normal(*shape))}, lambda x, o=offset: torch.diag(x, o), offset=offset)


def paddings(r):
    for shape, padding in (((1, 3, 3, 4), [[0, 0], [0, 0], [1, 1], [2, 1]]),
                           ((1, 3, 3, 4), [[0, 0], [1, 0], [0, 2], [0, 0]]),
                           ((3, 4), [[0, 0], [3, 2]]), ((2, 3, 3), [[0, 1], [0, 0], [2, 2]]), ((6,), [[5, 4]]),
                           ((1, 2, 2, 2, 1, 3), [[0, 0], [1, 1], [0, 1], [0, 0], [0, 0], [2, 1]])):
        for mode, numpy_mode in (("constant", None), ("reflect", "reflect"), ("replicate", "edge"),
                                 ("circular", "wrap")):
            def padded(x, p=padding, m=numpy_mode):
                if m is None:
                    return torch.nn.functional.pad(x, [n for each in reversed(p) for n in each], value=1.5)
                for dim, each in enumerate(p):  # NumPy's modes along one dimension after another
                    at = torch.from_numpy(np.pad(np.arange(x.shape[dim]), each, m))
                    x = x.index_select(dim, at)
                return x
            r.case("pad", {"x": np.asarray(r.normal(*shape))}, padded, padding=padding, mode=mode, value=1.5)
    for shape, shifts, dims in (((2, 3, 4, 5), (2, -1), (2, 3)), ((2, 3, 4, 5), (1,), (1,)), ((5, 4), (12, 3), (0, 1)),
                                ((7,), (-16,), (0,)), ((3, 5), (1, 1), (-1, -1)), ((2, 3, 4), (1, 0, 2), (0, 1, 2))):
        r.case("roll", {"x": np.asarray(r.normal(*shape))}, lambda x, s=shifts, d=dims: x.roll(s, d),
               shifts=shifts, dims=dims)
    for shape, counts in (((2, 2, 3, 4), (1, 1, 2, 3)), ((2, 3), (2, 1, 2)), ((3, 4), (3,)), ((5,), (2,)), ((), (3, 2)),
                          ((2, 2, 3, 2), (2, 3, 1, 1)), ((2, 1, 3), (1, 4, 1))):
        r.case("repeat", {"x": np.asarray(r.normal(*shape))}, lambda x, c=counts: torch.tile(x, c), counts=counts)


def parts(r):
    for shape, dim, count in (((2, 3, 5), 0, 2), ((2, 3, 5), -1, 3), ((3, 4), 1, 1), ((2,), 1, 4), ((), 0, 3),
                              ((2, 3, 4, 5), 2, 2)):
        inputs = {f"part{i}": np.asarray(r.normal(*shape)) for i in range(count)}
        r.case("stack", inputs, lambda d=dim, **p: torch.stack(list(p.values()), d), dim=dim, parts=count)


def indices(r):
    for shape, dim, size in (((5, 7), 1, (5, 3)), ((5, 7), 0, (9, 7)), ((2, 3, 4, 5), 2, (2, 2, 8, 5)),
                             ((2, 3, 4, 5), -1, (1, 3, 4, 4)), ((4,), 0, (11,)), ((3, 4, 5), 0, (2, 4, 5))):
        index = r.rng.integers(0, shape[dim], size).astype(np.int64)
        r.case("gather", {"x": r.normal(*shape), "index": index}, lambda x, index, d=dim: x.gather(d, index), dim=dim)
        r.case("scatter_add", {"x": r.normal(*shape), "index": index, "source": r.normal(*size)},
               lambda x, index, source, d=dim: x.scatter_add(d, index, source), dim=dim)
    for shape, dim, size in (((5, 7), 1, (5, 3)), ((2, 3, 4, 5), 1, (2, 2, 4, 4)), ((9, 4), 0, (6, 4)),
                             ((8,), -1, (5,))):
        index = np.argsort(r.rng.random(shape), axis=dim)[tuple(slice(n) for n in size)].astype(np.int64)
        r.case("scatter", {"x": r.normal(*shape), "index": index, "source": r.normal(*size)},
               lambda x, index, source, d=dim: x.scatter(d, index, source), dim=dim)
    for shape, dim, count in (((5, 7), 1, 4), ((5, 7), 0, 9), ((2, 3, 4, 5), 1, 5), ((2, 3, 4, 5), -1, 6),
                              ((2, 3, 4, 5), 2, 3), ((6,), 0, 8)):
        r.case("index_select", {"x": r.normal(*shape), "index": r.labels(count, shape[dim])},
               lambda x, index, d=dim: x.index_select(d, index), dim=dim)
    for shape, mask, value in (((5, 7), (5, 7), -100), ((2, 3, 4, 5), (4, 5), 0.5), ((2, 3, 4, 5), (2, 1, 1, 5), 2),
                               ((2, 3, 4, 5), (2, 3, 4, 5), 0), ((4,), (), 1)):
        chosen = r.labels(int(np.prod(mask, dtype=int)), 2).reshape(mask).astype(np.float32)
        r.case("masked_fill", {"x": r.normal(*shape), "mask": chosen},
               lambda x, mask, v=value: x.masked_fill(mask != 0, v), no_grad=("mask",), value=value)
    for shape, classes in (((7,), 5), ((2, 3), 4), ((1,), 1), ((), 3)):
        labels = r.rng.integers(0, classes, shape).astype(np.int64)
        r.case("one_hot", {"labels": np.asarray(labels)},
               lambda labels, c=classes: torch.nn.functional.one_hot(labels, c).double(), classes=classes)


def numbers(r):
    for begin, end, step in ((0, 7, 1), (2, 9.5, 0.75), (5, -4, -2), (1, 1, 1), (-3, 100, 7)):
        r.case("arange", {}, lambda b=begin, e=end, s=step: torch.arange(b, e, s, dtype=torch.float64), begin=begin,
               end=end, step=step)
    for begin, end, count in ((0, 1, 11), (-2.5, 3, 7), (4, 1, 4), (3, 9, 1), (1, 2, 0)):
        r.case("linspace", {}, lambda b=begin, e=end, c=count: torch.linspace(b, e, c, dtype=torch.float64),
               begin=begin, end=end, count=count)
    for rows, columns in ((3, 3), (2, 5), (6, 1), (0, 2)):
        r.case("eye", {}, lambda n=rows, m=columns: torch.eye(n, m, dtype=torch.float64), rows=rows, columns=columns)


def record(r):
    for family in (orders, boxes, paddings, parts, indices, numbers):
        family(r)
