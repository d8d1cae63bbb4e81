"""Cases for VGG, DenseNet, EfficientNet and airbench with small widths: training and evaluation, gradients of all parameters."""
import numpy as np
import timm.models.efficientnet as timm_efficientnet
import torch
import torchvision.models.densenet as torchvision_densenet
from timm.models._efficientnet_builder import decode_arch_def
from torch import nn
from torch.func import functional_call

from model_cases import pytorch_models, state


def zero_gradients(net, x, values):
    """The parameters whose gradient is 0 except for rounding, because a batch norm in training removes their effect."""
    leaves = {key: torch.from_numpy(value).double() for key, value in values.items()}
    wanted = {key: leaf.requires_grad_() for key, leaf in leaves.items() if "running" not in key}
    y = functional_call(net, {key: leaf.clone() for key, leaf in leaves.items()}, (torch.from_numpy(x).double(),))
    weights = torch.linspace(-1, 1, y.numel(), dtype=torch.float64).reshape(y.shape)
    grads = torch.autograd.grad((y * weights).sum(), list(wanted.values()))
    largest = max(grad.abs().max() for grad in grads)
    return [key for key, grad in zip(wanted, grads) if grad.abs().max() < 1e-12 * largest]


def case(r, name, net, x, training, left_out=(), **attributes):
    """Records a network on x with random weights, without the gradients of `left_out` and those that are 0."""
    net = net.train(training)
    values = state(r, net)
    buffers = [key for key in values if "running" in key]
    left_out = [*left_out, *zero_gradients(net, x, values)]

    def function(x, **values):
        y = functional_call(net, values, (x,))
        return {"y": y, **{f"after_{key}": values[key] for key in buffers}}
    r.case(name, {"x": x, **values}, function, no_grad=[*buffers, *left_out], training=training, left_out=left_out,
           **attributes)


class PlainVgg(nn.Module):
    """torchvision's VGG with other widths, up to the feature."""

    def __init__(self, depths, widths, batch_norm, hidden):
        super().__init__()
        layers, channels = [], 3
        for depth, width in zip(depths, widths):
            for _ in range(depth):
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                layers += [nn.BatchNorm2d(width)] if batch_norm else []
                layers.append(nn.ReLU())
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(nn.Linear(49 * channels, hidden), nn.ReLU(), nn.Dropout(0),
                                        nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0))

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def vgg(r, training):
    small = pytorch_models.Vgg((1, 2), (4, 6))
    case(r, "Vgg", small, r.normal(3, 3, 4, 4), training, depths=(1, 2), widths=(4, 6),
         batch_norm=True, hidden=0)
    for batch_norm, widths, image in ((False, (3, 4), (2, 3, 28, 28)), (True, (4,), (2, 3, 14, 28))):
        depths = (1,) * len(widths)
        net = PlainVgg(depths, widths, batch_norm, 5)
        case(r, "Vgg", net, r.normal(*image), training, depths=depths, widths=widths,
             batch_norm=batch_norm, hidden=5)


def densenet(r, training):
    whole = torchvision_densenet.DenseNet(growth_rate=4, block_config=(2, 1), num_init_features=6)
    whole.classifier = nn.Identity()
    # Later norms remove most of the effect of the first norm's scale: float32 keeps four digits of its gradient.
    case(r, "DenseNet", whole, r.normal(3, 3, 24, 20), training, ["features.norm0.weight"] if training else (),
         depths=(2, 1), growth=4, stem_width=6, small=False, bottleneck=True, compression=0.5)
    case(r, "DenseNet", pytorch_models.DenseNet((2, 2, 1), 3, True), r.normal(3, 3, 9, 8), training, depths=(2, 2, 1),
         growth=3, stem_width=6, small=True, bottleneck=True, compression=0.5)
    case(r, "DenseNet", pytorch_models.DenseNet((2, 1), 3, False), r.normal(3, 3, 8, 8), training, depths=(2, 1),
         growth=3, stem_width=16, small=True, bottleneck=False, compression=1)


class EfficientNet(timm_efficientnet.EfficientNet):
    def forward(self, x):
        return self.global_pool(self.forward_features(x))


def efficientnet(r, training):
    # A stage without expansion and with a shortcut, one of 5x5 with a stride, and one of two blocks.
    definition = [["ds_r2_k3_s1_e1_c8_se0.25"], ["ir_r1_k5_s2_e3_c16_se0.25"], ["ir_r2_k3_s1_e2_c16_se0.25"]]
    net = EfficientNet(block_args=decode_arch_def(definition), num_classes=0, stem_size=8, num_features=24,
                       act_layer=nn.SiLU, fix_stem=True)
    stages = [[3, 1, 1, 8, 2], [5, 2, 3, 16, 1], [3, 1, 2, 16, 2]]
    case(r, "EfficientNet", net, r.normal(3, 3, 17, 14), training, stages=stages, stem_width=8, head_width=24)


def airbench(r, training):
    net = pytorch_models.Airbench94((5, 6)).train(training)
    inputs = {"x": r.normal(4, 3, 13, 14), **state(r, net), "whiten.started": np.ones(1, np.float32)}
    fixed = [key for key in inputs if "running" in key or key in ("whiten.weight", "whiten.started")
             or ".norm" in key and key.endswith("weight")]

    def function(x, **values):
        del values["whiten.started"]
        y = functional_call(net, values, (x,))
        return {"y": y, **{f"after_{key}": values[key] for key in fixed if "running" in key}}
    r.case("Airbench", inputs, function, no_grad=fixed, training=training, left_out=[], widths=(5, 6))


def squeeze_excite(r):
    net = nn.Module()
    net.conv_reduce, net.conv_expand = nn.Conv2d(6, 2, 1), nn.Conv2d(2, 6, 1)

    def forward(x):
        return x * torch.sigmoid(net.conv_expand(nn.functional.silu(net.conv_reduce(x.mean((2, 3), keepdim=True)))))
    net.forward = forward
    case(r, "SqueezeExcite", net, r.normal(2, 6, 5, 3), True, channels=6, reduced=2)


def record(r):
    squeeze_excite(r)
    for training in (True, False):
        vgg(r, training)
        densenet(r, training)
        efficientnet(r, training)
    for training in (True, False):
        airbench(r, training)
