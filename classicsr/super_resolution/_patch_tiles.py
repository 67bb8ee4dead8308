"""One tile of patch regression: filters, regressor, overlap-add."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classicsr.features import WINDOW_RADIUS, WINDOW_SIDE, interpolation_matrix
from classicsr.kernels.linear import padded_outputs
from classicsr.kernels.overlap import SPAN, add_overlap_average, interleave_phases
from classicsr.super_resolution._filter_bank import FilterBank, Scratch, padded_pixels

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


class ResidualPatches:
    """Adds residual patches, predicted from linear features, to an image.

    Every low-resolution pixel, and a rim of one around the tile, is the centre of a patch. The
    pixels are filtered at consecutive flat positions of the block, margins included, which
    keeps the kernels' lanes full; only true patch centres go to the regressor.

    Parameters
    ----------
    scale : int
    features : FilterBank
    regressor : RowsRegressor
        Outputs (SPAN * scale)^2 pixels.
    """

    def __init__(self, scale: int, features: FilterBank, regressor: RowsRegressor) -> None:
        self.scale = scale
        self._features = features
        self._regressor = regressor
        self._n_outputs = padded_outputs((SPAN * scale) ** 2)
        self._scratch = Scratch()

    def add_to(self, image: Float32, pixels: Float32, pitch: int, plane_size: int = 0) -> None:
        """Add the mean of the overlapping patches to `image`, (h * scale, w * scale) float32.

        `pixels`, `pitch` and `plane_size` are those of `FilterBank.responses`; around the
        image there are as many pixels as patches and filters reach.
        """
        patches = self._predict(image.shape, pixels, pitch, plane_size)
        add_overlap_average(patches, self.scale, image)

    def disagreement(self, shape: tuple[int, int], pixels: Float32, pitch: int) -> Float32:
        """Standard deviation of the overlapping patches in an image of this shape."""
        patches = self._predict(shape, pixels, pitch, 0)
        means, squares = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        add_overlap_average(patches, self.scale, means)
        values = patches[..., : (SPAN * self.scale) ** 2]
        np.square(values, out=values)
        add_overlap_average(patches, self.scale, squares)
        squares -= np.square(means)
        deviation: Float32 = np.sqrt(np.maximum(squares, 0))
        return deviation

    def _predict(
        self, shape: tuple[int, ...], pixels: Float32, pitch: int, plane_size: int
    ) -> Float32:
        """The patches of an image of this shape and of a rim, (rows, columns, n_outputs)."""
        height, width = (n // self.scale + 2 * RIM for n in shape)
        start = self._features.radius * (pitch + 1)
        n_positions = (height - 1) * pitch + width
        features = self._features.responses(pixels, pitch, start, n_positions, plane_size)
        patches = self._scratch.get("patches", (height * width, self._n_outputs))
        self._regressor.predict_rows(features, _positions((height, width), pitch), patches)
        return patches.reshape(height, width, -1)


class PatchTiles:
    """Upscales blocks by regression of residual patches on linear features.

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
        self._phases = FilterBank(interpolation_matrix(scale))
        self._patches = ResidualPatches(scale, FilterBank(filters), regressor)

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        pitch, pixels = block.shape[1], padded_pixels(block)
        height, width = (n - 2 * self.halo for n in block.shape)
        image = np.empty((height * self.scale, width * self.scale), np.float32)
        start, n_positions = self.halo * (pitch + 1), (height - 1) * pitch + width
        phases = self._phases.responses(pixels, pitch, start, n_positions)
        interleave_phases(phases, 0, pitch, self.scale, image)
        if not interpolate_only:
            self._patches.add_to(image, pixels, pitch)
        return image


class DisagreementTiles(PatchTiles):
    """Of the same patches, how much those that cover a pixel differ."""

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        height, width = ((n - 2 * self.halo) * self.scale for n in block.shape)
        if interpolate_only:
            return np.zeros((height, width), np.float32)
        return self._patches.disagreement((height, width), padded_pixels(block), block.shape[1])


def interpolation(scale: int) -> PatchTiles:
    """What interpolates blocks and adds nothing."""
    no_filters = np.eye(1, WINDOW_SIDE**2, WINDOW_SIDE**2 // 2, dtype=np.float32)
    return PatchTiles(scale, no_filters, _Nothing())


class _Nothing:
    """Predicts nothing: interpolation needs no regressor."""

    def predict_rows(self, rows: Float32, positions: NDArray[np.int64], out: Float32) -> None:
        """Leave `out` alone."""


@lru_cache(maxsize=8)
def _positions(grid: tuple[int, int], pitch: int) -> NDArray[np.int64]:
    """Flat positions of the patch centres of a tile, in raster order."""
    rows, columns = np.arange(grid[0])[:, None], np.arange(grid[1])
    return (rows * pitch + columns).ravel()
