"""SwinIR: attention within windows of 8 x 8 pixels, shifted in every second layer."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from classicsr.deep.networks._layers import ColourMean, PixelShuffleUpsampler, conv

WINDOW = 8


class WindowAttention(nn.Module):
    """Self-attention of the pixels of a window, with a learned bias for each offset."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.bias = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`x` is (windows, pixels, width); `mask` (windows of an image, pixels, pixels)."""
        n, pixels, width = x.shape
        qkv = self.qkv(x).view(n, pixels, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        bias = self.bias[_offsets().to(x.device)].permute(2, 0, 1)
        if mask is not None:
            bias = (bias + mask[:, None]).repeat(n // len(mask), 1, 1, 1)
        attended = scaled_dot_product_attention(q, k, v, bias)
        return self.proj(attended.transpose(1, 2).reshape(n, pixels, width))


class TransformerLayer(nn.Module):
    """Window attention, then two dense layers, each added to its normalised input."""

    def __init__(self, width: int, heads: int, shift: int) -> None:
        super().__init__()
        self.shift = shift
        self.norm1 = nn.LayerNorm(width)
        self.attention = WindowAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """`x` is (N, h, w, width); h and w are multiples of the window."""
        n, h, w, width = x.shape
        shifted = self.norm1(x).roll((-self.shift, -self.shift), (1, 2))
        attended = self.attention(_windows(shifted), _mask(h, w, self.shift, x))
        rows = attended.view(n, h // WINDOW, w // WINDOW, WINDOW, WINDOW, width)
        merged = rows.transpose(2, 3).reshape(n, h, w, width)
        x = x + merged.roll((self.shift, self.shift), (1, 2))
        return x + self.mlp(self.norm2(x))


class ResidualGroup(nn.Module):
    """Layers and a convolution, added to their input (RSTB)."""

    def __init__(self, width: int, depth: int, heads: int) -> None:
        super().__init__()
        shifts = (WINDOW // 2 * (n % 2) for n in range(depth))
        self.layers = nn.Sequential(*(TransformerLayer(width, heads, shift) for shift in shifts))
        self.conv = conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + _channels_last(self.conv(_channels_first(self.layers(x))))


class SwinIR(nn.Module):
    """`n_groups` groups of `depth` layers; sub-pixel upsampling, in one step when `light`.

    Images are mirrored at the lower and right border to a multiple of the window.

    References
    ----------
    J. Liang et al., "SwinIR: Image restoration using Swin transformer", ICCV Workshops 2021.
    """

    def __init__(
        self, scale: int, width: int, n_groups: int, depth: int, heads: int, light: bool
    ) -> None:
        super().__init__()
        self.scale = scale
        self.colour = ColourMean(peak=1)
        self.first = conv(3, width)
        self.norm_in = nn.LayerNorm(width)
        self.groups = nn.Sequential(*(ResidualGroup(width, depth, heads) for _ in range(n_groups)))
        self.norm_out = nn.LayerNorm(width)
        self.after_body = conv(width, width)
        if light:
            self.upsample = nn.Sequential(conv(width, 3 * scale**2), nn.PixelShuffle(scale))
        else:
            self.upsample = nn.Sequential(
                conv(width, 64), nn.LeakyReLU(), PixelShuffleUpsampler(64, scale), conv(64, 3)
            )

    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[2:]
        x = self.first(self.colour.remove(_to_multiple(x)))
        deep = self.norm_out(self.groups(self.norm_in(_channels_last(x))))
        x = self.upsample(x + self.after_body(_channels_first(deep)))
        return self.colour.restore(x)[..., : h * self.scale, : w * self.scale]


def _to_multiple(x: Tensor) -> Tensor:
    """Continue an image by its mirror image to whole windows, as often as needed."""
    for axis in (2, 3):
        missing = -x.shape[axis] % WINDOW
        while missing:
            step = min(missing, x.shape[axis])
            strip = x.narrow(axis, x.shape[axis] - step, step).flip(axis)
            x = torch.cat([x, strip], axis)
            missing -= step
    return x


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def _windows(x: Tensor) -> Tensor:
    """(N, h, w, C) -> (windows, pixels of a window, C)."""
    n, h, w, width = x.shape
    blocks = x.reshape(n, h // WINDOW, WINDOW, w // WINDOW, WINDOW, width).transpose(2, 3)
    return blocks.reshape(-1, WINDOW**2, width)


@lru_cache(maxsize=1)
def _offsets() -> Tensor:
    """Row of the bias table for each pair of pixels of a window."""
    row, column = torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")
    rows = row.flatten()[:, None] - row.flatten() + WINDOW - 1
    columns = column.flatten()[:, None] - column.flatten() + WINDOW - 1
    return rows * (2 * WINDOW - 1) + columns


def _mask(h: int, w: int, shift: int, like: Tensor) -> Tensor | None:
    """Keeps pixels apart that a shift brought into one window from opposite borders."""
    if not shift:
        return None
    region = torch.zeros(1, h, w, 1, device=like.device)
    for number, (axis, at) in enumerate(
        ((1, slice(-WINDOW, -shift)), (1, slice(-shift, None)),
         (2, slice(-WINDOW, -shift)), (2, slice(-shift, None)))
    ):  # fmt: skip
        region.transpose(1, axis)[:, at] += 4**number
    labels = _windows(region).squeeze(-1)
    apart = labels[:, None] != labels[:, :, None]
    return torch.zeros(apart.shape, device=like.device, dtype=like.dtype).masked_fill(apart, -100)
