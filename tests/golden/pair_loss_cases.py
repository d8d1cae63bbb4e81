"""Cases for the losses over pairs of a batch, computed from the equations in pair_op_cases.py.

If pytorch-metric-learning is installed and has the loss, an assertion compares its value."""
import numpy as np
import torch
import torch.nn.functional as F

import pair_op_cases as op
from head_op_cases import cosines, squared_distances, unit

try:
    from pytorch_metric_learning import distances as pml_distances
    from pytorch_metric_learning import losses as pml
    from pytorch_metric_learning import miners as pml_miners
    from pytorch_metric_learning import reducers as pml_reducers
except ImportError:
    pml = None

C, D = 6, 5
UNSEEN = -1e30


def parts(r, rows, scale=1.0):
    return {"feature": r.normal(rows, D, scale=scale), "labels": r.labels(rows, C)}


def batches(r, far=5.0):
    """Yields batches: ordinary, one sample, one class only, duplicates, no positive pairs, far from the origin, near
    it."""
    yield parts(r, 9)
    yield parts(r, 1)
    yield {**parts(r, 5), "labels": np.full(5, C - 1, np.int64)}
    ordinary = parts(r, 4)
    yield {"feature": np.tile(ordinary["feature"], (2, 1)), "labels": np.tile(ordinary["labels"], 2)}
    yield {**parts(r, C), "labels": np.arange(C)[::-1].copy()}
    yield parts(r, 7, scale=far)
    yield parts(r, 7, scale=0.01)


def agree(ours, theirs):
    assert abs(ours.item() - theirs.item()) < 1e-6 * max(1.0, abs(ours.item())), (ours, theirs)


def updated(mean, seen, x, labels, momentum):
    mean, seen = mean.clone(), seen.clone()
    for c in labels.unique().tolist():
        batch = x[labels == c].mean(0)
        mean[c] = mean[c] + momentum * (batch - mean[c]) if seen[c] > 0 else batch
        seen[c] = 1
    return mean, seen


def pair_case(r, name, settings, batch, function, normalise, training=True):
    """function(x, labels) computes the loss from prepared features. In the state, only some classes have been seen."""
    seen = np.array([1, 0, 1, 0, 1, 1], np.float32)
    state = {"means.mean": r.normal(C, D) * seen[:, None], "means.seen": seen}

    def call(feature, labels, **state):
        x = unit(feature) if normalise else feature
        result = {"y": function(x, labels)}
        mean, seen = state["means.mean"], state["means.seen"]
        if training:
            mean, seen = updated(mean, seen, x.detach(), labels, settings.get("momentum", 0.1))
        score = cosines(x, mean) if normalise else -squared_distances(x, mean)
        return {**result, "logits": torch.where(seen > 0, score, UNSEEN), "after_means.mean": mean,
                "after_means.seen": seen}
    r.case(name, {**batch, **state}, call, no_grad=tuple(state), settings=settings, classes=C, training=training)


def family(r, name, function, variants, normalise=True):
    """All batches with the first variant of the settings, one batch with each other variant, and one in evaluation."""
    for settings in variants:
        scaled = bool(settings.get("normalise", normalise))
        for batch in batches(r) if settings is variants[0] else [parts(r, 9)]:
            pair_case(r, name, settings, batch, lambda x, labels, s=settings: function(x, labels, s), scaled)
    pair_case(r, name, variants[0], parts(r, 6), lambda x, labels: function(x, labels, variants[0]), normalise, False)


def without(settings, *names):
    return {key: value for key, value in settings.items() if key not in (*names, "normalise", "momentum")}


def both_kinds(labels):
    """Whether there are positive and negative pairs. Otherwise pytorch-metric-learning returns 0 even if terms
    remain."""
    return 1 < len(labels.unique()) < len(labels)


def contrastive(x, labels, settings):
    y = op.contrastive(op.distances(x, x), *op.masks(labels), **without(settings))
    if pml and settings.get("power") == 1:
        reducer = pml_reducers.AvgNonZeroReducer() if settings.get("over_nonzero") else pml_reducers.MeanReducer()
        theirs = pml.ContrastiveLoss(settings.get("positive_margin", 0), settings.get("margin", 1), reducer=reducer,
                                     distance=pml_distances.LpDistance(normalize_embeddings=False))
        agree(y, theirs(x, labels))
    return y


