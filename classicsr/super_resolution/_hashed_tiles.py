"""One tile of RAISR: interpolation, hash, and a filter of its own for every pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import contributions
from classicsr.features import WINDOW_RADIUS, WINDOW_SIDE, interpolation_matrix
from classicsr.kernels.filtering import apply_filters, blend_by_census, pad_filters
from classicsr.kernels.lanes import LANES
from classicsr.kernels.overlap import interleave_phases
from classicsr.regressors._hash import StructureTensorHash
from classicsr.super_resolution._filter_bank import FilterBank

Float32 = NDArray[np.float32]
FILTER_SIDE = 11
"""Filters cover 11 x 11 pixels of the interpolated image."""
FILTER_RADIUS = FILTER_SIDE // 2
REACH = 2
"""Low-resolution pixels that interpolation needs around a pixel."""
RIM = 3
"""Low-resolution pixels whose interpolated image hash and filters need around a pixel."""
HALO = RIM + REACH


def interpolate(bank: FilterBank, scale: int, block: Float32, trim: int) -> Float32:
    """The interpolated image of a block without its outer pixels.

    Parameters
    ----------
    bank : FilterBank of `interpolation_matrix`
    scale : int
    block : (h, w) float32
    trim : int
        Low-resolution pixels that are left out at each border, at least REACH.

    Returns
    -------
    ((h - 2 trim) * scale, (w - 2 trim) * scale) float32
    """
    pitch = block.shape[1]
    height, width = (n - 2 * trim for n in block.shape)
    start, n_positions = trim * (pitch + 1), (height - 1) * pitch + width
    phases = bank.responses(padded_pixels(block), pitch, start, n_positions)
    image = np.empty((height * scale, width * scale), np.float32)
    interleave_phases(phases, 0, pitch, scale, image)
    return image


def padded_pixels(block: Float32) -> Float32:
    """The pixels of a block one after another, and spare ones, as kernels need them."""
    pixels = np.zeros(block.size + 2 * LANES, np.float32)
    pixels[: block.size] = block.ravel()
    return pixels


def low_resolution_filters(filters: Float32, scale: int) -> Float32:
    """Fold interpolation and residual filters into filters of low-resolution windows.

    Parameters
    ----------
    filters : (scale^2, n_buckets, FILTER_SIDE^2) float32
        From interpolated pixels, their centre subtracted, to what the centre lacks.
    scale : int

    Returns
    -------
    (scale^2, n_buckets, WINDOW_SIDE^2) float64
        From low-resolution pixels to the high-resolution one.
    """
    complete = filters.astype(np.float64)
    complete[..., complete.shape[-1] // 2] += 1 - complete.sum(axis=-1)
    rows = _interpolation_rows(scale)
    parts = [
        complete[p * scale + q] @ np.kron(rows[p], rows[q])
        for p in range(scale)
        for q in range(scale)
    ]
    return np.stack(parts)


def _interpolation_rows(scale: int) -> NDArray[np.float64]:
    """Interpolation of the pixels around each pixel of a block: (scale, FILTER_SIDE, WINDOW_SIDE).

    Along one axis, from the low-resolution window around the block.
    """
    margin = 2 * WINDOW_RADIUS
    n_in = WINDOW_SIDE + 2 * margin  # far from the window's ends nothing is mirrored
    indices, weights = contributions(n_in, n_in * scale, scale, "cubic")
    matrix = np.zeros((n_in * scale, n_in))
    np.add.at(matrix, (np.arange(n_in * scale)[:, None], indices), weights)
    first = (margin + WINDOW_RADIUS) * scale - FILTER_RADIUS
    window = matrix[:, margin : margin + WINDOW_SIDE]
    return np.stack([window[first + p : first + p + FILTER_SIDE] for p in range(scale)])


class HashedTiles:
    """Upscales blocks by filters chosen by a hash of the interpolated image.

    Interpolation and filters are both linear: the image is interpolated for its hash only, and
    the chosen filters work on low-resolution pixels.

    Parameters
    ----------
    scale : int
    partition : StructureTensorHash
    filters : (scale^2, n_buckets, FILTER_SIDE^2) float32
    blending : bool
        Take as much of the interpolated image as its local order of pixels was changed.
    """

    def __init__(
        self, scale: int, partition: StructureTensorHash, filters: Float32, blending: bool = False
    ) -> None:
        self.scale = scale
        self._ring = int(blending)  # low-resolution pixels that blending needs around a tile
        self.halo = HALO + self._ring
        self._partition = partition
        self._filters = pad_filters(low_resolution_filters(filters, scale))
        self._phases = FilterBank(interpolation_matrix(scale))

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        if interpolate_only:
            return interpolate(self._phases, self.scale, block, self.halo)
        cheap = interpolate(self._phases, self.scale, block, REACH)
        codes = self._partition.of_image(cheap, RIM * self.scale)
        image = np.empty(codes.shape, np.float32)
        pitch = block.shape[1]
        first = self.halo - self._ring - WINDOW_RADIUS
        pixels = padded_pixels(block)[first * (pitch + 1) :]
        apply_filters(pixels, pitch, self.scale, codes, self._filters, image)
        return self._blend(cheap, image) if self._ring else image

    def _blend(self, cheap: Float32, image: Float32) -> Float32:
        margin, ring = RIM * self.scale, self._ring * self.scale
        blended = np.empty([n - 2 * ring for n in image.shape], np.float32)
        blend_by_census(cheap[margin:, margin:], image, ring, blended)
        return blended
