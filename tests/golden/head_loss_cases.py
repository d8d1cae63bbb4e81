"""Cases for the softmax, RBF-Softmax and cosine losses, computed from the equations of their papers.

If pytorch-metric-learning is installed and has the loss, an assertion compares its value."""
import math

import numpy as np
import torch
import torch.nn.functional as F

from head_op_cases import angular, cosines, focal, hardened, multiplied, one_hot, own, squared_distances, unit, with_own

try:
    from pytorch_metric_learning import losses as pml
except ImportError:
    pml = None

C, D = 6, 5


def parts(r, rows, scale=1.0):
    return {"feature": r.normal(rows, D, scale=scale), "labels": r.labels(rows, C)}


def batches(r, far):
    """Yields batches: an ordinary one, one sample, one class only, duplicates, far from the origin, near the origin."""
    yield parts(r, 9)
    yield parts(r, 1)
    yield {**parts(r, 5), "labels": np.full(5, C - 1, np.int64)}
    ordinary = parts(r, 4)
    yield {"feature": np.tile(ordinary["feature"], (2, 1)), "labels": np.tile(ordinary["labels"], 2)}
    yield parts(r, 7, scale=far)
    yield parts(r, 7, scale=0.01)


def exactly(value):
    tensor = torch.from_numpy(value)
    return tensor.double() if tensor.is_floating_point() else tensor


def agree(ours, theirs):
    assert abs(ours.item() - theirs.item()) < 1e-6 * max(1.0, abs(ours.item())), (ours, theirs)


def with_weight(module, weight):
    """Gives our weights to a loss of pytorch-metric-learning, which stores them as [D, classes]."""
    module = module.double()
    module.W.data = weight.detach().T.clone()
    return module


def softmax(r, variants=({}, {"bias": 0}, {"smoothing": 0.1}, {"recompute": 1})):
    for settings in variants:
        state = {"weight": r.normal(C, D)} | ({} if settings.get("bias") == 0 else {"bias": r.normal(C)})

        def function(feature, labels, weight, bias=None):
            logits = F.linear(feature, weight, bias)
            return {"y": F.cross_entropy(logits, labels, label_smoothing=settings.get("smoothing", 0)), "logits": logits}
        for batch in batches(r, 5.0) if settings == {} else [parts(r, 6)]:
            r.case("softmax", {**batch, **state}, function, settings=settings, classes=C)


def focal_loss(r, variants=({}, {"gamma": 1}, {"gamma": 0.5, "bias": 0})):
    for settings in variants:
        state = {"weight": r.normal(C, D)} | ({} if settings.get("bias") == 0 else {"bias": r.normal(C)})

        def function(feature, labels, weight, bias=None):
            logits = F.linear(feature, weight, bias)
            return {"y": focal(logits, labels, settings.get("gamma", 2)).mean(), "logits": logits}
        for batch in batches(r, 5.0) if settings == {} else [parts(r, 6)]:
            r.case("focal", {**batch, **state}, function, settings=settings, classes=C)


def rbf(feature, labels, prototypes, log_scale=None, log_gamma=None, scale=2.0, gamma=1.0, margin=0.0, smoothing=0.0,
        prototypes_per_class=1, reach=0.0, **_):
    distances = squared_distances(feature, prototypes).reshape(len(feature), C, int(prototypes_per_class)).amin(2)
    s = scale * (1 if log_scale is None else torch.exp(log_scale))
    width = gamma * (1 if log_gamma is None else torch.exp(log_gamma))

    def kernels(reached):
        return torch.exp(-distances / (width if reach == 0 else width + reached[:, None] / reach))
    trained = kernels(own(distances, labels))
    y = F.cross_entropy(s * (trained - margin * one_hot(labels, trained)), labels, label_smoothing=smoothing)
    return {"y": y, "logits": s * kernels(distances.amin(1)), "mean_kernel": own(trained, labels).mean()}


