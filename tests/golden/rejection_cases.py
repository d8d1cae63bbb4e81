"""Writes rejection.json: python3 tests/golden/rejection_cases.py (NumPy, scikit-learn).

For scores of inliers (the positives) and outliers it contains the AUROC of roc_auc_score(). From all points of
roc_curve() with a true positive rate of at least 0.95 it contains the smallest false positive rate and the largest
threshold."""
import json
import pathlib

import numpy
from sklearn.metrics import roc_auc_score, roc_curve


def record(inliers, outliers):
    inliers, outliers = numpy.asarray(inliers, float), numpy.asarray(outliers, float)
    truths = numpy.concatenate([numpy.ones(len(inliers)), numpy.zeros(len(outliers))])
    scores = numpy.concatenate([inliers, outliers])
    false_positives, true_positives, thresholds = roc_curve(truths, scores, drop_intermediate=False)
    enough = true_positives >= 0.95
    return {"inliers": inliers.tolist(), "outliers": outliers.tolist(), "auroc": float(roc_auc_score(truths, scores)),
            "fpr": float(false_positives[enough].min()), "threshold": float(thresholds[enough].max())}


def cases():
    random = numpy.random.default_rng(20)
    normal = lambda mean, count: random.normal(mean, 1, count).round(6)
    yield "apart", record(normal(1, 57), normal(0, 43))
    yield "the wrong way round", record(normal(0, 40), normal(2, 40))
    yield "many ties", record(normal(1, 80).round(), normal(0, 60).round())
    yield "some ties", record(normal(1, 80).round(1), normal(0, 60).round(1))
    yield "all equal", record([0.25] * 7, [0.25] * 5)
    yield "inliers equal", record([0.5] * 9, normal(0, 11))
    yield "ties at the threshold", record([1] * 18 + [0] * 2, [0] * 3 + [-1] * 4 + [1])
    yield "perfectly separated", record([3, 4, 5], [0, 1, 2])
    yield "perfectly wrong", record([0, 1, 2], [3, 4, 5])
    yield "one of each", record([0.7], [0.2])
    yield "one of each, equal", record([0.7], [0.7])
    yield "one inlier", record([0.7], normal(0.5, 12))
    yield "one outlier", record(normal(0.5, 12), [0.7])
    for count in (19, 20, 21, 40, 60):  # 95% of 20, 40 and 60 are integers
        yield f"{count} inliers", record(normal(1, count), normal(0, 30))
    yield "kernels that underflow", record([0, 0, 1e-45, 1e-30, 0.5, 1], [0, 0, 0, 1e-45, 1e-38])
    yield "large and negative", record(normal(0, 30) * 1e30, normal(-1, 30) * 1e30)


if __name__ == "__main__":
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases())
    (pathlib.Path(__file__).parent / "rejection.json").write_text(f"{{\n{rows}\n}}\n")
