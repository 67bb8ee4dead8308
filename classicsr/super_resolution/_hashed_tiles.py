"""One tile of RAISR: the hash of every low-resolution pixel, and the filters of its bucket."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.features import WINDOW_RADIUS, WINDOW_SIDE, interpolation_matrix
from classicsr.kernels.filtering import FILTER_SIDE, apply_filters, blend_by_census, pad_filters
from classicsr.kernels.overlap import interleave_phases
from classicsr.regressors._hash import GradientHash, image_shapes, symmetries
from classicsr.super_resolution._filter_bank import FilterBank, padded_pixels

Float32 = NDArray[np.float32]
FILTER_RADIUS = FILTER_SIDE // 2


def all_octants(filters: NDArray, scale: int) -> NDArray:
    """Filters of every bucket from those whose direction lies in octant 0.

    Parameters
    ----------
    filters : (n_buckets, scale^2, FILTER_SIDE^2)
    scale : int

    Returns
    -------
    (8 * n_buckets, scale^2, FILTER_SIDE^2)
    """
    result = np.empty((8, *filters.shape), filters.dtype)
    for part, block, taps in zip(result, symmetries(scale), symmetries(FILTER_SIDE), strict=True):
        part[:, block[:, None], taps] = filters
    return result.reshape(-1, *filters.shape[1:])


def complete_filters(filters: NDArray, scale: int) -> NDArray[np.float64]:
    """Filters of low-resolution pixels from filters of what their interpolation lacks.

    Parameters
    ----------
    filters : (n_buckets, scale^2, FILTER_SIDE^2)
        Weights of the differences from the central pixel.
    scale : int

    Returns
    -------
    (n_buckets, scale^2, FILTER_SIDE^2) float64
    """
    margin = WINDOW_RADIUS - FILTER_RADIUS
    windows = interpolation_matrix(scale).reshape(-1, WINDOW_SIDE, WINDOW_SIDE)
    cubic = windows[:, margin : WINDOW_SIDE - margin, margin : WINDOW_SIDE - margin]
    complete = filters + cubic.reshape(scale**2, -1)
    complete[..., complete.shape[-1] // 2] -= filters.sum(axis=-1, dtype=np.float64)
    return complete


class HashedTiles:
    """Upscales blocks by filters that a hash of every low-resolution pixel chooses.

    Parameters
    ----------
    scale : int
    partition : GradientHash
    filters : (n_buckets, scale^2, FILTER_SIDE^2) float32
        Of the buckets of octant 0.
    blending : bool
        Take as much of the interpolated image as its local order of pixels was changed.
    """

    def __init__(
        self, scale: int, partition: GradientHash, filters: Float32, blending: bool = False
    ) -> None:
        self.scale = scale
        self._ring = int(blending)  # low-resolution pixels that blending needs around a tile
        self.halo = FILTER_RADIUS + self._ring
        self._partition = partition
        self._filters = pad_filters(all_octants(complete_filters(filters, scale), scale))
        self._phases = FilterBank(interpolation_matrix(scale))

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        pixels = padded_pixels(block)
        if interpolate_only:
            return self._interpolate(pixels, block.shape, self.halo)
        pitch, (start, n_positions) = block.shape[1], _positions(block.shape, FILTER_RADIUS)
        codes = self._partition.of_shapes(image_shapes(pixels, pitch, start, n_positions))
        image = self._empty_image(block.shape, FILTER_RADIUS)
        apply_filters(pixels, pitch, self.scale, codes, self._filters, image)
        if not self._ring:
            return image
        ring, cheap = self._ring * self.scale, self._interpolate(pixels, block.shape, FILTER_RADIUS)
        blended = self._empty_image(block.shape, self.halo)
        blend_by_census(cheap, image, ring, blended)
        return blended

    def _interpolate(self, pixels: Float32, shape: tuple[int, ...], trim: int) -> Float32:
        """The interpolated image of a block without its outer `trim` low-resolution pixels."""
        phases = self._phases.responses(pixels, shape[1], *_positions(shape, trim))
        image = self._empty_image(shape, trim)
        interleave_phases(phases, 0, shape[1], self.scale, image)
        return image

    def _empty_image(self, shape: tuple[int, ...], trim: int) -> Float32:
        height, width = ((n - 2 * trim) * self.scale for n in shape)
        return np.empty((height, width), np.float32)


def _positions(shape: tuple[int, ...], trim: int) -> tuple[int, int]:
    """First flat position of a block without its outer `trim` pixels, and how many follow."""
    height, width = (n - 2 * trim for n in shape)
    return trim * (shape[1] + 1), (height - 1) * shape[1] + width