RBF_VARIANTS = ({}, {"scale": 8, "gamma": 4}, {"margin": 0.2, "scale": 4}, {"learn_scale": 1, "scale": 6, "gamma": 3},
                {"learn_gamma": 1}, {"per_class_gamma": 1, "learn_scale": 1},
                {"prototypes_per_class": 3, "gamma": 3, "margin": 0.1}, {"smoothing": 0.1, "recompute": 1}, {"reach": 4},
                {"reach": 2, "learn_gamma": 1, "learn_scale": 1, "prototypes_per_class": 2})


def rbf_learned(settings):
    """The shapes of the learned parameters except the prototypes."""
    learned = {"log_gamma": (C,)} if "per_class_gamma" in settings else {}
    learned |= {"log_gamma": (1,)} if "learn_gamma" in settings else {}
    return learned | ({"log_scale": (1,)} if "learn_scale" in settings else {})


def rbf_softmax(r, variants=RBF_VARIANTS):
    for settings in variants:
        learned = rbf_learned(settings)
        state = {"prototypes": r.normal(C * settings.get("prototypes_per_class", 1), D, scale=0.6)}
        state |= {key: r.normal(*shape, scale=0.4) for key, shape in learned.items()}
        # Distances near 0 and, multiplied by 500, of about 1e6, where all kernels without a reach are 0. With a reach
        # the gradients there are not 0, but they are differences of which float32 keeps few digits.
        far = {0: 500.0, 4: 50.0}.get(settings.get("reach", 0))
        for batch in batches(r, far) if settings in ({}, {"reach": 4}) else [parts(r, 8, 0.6)]:
            r.case("rbf-softmax", {**batch, **state}, lambda **k: rbf(**k, **settings), settings=settings, classes=C)
        if learned:
            continue  # the gradient of a scalar parameter would have few correct digits in float32
        r.case("rbf-softmax", {"feature": state["prototypes"].copy(), "labels": r.labels(len(state["prototypes"]), C), **state},
               lambda **k: rbf(**k, **settings), settings=settings, classes=C)


def normalised_rbf(r):
    """RBF-Softmax after a batch norm without scale and shift, whose statistics are initialised by the first batch."""
    norm_state = {"running_mean": r.normal(D, scale=0.5), "running_variance": r.uniform(D, low=0.5, high=2)}
    for settings, training, started in (({}, True, 0), ({}, True, 1), ({}, False, 1),
                                        ({"scale": 8, "gamma": 4, "spread": 1.5, "reach": 3}, True, 1),
                                        ({"learn_gamma": 1, "prototypes_per_class": 2}, False, 1)):
        spread, gamma = settings.get("spread", 1), settings.get("gamma", 1)

        def function(feature, labels, running_mean, running_variance, started, **state):
            moved = [running_mean.detach().clone(), running_variance.detach().clone()]
            x = F.batch_norm(feature, *moved, training=training, momentum=0.1 if started.item() else 1.0)
            results = rbf(spread * math.sqrt(gamma / D) * x, labels, **state, **settings)
            return {**results, "after_running_mean": moved[0], "after_running_variance": moved[1]}
        state = {"prototypes": r.normal(C * settings.get("prototypes_per_class", 1), D, scale=0.4), **norm_state}
        state |= {key: r.normal(*shape, scale=0.4) for key, shape in rbf_learned(settings).items()}
        r.case("rbf-softmax", {**parts(r, 9, 3.0), **state, "started": np.full(1, started, np.float32)}, function,
               no_grad=("running_mean", "running_variance", "started"), settings={"normalise": 1, **settings},
               classes=C, training=training)


def rbf_compact(r, name="rbf-softmax + 0.1 * compact", weight=0.1):
    def compact(feature, labels, **state):
        prototypes = state["head.prototypes"]
        base = rbf(feature, labels, prototypes)
        return {**base, "y": base["y"] + weight * (feature - prototypes[labels]).square().sum(1).mean()}
    r.case(name, {**parts(r, 8), "head.prototypes": r.normal(C, D)}, compact, settings={},
           classes=C)


