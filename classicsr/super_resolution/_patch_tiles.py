"""One tile of patch regression: filters, regressor, overlap-add."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classicsr.features import WINDOW_RADIUS, WINDOW_SIDE, interpolation_matrix
from classicsr.kernels.convolve import correlate_bank
from classicsr.kernels.lanes import LANES, pad_weights, round_up
from classicsr.kernels.linear import padded_outputs
from classicsr.kernels.overlap import SPAN, add_overlap_average, interleave_phases

Float32 = NDArray[np.float32]
RIM = SPAN // 2


class RowsRegressor(Protocol):
    """Writes the predictions for ``rows[positions]`` to the first columns of `out`."""

    def predict_rows(self, rows: Float32, positions: NDArray[np.int64], out: Float32) -> None: ...


class AnyRegressor:
    """A scikit-learn regressor as a `RowsRegressor`."""

    def __init__(self, regressor: Any, n_features: int) -> None:
        self.regressor = regressor
        self.n_features = n_features

    def predict_rows(self, rows: Float32, positions: NDArray[np.int64], out: Float32) -> None:
        """Predict with the regressor."""
        predicted = self.regressor.predict(rows[positions, : self.n_features])
        out[:, : predicted.shape[1]] = predicted


class _Bank:
    """A filter bank without the window pixels that no filter uses."""

    def __init__(self, filters: NDArray) -> None:
        used = np.flatnonzero(np.any(filters != 0, axis=0))
        self._rows = used // WINDOW_SIDE - WINDOW_RADIUS
        self._columns = used % WINDOW_SIDE - WINDOW_RADIUS
        self.weights = pad_weights(filters[:, used])

    def offsets(self, pitch: int) -> NDArray[np.int64]:
        """Flat offset of each tap in an image whose rows are `pitch` apart."""
        offsets = np.zeros(self.weights.shape[1], np.int64)
        offsets[: len(self._rows)] = self._rows * pitch + self._columns
        return offsets


class PatchTiles:
    """Upscales blocks by regression of residual patches on linear features.

    Every low-resolution pixel, and a rim of one around the tile, is the centre of a patch. The
    pixels are filtered at consecutive flat positions of the block, margins included, which
    keeps the kernels' lanes full; only true patch centres go to the regressor.

    Parameters
    ----------
    scale : int
    filters : (n_features, WINDOW_SIDE^2) float32
    regressor : RowsRegressor
        Outputs (SPAN * scale)^2 pixels.
    """

    halo = WINDOW_RADIUS + RIM

    def __init__(self, scale: int, filters: Float32, regressor: RowsRegressor) -> None:
        self.scale = scale
        self._regressor = regressor
        self._features = _Bank(filters)
        self._phases = _Bank(interpolation_matrix(scale))
        self._n_outputs = padded_outputs((SPAN * scale) ** 2)
        self._scratch = _Scratch()

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        pitch = block.shape[1]
        height, width = (n - 2 * self.halo for n in block.shape)
        grid = (height + 2 * RIM, width + 2 * RIM)
        pixels = np.zeros(block.size + 2 * LANES, np.float32)
        pixels[: block.size] = block.ravel()
        n_positions = (grid[0] - 1) * pitch + grid[1]
        image = np.empty((height * self.scale, width * self.scale), np.float32)
        phases = self._filter("phases", self._phases, pixels, pitch, n_positions)
        interleave_phases(phases, RIM * (pitch + 1), pitch, self.scale, image)
        if interpolate_only:
            return image
        features = self._filter("features", self._features, pixels, pitch, n_positions)
        patches = self._scratch.get("patches", (grid[0] * grid[1], self._n_outputs))
        self._regressor.predict_rows(features, _positions(grid, pitch), patches)
        add_overlap_average(patches.reshape(*grid, self._n_outputs), self.scale, image)
        return image

    def _filter(
        self, name: str, bank: _Bank, pixels: Float32, pitch: int, n_positions: int
    ) -> Float32:
        """Responses (n_positions or more, n_filters) from the first patch centre on."""
        shape = (round_up(n_positions, LANES), len(bank.weights))
        responses = self._scratch.get(name, shape)
        start = WINDOW_RADIUS * (pitch + 1)
        correlate_bank(pixels, bank.offsets(pitch), bank.weights, start, responses)
        return responses


@lru_cache(maxsize=8)
def _positions(grid: tuple[int, int], pitch: int) -> NDArray[np.int64]:
    """Flat positions of the patch centres of a tile, in raster order."""
    rows, columns = np.arange(grid[0])[:, None], np.arange(grid[1])
    return (rows * pitch + columns).ravel()


class _Scratch(threading.local):
    """Arrays that each thread uses again from tile to tile: fresh memory costs page faults."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, tuple[int, ...]], Float32] = {}

    def get(self, name: str, shape: tuple[int, ...]) -> Float32:
        """An array with whatever the last tile left in it."""
        if (name, shape) not in self._arrays:
            self._arrays = {key: a for key, a in self._arrays.items() if key[0] != name}
            self._arrays[name, shape] = np.empty(shape, np.float32)
        return self._arrays[name, shape]
