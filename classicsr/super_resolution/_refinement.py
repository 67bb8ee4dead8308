"""Refinement: further stages of regression, each on the estimate of those before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.features import ESTIMATE_SIDE
from classicsr.kernels.lanes import LANES
from classicsr.patches import EstimatePair, TrainingPair, mirrored, tiles
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE
from classicsr.super_resolution._filter_bank import FilterBank
from classicsr.super_resolution._patch_tiles import RIM, ResidualPatches, RowsRegressor
from classicsr.super_resolution._planes import TileMethod

Float32 = NDArray[np.float32]
ESTIMATE_RADIUS = ESTIMATE_SIDE // 2
REACH = ESTIMATE_RADIUS + RIM
"""Low-resolution pixels that a refinement looks beyond a block."""


class Refinement:
    """One stage: adds to an estimate the residual patches that are predicted from it.

    An image of `scale` times as many pixels is, on the low-resolution grid, one image per phase,
    so that its features are linear filters at low-resolution positions as those of the first
    stage are.

    Parameters
    ----------
    scale : int
    filters : (n_features, (ESTIMATE_SIDE * scale)^2) float32
    regressor : RowsRegressor
        Outputs (SPAN * scale)^2 pixels.
    """

    def __init__(self, scale: int, filters: Float32, regressor: RowsRegressor) -> None:
        self.scale = scale
        self._patches = ResidualPatches(scale, FilterBank(filters, scale), regressor)

    def refine(self, estimate: Float32) -> Float32:
        """Refined estimate without the outer pixels that it depends on, REACH blocks wide."""
        height, width = (n // self.scale for n in estimate.shape)
        margin = REACH * self.scale
        image = estimate[margin:-margin, margin:-margin].copy()
        pixels = phase_pixels(estimate, self.scale)
        self._patches.add_to(image, pixels, width, height * width)
        return image


def phase_pixels(estimate: Float32, scale: int) -> Float32:
    """The phases of an image one after another, and spare pixels, as filter banks need them."""
    height, width = (n // scale for n in estimate.shape)
    pixels = np.zeros(estimate.size + 2 * LANES, np.float32)
    phases = pixels[: estimate.size].reshape(scale, scale, height, width)
    phases[:] = estimate.reshape(height, scale, width, scale).transpose(1, 3, 0, 2)
    return pixels


class RefinedTiles:
    """Upscales blocks in stages.

    Parameters
    ----------
    first : TileMethod
    stages : sequence of Refinement
    """

    def __init__(self, first: TileMethod, stages: Sequence[Refinement]) -> None:
        self.scale = first.scale
        self._margin = REACH * len(stages)
        self.halo = first.halo + self._margin
        self._first = first
        self._stages = stages

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        if interpolate_only:
            height, width = (n - self._margin for n in block.shape)
            block = block[self._margin : height, self._margin : width]
            return self._first.upscale(block, interpolate_only=True)
        image = self._first.upscale(block, interpolate_only=False)
        for stage in self._stages:
            image = stage.refine(image)
        return image


def estimate_pairs(
    pairs: Sequence[TrainingPair], method: TileMethod, n_jobs: int | None
) -> list[EstimatePair]:
    """What the stages so far make of training images, and what that lacks."""
    scale, reach = method.scale, method.halo + ESTIMATE_RADIUS
    margin = ESTIMATE_RADIUS * scale
    inside = (slice(margin, -margin),) * 2

    def estimated(pair: TrainingPair) -> EstimatePair:
        rows, columns = (mirrored(-reach, n + reach, n) for n in pair.low.shape)
        low = pair.low[np.ix_(rows, columns)]
        shape = (len(rows) - 2 * method.halo, len(columns) - 2 * method.halo)
        estimate = np.empty((shape[0] * scale, shape[1] * scale), np.float32)
        added = np.empty_like(estimate)
        for tile in tiles(shape, DEFAULT_TILE_SHAPE):
            block = low[_span(tile.row, tile.height, 2 * method.halo)]
            block = block[:, _span(tile.column, tile.width, 2 * method.halo)]
            at = (
                _span(tile.row * scale, tile.height * scale),
                _span(tile.column * scale, tile.width * scale),
            )
            estimate[at] = method.upscale(block, interpolate_only=False)
            added[at] = estimate[at] - method.upscale(block, interpolate_only=True)
        return EstimatePair(estimate, pair.residual - added[inside])

    return list(run_parallel(estimated, pairs, n_jobs))


def _span(start: int, length: int, more: int = 0) -> slice:
    return slice(start, start + length + more)
