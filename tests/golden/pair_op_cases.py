"""Cases for the ops over pairs of a batch, and the equations of their papers, which pair_loss_cases.py uses, too."""
import numpy as np
import torch
import torch.nn.functional as F

from philox import unit as uniform

ALL, HARD, SEMI_HARD, DISTANCE_WEIGHTED = range(4)


def masks(rows, columns=None):
    """Masks of the positive and of the negative pairs. Without columns, a sample does not form a pair with itself."""
    same = rows[:, None] == (rows if columns is None else columns)[None]
    positive = same & ~torch.eye(len(rows), dtype=torch.bool) if columns is None else same
    return positive, ~same


def mean_of(terms, over_nonzero=False):
    count = (terms > 0).sum() if over_nonzero else torch.tensor(terms.numel())
    return terms.sum() / count.clamp(min=1)


def soft_plus(v):
    return torch.logaddexp(v, torch.zeros_like(v))


def log_one_plus(z):
    """log(1 + sum of exp(z)), also if an exponential overflows or is negligible compared with 1."""
    return soft_plus(torch.logsumexp(z, 0)) if len(z) else z.sum()


def root(squares):
    """The square root, with a gradient of 0 at 0."""
    return torch.where(squares > 0, torch.where(squares > 0, squares, 1.0).sqrt(), 0.0)


def distances(x, w):
    return root((x[:, None] - w[None]).square().sum(2))


def contrastive(d, positive, negative, positive_margin=0.0, margin=1.0, power=2, over_nonzero=0):
    near = F.relu(d - positive_margin)**power
    far = F.relu(margin - d)**power
    return mean_of(near[positive], over_nonzero) + mean_of(far[negative], over_nonzero)


def sphere_weight(d, dimension, cutoff, furthest):
    """1 / q(d) (Wu et al. 2017), up to a factor; 0 for distances of `furthest` or more."""
    c = np.maximum(d, cutoff)
    log_q = (dimension - 2) * np.log(c) + (dimension - 3) / 2 * np.log(np.maximum(1 - c * c / 4, 1e-6))
    return np.where(d < furthest, np.exp(-log_q), 0)


def chosen_negative(d, positive, negative, a, p, settings, uniforms):
    """The column that the miner selects for the pair (a, p), or None."""
    candidates = [n for n in range(d.shape[1]) if negative[a, n]]
    if settings["miner"] == HARD:
        furthest = max((q for q in range(d.shape[1]) if positive[a, q]), key=lambda q: d[a, q])
        return min(candidates, key=lambda n: d[a, n], default=None) if p == furthest else None
    if settings["miner"] == SEMI_HARD:
        near = [n for n in candidates if d[a, p] < d[a, n] < d[a, p] + settings["margin"]]
        return min(near, key=lambda n: d[a, n], default=None)
    weights = np.where(negative[a], sphere_weight(d[a], settings["dimension"], settings["cutoff"],
                                                  settings["furthest"]), 0)
    reached = np.cumsum(weights)
    return int(np.argmax(reached > uniforms[a, p] * reached[-1])) if reached[-1] > 0 else None


def triplet(d, positive, negative, margin=0.2, miner=ALL, soft=0, over_nonzero=1, dimension=0, cutoff=0.5, furthest=1.4,
            seed=0):
    settings = {"margin": margin, "miner": miner, "dimension": dimension, "cutoff": cutoff, "furthest": furthest}
    triplets, values = [], d.detach().numpy()
    uniforms = uniform(seed, d.numel()).reshape(d.shape)
    for a, p in positive.nonzero().tolist():
        if miner == ALL:
            triplets += [(a, p, n) for n in range(d.shape[1]) if negative[a, n]]
            continue
        n = chosen_negative(values, positive.numpy(), negative.numpy(), a, p, settings, uniforms)
        triplets += [] if n is None else [(a, p, n)]
    if not triplets:
        return d.sum() * 0
    a, p, n = torch.tensor(triplets).T
    v = d[a, p] - d[a, n] + margin
    return mean_of(soft_plus(v) if soft else F.relu(v), over_nonzero)


def mean_of_list(values, like):
    return torch.stack(values).mean() if values else like.sum() * 0


def supervised_contrastive(s, positive, negative, temperature=0.1):
    losses = []
    for i in range(len(s)):
        pairs = positive[i] | negative[i]
        if positive[i].any():
            z = s[i] / temperature
            losses.append(-(z[positive[i]] - torch.logsumexp(z[pairs], 0)).mean())
    return mean_of_list(losses, s)


def multi_similarity(s, positive, negative, alpha=2.0, beta=50.0, base=0.5, mining=1, epsilon=0.1):
    losses = []
    for i in range(len(s)):
        near, far = s[i][positive[i]], s[i][negative[i]]
        if mining:
            kept_far = far[far > near.min() - epsilon] if len(near) else far[:0]
            near = near[near < far.max() + epsilon] if len(far) else near[:0]
            far = kept_far
        losses.append(log_one_plus(-alpha * (near - base)) / alpha + log_one_plus(beta * (far - base)) / beta)
    return mean_of_list(losses, s)


def circle(s, positive, negative, margin=0.25, gamma=256.0, through_weights=0):
    losses = []
    for i in range(len(s)):
        near, far = s[i][positive[i]], s[i][negative[i]]
        if len(near) == 0 or len(far) == 0:
            continue
        weight_near, weight_far = F.relu(1 + margin - near), F.relu(far + margin)
        if not through_weights:
            weight_near, weight_far = weight_near.detach(), weight_far.detach()
        pull = torch.logsumexp(-gamma * weight_near * (near - 1 + margin), 0)
        push = torch.logsumexp(gamma * weight_far * (far - margin), 0)
        losses.append(soft_plus(pull + push))
    return mean_of_list(losses, s)


