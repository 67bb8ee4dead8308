"""One tile of patch regression: filters, regressor, overlap-add."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classicsr.features import WINDOW_RADIUS, WINDOW_SIDE, interpolation_matrix
from classicsr.kernels.convolve import correlate_bank
from classicsr.kernels.lanes import (
    LANES,
    TILE_DEPTH,
    TILE_ROWS,
    n_blocks,
    pad_weights,
    round_up,
)
from classicsr.kernels.overlap import SPAN, add_overlap_average, interleave_phases

Float32 = NDArray[np.float32]
RIM = SPAN // 2


class BlockRegressor(Protocol):
    """Predicts the patches at flat lane positions of packed features."""

    def predict_blocks(
        self, blocks: Float32, positions: NDArray[np.int64], out: Float32
    ) -> None: ...


class RowRegressor:
    """Lets any scikit-learn regressor predict packed features."""

    def __init__(self, regressor: Any, n_features: int) -> None:
        self.regressor = regressor
        self.n_features = n_features

    def predict_blocks(
        self, blocks: Float32, positions: NDArray[np.int64], out: Float32
    ) -> None:
        rows = blocks[:, : self.n_features].transpose(0, 2, 1).reshape(-1, self.n_features)
        out[...] = self.regressor.predict(rows[positions])


class _Bank:
    """A filter bank without the window pixels that no filter uses."""

    def __init__(self, filters: NDArray) -> None:
        used = np.flatnonzero(np.any(filters != 0, axis=0))
        self._rows, self._columns = np.divmod(used, WINDOW_SIDE) - np.int64(WINDOW_RADIUS)
        self.weights = pad_weights(filters[:, used])

    def offsets(self, pitch: int) -> NDArray[np.int64]:
        """Flat offset of each tap in an image whose rows are `pitch` apart."""
        offsets = np.zeros(self.weights.shape[1], np.int64)
        offsets[: len(self._rows)] = self._rows * pitch + self._columns
        return offsets


class PatchTiles:
    """Upscales blocks by regression of residual patches on linear features.

    Every low-resolution pixel, and a rim of one around the tile, is the centre of a patch. The
    pixels are filtered at consecutive flat positions of the block, margins included, so that
    lane blocks stay full; only true patch centres go to the regressor.

    Parameters
    ----------
    scale : int
    filters : (n_features, WINDOW_SIDE^2) float32
    regressor : BlockRegressor
        Outputs (SPAN * scale)^2 pixels.
    """

    halo = WINDOW_RADIUS + RIM

    def __init__(self, scale: int, filters: Float32, regressor: BlockRegressor) -> None:
        self.scale = scale
        self._regressor = regressor
        self._features = _Bank(filters)
        self._phases = _Bank(interpolation_matrix(scale))
        self._n_rows = max(round_up(len(filters), TILE_ROWS), round_up(len(filters), TILE_DEPTH))
        self._n_outputs = (SPAN * scale) ** 2
        self._scratch = _Scratch()

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        pitch = block.shape[1]
        height, width = (n - 2 * self.halo for n in block.shape)
        pixels = np.zeros(block.size + 2 * LANES, np.float32)
        pixels[: block.size] = block.ravel()
        start = WINDOW_RADIUS * (pitch + 1)
        count = n_blocks((height + 1) * pitch + width + 2)
        image = np.empty((height * self.scale, width * self.scale), np.float32)

        phases = self._scratch.zeros("phases", (count, len(self._phases.weights), LANES))
        correlate_bank(pixels, self._phases.offsets(pitch), self._phases.weights, start, phases)
        interleave_phases(phases, RIM * (pitch + 1), pitch, self.scale, image)
        if interpolate_only:
            return image

        blocks = self._scratch.zeros("features", (count, self._n_rows, LANES))
        correlate_bank(pixels, self._features.offsets(pitch), self._features.weights, start, blocks)
        grid = (height + 2 * RIM, width + 2 * RIM)
        patches = self._scratch.zeros("patches", (grid[0] * grid[1], self._n_outputs))
        self._regressor.predict_blocks(blocks, _positions(grid, pitch), patches)
        add_overlap_average(patches.reshape(*grid, self._n_outputs), self.scale, image)
        return image


@lru_cache(maxsize=8)
def _positions(grid: tuple[int, int], pitch: int) -> NDArray[np.int64]:
    """Flat lane positions of the patch centres of a tile, in raster order."""
    rows, columns = np.arange(grid[0])[:, None], np.arange(grid[1])
    positions = (rows * pitch + columns).ravel()
    positions.setflags(write=False)
    return positions


class _Scratch(threading.local):
    """Arrays that each thread uses again from tile to tile: fresh memory costs page faults."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, tuple[int, ...]], Float32] = {}

    def zeros(self, name: str, shape: tuple[int, ...]) -> Float32:
        """An array that was zero when it was made and holds the last tile's values since."""
        if (name, shape) not in self._arrays:
            self._arrays = {key: a for key, a in self._arrays.items() if key[0] != name}
            self._arrays[name, shape] = np.zeros(shape, np.float32)
        return self._arrays[name, shape]
