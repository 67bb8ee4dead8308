"""SRCNN: three convolutions of the interpolated image."""

from __future__ import annotations

from torch import nn

from classicsr.deep.networks._layers import conv


class SRCNN(nn.Sequential):
    """Patch extraction, non-linear mapping of `side` x `side` patches, reconstruction.

    References
    ----------
    C. Dong, C. C. Loy, K. He, X. Tang, "Image super-resolution using deep convolutional
    networks", IEEE TPAMI 38(2), 2016.
    """

    def __init__(self, scale: int, side: int) -> None:
        super().__init__(
            conv(1, 64, 9), nn.ReLU(), conv(64, 32, side), nn.ReLU(), conv(32, 1, 5)
        )  # fmt: skip