def triplet(x, labels, settings):
    y = op.triplet(op.distances(x, x), *op.masks(labels), **without(settings))
    margin, miner = settings.get("margin", 0.2), settings.get("miner", op.ALL)
    distinct = (op.distances(x, x) > 0).sum() == len(x) * (len(x) - 1)
    if pml and miner in (op.ALL, op.HARD) and settings.get("over_nonzero", 1) and distinct and both_kinds(labels):
        distance = pml_distances.LpDistance(normalize_embeddings=False)
        chosen = pml_miners.BatchHardMiner(distance=distance)(x, labels) if miner == op.HARD else None
        agree(y, pml.TripletMarginLoss(margin, smooth_loss=bool(settings.get("soft")), distance=distance,
                                       triplets_per_anchor="all")(x, labels, chosen))
    return y


def supervised_contrastive(x, labels, settings):
    y = op.supervised_contrastive(cosines(x, x), *op.masks(labels), **without(settings))
    if pml and both_kinds(labels):
        agree(y, pml.SupConLoss(settings.get("temperature", 0.1))(x, labels))
    return y


def multi_similarity(x, labels, settings):
    y = op.multi_similarity(cosines(x, x), *op.masks(labels), **without(settings))
    s = {"alpha": 2, "beta": 50, "base": 0.5, "mining": 1, "epsilon": 0.1} | settings
    if pml and both_kinds(labels):
        chosen = pml_miners.MultiSimilarityMiner(s["epsilon"])(x, labels) if s["mining"] else None
        agree(y, pml.MultiSimilarityLoss(s["alpha"], s["beta"], s["base"])(x, labels, chosen))
    return y


def circle(x, labels, settings):
    y = op.circle(cosines(x, x), *op.masks(labels), **without(settings))
    if pml and both_kinds(labels):
        agree(y, pml.CircleLoss(settings.get("margin", 0.25), settings.get("gamma", 256))(x, labels))
    return y


def proxy_anchor(r, variants=({}, {"alpha": 4, "delta": 0.3})):
    for settings in variants:
        def function(feature, labels, proxies):
            similarities = cosines(proxies, feature)
            y = op.proxy_anchor(similarities, *op.masks(torch.arange(C), labels), **settings)
            if pml:
                module = pml.ProxyAnchorLoss(C, D, settings.get("delta", 0.1), settings.get("alpha", 32)).double()
                module.proxies.data = proxies.detach().clone()
                agree(y, module(feature, labels))
            return {"y": y, "logits": similarities.T}
        for batch in batches(r) if settings == {} else [parts(r, 9)]:
            r.case("proxy-anchor", {**batch, "proxies": r.normal(C, D)}, function, settings=settings, classes=C)


RANGE_VARIANTS = (("range", {}), ("range", {"alpha": 0.3, "beta": 0.2, "margin": 5, "k": 3}),
                  ("softmax + 0.5 * range", {"alpha": 0.3, "beta": 0.2, "margin": 40, "k": 1}))


def range_loss(r, variants=RANGE_VARIANTS):
    for name, settings in variants:
        s = {"alpha": 5e-5, "beta": 1e-4, "margin": 2e4, "k": 2} | settings

        def function(feature, labels, **state):
            logits = F.linear(feature, state["head.weight"], state["head.bias"])
            within = op.range_intra((feature[:, None] - feature[None]).square().sum(2), labels, s["k"])
            centres = op.class_means(feature, labels)
            between = op.range_inter((centres[:, None] - centres[None]).square().sum(2), labels, s["margin"])
            term = s["alpha"] * within + s["beta"] * between
            return {"y": F.cross_entropy(logits, labels) + (0.5 if "+" in name else 1) * term, "logits": logits}
        for batch in batches(r) if settings == {} else [parts(r, 9), parts(r, 14)]:
            r.case(name, {**batch, "head.weight": r.normal(C, D), "head.bias": r.normal(C)}, function,
                   settings=settings, classes=C)


def record(r):
    family(r, "contrastive", contrastive,
           [{}, {"power": 1}, {"power": 1, "positive_margin": 0.3, "margin": 1.2, "over_nonzero": 1, "normalise": 1},
            {"margin": 2.5, "over_nonzero": 1, "momentum": 0.7}], normalise=False)
    family(r, "triplet", triplet,
           [{}, {"miner": op.HARD}, {"miner": op.HARD, "soft": 1, "margin": 0}, {"miner": op.SEMI_HARD, "margin": 0.5},
            {"over_nonzero": 0, "normalise": 0, "margin": 1}, {"soft": 1, "normalise": 0}])
    family(r, "supervised-contrastive", supervised_contrastive, [{}, {"temperature": 0.5}])
    family(r, "multi-similarity", multi_similarity, [{}, {"mining": 0}, {"alpha": 1, "beta": 20, "base": 0.3}])
    family(r, "circle", circle, [{"margin": 0.4, "gamma": 20}, {"through_weights": 1, "gamma": 16}, {"gamma": 64}])
    proxy_anchor(r)
    range_loss(r)
