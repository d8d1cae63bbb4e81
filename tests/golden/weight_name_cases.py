"""Writes weight_names/FAMILY.FORMAT.txt: the names and shapes of the tensors of torchvision's and timm's networks, one
per line.

python3 tests/golden/weight_name_cases.py (torchvision, timm)."""
import pathlib

import timm
import torchvision.models as torchvision

NETWORKS = {
    "resnet50.torchvision": torchvision.resnet50,
    "vgg16_bn.torchvision": torchvision.vgg16_bn,
    "densenet121.torchvision": torchvision.densenet121,
    "efficientnet_b0.torchvision": torchvision.efficientnet_b0,
    "efficientnet_b0.timm": lambda: timm.create_model("efficientnet_b0", pretrained=False),
    "regnet_y_400mf.torchvision": torchvision.regnet_y_400mf,
    "regnety_004.timm": lambda: timm.create_model("regnety_004", pretrained=False),
    "regnetx_004_tv.timm": lambda: timm.create_model("regnetx_004_tv", pretrained=False),
    "mobilenet_v3_large.torchvision": torchvision.mobilenet_v3_large,
}

if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "weight_names"
    folder.mkdir(exist_ok=True)
    for name, make in NETWORKS.items():
        lines = [f"{key} {'x'.join(map(str, tensor.shape))}" for key, tensor in make().state_dict().items()]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
