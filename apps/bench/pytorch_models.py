"""Radial's networks in PyTorch, with the same parameters and names, for timing and for golden values."""
import math

import torch
import torch.nn.functional as F
from torch import nn


def lenetpp(dim):
    """LeNets++: (5x5 convolution, PReLU with one slope per channel) twice and a pool, three times; then the feature."""
    layers, channels = [], 1
    for width in (32, 64, 128):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 5, padding=2), nn.PReLU(width)]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 3 * 3, dim))


def conv(inputs, outputs, kernel, stride=1):
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


class Block(nn.Module):
    """A basic or bottleneck block; `zero_pad` chooses He's option A for the shortcut, else option B."""

    def __init__(self, inputs, width, stride, bottleneck, zero_pad):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        if bottleneck:
            shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        else:
            shapes = [(inputs, width, 3, stride), (width, width, 3, 1)]
        for i, shape in enumerate(shapes, 1):
            setattr(self, f"conv{i}", conv(*shape))
            setattr(self, f"bn{i}", nn.BatchNorm2d(shape[1]))
        self.depth, self.stride, self.missing = len(shapes), stride, outputs - inputs
        self.downsample = None
        if (stride != 1 or inputs != outputs) and not zero_pad:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def shortcut(self, x):
        if self.downsample is not None:
            return self.downsample(x)
        if self.stride == 1 and self.missing == 0:
            return x
        before = self.missing // 2
        return F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, before, self.missing - before))

    def forward(self, x):
        y = x
        for i in range(1, self.depth + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.depth:
                y = F.relu(y, inplace=True)
        y += self.shortcut(x)
        return F.relu(y, inplace=True)


class ResNet(nn.Module):
    """The trunk up to the feature, [N, feature_dim]."""

    def __init__(self, depths, widths, bottleneck=False, zero_pad=False, small=False, in_channels=3):
        super().__init__()
        self.small, self.stages = small, len(depths)
        channels = widths[0]
        self.conv1 = conv(in_channels, channels, 3) if small else conv(in_channels, channels, 7, 2)
        self.bn1 = nn.BatchNorm2d(channels)
        for s, (depth, width) in enumerate(zip(depths, widths)):
            blocks = []
            for i in range(depth):
                blocks.append(Block(channels, width, 2 if s > 0 and i == 0 else 1, bottleneck, zero_pad))
                channels = 4 * width if bottleneck else width
            setattr(self, f"layer{s + 1}", nn.Sequential(*blocks))
        self.feature_dim = channels

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        if not self.small:
            x = F.max_pool2d(x, 3, 2, 1)
        for s in range(1, self.stages + 1):
            x = getattr(self, f"layer{s}")(x)
        return x.mean((2, 3))


class Vgg(nn.Module):
    """For CIFAR, up to the feature: convolutions with batch norm, five pools, the one pixel that is left."""

    def __init__(self, depths, widths=(64, 128, 256, 512, 512), in_channels=3):
        super().__init__()
        layers, channels = [], in_channels
        for depth, width in zip(depths, widths):
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2))
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        self.features, self.feature_dim = nn.Sequential(*layers), channels

    def forward(self, x):
        return self.features(x).flatten(1)


class DenseLayer(nn.Module):
    def __init__(self, channels, growth, bottleneck):
        super().__init__()
        shapes = [(channels, 4 * growth, 1), (4 * growth, growth, 3)] if bottleneck else [(channels, growth, 3)]
        for i, shape in enumerate(shapes, 1):
            setattr(self, f"norm{i}", nn.BatchNorm2d(shape[0]))
            setattr(self, f"conv{i}", conv(*shape))
        self.depth = len(shapes)

    def forward(self, x):
        y = x
        for i in range(1, self.depth + 1):
            y = getattr(self, f"conv{i}")(F.relu(getattr(self, f"norm{i}")(y), inplace=True))
        return torch.cat((x, y), 1)


class DenseNet(nn.Module):
    """For CIFAR, up to the feature; each layer concatenates its result to its input."""

    def __init__(self, depths, growth, bottleneck=True, stem_width=None, in_channels=3):
        super().__init__()
        channels = stem_width or (2 * growth if bottleneck else 16)
        parts = {"conv0": conv(in_channels, channels, 3)}
        for b, depth in enumerate(depths, 1):
            layers = {f"denselayer{i + 1}": DenseLayer(channels + i * growth, growth, bottleneck) for i in range(depth)}
            parts[f"denseblock{b}"] = named(layers)
            channels += depth * growth
            if b < len(depths):
                outputs = channels // 2 if bottleneck else channels
                parts[f"transition{b}"] = named({"norm": nn.BatchNorm2d(channels), "relu": nn.ReLU(inplace=True),
                                                 "conv": conv(channels, outputs, 1), "pool": nn.AvgPool2d(2)})
                channels = outputs
        parts |= {"norm5": nn.BatchNorm2d(channels), "relu5": nn.ReLU(inplace=True)}
        self.features, self.feature_dim = named(parts), channels

    def forward(self, x):
        return self.features(x).mean((2, 3))


def named(parts):
    chain = nn.Sequential()
    for name, part in parts.items():
        chain.add_module(name, part)
    return chain


