"""Writes views.safetensors: JPEG files with each kind of chroma subsampling, and the views that Pillow and torchvision
cut from them.

python3 tests/golden/view_cases.py (Pillow, torchvision, safetensors). "file/NAME" contains a file's bytes, "view/NAME"
the pixels [3, 40, 40] of Resize(48), CenterCrop(40), and "part/NAME" the pixels of the crop of 63 x 70 pixels at top
17, left 41, resized to 28 x 28, as RandomResizedCrop does it."""
import io
import pathlib

import numpy as np
from PIL import Image
from safetensors.numpy import save_file
from torchvision import transforms
from torchvision.transforms import functional

tensors = {}
random = np.random.default_rng(7)


def picture(height, width):
    """Gradients of colour, stripes, an edge and some noise."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 120 * np.sin(x / 5 + y / 17), 220 * y / height, 210 * (x > width / 3) * (y < height / 2) + 20]
    return np.clip(np.stack(planes, 2) + random.integers(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


def record(name, image, **options):
    content = io.BytesIO()
    image.save(content, "JPEG", **options)
    tensors["file/" + name] = np.frombuffer(content.getvalue(), np.uint8)
    read = Image.open(io.BytesIO(content.getvalue())).convert("RGB")
    view = transforms.Compose([transforms.Resize(48), transforms.CenterCrop(40)])(read)
    tensors["view/" + name] = np.array(view).transpose(2, 0, 1).copy()
    part = functional.resized_crop(read, 17, 41, 63, 70, [28, 28])
    tensors["part/" + name] = np.array(part).transpose(2, 0, 1).copy()


if __name__ == "__main__":
    rgb = Image.fromarray(picture(97, 131))
    for sampling, name in enumerate(("444", "422", "420")):
        record(f"{name}.jpg", rgb, quality=60, subsampling=sampling)
    record("progressive.jpg", rgb, quality=60, progressive=True)
    record("restarts.jpg", rgb, quality=60, restart_marker_blocks=3)
    record("grey.jpg", rgb.convert("L"), quality=60)
    record("cmyk.jpg", rgb.convert("CMYK"), quality=60)
    record("tall.jpg", Image.fromarray(picture(160, 113)), quality=60)
    save_file(tensors, pathlib.Path(__file__).parent / "views.safetensors")
