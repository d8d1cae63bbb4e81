"""Writes verification.json: python3 tests/golden/verification_cases.py (NumPy, SciPy, scikit-learn).

For distances of pairs of the same class and of different classes it contains the AUROC of roc_auc_score(), and from the
points of roc_curve() the equal error rate on straight lines between them, and for each limit of the false positive rate
the largest true positive rate with its false positive rate and threshold."""
import json
import pathlib

import numpy
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_auc_score, roc_curve

LIMITS = (0.5, 0.1, 0.01, 0.001, 0)


def record(same, different):
    same, different = numpy.asarray(same, float), numpy.asarray(different, float)
    truths = numpy.concatenate([numpy.ones(len(same)), numpy.zeros(len(different))])
    scores = -numpy.concatenate([same, different])
    fpr, tpr, thresholds = roc_curve(truths, scores, drop_intermediate=False)
    points = []
    for limit in LIMITS:
        at = numpy.flatnonzero(fpr <= limit)[-1]
        threshold = -float(thresholds[at])
        points.append({"fpr": float(fpr[at]), "tpr": float(tpr[at]),
                       "threshold": threshold if numpy.isfinite(threshold) else None})
    # roc_curve() may have several true positive rates at one false positive rate, which interp1d cannot invert; the
    # sum of both rates grows, and is 1 where the rates of error are equal.
    total, first = numpy.unique(fpr + tpr, return_index=True)
    rate = float(interp1d(total, fpr[first])(1.0))
    assert len(numpy.unique(fpr)) < len(fpr) or abs(brentq(lambda x: 1 - x - interp1d(fpr, tpr)(x), 0, 1) - rate) < 1e-9
    return {"same": same.tolist(), "different": different.tolist(), "auroc": float(roc_auc_score(truths, scores)),
            "equal_error_rate": rate, "points": points}


def cases():
    random = numpy.random.default_rng(21)
    normal = lambda mean, count: numpy.abs(random.normal(mean, 0.3, count)).round(6)
    yield "apart", record(normal(0.5, 57), normal(1, 143))
    yield "the wrong way round", record(normal(1.2, 40), normal(0.4, 40))
    yield "many ties", record(normal(0.5, 80).round(1), normal(0.9, 60).round(1))
    yield "all equal", record([0.25] * 7, [0.25] * 5)
    yield "perfectly separated", record([0, 0.1, 0.2], [0.3, 0.4, 0.5])
    yield "perfectly wrong", record([0.3, 0.4, 0.5], [0, 0.1, 0.2])
    yield "one of each", record([0.7], [1.2])
    yield "many", record(normal(0.5, 300), normal(1.2, 1200))


if __name__ == "__main__":
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases())
    (pathlib.Path(__file__).parent / "verification.json").write_text(f"{{\n{rows}\n}}\n")
