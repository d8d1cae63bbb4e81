"""Writes auto_augment.safetensors: torchvision's results for each operation of TrivialAugment and RandAugment.

python3 tests/golden/auto_augment_cases.py (torch, torchvision, safetensors). "image/NAME" is an image, uint8 [C, H, W];
"OPERATION/MAGNITUDE/NAME" what the operation makes of it; "magnitudes/METHOD/OPERATION" the 31 magnitudes of each
method, for an image of 24 x 33 pixels."""
import pathlib

import torch
from safetensors.torch import save_file
from torchvision.transforms import InterpolationMode, RandAugment, TrivialAugmentWide
from torchvision.transforms.autoaugment import _apply_op

NAMES = {"ShearX": "shear-x", "ShearY": "shear-y", "TranslateX": "translate-x", "TranslateY": "translate-y",
         "Rotate": "rotate", "Brightness": "brightness", "Color": "color", "Contrast": "contrast",
         "Sharpness": "sharpness", "Posterize": "posterize", "Solarize": "solarize", "AutoContrast": "autocontrast",
         "Equalize": "equalize", "Identity": "identity"}
MAGNITUDES = {"ShearX": [0.33, -0.99], "ShearY": [0.33, -0.23], "TranslateX": [3.7, -8], "TranslateY": [5, -2.9],
              "Rotate": [27, -117], "Brightness": [0.43, -0.61], "Color": [0.77, -0.9], "Contrast": [0.53, -0.99],
              "Sharpness": [0.9, -0.47], "Posterize": [2, 6, 8], "Solarize": [0, 85, 255], "AutoContrast": [0],
              "Equalize": [0], "Identity": [0]}

generator = torch.Generator().manual_seed(11)


def picture(channels, height, width):
    """A gradient with noise, within part of the range of values."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    planes = torch.stack([(3 + c) * x + (5 - c) * y + 20 * c for c in range(channels)])
    return (planes + torch.randint(0, 60, planes.shape, generator=generator)).clamp(0, 230).to(torch.uint8)


if __name__ == "__main__":
    images = {"rgb": picture(3, 24, 33), "grey": picture(1, 9, 8), "thin": picture(3, 2, 7),
              "flat": torch.full((3, 6, 6), 90, dtype=torch.uint8)}
    tensors = {f"image/{name}": image for name, image in images.items()}
    for operation, magnitudes in MAGNITUDES.items():
        for magnitude in magnitudes:
            for name, image in images.items():
                result = _apply_op(image, operation, magnitude, InterpolationMode.NEAREST, None)
                tensors[f"{NAMES[operation]}/{magnitude}/{name}"] = result.clone()
    spaces = {"trivial": TrivialAugmentWide()._augmentation_space(31),
              "rand": RandAugment()._augmentation_space(31, (24, 33))}
    for method, space in spaces.items():
        for operation, (magnitudes, _) in space.items():
            tensors[f"magnitudes/{method}/{NAMES[operation]}"] = magnitudes.reshape(-1).to(torch.float64)
    save_file(tensors, pathlib.Path(__file__).parent / "auto_augment.safetensors")
