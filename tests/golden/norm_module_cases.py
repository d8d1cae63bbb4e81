"""Cases for the normalisation layers of layers/norm.h and for MultiHeadAttention, except BatchNorm2d."""
import torch
from torch import nn

from module_cases import layer


class ChannelLayerNorm(nn.LayerNorm):
    """timm's and torchvision's LayerNorm2d."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Attention(nn.MultiheadAttention):
    """Self-attention; with `other`, attention to the samples in reverse order."""

    def __init__(self, dim, heads, bias, causal, other):
        super().__init__(dim, heads, bias=bias, batch_first=True)
        self.causal, self.other = causal, other

    def forward(self, x):
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if self.causal else None
        source = x.flip(0) if self.other else x
        return super().forward(x, source, source, attn_mask=mask, need_weights=False)[0]


def record(r):
    image = (2, 6, 5, 7)
    for training in (True, False):
        layer(r, "BatchNorm1d", nn.BatchNorm1d(6), r.normal(5, 6), training)
        layer(r, "BatchNorm1d", nn.BatchNorm1d(6), r.normal(3, 6, 7), training)
    layer(r, "LayerNorm", nn.LayerNorm(7), r.normal(2, 3, 7), shape=[7])
    layer(r, "LayerNorm", nn.LayerNorm((5, 7), eps=1e-3, bias=False), r.normal(*image), shape=[5, 7], epsilon=1e-3,
          bias=False)
    layer(r, "LayerNorm", nn.LayerNorm(7, elementwise_affine=False), r.normal(3, 7), shape=[7], affine=False)
    layer(r, "LayerNorm2d", ChannelLayerNorm(6, eps=1e-6), r.normal(*image))
    layer(r, "GroupNorm", nn.GroupNorm(3, 6), r.normal(*image), groups=3)
    layer(r, "GroupNorm", nn.GroupNorm(2, 6, affine=False), r.normal(3, 6, 5), groups=2, affine=False)
    layer(r, "InstanceNorm2d", nn.InstanceNorm2d(6), r.normal(*image), affine=False)
    layer(r, "InstanceNorm2d", nn.InstanceNorm2d(6, affine=True), r.normal(*image), affine=True)
    layer(r, "RMSNorm", nn.RMSNorm(7, eps=1e-6), r.normal(2, 3, 7), shape=[7])
    layer(r, "RMSNorm", nn.RMSNorm((5, 7), eps=1e-2, elementwise_affine=False), r.normal(*image), shape=[5, 7],
          epsilon=1e-2, affine=False)
    for dim, heads, bias, causal, other in ((6, 2, True, False, False), (6, 3, False, True, False),
                                            (4, 1, True, False, False), (6, 2, True, False, True)):
        layer(r, "MultiHeadAttention", Attention(dim, heads, bias, causal, other), r.normal(3, 5, dim), dim=dim,
              heads=heads, bias=bias, causal=causal, other=other)
