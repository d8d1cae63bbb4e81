"""Cases for the ops of core/ops/conv.h, core/ops/interpolate.h and core/ops/unfold.h that op_cases.py does not have."""
import torch
import torch.nn.functional as F


def one_dimensional(r):
    # batch, channels, length, filters, kernel, stride, padding, dilation, groups, bias
    for n, c, length, k, kernel, stride, pad, dilation, groups, bias in (
            (2, 3, 11, 5, 3, 1, 1, 1, 1, True), (1, 4, 9, 6, 2, 2, 0, 3, 2, False), (3, 1, 5, 1, 5, 1, 2, 1, 1, True),
            (1, 8, 7, 8, 3, 1, 1, 1, 8, True)):
        inputs = {"x": r.normal(n, c, length), "weight": r.normal(k, c // groups, kernel)}
        if bias:
            inputs["bias"] = r.normal(k)
        r.case("conv1d", inputs,
               lambda x, weight, bias=None, s=stride, p=pad, d=dilation, g=groups:
                   F.conv1d(x, weight, bias, s, p, d, g),
               stride=stride, pad=pad, dilation=dilation, groups=groups)


# batch, channels, height, width, filters, kernel, stride, padding, output padding, dilation, groups, bias
TRANSPOSED = [
    (2, 3, 5, 4, 4, (3, 3), (1, 1), (0, 0), (0, 0), (1, 1), 1, True),
    (1, 16, 3, 2, 3, (4, 4), (2, 2), (1, 1), (0, 0), (1, 1), 1, True),
    (1, 5, 3, 4, 6, (2, 2), (2, 2), (0, 0), (0, 0), (1, 1), 1, False),
    (2, 3, 4, 3, 5, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1), 1, True),
    (1, 4, 4, 3, 6, (3, 2), (2, 3), (1, 0), (0, 2), (1, 2), 2, True),
    (1, 8, 3, 4, 8, (3, 3), (2, 1), (1, 1), (1, 0), (1, 1), 8, True),
    (1, 1, 1, 1, 1, (4, 3), (1, 1), (0, 0), (0, 0), (1, 1), 1, True),
    (1, 3, 4, 4, 2, (3, 3), (1, 1), (1, 1), (0, 0), (2, 2), 1, False),
    (2, 12, 3, 2, 8, (1, 1), (2, 2), (0, 0), (1, 0), (1, 1), 4, True),
    (1, 8, 3, 4, 9, (3, 3), (1, 1), (1, 1), (0, 0), (1, 1), 1, True),
]


def transposed(r):
    for n, c, h, w, k, kernel, stride, pad, more, dilation, groups, bias in TRANSPOSED:
        inputs = {"x": r.normal(n, c, h, w), "weight": r.normal(c, k // groups, *kernel)}
        if bias:
            inputs["bias"] = r.normal(k)
        r.case("conv_transpose2d", inputs,
               lambda x, weight, bias=None, s=stride, p=pad, o=more, d=dilation, g=groups:
                   F.conv_transpose2d(x, weight, bias, s, p, o, g, d),
               stride=stride, pad=pad, output_pad=more, dilation=dilation, groups=groups)


def adaptive_pools(r):
    for shape, size in (((2, 3, 7, 5), (3, 2)), ((1, 3, 6, 7), (2, 3)), ((2, 1, 5, 4), (1, 1)),
                        ((1, 17, 3, 2), (5, 4)), ((1, 3, 3, 4), (3, 4)), ((1, 2, 11, 7), (7, 3)),
                        ((3, 4, 1, 8), (2, 5))):
        r.case("adaptive_avg_pool2d", {"x": r.normal(*shape)}, lambda x, s=size: F.adaptive_avg_pool2d(x, s), size=size)
        r.case("adaptive_max_pool2d", {"x": r.normal(*shape)}, lambda x, s=size: F.adaptive_max_pool2d(x, s), size=size)


def unfolds(r):
    # batch, channels, height, width, window, stride, padding, dilation
    for n, c, h, w, window, stride, pad, dilation in (
            (1, 2, 4, 3, (3, 3), (1, 1), (1, 1), (1, 1)), (1, 3, 5, 4, (2, 3), (2, 1), (0, 2), (1, 2)),
            (2, 1, 3, 3, (1, 1), (1, 1), (0, 0), (1, 1)), (1, 2, 6, 5, (2, 2), (2, 3), (1, 0), (3, 1))):
        attributes = {"window": window, "stride": stride, "pad": pad, "dilation": dilation}
        x = r.normal(n, c, h, w)
        columns = F.unfold(torch.from_numpy(x), window, dilation, pad, stride).shape
        r.case("unfold", {"x": x},
               lambda x, k=window, d=dilation, p=pad, s=stride: F.unfold(x, k, d, p, s), **attributes)
        r.case("fold", {"x": r.normal(*columns)},
               lambda x, o=(h, w), k=window, d=dilation, p=pad, s=stride: F.fold(x, o, k, d, p, s), size=(h, w),
               **attributes)


def interpolations(r):
    def case(shape, mode, align=None, size=None, scale=None):
        where = {"size": size} if size else {"scale": scale}
        corners = {} if align is None else {"align_corners": align}
        r.case("interpolate2d", {"x": r.normal(*shape)},
               lambda x: F.interpolate(x, size=size, scale_factor=scale, mode=mode, align_corners=align), mode=mode,
               **where, **corners)
    case((2, 3, 3, 4), "nearest", size=(6, 8))
    case((1, 5, 5, 7), "nearest", size=(3, 11))
    case((2, 3, 3, 4), "nearest", scale=(2.5, 1.7))
    case((2, 1, 7, 6), "nearest", scale=(0.6, 0.4))
    for mode in ("bilinear", "bicubic"):
        case((2, 3, 3, 4), mode, False, size=(6, 8))
        case((1, 5, 5, 3), mode, True, size=(9, 7))
        case((2, 3, 7, 8), mode, False, size=(3, 5))
        case((1, 17, 3, 2), mode, False, scale=(1.7, 2.3))
        case((1, 3, 6, 5), mode, True, scale=(0.7, 1.5))
        case((2, 2, 1, 4), mode, False, size=(3, 4))
        case((1, 3, 5, 4), mode, True, size=(1, 6))
        case((2, 1, 5, 6), mode, False, scale=(1.1, 0.9))


def shuffles(r):
    for shape, factor in (((2, 8, 3, 4), 2), ((1, 9, 2, 1), 3), ((3, 5, 2, 3), 1), ((1, 36, 1, 2), 2)):
        r.case("pixel_shuffle", {"x": r.normal(*shape)}, lambda x, f=factor: F.pixel_shuffle(x, f), factor=factor)
    for shape, factor in (((2, 2, 6, 4), 2), ((1, 1, 3, 6), 3), ((3, 5, 2, 3), 1), ((1, 9, 4, 2), 2)):
        r.case("pixel_unshuffle", {"x": r.normal(*shape)}, lambda x, f=factor: F.pixel_unshuffle(x, f), factor=factor)


def record(r):
    for family in (one_dimensional, transposed, adaptive_pools, interpolations, shuffles, unfolds):
        family(r)
