"""Cases at inputs where float32 loses precision: every loss at features of lengths from 1e-6 to 1e4, at ties, far from
the origin, and with extreme scales, temperatures and margins. The equations are those of the other files.

A case of the fixture is one loss with one choice of settings. Its tensors have an additional first dimension, with one
entry for each of the scenes in the case's attributes. For each result and gradient NAME, error_NAME [scenes] is the
error of the same equations in PyTorch's float32, |computed - exact| / |exact|. It is the largest error of several runs,
which differ in the order of the dimensions and by a factor near 1, because the error of a single run may be small by
chance. NaN means that PyTorch's float32 gives no number."""
import contextlib
import itertools
import json
import pathlib

import numpy as np
import torch

import head_loss_cases as heads
import pair_loss_cases as pairs
import term_loss_cases as terms
from recorder import Recorder

ROWS, RUNS = 5, 8
LABELS = np.array([2, 0, 2, 5, 0], np.int64)
LENGTHS = (1e-6, 1, 30, 300, 1e4)
FAR = 4096
SMALLEST = 1e-5  # errors are relative to this if the exact value is smaller: a loss near 0 consists of rounding errors

for module in (heads, terms, pairs):
    module.pml = None  # the comparison with it is made at ordinary inputs


# ---- scenes: functions from a case's inputs to the inputs of all scenes ----

def class_vectors(inputs):
    """The names of the inputs in the space of the features: one vector per class, or several."""
    dim = inputs["feature"].shape[1]
    return [name for name, value in inputs.items() if name not in ("feature", "log_variances") and value.ndim == 2 and
            value.shape[1] == dim and not name.startswith("means.")]


def of_length(r, rows, dim, length):
    x = r.normal(rows, dim).astype(np.float64)
    return (x / np.linalg.norm(x, axis=1, keepdims=True) * length).astype(np.float32)


