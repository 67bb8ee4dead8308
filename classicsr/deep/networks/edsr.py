"""EDSR: residual blocks without normalisation."""

from __future__ import annotations

from torch import Tensor, nn

from classicsr.deep.networks._layers import ColourMean, PixelShuffleUpsampler, conv


class ResidualBlock(nn.Module):
    """Two convolutions, scaled and added to their input."""

    def __init__(self, width: int, residual_scale: float) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(width, width), nn.ReLU(), conv(width, width))
        self.residual_scale = residual_scale

    def forward(self, x: Tensor) -> Tensor:
        return x + self.residual_scale * self.body(x)


class EDSR(nn.Module):
    """`depth` residual blocks of `width` features.

    References
    ----------
    B. Lim, S. Son, H. Kim, S. Nah, K. M. Lee, "Enhanced deep residual networks for single image
    super-resolution", CVPR Workshops 2017.
    """

    def __init__(self, scale: int, width: int, depth: int, residual_scale: float) -> None:
        super().__init__()
        self.colour = ColourMean(peak=255)
        self.first = conv(3, width)
        blocks = (ResidualBlock(width, residual_scale) for _ in range(depth))
        self.body = nn.Sequential(*blocks, conv(width, width))
        self.upsample = PixelShuffleUpsampler(width, scale)
        self.last = conv(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.colour.remove(x))
        return self.colour.restore(self.last(self.upsample(x + self.body(x))))