def cosine_case(r, name, function, settings, state=None, more=None, no_grad=(), far=100.0, all_batches=True, **attributes):
    """function(cosines, labels, feature, **state) returns "y" and "logits"."""
    for index, batch in enumerate(batches(r, far)):
        if index > 0 and not all_batches:
            break
        inputs = {**batch, "weight": r.normal(C * int(settings.get("centers", 1)), D), **(more or {})}

        def call(feature, labels, weight, **rest):
            return function(cosines(feature, weight), labels, feature=feature, weight=weight, **rest)
        # A loss of 1e-15, as for a sample with a large margin, would consist of rounding errors.
        while call(**{key: exactly(value) for key, value in inputs.items()})["y"] < 1e-3:
            inputs["labels"] = r.labels(1, C).repeat(len(inputs["labels"]))
        r.case(name, inputs, call, no_grad=no_grad, settings=settings, classes=C, **attributes)


def ce(logits, labels, settings):
    return F.cross_entropy(logits, labels, label_smoothing=settings.get("smoothing", 0))


def normface(r, variants=({}, {"learn_scale": 0, "scale": 64}, {"smoothing": 0.1})):
    for settings in variants:
        learned = settings.get("learn_scale", 1)

        def function(m, labels, feature, weight, log_scale=None):
            s = settings.get("scale", 16) * (torch.exp(log_scale) if learned else 1)
            y = ce(s * m, labels, settings)
            if pml and not learned:
                agree(y, with_weight(pml.NormalizedSoftmaxLoss(C, D, temperature=1 / 64), weight)(feature, labels))
            return {"y": y, "logits": s * m}
        cosine_case(r, "normface", function, settings, more={"log_scale": r.normal(1, scale=0.3)} if learned else {})


def cosface(r, variants=({}, {"scale": 8, "margin": 0.2}, {"smoothing": 0.1, "recompute": 1})):
    for settings in variants:
        s, margin = settings.get("scale", 64), settings.get("margin", 0.35)

        def function(m, labels, feature, weight):
            y = ce(s * (m - margin * one_hot(labels, m)), labels, settings)
            if pml and "smoothing" not in settings:
                agree(y, with_weight(pml.CosFaceLoss(C, D, margin=margin, scale=s), weight)(feature, labels))
            return {"y": y, "logits": s * m}
        cosine_case(r, "cosface", function, settings)


def arcface(r, variants=({}, {"scale": 8, "margin": 0.2}, {"margin": 2.5}, {"smoothing": 0.1, "recompute": 1})):
    # With the largest margin, the angle plus the margin is above pi for most samples.
    for settings in variants:
        s, margin = settings.get("scale", 64), settings.get("margin", 0.5)

        def function(m, labels, feature, weight):
            target = own(m, labels)
            y = ce(s * with_own(m, labels, angular(target, margin)), labels, settings)
            if pml and "smoothing" not in settings and (torch.arccos(target) + margin < math.pi).all():
                module = pml.ArcFaceLoss(C, D, margin=math.degrees(margin), scale=s)
                agree(y, with_weight(module, weight)(feature, labels))
            return {"y": y, "logits": s * m}
        cosine_case(r, "arcface", function, settings)


def sphereface(r, variants=({}, {"multiple": 3, "lambda_base": 10, "lambda_min": 0}, {"multiple": 1})):
    for settings in variants:
        for training in (True, False):
            def function(m, labels, feature, weight, forwards):
                count = forwards + (1 if training else 0)
                blend = torch.clamp(settings.get("lambda_base", 1000) / (1 + 0.12 * count),
                                    min=settings.get("lambda_min", 5))
                length = feature.norm(dim=1, keepdim=True)
                target = multiplied(own(m, labels), settings.get("multiple", 4), blend)
                return {"y": F.cross_entropy(length * with_own(m, labels, target), labels), "logits": length * m,
                        "after_forwards": count}
            cosine_case(r, "sphereface", function, settings, more={"forwards": np.full(1, 70, np.float32)},
                        no_grad=("forwards",), all_batches=training, far=10.0, training=training)


