"""Cases for losses that are composed of ops: centre, ring, prototype, Gaussian and proxy losses and regularisers.

They are computed from the equations of their papers. If pytorch-metric-learning is installed and has the loss, an
assertion compares its value."""
import math

import numpy as np
import torch
import torch.nn.functional as F

from head_op_cases import one_hot

try:
    from pytorch_metric_learning import losses as pml, regularizers
except ImportError:
    pml = None

C, D = 6, 5


def agree(ours, theirs):
    assert abs(ours.item() - theirs.item()) < 1e-6 * max(1.0, abs(ours.item())), (ours, theirs)


def parts(r, rows=9, classes=C, dim=D, scale=1.0):
    return {"feature": r.normal(rows, dim, scale=scale), "labels": r.labels(rows, classes)}


def batches(r, classes=C, dim=D, far=6.0):
    """Yields the batches for every loss: ordinary, one sample, one class, duplicates, far and near."""
    yield parts(r, 9, classes, dim)
    yield parts(r, 1, classes, dim)
    yield {**parts(r, 5, classes, dim), "labels": np.full(5, classes - 1, np.int64)}
    ordinary = parts(r, 4, classes, dim)
    yield {"feature": np.tile(ordinary["feature"], (2, 1)), "labels": np.tile(ordinary["labels"], 2)}
    yield parts(r, 7, classes, dim, scale=far)
    yield parts(r, 7, classes, dim, scale=0.01)


def linear_head(r, classes=C, dim=D, prefix=""):
    return {f"{prefix}weight": r.normal(classes, dim), f"{prefix}bias": r.normal(classes)}


def distances(x, w):
    return ((x[:, None, :] - w[None, :, :])**2).sum(-1)


def cosines(x, w):
    return F.normalize(x) @ F.normalize(w).t()


def mean_over(each, labels, weights=None):
    return each.mean() if weights is None else (each * weights[labels]).sum() / weights[labels].sum()


def softmax_plus(r, name, term, state, settings, after=lambda *_, **__: {}, no_grad=(), training=True, batch=None):
    """Records softmax + lambda * term; the term's state has the prefix term1."""
    batch = parts(r) if batch is None else batch
    inputs = {**batch, **linear_head(r, prefix="head."), **{f"term1.{k}": v for k, v in state.items()}}

    def function(feature, labels, **s):
        logits = F.linear(feature, s["head.weight"], s["head.bias"])
        own = {key[6:]: value for key, value in s.items() if key.startswith("term1.")}
        value = term(feature, labels, **own)
        moved = {f"after_term1.{k}": v for k, v in after(feature, labels, **own).items()} if training else {}
        return {"y": F.cross_entropy(logits, labels) + settings["lambda"] * value, "logits": logits, **moved}
    r.case(name, inputs, function, no_grad=tuple(f"term1.{k}" for k in no_grad), classes=C, settings=settings,
           training=training)


def center_term(feature, labels, centres):
    return 0.5 * ((feature - centres[labels])**2).sum(1).mean()


def moved_centres(alpha):
    def after(feature, labels, centres):
        new = centres.clone()
        for j in range(len(centres)):
            mine = feature[labels == j]
            new[j] -= alpha * (centres[j] - mine).sum(0) / (1 + len(mine))
        return {"centres": new}
    return after


def center_case(r, batch, weight, alpha, training=True):
    softmax_plus(r, "center", center_term, {"centres": r.normal(C, D)}, {"lambda": weight, "alpha": alpha},
                 moved_centres(alpha), no_grad=("centres",), training=training, batch=batch)


def centers(r):
    for batch in batches(r):
        center_case(r, batch, 0.003, 0.5)
    for training in (True, False):
        center_case(r, None, 0.7, 0.9, training)


def ring_term(feature, labels, radius, started):
    return 0.5 * ((feature.norm(dim=1) - radius)**2).mean()


def ring_case(r, batch, weight, training=True):
    softmax_plus(r, "ring", ring_term, {"radius": r.uniform(1, low=0.5, high=2), "started": np.ones(1, np.float32)},
                 {"lambda": weight}, no_grad=("started",), training=training, batch=batch)


def rings(r):
    for batch in batches(r):
        ring_case(r, batch, 0.01)
    ring_case(r, None, 2.5, training=False)


def cpl_logits(feature, prototypes, gamma, classes):
    d = distances(feature, prototypes).reshape(len(feature), classes, -1)
    return torch.logsumexp(-gamma * d, 2), d


