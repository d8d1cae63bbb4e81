"""Cases for the layers of layers/conv.h, layers/upsample.h and layers/embedding.h that module_cases.py lacks."""
from torch import nn

from module_cases import layer


def record(r):
    image = (2, 4, 5, 3)
    layer(r, "ConvTranspose2d", nn.ConvTranspose2d(4, 3, 4, 2, 1), r.normal(*image), out=3, kernel=[4, 4],
          stride=[2, 2], padding=[1, 1])
    layer(r, "ConvTranspose2d", nn.ConvTranspose2d(4, 6, (3, 2), (2, 3), (1, 0), (0, 2), 2, False, (1, 2)),
          r.normal(*image), out=6, kernel=[3, 2], stride=[2, 3], padding=[1, 0], output_padding=[0, 2],
          dilation=[1, 2], groups=2, bias=False)
    layer(r, "Conv1d", nn.Conv1d(4, 6, 3, 2, 1, 2, 2), r.normal(2, 4, 11), out=6, kernel=3, stride=2, padding=1,
          dilation=2, groups=2)
    layer(r, "Conv1d", nn.Conv1d(4, 5, 2, bias=False), r.normal(1, 4, 7), out=5, kernel=2, bias=False)
    layer(r, "Upsample", nn.Upsample(scale_factor=2), r.normal(*image), scale=2)
    layer(r, "Upsample", nn.Upsample(size=(7, 5), mode="bilinear", align_corners=True), r.normal(*image), size=[7, 5],
          mode="bilinear", align_corners=True)
    layer(r, "Upsample", nn.Upsample(scale_factor=1.5, mode="bicubic"), r.normal(*image), scale=1.5, mode="bicubic")
    layer(r, "PixelShuffle", nn.PixelShuffle(2), r.normal(*image), factor=2)
    layer(r, "PixelUnshuffle", nn.PixelUnshuffle(3), r.normal(2, 2, 6, 3), factor=3)
    layer(r, "AdaptiveAvgPool2d", nn.AdaptiveAvgPool2d((3, 2)), r.normal(*image), size=[3, 2])
    layer(r, "AdaptiveMaxPool2d", nn.AdaptiveMaxPool2d((3, 2)), r.normal(*image), size=[3, 2])
    layer(r, "Embedding", nn.Embedding(7, 4), r.labels(6, 7).reshape(2, 3))
    layer(r, "Embedding", nn.Embedding(5, 3, padding_idx=2), r.labels(24, 5).reshape(2, 3, 1, 4), padding_index=2)
