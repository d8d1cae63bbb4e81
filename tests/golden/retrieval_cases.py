"""Writes retrieval.json: python3 tests/golden/retrieval_cases.py (PyTorch, pytorch-metric-learning, NumPy).

For features and labels it contains recall@K by its definition, and R-precision and MAP@R of AccuracyCalculator with each
sample as a query among the others, by Euclidean and by cosine distance."""
import json
import pathlib

import numpy
import torch
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN

RECALL_AT = (1, 2, 4, 8)


def figures(features, labels, cosine):
    distance = CosineSimilarity() if cosine else LpDistance(normalize_embeddings=False, p=2)
    calculator = AccuracyCalculator(include=("r_precision", "mean_average_precision_at_r", "precision_at_1"),
                                    k="max_bin_count", knn_func=CustomKNN(distance))
    found = calculator.get_accuracy(features, labels)
    matrix = distance(features, features)
    matrix = -matrix if cosine else matrix
    matrix.fill_diagonal_(float("inf"))
    nearest = torch.argsort(matrix, dim=1, stable=True)
    counts = torch.bincount(labels)
    queries = counts[labels] > 1
    hits = (labels[nearest] == labels[:, None])[queries]
    recall = [float(hits[:, :k].any(1).double().mean()) for k in RECALL_AT]
    assert abs(recall[0] - found["precision_at_1"]) < 1e-9
    return {"queries": int(queries.sum()), "recall": recall, "r_precision": float(found["r_precision"]),
            "map_at_r": float(found["mean_average_precision_at_r"])}


def record(random, sizes, dim, spread):
    labels = numpy.repeat(numpy.arange(len(sizes)), sizes)
    centres = random.normal(0, 1, (len(sizes), dim))
    features = (centres[labels] + spread * random.normal(0, 1, (len(labels), dim))).round(4).astype(numpy.float32)
    order = random.permutation(len(labels))
    features, labels = torch.from_numpy(features[order]), torch.from_numpy(labels[order])
    return {"dim": dim, "features": features.double().flatten().tolist(), "labels": labels.tolist(),
            "euclidean": figures(features.double(), labels, False), "cosine": figures(features.double(), labels, True)}


if __name__ == "__main__":
    random = numpy.random.default_rng(5)
    cases = {"equal classes": record(random, [10] * 6, 8, 0.8), "unequal classes": record(random, [25, 7, 3, 2, 12], 3, 1),
             "with single samples": record(random, [9, 1, 5, 1], 4, 0.6), "apart": record(random, [6, 6, 6], 5, 0.01),
             "mixed": record(random, [8] * 4, 2, 5)}
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
    (pathlib.Path(__file__).parent / "retrieval.json").write_text(f"{{\n{rows}\n}}\n")
