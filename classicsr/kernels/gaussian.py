"""Sums of odd Gaussians on the unit sphere: the fused product of a kernel regression."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from .lanes import (
    CONTRACT,
    LANES,
    TILE_DEPTH,
    TILE_ROWS,
    accumulate,
    pack_lanes,
    pad_weights,
    round_up,
)

POINTS = TILE_ROWS * TILE_DEPTH
"""Basis points whose values are computed together: for 128 patches they take 10 kB."""
_SMALLEST = np.float32(-87.0)  # smaller exponents would give denormal numbers
_LOG2_E = np.float32(1.4426950408889634)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_ROUNDING = np.float32(12582912.0)  # added and taken away, it leaves the nearest integer
_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)
_TERMS = tuple(np.float32(1 / math.factorial(k)) for k in range(8))


def block_coefficients(coefficients: np.ndarray) -> np.ndarray:
    """Lay out coefficients (n_points, n_outputs) for `apply_gaussians`.

    Returns (n_blocks, outputs, POINTS) float32, zero-padded; the outputs to a multiple of
    TILE_ROWS.
    """
    n_points, n_outputs = coefficients.shape
    padded = np.zeros((round_up(n_points, POINTS), round_up(n_outputs, TILE_ROWS)), np.float32)
    padded[:n_points, :n_outputs] = coefficients
    blocks = padded.reshape(-1, POINTS, padded.shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(blocks)


def pad_points(points: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Lay out basis points (n_points, n_features) for `apply_gaussians`.

    Of a direction u, ``exp(-gamma |u - c|^2) = exp(w . u - b)`` with ``w = 2 gamma c`` and
    ``b = gamma (1 + |c|^2)``. Returns w (padded, depth) and b (padded,), float32, zero-padded.
    """
    weights = pad_weights(2 * gamma * points)
    padded = np.zeros((round_up(len(points), POINTS), weights.shape[1]), np.float32)
    padded[: len(weights)] = weights
    offsets = np.zeros(len(padded), np.float32)
    offsets[: len(points)] = gamma * (1 + (points.astype(np.float64) ** 2).sum(axis=1))
    return padded, offsets


@njit(fastmath=CONTRACT, inline="always")
def exponential(x):
    """``exp(x)`` of a float32 that is not positive, to two units in the last place.

    A power of two times a Taylor series, without branch or call, so that loops vectorise. Below
    -87 the result is that of -87, about 1e-38.
    """
    x = max(x, _SMALLEST)
    n = (x * _LOG2_E + _ROUNDING) - _ROUNDING
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    series = _TERMS[7]
    for k in range(6, -1, -1):
        series = series * r + _TERMS[k]
    power = np.int32((np.int32(n) + _BIAS) << _MANTISSA_BITS).view(np.float32)
    return series * power


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def odd_exponentials(values, offset):
    """Replace values v, at most `offset` in size, by ``exp(v - offset) - exp(-v - offset)``."""
    for p in range(LANES):
        v = values[p]
        values[p] = exponential(v - offset) - exponential(-v - offset)


@njit(fastmath=CONTRACT, inline="always")
def _normalise(block, n_features, norms):
    """Divide the patches of a lane block by their norms, and write these to `norms`."""
    for lane in range(LANES):
        norms[lane] = 0.0
    for k in range(n_features):
        x = block[k * LANES : (k + 1) * LANES]
        for lane in range(LANES):
            norms[lane] += x[lane] * x[lane]
    for lane in range(LANES):
        norms[lane] = np.sqrt(norms[lane])
    for k in range(n_features):
        x = block[k * LANES : (k + 1) * LANES]
        for lane in range(LANES):
            x[lane] = x[lane] / norms[lane] if norms[lane] > 0.0 else np.float32(0.0)


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def _multiply(x, weights, sums):
    """``sums[o] += sum_j weights[o, j] * x[j]``, over the lanes.

    `x` (depth * LANES,), `weights` (n, depth), `sums` (n * LANES,) float32; n a multiple of
    TILE_ROWS, depth of TILE_DEPTH.
    """
    n, depth = weights.shape
    for o in range(0, n, TILE_ROWS):
        four = sums[o * LANES : (o + TILE_ROWS) * LANES]
        w0, w1, w2, w3 = weights[o], weights[o + 1], weights[o + 2], weights[o + 3]
        for k in range(0, depth, TILE_DEPTH):
            accumulate(four, x[k * LANES : (k + TILE_DEPTH) * LANES], w0, w1, w2, w3, k)


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def apply_gaussians(rows, positions, n_features, linear, points, offsets, coefficients, outputs):
    """Kernel regression of patches.

    A patch x of norm r and direction ``u = x / r`` gets ``r (linear u + sum_j a_j g_j)``, where
    ``g_j = exp(points_j . u - offsets_j) - exp(-points_j . u - offsets_j)``.

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
        Patches.
    positions : (n,) int64
        Rows to map.
    n_features : int
        Those that count, of a row.
    linear : (n_padded, depth) float32
        From `lanes.pad_weights`.
    points : (n_blocks * POINTS, depth) float32
    offsets : (n_blocks * POINTS,) float32
        From `pad_points`.
    coefficients : (n_blocks, n_padded, POINTS) float32
        ``a``, from `block_coefficients`.
    outputs : (n, >= n_outputs) float32, overwritten
    """
    n_padded, depth = linear.shape
    n_outputs = min(n_padded, outputs.shape[1])
    block = np.zeros(depth * LANES, np.float32)
    norms = np.empty(LANES, np.float32)
    values = np.empty(POINTS * LANES, np.float32)
    sums = np.empty(n_padded * LANES, np.float32)
    for first in range(0, positions.shape[0], LANES):
        count = min(LANES, positions.shape[0] - first)
        pack_lanes(rows, positions, first, count, block)
        _normalise(block, n_features, norms)
        sums[:] = 0.0
        _multiply(block, linear, sums)
        for b in range(coefficients.shape[0]):
            values[:] = 0.0
            _multiply(block, points[b * POINTS : (b + 1) * POINTS], values)
            for j in range(POINTS):
                odd_exponentials(values[j * LANES : (j + 1) * LANES], offsets[b * POINTS + j])
            _multiply(values, coefficients[b], sums)
        for lane in range(count):
            target = outputs[first + lane]
            for o in range(n_outputs):
                target[o] = norms[lane] * sums[o * LANES + lane]
