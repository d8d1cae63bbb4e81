"""Writes class_metrics.json: python3 tests/golden/class_metrics_cases.py (NumPy, scikit-learn).

For the classes, predictions and confidences of some samples it contains precision, recall, F1 and support of each class
and their macro averages (precision_recall_fscore_support() with zero_division=0), and the errors of Guo et al. 2017
over bins (low, high], of which NumPy's digitize() finds the one of each sample."""
import json
import pathlib

import numpy
from sklearn.metrics import precision_recall_fscore_support


def record(random, samples, classes, used, bins, confident=False):
    labels = random.integers(0, used, samples)
    predicted = numpy.where(random.random(samples) < 0.6, labels, random.integers(0, used, samples))
    confidences = random.random(samples) if not confident else numpy.ones(samples)
    confidences = numpy.where(random.random(samples) < 0.2, numpy.round(confidences * bins) / bins, confidences)
    confidences = confidences.astype(numpy.float32)
    each = precision_recall_fscore_support(labels, predicted, labels=range(classes), zero_division=0)
    macro = precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)
    place = numpy.clip(numpy.digitize(confidences.astype(float), numpy.arange(bins + 1) / bins, right=True) - 1, 0, None)
    right = labels == predicted
    expected = largest = 0.0
    for b in range(bins):
        inside = place == b
        if inside.any():
            error = abs(right[inside].mean() - confidences[inside].astype(float).mean())
            expected += inside.mean() * error
            largest = max(largest, error)
    return {"classes": classes, "labels": labels.tolist(), "predicted": predicted.tolist(),
            "confidences": confidences.astype(float).tolist(), "bins": bins,
            "precision": each[0].tolist(), "recall": each[1].tolist(), "f1": each[2].tolist(),
            "support": each[3].tolist(), "macro": [float(value) for value in macro[:3]],
            "expected_error": float(expected), "largest_error": float(largest)}


if __name__ == "__main__":
    random = numpy.random.default_rng(11)
    cases = {"ten classes": record(random, 200, 10, 10, 15), "two classes": record(random, 40, 2, 2, 10),
             "classes that do not occur": record(random, 30, 12, 5, 15), "one sample": record(random, 1, 3, 3, 15),
             "one class": record(random, 9, 1, 1, 4), "one bin": record(random, 50, 4, 4, 1),
             "certain": record(random, 25, 3, 3, 15, confident=True)}
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
    (pathlib.Path(__file__).parent / "class_metrics.json").write_text(f"{{\n{rows}\n}}\n")
