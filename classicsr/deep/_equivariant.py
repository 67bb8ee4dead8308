"""Convolutions in all eight poses of the square: weights, filters, and a run without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.kernels.convolution import chunk_filters, convolve
from classicsr.kernels.linear import padded_outputs
from classicsr.super_resolution._filter_bank import Scratch
from classicsr.super_resolution._patch_tiles import interpolation

Float32 = NDArray[np.float32]
Indices = NDArray[np.int64]
FIRST_SIDE, SIDE = 5, 3
"""Pixels across the filters of the first layer, and of the others."""
GAIN = 10.0
"""Of the input, and 1 / GAIN of the output: details are about a tenth of the range."""
_TURN, _FLIP = np.array([[0, -1], [1, 0]]), np.array([[1, 0], [0, -1]])
_POSES = [np.linalg.matrix_power(_TURN, k) @ flip for flip in (np.eye(2, dtype=int), _FLIP)
          for k in range(4)]  # fmt: skip
N_POSES = len(_POSES)


def weight_shapes(scale: int, n_fields: int, depth: int) -> dict[str, tuple[int, ...]]:
    """Shape of every weight by name.

    A field is eight channels that one filter gives in its eight poses.
    """
    shapes: dict[str, tuple[int, ...]] = {
        "first.weight": (n_fields, FIRST_SIDE**2),
        "first.bias": (n_fields,),
    }
    for layer in range(depth):
        shapes[f"hidden.{layer}.weight"] = (n_fields, n_fields, N_POSES, SIDE**2)
        shapes[f"hidden.{layer}.bias"] = (n_fields,)
    shapes["last.weight"] = (n_fields, scale**2, SIDE**2)
    return shapes


@lru_cache(maxsize=8)
def first_indices(n_fields: int) -> Indices:
    """Where the filters (channels, 1, side, side) of the first layer stand in its weights."""
    turns = np.stack([_turned(FIRST_SIDE, pose) for pose in _POSES])
    fields = np.arange(n_fields)[:, None, None] * FIRST_SIDE**2
    return (fields + turns).reshape(-1, 1, FIRST_SIDE, FIRST_SIDE)


@lru_cache(maxsize=8)
def hidden_indices(n_fields: int) -> Indices:
    """The same for a layer between: filters (channels, channels, side, side).

    The channel of a pose sees each of the poses before it from its own point of view.
    """
    own = np.empty((N_POSES, N_POSES, SIDE**2), np.int64)
    for to, pose in enumerate(_POSES):
        for start, other in enumerate(_POSES):
            own[to, start] = _number(pose.T @ other) * SIDE**2 + _turned(SIDE, pose)
    fields = np.arange(n_fields**2).reshape(n_fields, 1, n_fields, 1, 1) * N_POSES * SIDE**2
    every = fields + own[:, None]
    n_channels = n_fields * N_POSES
    return every.reshape(n_channels, n_channels, SIDE, SIDE)


@lru_cache(maxsize=8)
def last_indices(n_fields: int, scale: int) -> Indices:
    """The same for the last layer: filters (scale^2, channels, side, side)."""
    own = np.stack(
        [_turned(scale, p)[:, None] * SIDE**2 + _turned(SIDE, p) for p in _POSES], axis=1
    )
    fields = np.arange(n_fields)[:, None, None] * (scale * SIDE) ** 2
    every = fields + own[:, None]
    return every.reshape(scale**2, n_fields * N_POSES, SIDE, SIDE)


def filters_of(weights: Any, indices: Any, shape: tuple[int, ...]) -> Any:
    """Filters of a layer, for arrays of NumPy and PyTorch alike."""
    return weights.reshape(-1)[indices.reshape(-1)].reshape(shape)


def without_mean(weights: Any) -> Any:
    """Filters that see no constant."""
    return weights - weights.mean(1)[:, None]


def _number(pose: NDArray) -> int:
    return next(k for k, other in enumerate(_POSES) if np.array_equal(pose, other))


def _turned(side: int, pose: NDArray) -> Indices:
    """Where each pixel of a turned square comes from, by flat index."""
    places = np.indices((side, side)).reshape(2, -1).T
    twice = (2 * places - (side - 1)) @ pose  # the inverse is the transpose
    rows, columns = ((twice + side - 1) // 2).T
    return rows * side + columns


class EquivariantTiles:
    """Runs the network on blocks of low-resolution pixels.

    Parameters
    ----------
    scale : int
    weights : mapping
        By the names of `weight_shapes`.
    self_ensemble : bool
        Mean with what the network makes of the negative: the symmetry that it does not have.
    """

    def __init__(
        self, scale: int, weights: Mapping[str, NDArray], *, self_ensemble: bool = False
    ) -> None:
        self.scale = scale
        self._signs = (1, -1) if self_ensemble else (1,)
        self._interpolation = interpolation(scale)
        self._layers = _layers(scale, weights)
        self._reach = sum(layer.radius for layer in self._layers)
        self.halo = max(self._reach, self._interpolation.halo)
        self._scratch = Scratch()

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        image = self._interpolation.upscale(
            _cropped(block, self.halo - self._interpolation.halo), interpolate_only=True
        )
        if interpolate_only:
            return image
        low = np.ascontiguousarray(_cropped(block, self.halo - self._reach))
        height, width = (n // self.scale for n in image.shape)
        blocks = image.reshape(height, self.scale, width, self.scale)
        for sign in self._signs:
            pixels = self._run(np.float32(sign) * low)[..., : self.scale**2]
            pixels *= np.float32(sign / len(self._signs))
            blocks += pixels.reshape(height, width, self.scale, self.scale).transpose(0, 2, 1, 3)
        return image

    def _run(self, low: Float32) -> Float32:
        """The last layer's channels, until the next call."""
        x = low[:, :, None]
        size = x.size * max(layer.n_outputs for layer in self._layers)
        for number, layer in enumerate(self._layers):
            x = layer.apply(x, self._scratch.get("odd" if number % 2 else "even", (size,)))
        return x