def proxy_anchor(s, positive, negative, alpha=32.0, delta=0.1):
    pulls = [log_one_plus(-alpha * (s[c][positive[c]] - delta)) for c in range(len(s)) if positive[c].any()]
    pushes = [log_one_plus(alpha * (s[c][negative[c]] + delta)) for c in range(len(s))]
    return mean_of_list(pulls, s) + mean_of_list(pushes, s)


def range_intra(squares, labels, k=2):
    total = squares.sum() * 0
    for label in labels.unique():
        members = (labels == label).nonzero()[:, 0].tolist()
        pairs = [squares[a, b] for a in members for b in members if a < b]
        largest = sorted(pairs, key=lambda v: -v.item())[:k]
        if largest and all(v.item() > 0 for v in largest):
            total = total + len(largest) / sum(1 / v for v in largest)
    return total


def range_inter(squares, labels, margin):
    between = [squares[a, b] for a in range(len(labels)) for b in range(len(labels)) if labels[a] != labels[b]]
    return F.relu(margin - min(between, key=lambda v: v.item())) if between else squares.sum() * 0


def class_means(x, labels):
    same = (labels[:, None] == labels[None]).to(x.dtype)
    return same @ x / same.sum(1, keepdim=True)


# The numbers of anchors and of others (None: one batch), and the labels (None: random).
BATCHES = [(9, None, None), (1, None, None), (4, None, [7, 7, 7, 7]), (5, None, [4, -3, 2, 1, 0]), (5, 8, None),
           (33, None, None)]


def pairs(r, op, name, function, low, high, settings):
    """Records `function` of a matrix with numbers from [low, high) and its masks, for all batches and settings."""
    for options in settings:
        for rows, columns, labels in BATCHES if options is settings[0] else [BATCHES[0], BATCHES[4]]:
            inputs = {name: r.uniform(rows, columns or rows, low=low, high=high),
                      "rows": r.labels(rows, 3) if labels is None else np.array(labels, np.int64)}
            if columns:
                inputs["columns"] = r.labels(columns, 3)

            def call(rows, columns=None, o=options, **matrix):
                return function(matrix[name], *masks(rows, columns), **o)
            r.case(op, inputs, call, settings=options)


def record(r):
    for rows, columns, dim in ((5, 3, 7), (1, 1, 1), (17, 130, 3)):
        r.case("distances", {"x": r.normal(rows, dim), "w": r.normal(columns, dim)}, distances)
    points = r.normal(4, 3)
    r.case("distances", {"x": points, "w": np.concatenate([points[::2], points[:1] + 1e-3])}, distances)
    pairs(r, "contrastive_loss", "distances", contrastive, 0, 2,
          [{}, {"power": 1}, {"margin": 0.7, "positive_margin": 0.4, "over_nonzero": 1},
           {"power": 1, "margin": 0.7, "positive_margin": 0.4, "over_nonzero": 1}])
    pairs(r, "triplet_loss", "distances", triplet, 0, 2,
          [{}, {"over_nonzero": 0}, {"soft": 1, "margin": 0}, {"miner": HARD}, {"miner": HARD, "soft": 1, "margin": 0.1},
           {"miner": SEMI_HARD, "margin": 0.5}, {"miner": SEMI_HARD, "over_nonzero": 0},
           {"miner": DISTANCE_WEIGHTED, "dimension": 16, "seed": 3, "margin": 0.5},
           {"miner": DISTANCE_WEIGHTED, "dimension": 2, "seed": 4, "cutoff": 0.2, "furthest": 3, "over_nonzero": 0}])
    pairs(r, "supervised_contrastive_loss", "similarities", supervised_contrastive, -1, 1, [{}, {"temperature": 1.5}])
    pairs(r, "multi_similarity_loss", "similarities", multi_similarity, -1, 1,
          [{}, {"mining": 0}, {"alpha": 1.5, "beta": 10, "base": 0.2, "epsilon": 0.4}])
    pairs(r, "circle_loss", "similarities", circle, -1, 1,
          [{}, {"through_weights": 1}, {"margin": 0.4, "gamma": 80}, {"margin": -0.1, "gamma": 2, "through_weights": 1}])
    pairs(r, "proxy_anchor_loss", "similarities", proxy_anchor, -1, 1, [{}, {"alpha": 4, "delta": -0.2}])
    for rows, classes, k in ((9, 3, 2), (1, 1, 2), (6, 1, 3), (5, 40, 2), (33, 4, 1)):
        inputs = {"distances": r.uniform(rows, rows, low=0.1, high=2), "labels": r.labels(rows, classes)}
        r.case("range_intra_loss", inputs, lambda distances, labels, k=k: range_intra(distances, labels, k), k=k)
        for margin in (1.5, 0.05):
            r.case("range_inter_loss", inputs, lambda distances, labels, m=margin: range_inter(distances, labels, m),
                   margin=margin)
        r.case("batch_class_means", {"x": r.normal(rows, 5), "labels": inputs["labels"]}, class_means)
    coinciding = {"distances": np.zeros((4, 4), np.float32), "labels": np.array([0, 0, 0, 1])}
    r.case("range_intra_loss", coinciding, lambda distances, labels: range_intra(distances, labels), k=2)
