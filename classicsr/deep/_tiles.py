"""A network applied to a plane, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.deep._architectures import OWN_HALO, OWN_TILE
from classicsr.deep._torch import import_torch
from classicsr.degradation import resize
from classicsr.patches import Tile, tiles
from classicsr.super_resolution._pixels import PixelSink, PixelSource
from classicsr.super_resolution._planes import Work

Float32 = NDArray[np.float32]


class NetworkTiles:
    """Runs a network on blocks of low-resolution pixels.

    A block has a halo towards its neighbours, as wide as the network sees, and ends at the
    border of the image, as the whole image would.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    scale, channels : int
    halo : int or None
        None for a network that sees too far: its tiles are all of one kind, whatever is asked
        for, so that the result does not depend on that.
    interpolated : bool
        Whether the network takes the bicubic image.
    residual : bool
        Whether the network gives what the bicubic image lacks.
    self_ensemble : bool
        Mean over the eight flips and turns of the input.
    """

    def __init__(
        self,
        module: Any,
        scale: int,
        *,
        channels: int,
        halo: int | None,
        interpolated: bool,
        residual: bool,
        self_ensemble: bool,
    ) -> None:
        self._module = module
        self._device = next(module.parameters()).device
        self._scale = scale
        self._channels = channels
        self._halo = OWN_HALO if halo is None else halo
        self._tile_shape = None if halo is not None else (OWN_TILE, OWN_TILE)
        self._interpolated = interpolated
        self._residual = residual
        self._poses = range(8 if self_ensemble else 1)

    def upscale(
        self, source: PixelSource, sink: PixelSink, groups: Sequence[Sequence[int]], work: Work
    ) -> None:
        """Fill `sink`, of the native scale.

        The channels of each group go through the network together; a network of colours sees
        one alone as grey. Channels of no group are interpolated.
        """
        scale, halo = self._scale, self._halo

        def run(tile: Tile) -> None:
            rows, top = _with_halo(tile.row, tile.height, halo, source.shape[0])
            columns, left = _with_halo(tile.column, tile.width, halo, source.shape[1])
            high = self._block(source.read(rows, columns), groups)
            high = high[:, top * scale : (top + tile.height) * scale]
            high = high[..., left * scale : (left + tile.width) * scale]
            sink.write(high, tile.row * scale, tile.column * scale)

        work.run(run, tiles(source.shape, self._tile_shape or work.tile_shape))

    def _block(self, low: Float32, groups: Sequence[Sequence[int]]) -> Float32:
        """(C, h, w) -> (C, h * scale, w * scale)."""
        high = resize(low, (1, self._scale, self._scale))
        for group in groups:
            channels = list(group)
            alone = len(channels) < self._channels
            members = channels * self._channels if alone else channels
            y = self._run((high if self._interpolated else low)[members])
            if alone:
                y = y.mean(axis=0, keepdims=True)
            high[channels] = high[channels] + y if self._residual else y
        return high

    def _run(self, x: Float32) -> Float32:
        """The network's output for (C, h, w), averaged over the poses."""
        torch = import_torch()
        total: Float32 | None = None
        with torch.inference_mode():
            for pose in self._poses:
                turned = torch.from_numpy(np.ascontiguousarray(posed(x, pose))[None])
                y = self._module(turned.to(self._device))[0].float().cpu().numpy()
                y = unposed(y, pose)
                total = y if total is None else total + y
        assert total is not None
        return total / np.float32(len(self._poses))


def posed(image: NDArray, pose: int) -> NDArray:
    """(..., h, w) in one of eight poses: quarter turns, flipped from the fifth on."""
    turned = np.rot90(image, pose % 4, (-2, -1))
    return turned[..., ::-1] if pose >= 4 else turned


def unposed(image: NDArray, pose: int) -> NDArray:
    """The inverse of `posed`."""
    straight = image[..., ::-1] if pose >= 4 else image
    return np.rot90(straight, -(pose % 4), (-2, -1))


def _with_halo(start: int, length: int, halo: int, n: int) -> tuple[NDArray[np.int64], int]:
    """Indices of a tile with its halo within the image, and how many come before the tile."""
    first = max(0, start - halo)
    return np.arange(first, min(n, start + length + halo)), start - first
