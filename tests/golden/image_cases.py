"""Writes images.safetensors: small JPEG and PNG files, and the results of Pillow and torchvision for them.

python3 tests/golden/image_cases.py (Pillow, torchvision, safetensors). "file/NAME" contains a file's bytes, "rgb/NAME"
and "grey/NAME" its pixels in upright orientation. "resize/HxW" and "view/SIDExCROP" are computed from "source", those
with the prefix "tall_" from "tall_source". Pillow 13 or newer is needed, which resizes the rows of tall images before
the columns."""
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file
from torchvision import transforms

tensors = {}
random = np.random.default_rng(20202)


def picture(height, width):
    """Gradients of colour, an edge and some noise, so that the corners differ."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [200 * x / width, 120 * y / height + 60 * x / width, 220 * (x > width / 3) * (y < height / 2)]
    return np.clip(np.stack(planes, 2) + random.integers(0, 30, (height, width, 3)), 0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(array, bits, color, interlaced=False, width=None):
    """A PNG of a kind that Pillow cannot write: 16 bits (an array of big-endian uint16), 4 bits (packed), or
    interlaced."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [array[y::dy, x::dx] for x, y, dx, dy in passes] if interlaced else [array]
    rows = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", width or array.shape[1], array.shape[0], bits, color, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9))
            + chunk(b"IEND", b""))


def record(name, content, upright=None):
    """`upright` replaces Pillow's own pixels if they are not wanted: Pillow 13.0 clips 16-bit grey to 255."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content))) if upright is None else Image.fromarray(upright)
    tensors["file/" + name] = np.frombuffer(content, np.uint8)
    tensors["rgb/" + name] = np.array(image.convert("RGB"))
    tensors["grey/" + name] = np.array(image.convert("L"))[..., None]


def save(name, image, form, **options):
    content = io.BytesIO()
    image.save(content, form, **options)
    record(name, content.getvalue())
    return content.getvalue()


def jpegs():
    rgb = Image.fromarray(picture(19, 26))
    save("rgb.jpg", rgb, "JPEG", quality=90)
    save("rgb444.jpg", rgb, "JPEG", quality=90, subsampling=0)
    save("progressive.jpg", rgb, "JPEG", quality=90, progressive=True)
    save("grey.jpg", rgb.convert("L"), "JPEG", quality=90)
    cmyk = save("cmyk.jpg", rgb.convert("CMYK"), "JPEG", quality=90)
    # The last byte of Adobe's marker gives the type of the components: 0 is CMYK, 2 is YCCK.
    at = cmyk.index(b"Adobe") + 11
    record("ycck.jpg", cmyk[:at] + b"\x02" + cmyk[at + 1:])
    turned = Image.fromarray(picture(8, 12))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation{orientation}.jpg", turned, "JPEG", quality=90, exif=exif)
    little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    save("orientation_little_endian.jpg", turned, "JPEG", quality=90, exif=b"Exif\0\0" + little)
    save("orientation6.png", turned, "PNG", exif=little)
    # A LONG instead of a SHORT, in both byte orders.
    for name, order, magic in (("little", "<", b"II*\0"), ("big", ">", b"MM\0*")):
        wide = magic + struct.pack(order + "IHHHIII", 8, 1, 0x0112, 4, 1, 6, 0)
        save(f"orientation_long_{name}_endian.jpg", turned, "JPEG", quality=90, exif=b"Exif\0\0" + wide)


def pngs():
    pixels = picture(13, 10)
    alpha = random.integers(0, 256, (13, 10, 1)).astype(np.uint8)
    rgb = Image.fromarray(pixels)
    save("rgb.png", rgb, "PNG")
    save("rgba.png", Image.fromarray(np.concatenate([pixels, alpha], 2)), "PNG")
    save("grey.png", rgb.convert("L"), "PNG")
    save("grey_alpha.png", Image.fromarray(np.concatenate([pixels[..., :1], alpha], 2), "LA"), "PNG")
    save("one_bit.png", rgb.convert("1"), "PNG")
    palette = rgb.quantize(11)
    save("palette.png", palette, "PNG")
    save("palette_transparent.png", palette, "PNG", transparency=bytes(range(0, 220, 20)))
    save("grey_transparent.png", rgb.convert("L"), "PNG", transparency=int(pixels[0, 0, 0]))
    nibbles = pixels[:, 0::2, 0] // 16 * 16 + pixels[:, 1::2, 0] // 16
    record("grey4.png", png(nibbles, 4, 0, width=10))
    record("interlaced.png", png(pixels, 8, 2, interlaced=True))
    wide = (pixels.astype(">u2") * 256 + random.integers(0, 256, pixels.shape).astype(">u2")).astype(">u2")
    record("rgb16.png", png(wide, 16, 2))
    record("grey16.png", png(np.ascontiguousarray(wide[..., 0]), 16, 0), upright=np.ascontiguousarray(pixels[..., 0]))


def resizes():
    source = picture(37, 53)
    image = Image.fromarray(source)
    tensors["source"] = source
    for height, width in ((20, 31), (37, 12), (5, 53), (50, 61), (37, 53), (1, 1), (64, 9)):
        tensors[f"resize/{height}x{width}"] = np.array(image.resize((width, height), Image.Resampling.BILINEAR))
    for side, crop in ((24, 20), (37, 37), (40, 33), (15, 8), (20, 19)):
        view = transforms.Compose([transforms.Resize(side), transforms.CenterCrop(crop)])(image)
        tensors[f"view/{side}x{crop}"] = np.array(view).transpose(2, 0, 1).copy()
    # Sizes on both sides of the limit for the order of the passes: 120 - height above 2 * (30 - width).
    source = picture(120, 30)
    image = Image.fromarray(source)
    tensors["tall_source"] = source
    for height, width in ((40, 11), (80, 10), (79, 10), (100, 33), (119, 31), (130, 40), (3, 29)):
        tensors[f"tall_resize/{height}x{width}"] = np.array(image.resize((width, height), Image.Resampling.BILINEAR))
    for side, crop in ((12, 9), (20, 20)):
        view = transforms.Compose([transforms.Resize(side), transforms.CenterCrop(crop)])(image)
        tensors[f"tall_view/{side}x{crop}"] = np.array(view).transpose(2, 0, 1).copy()


if __name__ == "__main__":
    jpegs()
    pngs()
    resizes()
    save_file(tensors, pathlib.Path(__file__).parent / "images.safetensors")
