"""Cases for the softmax heads, with all links, smoothing and weights, and for ops on rows; computed from logits."""
import math

import torch
import torch.nn.functional as F


def one_hot(labels, like):
    """The labels as a one-hot matrix [N, C] with the number of columns and the type of `like`."""
    return F.one_hot(labels, like.shape[1]).to(like.dtype)


def squared_distances(x, w):
    return (x[:, None] - w[None]).square().sum(2)


def unit(x):
    """Rows scaled to length 1; a row of zeros does not change."""
    length = x.norm(dim=1, keepdim=True)
    return x / torch.where(length == 0, 1.0, length)


def cosines(x, w):
    return unit(x) @ unit(w).T


def own(matrix, labels):
    return matrix.gather(1, labels[:, None])[:, 0]


def with_own(matrix, labels, values):
    """The matrix with the elements at the labels replaced by values [N]."""
    hot = one_hot(labels, matrix)
    return matrix * (1 - hot) + values[:, None] * hot


def angular(cosine, angle):
    """cos(t + angle); if t + angle is above pi, cos t - angle sin(angle)."""
    t = torch.arccos(cosine)
    return torch.where(t + angle > math.pi, cosine - angle * math.sin(angle), torch.cos(t + angle))


def multiplied(cosine, k, blend):
    """(-1)^q cos(k t) - 2 q, averaged with cos t."""
    t = torch.arccos(cosine)
    q = torch.floor(k * t / math.pi).clamp(max=k - 1).detach()
    return (blend * cosine + (1 - 2 * (q % 2)) * torch.cos(k * t) - 2 * q) / (1 + blend)


def hardened(matrix, labels, threshold, hardness):
    """c (h + c) for the cosines c that are above the threshold [N]."""
    return torch.where(matrix > threshold[:, None], matrix * (hardness + matrix), matrix)


# Settings of the softmax; every head is recorded with each of them.
SOFTMAX = [{}, {"smoothing": 0.2}, {"weighted": True}, {"smoothing": 0.1, "weighted": True}]


def heads(r, op, inputs, classes, logits, no_grad=(), **attributes):
    """One case for each element of SOFTMAX; logits(**inputs) returns [N, classes]."""
    for settings in SOFTMAX:
        given = dict(inputs)
        if settings.get("weighted"):
            given["class_weights"] = r.uniform(classes, low=0.2, high=2.0)

        def function(labels, class_weights=None, **rest):
            return F.cross_entropy(logits(labels=labels, **rest), labels, weight=class_weights,
                                   label_smoothing=settings.get("smoothing", 0.0))
        r.case(op, given, function, no_grad=("class_weights", *no_grad), **attributes,
               smoothing=settings.get("smoothing", 0.0))


def focal(logits, labels, gamma=2.0):
    """-(1 - p)^gamma log p of each row. above is log((1 - p) / p), with which nothing overflows or cancels."""
    above = torch.logsumexp(logits.masked_fill(one_hot(labels, logits) > 0, -math.inf), 1) - own(logits, labels)
    return torch.exp(gamma * F.logsigmoid(above)) * -F.logsigmoid(-above)


