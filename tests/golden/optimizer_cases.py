"""Cases for Muon and LAMB: the parameters after each of some steps with given gradients.

Muon is torch.optim.Muon, whose orthogonalisation is replaced by the same lines in the precision of the gradient instead
of bfloat16; it updates a convolution's weight as a matrix. The vector is updated by AdamW. LAMB is timm's."""
import timm.optim
import torch

STEPS = 6


def orthogonalise(x, coefficients, steps, eps):
    a, b, c = coefficients
    transposed = x.size(0) > x.size(1)
    x = x.T if transposed else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if transposed else x


torch.optim._muon._zeropower_via_newtonschulz = orthogonalise

SHAPES = {"wide": (3, 5), "tall": (7, 3), "conv": (5, 2, 3, 2), "vector": (7,)}
MUON = [
    {"lr": 0.02},
    {"lr": 0.02, "momentum": 0.9, "nesterov": False, "weight_decay": 0.1},
    {"lr": 0.01, "weight_decay": 0.05, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
    {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.02, "adjust_lr_fn": "original", "others": 0.1,
     "betas": [0.8, 0.95]},
]
LAMB = [
    {"lr": 0.05},
    {"lr": 0.05, "weight_decay": 0.1},
    {"lr": 0.02, "weight_decay": 0.3, "betas": [0.8, 0.95], "eps": 1e-3},
    {"lr": 0.2, "weight_decay": 0.1, "trust_clip": True},
    {"lr": 0.05, "always_adapt": True},
]


def muon(weights, lr, weight_decay=0.0, others=1.0, betas=(0.9, 0.999), **options):
    return [torch.optim.Muon([w for w in weights if w.dim() == 2], lr=lr, weight_decay=weight_decay, **options),
            torch.optim.AdamW([w for w in weights if w.dim() == 1], lr=lr * others, betas=betas,
                              weight_decay=weight_decay)]


def lamb(weights, weight_decay=0.0, **options):
    return [timm.optim.Lamb(weights, weight_decay=weight_decay, max_grad_norm=None, **options)]


def traces(make, options, values):
    """The parameters after every step, by name."""
    weights = {name: values[name].clone().detach() for name in SHAPES}
    weights = {name: w.flatten(1) if w.dim() > 2 else w for name, w in weights.items()}
    optimizers = make(list(weights.values()), **options)
    traces = {name: [] for name in SHAPES}
    for step in range(STEPS):
        for name, weight in weights.items():
            weight.grad = values[f"gradient_{name}"][step].reshape(weight.shape).clone()
        for optimizer in optimizers:
            optimizer.step()
        for name, weight in weights.items():
            traces[name].append(weight.reshape(SHAPES[name]).clone())
    return {"y" if name == "wide" else name: torch.stack(trace) for name, trace in traces.items()}


def record(r):
    for name, make, cases in (("Muon", muon, MUON), ("Lamb", lamb, LAMB)):
        for options in cases:
            inputs = {key: r.normal(*shape) for key, shape in SHAPES.items()}
            inputs |= {f"gradient_{key}": r.normal(STEPS, *shape) for key, shape in SHAPES.items()}
            r.case(name, inputs, lambda **values: traces(make, options, values), no_grad=tuple(inputs), **options)
