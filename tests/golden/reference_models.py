"""The registry's networks as in torchvision and timm; the others are from apps/bench/pytorch_models.py."""
import pathlib
import sys

import timm
import torchvision
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "apps/bench"))
import pytorch_models  # noqa: E402

CIFAR = ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet18-cifar", "resnet34-cifar",
         "resnet50-cifar", "vgg11-cifar", "vgg13-cifar", "vgg16-cifar", "vgg19-cifar", "densenet-40-12",
         "densenet-bc-100-12", "densenet-bc-190-40")
IMAGENET = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "vgg11", "vgg13", "vgg16", "vgg19",
            "vgg11-bn", "vgg13-bn", "vgg16-bn", "vgg19-bn", "densenet121", "densenet169", "densenet201", "densenet161")
SIZES = (224, 240, 260, 300, 380, 456, 528, 600)
NAMES = ("lenetpp", *CIFAR, *IMAGENET, *(f"{tf}efficientnet-b{i}" for tf in ("", "tf-") for i in range(len(SIZES))),
         *pytorch_models.TORCHVISION, "airbench94")


class Classifier(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.trunk, dim = pytorch_models.build(name)
        self.classifier = nn.Linear(dim, 10)

    def forward(self, x):
        return self.classifier(self.trunk(x))


def build(name):
    """The network with a linear classifier, and the shape of one image."""
    if name.startswith(("efficientnet", "tf-efficientnet")):
        return timm.create_model(name.replace("-", "_")), (3, *2 * [SIZES[int(name[-1])]])
    if name in (*IMAGENET, *pytorch_models.TORCHVISION):
        options = {"dropout": 0} if name.startswith(("vgg", "mobilenet")) else {}
        return getattr(torchvision.models, name.replace("-", "_"))(weights=None, **options), (3, 224, 224)
    return Classifier(name), pytorch_models.published(name)[0]


def classifier_of(net):
    """The last linear layer."""
    return [module for module in net.modules() if isinstance(module, nn.Linear)][-1]


def trunk_state(net):
    """The tensors up to the feature, with Radial's names."""
    last = {id(p) for p in classifier_of(net).parameters()}
    return {key.removeprefix("trunk."): value for key, value in net.state_dict(keep_vars=True).items()
            if id(value) not in last and not key.endswith("num_batches_tracked")}