def adacos(r, variants=({}, {"dynamic": 0})):
    for settings in variants:
        for training in (True, False):
            def function(m, labels, feature, weight, s):
                scale = s.detach()
                if training and settings.get("dynamic", 1):
                    fixed, target = m.detach(), own(m.detach(), labels)
                    others = (torch.exp(scale * fixed) * (1 - one_hot(labels, m))).sum(1).mean()
                    middle = torch.sort(torch.arccos(target.clamp(max=1))).values[(len(target) - 1) // 2]
                    scale = (torch.log(others) / torch.cos(torch.clamp(middle, max=math.pi / 4)))[None]
                return {"y": F.cross_entropy(scale * m, labels), "logits": scale * m, "after_s": scale}
            cosine_case(r, "adacos", function, settings, more={"s": np.full(1, 3.5, np.float32)}, no_grad=("s",),
                        all_batches=training, training=training)


def curricularface(r, variants=({}, {"scale": 8, "margin": 0.3, "momentum": 0.9})):
    for settings in variants:
        s, margin, keep = settings.get("scale", 64), settings.get("margin", 0.5), settings.get("momentum", 0.99)
        for training in (True, False):
            def function(m, labels, feature, weight, t):
                target = own(m, labels)
                hardness = keep * t + (1 - keep) * target.detach().mean() if training else t
                threshold = torch.cos(torch.arccos(target) + margin)
                logits = with_own(hardened(m, labels, threshold, hardness), labels, angular(target, margin))
                return {"y": F.cross_entropy(s * logits, labels), "logits": s * m, "after_t": hardness}
            cosine_case(r, "curricularface", function, settings, more={"t": np.full(1, 0.2, np.float32)},
                        no_grad=("t",), all_batches=training, training=training)


def magface(r, variants=({"lower_length": 1, "upper_length": 3}, {})):
    for settings in variants:
        low, high = settings.get("lower_length", 10), settings.get("upper_length", 110)
        scale = settings.get("scale", 64)

        def function(m, labels, feature, weight):
            length = feature.norm(dim=1).clamp(low, high)
            angles = 0.45 + (0.8 - 0.45) / (high - low) * (length - low)
            target, theta = own(m, labels), torch.arccos(own(m, labels))
            moved = torch.where(theta + angles > math.pi, target - angles * torch.sin(angles), torch.cos(theta + angles))
            y = F.cross_entropy(scale * with_own(m, labels, moved), labels) + 35 * (length / high**2 + 1 / length).mean()
            return {"y": y, "logits": scale * m}
        cosine_case(r, "magface", function, settings, far=10.0)


def subcenter_arcface(r, variants=({}, {"centers": 2, "scale": 8, "margin": 0.2}, {"smoothing": 0.1})):
    for settings in variants:
        s, margin, centers = settings.get("scale", 64), settings.get("margin", 0.5), settings.get("centers", 3)

        def function(m, labels, feature, weight):
            nearest = m.reshape(len(m), C, centers).amax(2)
            y = ce(s * with_own(nearest, labels, angular(own(nearest, labels), margin)), labels, settings)
            if pml and "smoothing" not in settings and (torch.arccos(own(nearest, labels)) + margin < math.pi).all():
                module = pml.SubCenterArcFaceLoss(num_classes=C, embedding_size=D, margin=math.degrees(margin), scale=s, sub_centers=centers)
                agree(y, with_weight(module, weight)(feature, labels))
            return {"y": y, "logits": s * nearest}
        cosine_case(r, "subcenter-arcface", function, {**settings, "centers": centers})


def record(r):
    for family in (softmax, rbf_softmax, rbf_compact, normface, cosface, arcface, sphereface, adacos, curricularface, magface,
                   subcenter_arcface, normalised_rbf, focal_loss):
        family(r)
