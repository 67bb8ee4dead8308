"""ESPCN: convolutions at low resolution, whose last one gives every pixel of a block."""

from __future__ import annotations

from torch import nn

from classicsr.deep.networks._layers import conv


class ESPCN(nn.Sequential):
    """Two convolutions with tanh, one for the pixels of a block, sub-pixel shuffle.

    References
    ----------
    W. Shi et al., "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network", CVPR 2016.
    """

    def __init__(self, scale: int) -> None:
        super().__init__(
            conv(1, 64, 5), nn.Tanh(),
            conv(64, 32), nn.Tanh(),
            conv(32, scale**2), nn.PixelShuffle(scale),
        )  # fmt: skip