class EfficientNetB0(nn.Module):
    """torchvision's, up to the feature, without stochastic depth. The names are torchvision's."""

    def __init__(self):
        super().__init__()
        import torchvision  # only this network needs it
        whole = torchvision.models.efficientnet_b0(weights=None, stochastic_depth_prob=0)
        self.features, self.feature_dim = whole.features, 1280

    def forward(self, x):
        return self.features(x).mean((2, 3))


class WithoutClassifier(nn.Module):
    """A network of torchvision up to the feature, without dropout. The names are torchvision's."""

    def __init__(self, name):
        super().__init__()
        import torchvision  # only these networks need it
        options = {"dropout": 0} if name.startswith("mobilenet") else {}
        self.whole = getattr(torchvision.models, name.replace("-", "_"))(weights=None, **options)
        if name.startswith("mobilenet"):
            self.feature_dim = self.whole.classifier[3].in_features
            self.whole.classifier[3] = nn.Identity()
        else:
            self.feature_dim = self.whole.fc.in_features
            self.whole.fc = nn.Identity()

    def forward(self, x):
        return self.whole(x)


class ShiftNorm(nn.BatchNorm2d):
    """Batch norm that trains its shift alone. The scale of 1 is a buffer, because PyTorch's faster kernels need a scale
    and a shift."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-12, momentum=0.4, affine=False)
        del self.weight
        self.register_buffer("weight", torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))


class AirbenchBlock(nn.Module):
    """Two 3x3 convolutions with norm and GELU, a pool after the first. Both first copy their input's channels."""

    def __init__(self, inputs, width):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        self.norm1 = ShiftNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = ShiftNorm(width)
        for layer in (self.conv1, self.conv2):
            with torch.no_grad():
                nn.init.dirac_(layer.weight[:layer.in_channels])

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class Airbench94(nn.Module):
    """Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", section 3.1, up to the scaled feature. The first
    weights are fixed: they whiten patches of 2x2 pixels once a program has computed them from its images."""

    def __init__(self, widths=(64, 256, 256), in_channels=3):
        super().__init__()
        channels = 2 * in_channels * 2 * 2
        self.whiten = nn.Conv2d(in_channels, channels, 2)
        self.whiten.weight.requires_grad = False
        for b, width in enumerate(widths, 1):
            setattr(self, f"block{b}", AirbenchBlock(channels, width))
            channels = width
        self.blocks, self.feature_dim = len(widths), channels

    def forward(self, x):
        x = F.gelu(self.whiten(x))
        for b in range(1, self.blocks + 1):
            x = getattr(self, f"block{b}")(x)
        return F.max_pool2d(x, 3).flatten(1) * (1 / 9)


CIFAR = {f"resnet{6 * n + 2}": (n, n, n) for n in (3, 5, 7, 9, 18)}
IMAGENET = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3),
            "resnet152": (3, 8, 36, 3)}
WIDE_CIFAR = {f"{name}-cifar": IMAGENET[name] for name in ("resnet18", "resnet34", "resnet50")}
VGG = {"vgg11-cifar": (1, 1, 2, 2, 2), "vgg13-cifar": (2, 2, 2, 2, 2), "vgg16-cifar": (2, 2, 3, 3, 3),
       "vgg19-cifar": (2, 2, 4, 4, 4)}
DENSENET = {"densenet-40-12": ((12, 12, 12), 12, False), "densenet-bc-100-12": ((16, 16, 16), 12, True),
            "densenet-bc-190-40": ((31, 31, 31), 40, True)}
REGNET = tuple(f"regnet-{kind}-{size}" for kind in "xy"
               for size in ("400mf", "800mf", "1-6gf", "3-2gf", "8gf", "16gf", "32gf"))
MOBILENET = ("mobilenet-v3-large", "mobilenet-v3-small")
TORCHVISION = (*REGNET, *MOBILENET)
NAMES = ("lenetpp", *CIFAR, *IMAGENET, *WIDE_CIFAR, *VGG, *DENSENET, "efficientnet-b0", *TORCHVISION, "airbench94")


def published(name):
    """The shape [C, H, W] of an image, and the number of classes, of the data that a network was published for."""
    if name == "lenetpp":
        return (1, 28, 28), 10
    return ((3, 224, 224), 1000) if name in (*IMAGENET, *TORCHVISION, "efficientnet-b0") else ((3, 32, 32), 10)


def trunk(name):
    if name in CIFAR:
        return ResNet(CIFAR[name], (16, 32, 64), zero_pad=True, small=True)
    if name in VGG:
        return Vgg(VGG[name])
    if name in DENSENET:
        return DenseNet(*DENSENET[name])
    if name == "efficientnet-b0":
        return EfficientNetB0()
    if name in TORCHVISION:
        return WithoutClassifier(name)
    if name == "airbench94":
        return Airbench94()
    depths = IMAGENET.get(name) or WIDE_CIFAR[name]
    bottleneck = int(name.removeprefix("resnet").removesuffix("-cifar")) >= 50
    return ResNet(depths, (64, 128, 256, 512), bottleneck=bottleneck, small=name in WIDE_CIFAR)


def build(name, dim=None):
    """The network and the length of its feature."""
    if name == "lenetpp":
        return lenetpp(dim or 32), dim or 32
    net = trunk(name)
    if dim not in (None, net.feature_dim):
        raise SystemExit(f"{name}: its feature has {net.feature_dim} dimensions, not {dim}")
    return net, net.feature_dim


def parameter_count(net):
    return sum(math.prod(p.shape) for p in net.parameters())
