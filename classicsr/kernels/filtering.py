"""Filters of its own for every pixel, chosen by its bucket."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT, round_up

FILTER_SIDE = 7
"""Filters cover 7 x 7 low-resolution pixels."""
_ROW = 8  # windows and filters are padded to 8 x 8 pixels: four vector registers
_PADDED = _ROW * _ROW
_LANES = 16
_OUTPUTS = 4  # that one pass of the micro-kernel computes
_STRIP = 32  # pixels that are filtered together


def pad_filters(filters: np.ndarray) -> np.ndarray:
    """Lay out filters (n_buckets, n_outputs, 49) for `apply_filters`.

    Returns (n_buckets, n_passes, 4 * 64) float32, zero-padded.
    """
    n_buckets, n_outputs, _ = filters.shape
    padded = np.zeros((n_buckets, round_up(n_outputs, _OUTPUTS), _ROW, _ROW), np.float32)
    padded[:, :n_outputs, :FILTER_SIDE, :FILTER_SIDE] = filters.reshape(
        n_buckets, n_outputs, FILTER_SIDE, FILTER_SIDE
    )
    return padded.reshape(n_buckets, -1, _OUTPUTS * _PADDED)


@njit(inline="always")
def _copy_row(x, y):
    """Copy _ROW pixels; all are read first, so that the compiler may use a vector for them."""
    x0, x1, x2, x3, x4, x5, x6, x7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
    y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7] = x0, x1, x2, x3, x4, x5, x6, x7


@njit(fastmath=CONTRACT, inline="always")
def _multiply(x, f, y):
    """Products of a window and four filters; those of _LANES pixels are left to be summed."""
    for k in range(_LANES):
        x0, x1, x2, x3 = x[k], x[16 + k], x[32 + k], x[48 + k]
        y[k] = x0 * f[k] + x1 * f[16 + k] + x2 * f[32 + k] + x3 * f[48 + k]
        y[16 + k] = x0 * f[64 + k] + x1 * f[80 + k] + x2 * f[96 + k] + x3 * f[112 + k]
        y[32 + k] = x0 * f[128 + k] + x1 * f[144 + k] + x2 * f[160 + k] + x3 * f[176 + k]
        y[48 + k] = x0 * f[192 + k] + x1 * f[208 + k] + x2 * f[224 + k] + x3 * f[240 + k]


@njit(inline="always")
def _add_pairs(x, y, n):
    """``y[i] = x[2 i] + x[2 i + 1]``."""
    for i in range(n):
        y[i] = x[2 * i] + x[2 * i + 1]


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def apply_filters(pixels, pitch, scale, codes, filters, image):
    """Filter the window of every low-resolution pixel with the filters of its bucket.

    Parameters
    ----------
    pixels : (n,) float32
        Low-resolution block, rows one after another, followed by a spare element; it reaches
        3 pixels further on each side than `image`.
    pitch : int
        From one row of the block to the next.
    scale : int
    codes : (n,) int32
        Bucket of low-resolution pixel (i, j) at ``i * pitch + j``.
    filters : (n_buckets, n_passes, 4 * 64) float32
        From `pad_filters`, for high-resolution pixel (p, q) of the block at ``p * scale + q``.
    image : (height * scale, width * scale) float32, overwritten
    """
    height, width = image.shape[0] // scale, image.shape[1] // scale
    n_passes = filters.shape[1]
    size = _OUTPUTS * _LANES
    windows = np.zeros(_STRIP * _PADDED, np.float32)
    parts = np.zeros(_STRIP * n_passes * size, np.float32)
    pairs = np.zeros(parts.shape[0] // 2, np.float32)
    for i in range(height):
        for first in range(0, width, _STRIP):
            count = min(_STRIP, width - first)
            for j in range(count):
                window = windows[j * _PADDED : (j + 1) * _PADDED]
                for k in range(FILTER_SIDE):
                    _copy_row(pixels[(i + k) * pitch + first + j :], window[k * _ROW :])
            for j in range(count):
                window = windows[j * _PADDED : (j + 1) * _PADDED]
                bank = filters[codes[i * pitch + first + j]]
                for o in range(n_passes):
                    at = (j * n_passes + o) * size
                    _multiply(window, bank[o], parts[at : at + size])
            n = count * n_passes * size
            _add_pairs(parts, pairs, n // 2)
            _add_pairs(pairs, parts, n // 4)
            _add_pairs(parts, pairs, n // 8)
            _add_pairs(pairs, parts, n // 16)
            for p in range(scale):
                line = image[i * scale + p]
                for j in range(count):
                    source = parts[j * n_passes * _OUTPUTS + p * scale :]
                    for q in range(scale):
                        line[(first + j) * scale + q] = source[q]


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