def cpl_case(r, batch, per_class, gamma, pull=None, classes=C):
    def function(feature, labels, prototypes=None, **state):
        w = prototypes if prototypes is not None else state["head.prototypes"]
        logits, d = cpl_logits(feature, w, gamma, classes)
        y = F.cross_entropy(logits, labels)
        if pull is not None:
            y = y + pull * d[torch.arange(len(labels)), labels].min(1).values.mean()
        return {"y": y, "logits": logits}
    name = "prototypes" if pull is None else "head.prototypes"
    settings = {"gamma": gamma, "prototypes_per_class": per_class}
    if pull is not None:
        settings["lambda"] = pull
    inputs = {**batch, name: r.normal(classes * per_class, batch["feature"].shape[1])}
    r.case("cpl" if pull is None else "g-cpl", inputs, function, classes=classes, settings=settings)


def cpls(r):
    for pull in (None, 0.01):
        # If logits were some hundreds, float32 could not be compared to 1e-5.
        for batch in batches(r, far=2.5):
            cpl_case(r, batch, 1, 1.0, pull)
        cpl_case(r, parts(r), 3, 1.0, pull)
        cpl_case(r, parts(r, 1), 2, 0.3, pull)
        cpl_case(r, parts(r, 6, scale=2.0), 2, 2.0, pull)
        cpl_case(r, parts(r, 6, 1), 2, 0.5, pull, classes=1)


def exclusive(w):
    c = cosines(w, w) - 10 * torch.eye(len(w), dtype=w.dtype)
    return c.max(1).values.mean()


def exclusive_case(r, classes, dim, weight=0.5):
    def function(feature, labels, **s):
        w = s["head.weight"]
        if pml is not None:
            agree(exclusive(w), regularizers.RegularFaceRegularizer()(w))
        logits = F.linear(feature, w, s["head.bias"])
        return {"y": F.cross_entropy(logits, labels) + weight * exclusive(w), "logits": logits}
    r.case(f"softmax + {weight} * exclusive", {**parts(r, 7, classes, dim), **linear_head(r, classes, dim, "head.")},
           function, classes=classes, settings={})


def exclusives(r):
    for classes, dim in ((C, D), (2, 3), (12, 2)):
        exclusive_case(r, classes, dim)


def rbf_network_case(r, batch, units, squared=False, smoothing=0.0, training=False):
    m = C * units
    inputs = {**batch, "centres": r.normal(m, D), "log_widths": r.normal(m, scale=0.3, shift=1.5),
              "weight": r.normal(C, m), "bias": r.normal(C), "started": np.ones(1, np.float32)}

    def function(feature, labels, centres, log_widths, weight, bias, started):
        kernel = torch.exp(-distances(feature, centres) / torch.exp(log_widths))
        logits = F.linear(m**-0.25 * kernel, weight, bias)
        y = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        if squared:
            target = (1 - smoothing) * one_hot(labels, logits) + smoothing / C
            y = ((logits - target)**2).sum(1).mean()
        return {"y": y, "logits": logits, "mean_kernel": kernel.max(1).values.mean()}
    r.case("rbf-network", inputs, function, no_grad=("started",), classes=C, training=training,
           settings={"units_per_class": units, "squared_error": int(squared), "smoothing": smoothing})


def rbf_networks(r):
    for batch in batches(r):
        rbf_network_case(r, batch, 2)
    rbf_network_case(r, parts(r), 3, squared=True, training=True)
    rbf_network_case(r, parts(r), 1, squared=True, smoothing=0.2)
    rbf_network_case(r, parts(r), 1, smoothing=0.2, training=True)


def lgm_case(r, batch, alpha, weight, diagonal):
    inputs = {**batch, "means": r.normal(C, D)}
    if diagonal:
        inputs["log_variances"] = r.normal(C, D, scale=0.5)

    def function(feature, labels, means, log_variances=None):
        v = torch.zeros_like(means) if log_variances is None else log_variances
        d = 0.5 * ((feature[:, None] - means)**2 / torch.exp(v)).sum(-1)
        half_log = 0.5 * v.sum(1)
        margin = 1 + alpha * one_hot(labels, d)
        own = torch.arange(len(labels)), labels
        likelihood = (d[own] + half_log[labels]).mean()
        return {"y": F.cross_entropy(-margin * d - half_log, labels) + weight * likelihood,
                "logits": -d - half_log}
    r.case("lgm", inputs, function, classes=C,
           settings={"alpha": alpha, "lambda": weight, "covariance": int(diagonal)})


def lgms(r):
    for diagonal in (False, True):
        for batch in batches(r):
            lgm_case(r, batch, 1.0, 0.1, diagonal)
        lgm_case(r, parts(r), 0.3, 0.0, diagonal)
        lgm_case(r, parts(r), 0.0, 2.0, diagonal)


def cos_softmax_case(r, batch, scale=0.0, epsilon=1e-4, smoothing=0.0):
    s = scale if scale > 0 else 0.5 * math.log((C - 1) / epsilon) + 3

    def function(feature, labels, weight):
        logits = s * cosines(feature, weight)
        return {"y": F.cross_entropy(logits, labels, label_smoothing=smoothing), "logits": logits}
    r.case("cos-softmax", {**batch, "weight": r.normal(C, D)}, function, classes=C,
           settings={"scale": scale, "epsilon": epsilon, "smoothing": smoothing})


