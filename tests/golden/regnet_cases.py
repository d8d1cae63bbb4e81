"""Cases for RegNets with few, narrow blocks: training and evaluation, gradients of all parameters."""
import torchvision.models.regnet as torchvision_regnet
from torch import nn

from zoo_cases import case


def regnet(r, image, training, stem_width, **rule):
    net = torchvision_regnet.RegNet(torchvision_regnet.BlockParams.from_init_params(**rule), stem_width=stem_width)
    net.fc = nn.Identity()
    case(r, "RegNet", net, r.normal(*image), training, stem_width=stem_width, **rule)


def record(r):
    for training in (True, False):
        # Widths of 8 and 16, which a group width of 6 makes 12 and 18; and a group width above the only width.
        regnet(r, (3, 3, 17, 14), training, 6, depth=2, w_0=8, w_a=6.0, w_m=2.0, group_width=6, se_ratio=0.25)
        regnet(r, (3, 3, 8, 9), training, 5, depth=2, w_0=8, w_a=0.0, w_m=2.0, group_width=16, se_ratio=0)
