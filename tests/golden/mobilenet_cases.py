"""Cases for MobileNetV3s with few, narrow blocks: training and evaluation, gradients of all parameters."""
from functools import partial

import torchvision.models.mobilenetv3 as torchvision_mobilenet
from torch import nn

from zoo_cases import case


def mobilenet(r, image, training, rows, stem_width, hidden, **norm):
    blocks, channels = [], stem_width
    for kernel, expanded, out, squeeze, hard, stride in rows:
        blocks.append(torchvision_mobilenet.InvertedResidualConfig(channels, kernel, expanded, out, squeeze,
                                                                   "HS" if hard else "RE", stride, 1, 1.0))
        channels = out
    layer = partial(nn.BatchNorm2d, eps=norm["norm_epsilon"], momentum=norm["norm_momentum"])
    net = torchvision_mobilenet.MobileNetV3(blocks, hidden, norm_layer=layer, dropout=0)
    net.classifier[3] = nn.Identity()
    case(r, "MobileNetV3", net, r.normal(*image), training, rows=rows, stem_width=stem_width, hidden=hidden, **norm)


def record(r):
    # Blocks with and without expansion, squeeze-and-excitation, a shortcut and a stride, with both activations.
    rows = [[3, 8, 8, True, False, 1], [5, 24, 8, False, True, 2], [3, 16, 8, True, True, 1]]
    for training in (True, False):
        mobilenet(r, (3, 3, 17, 14), training, rows, 8, 16, norm_epsilon=1e-3, norm_momentum=0.01)