class _Layer:
    """A convolution, laid out for the kernel."""

    def __init__(self, filters: NDArray, bias: NDArray, *, rectified: bool) -> None:
        self.radius = filters.shape[-1] // 2
        self._table = chunk_filters(filters.astype(np.float32))
        self._bias = np.zeros(padded_outputs(len(filters)), np.float32)
        self._bias[: len(filters)] = bias
        self._rectified = rectified

    @property
    def n_outputs(self) -> int:
        """Channels of the result, padded."""
        return len(self._bias)

    def apply(self, x: Float32, memory: Float32) -> Float32:
        """(h + 2 radius, w + 2 radius, channels) -> (h, w, n_outputs), which lies in `memory`."""
        height, width = (n - 2 * self.radius for n in x.shape[:2])
        result = memory[: height * width * self.n_outputs].reshape(height, width, -1)
        convolve(x, self._table, self._bias, self._rectified, result)
        return result


def _layers(scale: int, weights: Mapping[str, NDArray]) -> list[_Layer]:
    n_fields = len(weights["first.bias"])

    def layer(name: str, weight: NDArray, indices: Indices) -> _Layer:
        bias = np.repeat(weights[f"{name}.bias"], N_POSES)
        return _Layer(filters_of(weight, indices, indices.shape), bias, rectified=True)

    first = without_mean(weights["first.weight"]) * GAIN
    layers = [layer("first", first, first_indices(n_fields))]
    depth = sum(name.endswith(".bias") for name in weights) - 1
    for name in (f"hidden.{k}" for k in range(depth)):
        layers.append(layer(name, weights[f"{name}.weight"], hidden_indices(n_fields)))
    indices = last_indices(n_fields, scale)
    filters = filters_of(weights["last.weight"], indices, indices.shape) / GAIN
    return [*layers, _Layer(filters, np.zeros(scale**2), rectified=False)]


def _cropped(block: Float32, margin: int) -> Float32:
    return block[margin : len(block) - margin, margin : block.shape[1] - margin]