def record(r):
    n, c, d = 6, 5, 4
    x, w, labels = r.normal(n, d, scale=0.6), r.normal(c, d, scale=0.6), r.labels(n, c)
    base = {"feature": x, "weight": w, "labels": labels}
    protos = {"feature": x, "prototypes": w, "labels": labels}
    bias = r.normal(c)

    heads(r, "softmax_loss", {**base, "bias": bias}, c, lambda feature, weight, bias, labels: F.linear(feature, weight, bias))
    heads(r, "cross_entropy", {"logits": r.normal(n, c, scale=3.0), "labels": labels}, c, lambda logits, labels: logits)

    def rbf(feature, prototypes, labels, scale_factor=1.0, gamma_factor=1.0, scale=3.0, gamma=1.5, margin=0.0):
        kernel = torch.exp(-squared_distances(feature, prototypes) / (gamma * gamma_factor))
        return scale * scale_factor * (kernel - margin * one_hot(labels, kernel))
    heads(r, "rbf_softmax_loss", protos, c, rbf, scale=3.0, gamma=1.5)
    heads(r, "rbf_softmax_loss", {**protos, "scale_factor": r.uniform(1, low=0.5, high=2), "gamma_factor": r.uniform(1, low=0.5, high=2)},
          c, lambda **k: rbf(**k, margin=0.2), scale=3.0, gamma=1.5, margin=0.2)
    heads(r, "rbf_softmax_loss", {**protos, "gamma_factor": r.uniform(c, low=0.5, high=2)}, c, rbf, scale=3.0, gamma=1.5)

    def distance(distances, bias, labels):
        return bias - 0.7 * distances * (1 + 0.4 * one_hot(labels, distances))
    heads(r, "distance_softmax_loss", {**protos, "bias": bias}, c,
          lambda feature, prototypes, **k: distance(squared_distances(feature, prototypes), **k), gamma=0.7, margin=0.4)
    heads(r, "distance_cross_entropy", {"distances": r.uniform(n, c, high=5.0), "labels": labels, "bias": bias}, c,
          distance, gamma=0.7, margin=0.4)

    def cosine_heads(op, inputs, matrix):
        def case(function, more=None, no_grad=(), **attributes):
            def logits(labels, **rest):
                extra = {key: rest.pop(key) for key in list(rest) if key in (more or {})}
                return function(matrix(**rest), labels, **extra)
            heads(r, op, {**inputs, **(more or {})}, c, logits, no_grad=no_grad, **attributes)
        scale = 8.0
        case(lambda m, y: scale * with_own(m, y, own(m, y) - 0.35), scale=scale, cosine=0.35)
        case(lambda m, y: scale * with_own(m, y, angular(own(m, y), 0.5)), scale=scale, angle=0.5)
        case(lambda m, y: scale * with_own(m, y, angular(own(m, y), 1.5)), scale=scale, angle=1.5)
        case(lambda m, y, scale_factor: scale * scale_factor * m, {"scale_factor": r.uniform(1, low=0.5, high=2)},
             scale=scale)
        case(lambda m, y, sample_angle: scale * with_own(m, y, torch.cos(torch.arccos(own(m, y)) + sample_angle)),
             {"sample_angle": r.uniform(n, low=0.0, high=0.3)}, scale=scale)
        case(lambda m, y, scale_factor, blend: scale_factor[:, None] * with_own(m, y, multiplied(own(m, y), 4, blend)),
             {"scale_factor": r.uniform(n, low=0.5, high=2), "blend": r.uniform(1, low=4, high=6)}, no_grad=("blend",),
             scale=1.0, multiple=4)

        def curricular(m, y, hardness):
            target = torch.cos(torch.arccos(own(m, y)) + 0.5)
            return scale * with_own(hardened(m, y, target, hardness), y, angular(own(m, y), 0.5))
        case(curricular, {"hardness": r.uniform(1, low=0.1, high=0.5)}, no_grad=("hardness",), scale=scale, angle=0.5)

    cosine_heads("cosine_softmax_loss", base, lambda feature, weight: cosines(feature, weight))
    cosine_heads("margin_cross_entropy", {"cosines": r.uniform(n, c, low=-0.9, high=0.9), "labels": labels},
                 lambda cosines: cosines)

    for rows, others, dim in ((1, 1, 1), (4, 7, 5), (3, 300, 2)):
        pair = {"x": r.normal(rows, dim), "w": r.normal(others, dim)}
        r.case("squared_distances", pair, squared_distances)
        r.case("cosines", pair if dim > 1 else {"x": r.normal(2, 3), "w": r.normal(1, 3)}, cosines)
    r.case("row_norms", {"x": r.normal(4, 7)}, lambda x: x.norm(dim=1))
    r.case("row_norms", {"x": r.normal(1, 1)}, lambda x: x.norm(dim=1))
    r.case("unit_rows", {"x": r.normal(4, 7)}, unit)
    r.case("unit_rows", {"x": r.normal(1, 3)}, unit)
    r.case("normal_cdf", {"x": r.normal(5, 6, scale=2.0)}, torch.special.ndtr)
    r.case("normal_cdf", {"x": r.normal(7)}, torch.special.ndtr)
    r.case("softplus", {"x": r.normal(5, 6, scale=10.0)}, F.softplus)
    r.case("softplus", {"x": r.normal(7)}, lambda x: torch.logaddexp(x, torch.zeros_like(x)))
    for count in (1, 8, 9):
        r.case("median", {"x": r.normal(count)}, lambda x: torch.median(x)[None].detach())
    for shape in ((5, 6), (7,)):
        r.case("clamp", {"x": r.normal(*shape, scale=2.0)}, lambda x: torch.clamp(x, -1.5, 0.75), low=-1.5, high=0.75)
    for rows, columns, gamma in ((6, 5, 2.0), (1, 3, 1.0), (7, 2, 0.5), (3, 9, 0.0)):
        r.case("focal_cross_entropy", {"logits": r.normal(rows, columns, scale=3.0), "labels": r.labels(rows, columns)},
               lambda logits, labels: focal(logits, labels, gamma), gamma=gamma)
