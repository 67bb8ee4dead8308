"""VDSR: twenty convolutions that give what the interpolated image lacks."""

from __future__ import annotations

from torch import nn

from classicsr.deep.networks._layers import conv


class VDSR(nn.Sequential):
    """`depth` convolutions; the global skip is that of every residual network here.

    References
    ----------
    J. Kim, J. K. Lee, K. M. Lee, "Accurate image super-resolution using very deep
    convolutional networks", CVPR 2016.
    """

    def __init__(self, scale: int, depth: int) -> None:
        layers: list[nn.Module] = [conv(1, 64), nn.ReLU()]
        for _ in range(depth - 2):
            layers += [conv(64, 64), nn.ReLU()]
        super().__init__(*layers, conv(64, 1))
