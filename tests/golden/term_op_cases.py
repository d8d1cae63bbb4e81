"""Cases for the ops between samples and classes that the composed losses use."""
import numpy as np
import torch


def record(r):
    for rows, columns in ((5, 7), (1, 20), (33, 3)):
        r.case("place", {"values": r.normal(rows), "index": r.labels(rows, columns)},
               lambda values, index, c=columns: torch.zeros(len(index), c, dtype=torch.float64).scatter(
                   1, index[:, None], values[:, None]), columns=columns)
    for shape, classes in (((9, 4), 3), ((1, 70), 5), ((33, 2, 3), 7), ((6, 1), 1)):
        r.case("class_sums", {"x": r.normal(*shape), "labels": r.labels(shape[0], classes)},
               lambda x, labels, c=classes: torch.zeros(c, *x.shape[1:], dtype=torch.float64).index_add(0, labels, x),
               classes=classes)
    for shape, scale in (((5, 7), 1.0), ((4, 3, 2), 3.0), ((33,), 1.0), ((6, 1), 1.0), ((2, 9), 300.0)):
        r.case("log_sum_exp", {"x": r.normal(*shape, scale=scale)}, lambda x: torch.logsumexp(x, -1))
    masked = r.normal(6, 5)
    masked[np.arange(6), r.labels(6, 5)] = -np.inf
    r.case("log_sum_exp", {"x": masked}, lambda x: torch.logsumexp(x, -1))
