"""RRDB, the generator of ESRGAN: residual in residual dense blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from classicsr.deep.networks._layers import STAGES, conv

_SLOPE, _BETA = 0.2, 0.2


class ResidualDenseBlock(nn.Module):
    """Five densely connected convolutions, scaled and added to their input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            conv(width + n * growth, growth if n < 4 else width) for n in range(5)
        )

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers[:-1]:
            features.append(leaky_relu(layer(torch.cat(features, 1)), _SLOPE))
        return x + _BETA * self.layers[-1](torch.cat(features, 1))


class RRDB(nn.Module):
    """Three dense blocks, scaled and added to their input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(ResidualDenseBlock(width, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        return x + _BETA * self.blocks(x)


class RRDBNet(nn.Module):
    """23 such blocks; nearest-neighbour upsampling with a convolution for each stage.

    References
    ----------
    X. Wang et al., "ESRGAN: Enhanced super-resolution generative adversarial networks",
    ECCV Workshops 2018.
    """

    def __init__(self, scale: int, width: int = 64, growth: int = 32, depth: int = 23) -> None:
        super().__init__()
        self.factors = STAGES[scale]
        self.first = conv(3, width)
        blocks = (RRDB(width, growth) for _ in range(depth))
        self.body = nn.Sequential(*blocks, conv(width, width))
        self.upsample = nn.ModuleList(conv(width, width) for _ in self.factors)
        self.full = conv(width, width)
        self.last = conv(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = x + self.body(x)
        for factor, layer in zip(self.factors, self.upsample, strict=True):
            x = leaky_relu(layer(interpolate(x, scale_factor=factor)), _SLOPE)
        return self.last(leaky_relu(self.full(x), _SLOPE))