def own_vectors(inputs, labels, classes):
    vectors = inputs[class_vectors(inputs)[-1]]
    return vectors[labels * (len(vectors) // classes)]


def scenes(r, inputs, classes, angular):
    """Yields name and inputs. An angular loss has no derivative if a feature has the direction of its class vector."""
    dim = inputs["feature"].shape[1]

    def scene(feature, labels=LABELS, **state):
        return {**inputs, "feature": feature, "labels": labels, **state}
    for length in LENGTHS:
        yield f"features {length:g} long", scene(of_length(r, ROWS, dim, length))
    yield "one class present", scene(of_length(r, ROWS, dim, 2), np.full(ROWS, classes - 1))
    yield "equal features", scene(np.tile(of_length(r, 1, dim, 3), (ROWS, 1)))
    moved = {name: r.normal(*inputs[name].shape, scale=0.5, shift=FAR) for name in class_vectors(inputs)}
    if not moved:
        yield "far from the origin", scene(r.normal(ROWS, dim, scale=0.5, shift=FAR))
        return
    there = scene(np.zeros((ROWS, dim), np.float32), **moved)
    near = own_vectors(there, LABELS, classes) + r.normal(ROWS, dim, scale=0.05)
    yield "far from the origin", {**there, "feature": near}
    own = own_vectors(inputs, LABELS, classes)
    yield "near the class vectors", scene(own + r.normal(ROWS, dim, scale=1e-3))
    if not angular:
        yield "at the class vectors", scene(own.copy())
    equal = {name: np.concatenate([value[:len(value) // classes]] * classes) for name, value in inputs.items()
             if name not in ("feature", "labels") and value.ndim > 0 and len(value) % classes == 0}
    yield "equal class vectors", scene(of_length(r, ROWS, dim, 30), **equal)


def single_scenes(r, inputs, classes, angular):
    """Batches of one sample."""
    for length in (1, 300):
        feature = of_length(r, 1, inputs["feature"].shape[1], length)
        yield f"one sample {length:g} long", {**inputs, "feature": feature, "labels": LABELS[:1]}


def logit_scenes(r, inputs, classes, angular):
    shape = inputs["x"].shape
    for scale in LENGTHS:
        yield f"scale {scale:g}", {**inputs, "x": r.normal(*shape, scale=scale)}
    for shift in (-30, 30, 1e4, -1e4, 1e8):
        yield f"shifted by {shift:g}", {**inputs, "x": r.normal(*shape, shift=shift)}
    for value in (0, 1e8):
        yield f"all {value:g}", {**inputs, "x": np.full(shape, value, np.float32)}


def alike(r, inputs):
    """Inputs of the same kind: the dimensions in another order, and all vectors multiplied by a number near 1."""
    vectors = ["x"] if "x" in inputs else ["feature", *class_vectors(inputs)]
    factor = np.float64(1 + 0.01 * r.rng.uniform(-1, 1))
    changed = {name: (inputs[name] * factor).astype(np.float32) for name in vectors}
    if "x" in inputs:
        return {**inputs, **changed}
    order = r.rng.permutation(inputs["feature"].shape[1])
    return {name: value[:, order] if name in vectors or name in ("log_variances", "means.mean") else value
            for name, value in {**inputs, **changed}.items()}


# ---- one scene in one type ----

@contextlib.contextmanager
def default_type(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def computed(function, inputs, dtype, no_grad, seed):
    """The results and gradients of a float32 or float64 computation by name, converted to float64."""
    leaves = {}
    for name, value in inputs.items():
        leaf = torch.from_numpy(np.ascontiguousarray(value))
        leaves[name] = leaf.to(dtype).requires_grad_(name not in no_grad) if leaf.is_floating_point() else leaf
    with default_type(dtype):
        results = function(**leaves)
        results = results if isinstance(results, dict) else {"y": results}
        y = results["y"]
        assert y.dtype == dtype, y.dtype
        wanted = [name for name, leaf in leaves.items() if leaf.requires_grad]
        upstream = torch.ones_like(y) if seed is None else torch.from_numpy(seed).to(dtype)
        grads = torch.autograd.grad(y, [leaves[name] for name in wanted], upstream, allow_unused=True)
    found = {f"grad/{name}": torch.zeros_like(leaves[name]) if grad is None else grad
             for name, grad in zip(wanted, grads)}
    # The logits of a loss over pairs depend on its running means, which the features hardly change.
    found |= {f"out/{name}": results[name] for name in ("y", "logits") if name in results and
              not (name == "logits" and "means.mean" in leaves)}
    return {name: value.detach().double().numpy() for name, value in found.items()}


def error(value, exact):
    return np.linalg.norm(value - exact) / max(np.linalg.norm(exact), SMALLEST)


class HarshRecorder(Recorder):
    """Records the first case of each loss and each choice of settings, in every scene."""

    def __init__(self, seed):
        super().__init__(seed)
        self.kinds, self.angular, self.known = (scenes, single_scenes), False, set()

    def case(self, op, inputs, function, no_grad=(), **attributes):
        key = op, json.dumps(attributes.get("settings", attributes), sort_keys=True)
        if key in self.known:
            return
        self.known.add(key)
        for kind in self.kinds:
            found = list(kind(self, inputs, attributes.get("classes"), self.angular))
            self.stack(op, found, function, no_grad, attributes)

    def stack(self, op, found, function, no_grad, attributes):
        index = self.counts[op] = self.counts.get(op, -1) + 1
        name = f"{op}/{index}"
        self.cases.append({"name": name, "op": op, "scenes": [scene for scene, _ in found], **attributes})
        for key in found[0][1]:
            self.tensors[f"{name}/in/{key}"] = np.stack([inputs[key] for _, inputs in found])
        seed = None
        if "x" in found[0][1]:
            y = function(**{key: torch.from_numpy(value) for key, value in found[0][1].items()})
            seed = self.normal(*y.shape) if y.dim() > 0 else None
        if seed is not None:
            self.tensors[f"{name}/seed"] = seed
        exact = [computed(function, inputs, torch.float64, no_grad, seed) for _, inputs in found]
        for key in exact[0]:
            self.tensors[f"{name}/{key}"] = np.stack([results[key] for results in exact])
        errors = [self.errors(function, inputs, no_grad, seed) for _, inputs in found]
        for key in errors[0]:
            self.tensors[f"{name}/out/error_{key.split('/', 1)[1]}"] = np.array([of[key] for of in errors], np.float32)
            for (scene, _), of, results in zip(found, errors, exact):
                if not np.isfinite(of[key]) or not np.isfinite(results[key]).all():
                    print(f"{name} {attributes} {scene} {key}: float32 error {of[key]}, exact finite: "
                          f"{np.isfinite(results[key]).all()}")

    def errors(self, function, inputs, no_grad, seed):
        """The largest float32 error of each result; NaN if PyTorch's float32 never gives a number."""
        largest = {}
        for tried in itertools.chain([inputs], (alike(self, inputs) for _ in range(RUNS))):
            exact = computed(function, tried, torch.float64, no_grad, seed)
            single = computed(function, tried, torch.float32, no_grad, seed)
            for key, value in exact.items():
                with np.errstate(all="ignore"):
                    largest[key] = np.fmax(largest.get(key, np.nan), np.clip(error(single[key], value), 0, 1e30))
        return largest


# ---- the losses and their settings, one per line ----

ONE = {}
LOSSES = (
    ("softmax", lambda r: heads.softmax(r, [ONE, {"smoothing": 0.1}])),
    ("rbf-softmax", lambda r: heads.rbf_softmax(r, [ONE, {"scale": 1e4, "gamma": 1e4}, {"scale": 8, "margin": 0.5},
                                                    {"gamma": 1e-3}, {"reach": 4},
                                                    {"learn_scale": 1, "per_class_gamma": 1, "gamma": 100},
                                                    {"prototypes_per_class": 3, "gamma": 3}])),
    ("compact", lambda r: heads.rbf_compact(r, "rbf-softmax + 10 * compact", 10)),
    ("rbf-network", lambda r: terms.rbf_network_case(r, terms.parts(r), 2)),
    ("rbf-network", lambda r: terms.rbf_network_case(r, terms.parts(r), 1, squared=True, smoothing=0.1)),
    ("center", lambda r: terms.center_case(r, terms.parts(r), 0.003, 0.5)),
    ("center", lambda r: terms.center_case(r, terms.parts(r), 1e3, 0.5)),
    ("ring", lambda r: terms.ring_case(r, terms.parts(r), 0.01)),
    ("ring", lambda r: terms.ring_case(r, terms.parts(r), 1e3)),
    ("lgm", lambda r: terms.lgm_case(r, terms.parts(r), 1.0, 0.1, False)),
    ("lgm", lambda r: terms.lgm_case(r, terms.parts(r), 100.0, 0.0, False)),
    ("lgm", lambda r: terms.lgm_case(r, terms.parts(r), 1.0, 0.1, True)),
    ("cpl", lambda r: terms.cpl_case(r, terms.parts(r), 1, 1.0)),
    ("cpl", lambda r: terms.cpl_case(r, terms.parts(r), 1, 1e3)),
    ("cpl", lambda r: terms.cpl_case(r, terms.parts(r), 1, 1e-4)),
    ("cpl", lambda r: terms.cpl_case(r, terms.parts(r), 3, 1.0)),
    ("g-cpl", lambda r: terms.cpl_case(r, terms.parts(r), 1, 1.0, 0.01)),
    ("g-cpl", lambda r: terms.cpl_case(r, terms.parts(r), 3, 1.0, 10.0)),
    ("cos-softmax", lambda r: terms.cos_softmax_case(r, terms.parts(r))),
    ("cos-softmax", lambda r: terms.cos_softmax_case(r, terms.parts(r), scale=1e4)),
    ("normface", lambda r: heads.normface(r, [ONE, {"learn_scale": 0, "scale": 1e4}])),
    ("cosface", lambda r: heads.cosface(r, [ONE, {"scale": 1e4}, {"margin": 2}])),
    ("arcface", lambda r: heads.arcface(r, [ONE, {"scale": 1e4}, {"margin": 3.1}])),
    ("subcenter-arcface", lambda r: heads.subcenter_arcface(r, [ONE, {"scale": 1e4, "margin": 1e-3}])),
    ("sphereface", lambda r: heads.sphereface(r, [ONE, {"multiple": 4, "lambda_min": 0, "lambda_base": 0}])),
    ("adacos", lambda r: heads.adacos(r, [ONE, {"dynamic": 0}])),
    ("curricularface", lambda r: heads.curricularface(r, [ONE, {"scale": 1e4}])),
    ("magface", lambda r: heads.magface(r, [ONE, {"lower_length": 0.5, "upper_length": 3, "scale": 1e4}])),
    ("g-softmax", lambda r: terms.g_softmax_case(r, terms.parts(r))),
    ("g-softmax", lambda r: terms.g_softmax_case(r, terms.parts(r), alpha=1e3)),
    ("proxy-nca", lambda r: terms.proxy_nca_case(r, terms.parts(r))),
    ("proxy-nca", lambda r: terms.proxy_nca_case(r, terms.parts(r), 1e3, True)),
    ("soft-triple", lambda r: terms.soft_triple_case(r, terms.parts(r))),
    ("soft-triple", lambda r: terms.soft_triple_case(r, terms.parts(r), scale=1e3, gamma=1e-3)),
    ("soft-triple", lambda r: terms.soft_triple_case(r, terms.parts(r), scale=1.0, gamma=100.0, tau=10.0)),
    ("contrastive", lambda r: pairs.family(r, "contrastive", pairs.contrastive, [ONE, {"margin": 1e4}, {"power": 1}],
                                           normalise=False)),
    ("triplet", lambda r: pairs.family(r, "triplet", pairs.triplet,
                                       [ONE, {"soft": 1, "margin": 0, "normalise": 0}, {"miner": 1, "normalise": 0},
                                        {"miner": 2}, {"margin": 1e4, "normalise": 0}])),
    ("supervised-contrastive", lambda r: pairs.family(r, "supervised-contrastive", pairs.supervised_contrastive,
                                                      [ONE, {"temperature": 1e-3}, {"temperature": 100}])),
    ("multi-similarity", lambda r: pairs.family(r, "multi-similarity", pairs.multi_similarity,
                                                [ONE, {"alpha": 100, "beta": 1e3}, {"mining": 0, "alpha": 1e-3}])),
    ("circle", lambda r: pairs.family(r, "circle", pairs.circle,
                                      [ONE, {"gamma": 1e4}, {"gamma": 1e4, "through_weights": 1}])),
    ("proxy-anchor", lambda r: pairs.proxy_anchor(r, [ONE, {"alpha": 1e3}])),
    ("range", lambda r: pairs.range_loss(r, [("range", ONE), ("range", {"alpha": 1, "beta": 1, "k": 1})])),
    ("exclusive", lambda r: terms.exclusive_case(r, terms.C, terms.D, 10)),
)
# Losses that came later, after the ops, so that the inputs of the others stay the same.
LATER = (
    ("focal", lambda r: heads.focal_loss(r, [ONE, {"gamma": 0.5}, {"gamma": 5}])),
)
ANGULAR = ("arcface", "subcenter-arcface", "sphereface", "curricularface", "magface")

ROWS_OF_LOGITS = ((3, 1), (3, 2), (2, 67))
OPS = (
    ("cross_entropy", ROWS_OF_LOGITS, torch.nn.functional.cross_entropy),
    ("log_softmax", ROWS_OF_LOGITS, lambda x: torch.log_softmax(x, 1)),
    ("log_sum_exp", ROWS_OF_LOGITS, lambda x: torch.logsumexp(x, 1)),
    ("softplus", ((2, 9),), lambda x: pairs.op.soft_plus(x)),
    ("sigmoid", ((2, 9),), torch.sigmoid),
    ("normal_cdf", ((2, 9),), torch.special.ndtr),
)


def record(r):
    for name, family in LOSSES:
        r.angular = name in ANGULAR
        family(r)
    r.kinds = (logit_scenes,)
    for name, shapes, function in OPS:
        for rows, columns in shapes:
            labels = {"labels": r.labels(rows, columns)} if name == "cross_entropy" else {}
            r.case(name, {"x": r.normal(rows, columns), **labels},
                   lambda x, labels=None, f=function: f(x) if labels is None else f(x, labels), columns=columns)
    r.kinds = (scenes, single_scenes)
    for name, family in LATER:
        r.angular = False
        family(r)


if __name__ == "__main__":
    torch.set_num_threads(1)
    recorder = HarshRecorder(seed=20201)
    record(recorder)
    recorder.write(pathlib.Path(__file__).parent / "harsh_losses.safetensors")
