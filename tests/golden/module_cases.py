"""Cases for every layer, loss module and optimizer, and five training steps of LeNets++ with each loss."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from op_cases import rbf
from philox import symmetric, unit


def layer(r, name, module, x, training=True, **attributes):
    """Inputs: x and the module's state, filled with random numbers; results: y and the buffers after the call."""
    inputs, buffers = {"x": x}, []
    for key, value in module.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        if key.endswith("running_var"):
            inputs[key] = r.uniform(*value.shape, low=0.5, high=2.0)
        else:
            inputs[key] = r.normal(*value.shape, scale=0.5)
        if "running" in key:
            buffers.append(key)
    module.train(training)

    def function(x, **state):
        y = functional_call(module, state, (x,))
        return {"y": y, **{f"after_{key}": state[key] for key in buffers}}
    r.case(name, inputs, function, no_grad=buffers, training=training, **attributes)


class BatchNormReLU(nn.BatchNorm2d):
    def forward(self, x):
        return F.relu(super().forward(x))


def layers(r):
    image = (2, 6, 7, 9)
    layer(r, "Conv2d", nn.Conv2d(6, 16, 3, padding=1), r.normal(*image), out=16, kernel=[3, 3], padding=[1, 1])
    layer(r, "Conv2d", nn.Conv2d(6, 4, (3, 5), (2, 1), (1, 2), (1, 2), 2, bias=False), r.normal(*image), out=4,
          kernel=[3, 5], stride=[2, 1], padding=[1, 2], dilation=[1, 2], groups=2, bias=False)
    layer(r, "Linear", nn.Linear(7, 5), r.normal(3, 7))
    layer(r, "Linear", nn.Linear(7, 1, bias=False), r.normal(1, 7), bias=False)
    for training in (True, False):
        layer(r, "BatchNorm2d", nn.BatchNorm2d(6), r.normal(*image), training)
        layer(r, "BatchNorm2d", BatchNormReLU(6), r.normal(*image), training, relu=True)
    layer(r, "ReLU", nn.ReLU(), r.normal(*image))
    layer(r, "PReLU", nn.PReLU(6), r.normal(*image))
    layer(r, "PReLU", nn.PReLU(1), r.normal(*image))
    layer(r, "SiLU", nn.SiLU(), r.normal(*image))
    layer(r, "GELU", nn.GELU(), r.normal(*image))
    layer(r, "Sigmoid", nn.Sigmoid(), r.normal(*image))
    layer(r, "Tanh", nn.Tanh(), r.normal(*image))
    layer(r, "MaxPool2d", nn.MaxPool2d(2), r.normal(*image), window=[2, 2])
    layer(r, "MaxPool2d", nn.MaxPool2d(3, 2, 1), r.normal(*image), window=[3, 3], stride=[2, 2], padding=[1, 1])
    layer(r, "AvgPool2d", nn.AvgPool2d(3, 2, 1, count_include_pad=False), r.normal(*image), window=[3, 3],
          stride=[2, 2], padding=[1, 1])
    layer(r, "GlobalAvgPool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), r.normal(*image))
    layer(r, "Dropout", nn.Dropout(0.5), r.normal(*image), training=False)
    layer(r, "Flatten", nn.Flatten(), r.normal(*image))
    chain = nn.Sequential(nn.Conv2d(6, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Linear(4 * 2 * 3, 5))
    layer(r, "Sequential", chain, r.normal(*image))


def loss_modules(r):
    inputs = {"feature": r.normal(16, 32, scale=0.15), "labels": r.labels(16, 10)}

    def softmax(feature, labels, weight, bias):
        logits = F.linear(feature, weight, bias)
        return {"y": F.cross_entropy(logits, labels), "logits": logits}

    def rbf_softmax(feature, labels, prototypes):
        logits = rbf(feature, prototypes, 2, 1)
        own = logits.gather(1, labels[:, None]) / 2
        return {"y": F.cross_entropy(logits, labels), "logits": logits, "mean_kernel": own.mean()}
    r.case("softmax", {**inputs, "weight": r.normal(10, 32), "bias": r.normal(10)}, softmax)
    r.case("rbf-softmax", {**inputs, "prototypes": r.normal(10, 32, scale=0.15)}, rbf_softmax)


OPTIMIZERS = [
    ("Sgd", torch.optim.SGD, {"lr": 0.1}),
    ("Sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    ("Sgd", torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    ("Sgd", torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.02}),
    ("Sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", torch.optim.Adam, {"lr": 0.01}),
    ("Adam", torch.optim.Adam, {"lr": 0.02, "betas": [0.8, 0.99], "eps": 1e-3, "weight_decay": 0.1}),
    ("AdamW", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    ("AdamW", torch.optim.AdamW, {"lr": 0.02, "betas": [0.8, 0.99], "eps": 1e-3, "weight_decay": 0.05}),
    ("RmsProp", torch.optim.RMSprop, {"lr": 0.01}),
    ("RmsProp", torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.9, "eps": 1e-3, "momentum": 0.8, "weight_decay": 0.05}),
    ("RmsProp", torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.9, "eps": 1e-3, "centered": True, "momentum": 0.5}),
]
STEPS = 6


def optimizers(r):
    """Two parameters with given gradients for each step; the result is the weights after every step."""
    for name, kind, options in OPTIMIZERS:
        shapes = {"a": (3, 5), "b": (7,)}
        inputs = {key: r.normal(*shape) for key, shape in shapes.items()}
        inputs |= {f"gradient_{key}": r.normal(STEPS, *shape) for key, shape in shapes.items()}

        def function(a, b, gradient_a, gradient_b, make=kind, o=options):
            weights = [a.clone().detach(), b.clone().detach()]
            optimizer, trace = make(weights, **o), []
            for step in range(STEPS):
                for weight, gradient in zip(weights, (gradient_a, gradient_b)):
                    weight.grad = gradient[step].clone()
                optimizer.step()
                trace.append([w.clone() for w in weights])
            return {"y": torch.stack([t[0] for t in trace]), "b": torch.stack([t[1] for t in trace])}
        r.case(name, inputs, function, no_grad=tuple(inputs), **options)


BATCH, TRAIN_STEPS, CLASSES = 8, 5, 10


def lenetpp(dim, gain):
    """LeNets++. Parameter i is from Philox stream i, uniform in +-gain/sqrt(fan_in) of its layer; slopes are 0.25."""
    parts, channels = [], 1
    for width in (32, 64, 128):
        for _ in range(2):
            parts += [nn.Conv2d(channels, width, 5, padding=2), nn.PReLU(width)]
            channels = width
        parts.append(nn.MaxPool2d(2))
    net = nn.Sequential(*parts, nn.Flatten(), nn.Linear(128 * 3 * 3, dim))
    bound = 1.0
    for i, parameter in enumerate(net.parameters()):
        if parameter.dim() > 1:
            bound = gain / np.sqrt(np.prod(parameter.shape[1:]))
        elif torch.all(parameter == 0.25):
            continue
        parameter.data = torch.from_numpy(symmetric(i, tuple(parameter.shape), bound))
    return net


def training_losses(kind, dim, gain, lr, dtype):
    net = lenetpp(dim, gain)
    head = [symmetric(100, (CLASSES, dim), 1 / np.sqrt(dim))]
    if kind == "softmax":
        head.append(np.zeros(CLASSES, np.float32))
    net, head = net.to(dtype), [torch.from_numpy(h).to(dtype).requires_grad_() for h in head]
    optimizer = torch.optim.SGD([*net.parameters(), *head], lr=lr, momentum=0.9)
    # Blocks of 4 x 4 equal pixels, because the pools average noise of single pixels away.
    blocks = unit(1000, BATCH * 49).reshape(BATCH, 1, 7, 7)
    image = torch.from_numpy(np.kron(blocks, np.ones((4, 4)))).to(dtype)
    labels = torch.tensor([3 * i % CLASSES for i in range(BATCH)])
    values = []
    for _ in range(TRAIN_STEPS):
        feature = net(image)
        logits = F.linear(feature, *head) if kind == "softmax" else rbf(feature, head[0], 2, 1)
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    return values


def training(r):
    # Weights and learning rates with which five steps change the loss but keep the features near the kernels.
    for kind, gain, lr in (("softmax", 2.0, 0.02), ("rbf-softmax", 1.5, 0.05)):
        for dim in (2, 32):
            single = training_losses(kind, dim, gain, lr, torch.float32)
            double = training_losses(kind, dim, gain, lr, torch.float64)
            print(f"LeNets++ {dim}-D, {kind}: {np.round(double, 4)}")
            r.case("LeNetPlusPlus", {}, lambda a=single, b=double: {"y": torch.tensor(a), "double": torch.tensor(b)},
                   loss=kind, dim=dim, gain=gain, lr=lr, momentum=0.9, batch=BATCH, classes=CLASSES)


def record(r):
    layers(r)
    loss_modules(r)
    optimizers(r)
    training(r)
