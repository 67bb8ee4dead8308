"""A filter of its own for every pixel, chosen by its bucket and its place in the block."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT

FILTER_SIDE = 9
"""Filters cover 9 x 9 low-resolution pixels."""
_ROW = 16  # each row of a filter, padded to a vector register
FILTER_SIZE = FILTER_SIDE * _ROW
_STRIP = 32
_PITCH = _STRIP + _ROW
_LAST = (FILTER_SIDE - 1) * _PITCH + _ROW


def pad_filters(filters: np.ndarray) -> np.ndarray:
    """Lay out filters (..., 81) for `apply_filters`: (..., FILTER_SIZE) float32."""
    rows = filters.reshape(*filters.shape[:-1], FILTER_SIDE, FILTER_SIDE)
    padded = np.zeros((*rows.shape[:-1], _ROW), np.float32)
    padded[..., :FILTER_SIDE] = rows
    return padded.reshape(*filters.shape[:-1], FILTER_SIZE)


@njit(fastmath=CONTRACT, inline="always")
def _multiply(x, f, y):
    """Products of a window (rows _PITCH apart) and a filter, summed over the nine rows."""
    for k in range(_ROW):
        y[k] = (
            x[k] * f[k]
            + x[_PITCH + k] * f[_ROW + k]
            + x[2 * _PITCH + k] * f[2 * _ROW + k]
            + x[3 * _PITCH + k] * f[3 * _ROW + k]
            + x[4 * _PITCH + k] * f[4 * _ROW + k]
            + x[5 * _PITCH + k] * f[5 * _ROW + k]
            + x[6 * _PITCH + k] * f[6 * _ROW + k]
            + x[7 * _PITCH + k] * f[7 * _ROW + k]
            + x[8 * _PITCH + k] * f[8 * _ROW + k]
        )


@njit(inline="always")
def _add_pairs(x, y, n):
    """``y[i] = x[2 i] + x[2 i + 1]``."""
    for i in range(n):
        y[i] = x[2 * i] + x[2 * i + 1]


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def apply_filters(pixels, pitch, scale, codes, filters, image):
    """Filter the low-resolution window of every high-resolution pixel with its own filter.

    Parameters
    ----------
    pixels : (n,) float32
        Low-resolution block, rows one after another, followed by 16 spare elements; it reaches
        4 pixels further on each side than `image`.
    pitch : int
        From one row of the block to the next.
    scale : int
    codes : (height * scale, width * scale) int32
        Bucket of each pixel.
    filters : (scale * scale, n_buckets, FILTER_SIZE) float32
        From `pad_filters`, for each pixel (p, q) of the block at ``p * scale + q``.
    image : (height * scale, width * scale) float32, overwritten
    """
    height, width = image.shape[0] // scale, image.shape[1] // scale
    strip = np.zeros(FILTER_SIDE * _PITCH, np.float32)
    n_outputs = _STRIP * scale
    parts = np.zeros(n_outputs * scale * _ROW, np.float32)
    pairs = np.zeros(parts.shape[0] // 2, np.float32)
    for i in range(height):
        for first in range(0, width, _STRIP):
            count = min(_STRIP, width - first)
            for k in range(FILTER_SIDE):
                source = pixels[(i + k) * pitch + first :]
                for c in range(count + FILTER_SIDE - 1):
                    strip[k * _PITCH + c] = source[c]
            for j in range(count):
                window = strip[j : j + _LAST]
                for p in range(scale):
                    row = codes[i * scale + p]
                    for q in range(scale):
                        at = (p * n_outputs + j * scale + q) * _ROW
                        code = row[(first + j) * scale + q]
                        _multiply(window, filters[p * scale + q, code], parts[at : at + _ROW])
            n = parts.shape[0]
            _add_pairs(parts, pairs, n // 2)
            _add_pairs(pairs, parts, n // 4)
            _add_pairs(parts, pairs, n // 8)
            _add_pairs(pairs, parts, n // 16)
            for p in range(scale):
                line = image[i * scale + p]
                for c in range(count * scale):
                    line[first * scale + c] = parts[p * n_outputs + c]


@njit(inline="always")
def _add_changes(cheap, cheap_near, sharp, sharp_near, change):
    """Add 1/8 where a neighbour is above the pixel in one image and not in the other."""
    zero, eighth = np.float32(0.0), np.float32(1 / 8)
    for p in range(change.shape[0]):
        before = eighth if cheap_near[p] > cheap[p] else zero
        after = eighth if sharp_near[p] > sharp[p] else zero
        change[p] += abs(after - before)


@njit(nogil=True, cache=True)
def blend_by_census(cheap, sharp, ring, image):
    """Weighted mean of two images; the first counts where the order of pixels differs.

    Its weight is the share of a pixel's eight neighbours that are above it in one image and
    not in the other (the Hamming distance of their census transforms).

    Parameters
    ----------
    cheap, sharp : (h + 2 ring or more, w + 2 ring or more) float32
    ring : int
        At least 1.
    image : (h, w) float32, overwritten
    """
    height, width = image.shape
    change = np.empty(width, np.float32)
    for i in range(height):
        change[:] = 0.0
        first, second = cheap[i + ring, ring:], sharp[i + ring, ring:]
        for di in range(-1, 2):
            for dj in range(-1, 2):
                if di != 0 or dj != 0:
                    near = cheap[i + ring + di, ring + dj :]
                    _add_changes(first, near, second, sharp[i + ring + di, ring + dj :], change)
        row = image[i]
        for j in range(width):
            row[j] = second[j] + change[j] * (first[j] - second[j])


@njit(nogil=True, cache=True)
def window_rows(image, positions, side, rows):
    """Flattened windows of an image, their central pixel subtracted.

    Parameters
    ----------
    image : (H, W) float32
    positions : (n,) int64
        Flat position of the first pixel of each window.
    side : int
    rows : (n, side * side) float64, overwritten
    """
    pitch = image.shape[1]
    flat = image.reshape(-1)
    for n in range(positions.shape[0]):
        start = positions[n]
        center = flat[start + (side // 2) * (pitch + 1)]
        row = rows[n]
        for i in range(side):
            source = flat[start + i * pitch : start + i * pitch + side]
            for j in range(side):
                row[i * side + j] = source[j] - center
