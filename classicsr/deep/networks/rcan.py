"""RCAN: residual groups of blocks with channel attention."""

from __future__ import annotations

from torch import Tensor, nn

from classicsr.deep.networks._layers import ColourMean, PixelShuffleUpsampler, conv


class AttentionBlock(nn.Module):
    """Two convolutions, each channel weighted by what all channels are on average."""

    def __init__(self, width: int, squeeze: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(width, width), nn.ReLU(), conv(width, width))
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            conv(width, width // squeeze, 1), nn.ReLU(),
            conv(width // squeeze, width, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        residual = self.body(x)
        return x + residual * self.attention(residual)


class ResidualGroup(nn.Module):
    """Blocks and a convolution, added to their input."""

    def __init__(self, width: int, n_blocks: int, squeeze: int) -> None:
        super().__init__()
        blocks = (AttentionBlock(width, squeeze) for _ in range(n_blocks))
        self.body = nn.Sequential(*blocks, conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class RCAN(nn.Module):
    """Residual in residual: 10 groups of 20 blocks.

    References
    ----------
    Y. Zhang et al., "Image super-resolution using very deep residual channel attention
    networks", ECCV 2018.
    """

    def __init__(
        self, scale: int, width: int = 64, n_groups: int = 10, n_blocks: int = 20, squeeze: int = 16
    ) -> None:
        super().__init__()
        self.colour = ColourMean(peak=255)
        self.first = conv(3, width)
        groups = (ResidualGroup(width, n_blocks, squeeze) for _ in range(n_groups))
        self.body = nn.Sequential(*groups, conv(width, width))
        self.upsample = PixelShuffleUpsampler(width, scale)
        self.last = conv(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.colour.remove(x))
        return self.colour.restore(self.last(self.upsample(x + self.body(x))))
