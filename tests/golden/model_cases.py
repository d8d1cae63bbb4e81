"""Cases for networks with residual blocks: forward in training and evaluation, and the gradients of all parameters."""
import pathlib
import sys

import numpy as np
from torch.func import functional_call

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "apps/bench"))
import pytorch_models  # noqa: E402


def state(r, net):
    """Random weights and statistics for which the size of features and gradients stays the same over all blocks."""
    values = {}
    for key, value in net.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        if value.dim() > 1:
            values[key] = r.normal(*value.shape, scale=np.sqrt(2 / np.prod(value.shape[1:])))
        elif key.endswith(("running_var", "weight")):
            values[key] = r.uniform(*value.shape, low=0.5, high=1.5)
        else:
            values[key] = r.normal(*value.shape, scale=0.2)
    return values


def resnet(r, image, depths, widths, training, **options):
    net = pytorch_models.ResNet(depths, widths, **options).train(training)
    inputs = {"x": r.normal(*image), **state(r, net)}
    buffers = [key for key in inputs if "running" in key]

    def function(x, **values):
        y = functional_call(net, values, (x,))
        return {"y": y, **{f"after_{key}": values[key] for key in buffers}}
    r.case("ResNet", inputs, function, no_grad=buffers, training=training, depths=depths, widths=widths, **options)


def record(r):
    for training in (True, False):
        # ResNet-20 at a quarter of its width, and an odd width, for which the numbers of zeros on both sides differ.
        resnet(r, (4, 3, 16, 16), (3, 3, 3), (4, 8, 16), training, zero_pad=True, small=True)
        resnet(r, (3, 3, 9, 7), (1, 2), (3, 8), training, zero_pad=True, small=True)
        resnet(r, (3, 3, 40, 36), (2, 1, 2), (2, 4, 6), training, bottleneck=True)
        resnet(r, (3, 3, 33, 40), (1, 2), (4, 6), training)