def cos_softmaxes(r):
    for batch in batches(r):
        cos_softmax_case(r, batch)
    cos_softmax_case(r, parts(r), epsilon=1e-2, smoothing=0.1)
    cos_softmax_case(r, parts(r), scale=64.0)


def g_softmax_case(r, batch, alpha=1.0, smoothing=0.0):
    inputs = {**batch, **linear_head(r), "mean": r.normal(C), "log_sigma": r.normal(C, scale=0.5)}

    def function(feature, labels, weight, bias, mean, log_sigma):
        z = F.linear(feature, weight, bias)
        logits = z + alpha * torch.distributions.Normal(mean, torch.exp(log_sigma)).cdf(z)
        return {"y": F.cross_entropy(logits, labels, label_smoothing=smoothing), "logits": logits}
    r.case("g-softmax", inputs, function, classes=C, settings={"alpha": alpha, "smoothing": smoothing})


def g_softmaxes(r):
    for batch in batches(r):
        g_softmax_case(r, batch)
    g_softmax_case(r, parts(r), alpha=3.0, smoothing=0.1)


def soft_triple_case(r, batch, per_class=3, scale=20.0, gamma=0.1, delta=0.01, tau=0.2, smoothing=0.0):
    def function(feature, labels, centres):
        s = cosines(feature, centres).reshape(len(feature), C, per_class)
        similarity = (F.softmax(s / gamma, 2) * s).sum(2)
        logits = scale * (similarity - delta * one_hot(labels, similarity))
        y = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        if pml is not None and smoothing == 0:
            theirs = pml.SoftTripleLoss(C, D, per_class, scale, gamma, delta)
            theirs.fc.data = centres.detach().t().clone()
            agree(y, theirs(feature.detach(), labels))
        if per_class > 1:
            unit = F.normalize(centres).reshape(C, per_class, D)
            first, second = torch.triu_indices(per_class, per_class, 1)
            spread = torch.sqrt(2 + 1e-5 - 2 * (unit[:, first] * unit[:, second]).sum(-1)).sum()
            spread = spread / (C * per_class * (per_class - 1))
            if pml is not None:
                theirs = regularizers.SparseCentersRegularizer(C, per_class)
                assert abs(spread - theirs(centres.detach())) < 1e-4  # it adds another constant under the root
            y = y + tau * spread
        return {"y": y, "logits": scale * similarity}
    r.case("soft-triple", {**batch, "centres": r.normal(C * per_class, D)}, function, classes=C,
           settings={"centres_per_class": per_class, "lambda": scale, "gamma": gamma, "delta": delta, "tau": tau,
                     "smoothing": smoothing})


def soft_triples(r):
    for batch in batches(r):
        soft_triple_case(r, batch)
    soft_triple_case(r, parts(r), per_class=10)
    soft_triple_case(r, parts(r), per_class=1)
    soft_triple_case(r, parts(r), per_class=2, scale=64.0, gamma=0.5, delta=0.3, tau=0.0, smoothing=0.1)
    soft_triple_case(r, parts(r), per_class=4, scale=5.0, gamma=1.0, delta=0.0, tau=1.5)


def proxy_nca_case(r, batch, scale=1.0, own=False, smoothing=0.0, classes=C):
    def function(feature, labels, proxies):
        logits = -scale * distances(F.normalize(feature), F.normalize(proxies))
        mask = torch.zeros_like(logits)
        if not own:
            mask[torch.arange(len(labels)), labels] = -torch.inf
        log_p = logits - torch.logsumexp(logits + mask, 1, keepdim=True)
        target = (1 - smoothing) * one_hot(labels, logits) + smoothing / classes
        y = -(target * log_p).sum(1).mean()
        if pml is not None and own and smoothing == 0:
            theirs = pml.ProxyNCALoss(classes, feature.shape[1], softmax_scale=scale)
            theirs.proxies.data = proxies.detach().clone()
            agree(y, theirs(feature.detach(), labels))
        return {"y": y, "logits": logits}
    r.case("proxy-nca", {**batch, "proxies": r.normal(classes, batch["feature"].shape[1])}, function,
           classes=classes, settings={"scale": scale, "own_in_denominator": int(own), "smoothing": smoothing})


def proxy_ncas(r):
    for own in (False, True):
        for batch in batches(r):
            proxy_nca_case(r, batch, own=own)
        proxy_nca_case(r, parts(r), 32.0, own)
        proxy_nca_case(r, parts(r), 9.0, own, smoothing=0.1)
        proxy_nca_case(r, parts(r, 5, 2, 3), 3.0, own, classes=2)


def record(r):
    for family in (centers, rings, cpls, exclusives, rbf_networks, lgms, cos_softmaxes, g_softmaxes, soft_triples,
                   proxy_ncas):
        family(r)
