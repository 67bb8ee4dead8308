"""Convolutions whose filters come in all eight poses of the square."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from classicsr.deep._equivariant import (
    FIRST_SIDE,
    GAIN,
    N_POSES,
    SIDE,
    filters_of,
    first_indices,
    hidden_indices,
    last_indices,
    without_mean,
)


class EquivariantNet(nn.Module):
    """Convolutions at low resolution; flips and turns of the input are those of the output.

    Channels come in fields of eight, one for each pose of the same filter, so that a layer has an
    eighth of the weights that as many channels would need, and every training image counts
    eight times. The first layer sees no constant; the last one gives every pixel of a block.
    Hidden layers begin near the identity.

    Parameters
    ----------
    scale : int
    n_fields, depth : int
        Fields of eight channels, and layers between the first and the last.

    References
    ----------
    T. S. Cohen, M. Welling, "Group equivariant convolutional networks", ICML 2016; W. Shi et
    al., "Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network", CVPR 2016 (last layer).
    """

    def __init__(self, scale: int, n_fields: int, depth: int) -> None:
        super().__init__()
        n_channels = n_fields * N_POSES
        self._scale = scale
        self._fan = n_channels * SIDE**2
        self.first = _Weights((n_fields, FIRST_SIDE**2), first_indices(n_fields))
        self.hidden = nn.ModuleList(
            _Weights((n_fields, n_fields, N_POSES, SIDE**2), hidden_indices(n_fields))
            for _ in range(depth)
        )
        last = last_indices(n_fields, scale)
        self.last = _Weights((n_fields, scale**2, SIDE**2), last, bias=False)
        self._initialise()

    def _initialise(self) -> None:
        nn.init.normal_(self.first.weight, std=math.sqrt(2) / FIRST_SIDE)
        for layer in self.hidden:
            nn.init.normal_(layer.weight, std=0.5 * math.sqrt(2 / self._fan))
            fields = range(len(layer.weight))
            with torch.no_grad():
                layer.weight[fields, fields, 0, SIDE**2 // 2] += 1
        nn.init.normal_(self.last.weight, std=0.05 / math.sqrt(self._fan))

    def forward(self, low: Any) -> Any:
        """(n, 1, h, w) -> what interpolation lacks, (n, 1, h * scale, w * scale)."""
        first = self.first.filters(without_mean(self.first.weight))
        x = functional.conv2d(low * GAIN, first, self.first.biases(), padding=FIRST_SIDE // 2)
        x = functional.relu(x).contiguous(memory_format=torch.channels_last)
        for layer in self.hidden:
            filters = layer.filters(layer.weight)
            x = functional.relu(functional.conv2d(x, filters, layer.biases(), padding=SIDE // 2))
        x = functional.conv2d(x, self.last.filters(self.last.weight), padding=SIDE // 2)
        return functional.pixel_shuffle(x, self._scale) / GAIN


class _Weights(nn.Module):
    """Weights of a layer, and where its filters find them."""

    def __init__(self, shape: tuple[int, ...], indices: Any, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        if bias:
            self.bias = nn.Parameter(torch.zeros(shape[0]))
        self._shape = indices.shape
        self.register_buffer("_indices", torch.as_tensor(indices.reshape(-1)), persistent=False)

    def filters(self, weight: Any) -> Any:
        return filters_of(weight, self._indices, self._shape)

    def biases(self) -> Any:
        return self.bias.repeat_interleave(N_POSES)
