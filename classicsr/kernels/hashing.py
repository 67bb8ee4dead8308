"""Gradient structure tensors, and the bucket that they send a pixel to.

Nothing here may be contracted or reordered: a pixel has the same bits, and so the same bucket, in
an image and in a window of its own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import LANES

TENSOR_RADIUS = 4
"""The tensor is a weighted sum over 9 x 9 pixels ..."""
HASH_RADIUS = TENSOR_RADIUS + 1
"""... whose gradients reach one pixel further."""
HASH_SIDE = 2 * HASH_RADIUS + 1
_SIDE = 2 * TENSOR_RADIUS + 1
_ROWS = 64
_PITCH = LANES + 16
_PRODUCTS = (_ROWS + _SIDE - 1) * _PITCH
_LANE_PRODUCTS = _SIDE * _SIDE * LANES


@njit(inline="always")
def _smooth(source, start, step, weights, out, target, n):
    """Symmetric weighted sum of nine runs of `n` elements that lie `step` apart."""
    w0, w1, w2, w3, w4 = weights[0], weights[1], weights[2], weights[3], weights[4]
    x = source[start : start + 8 * step + n]
    y = out[target : target + n]
    for p in range(n):
        y[p] = (
            w0 * (x[p] + x[8 * step + p])
            + w1 * (x[step + p] + x[7 * step + p])
            + w2 * (x[2 * step + p] + x[6 * step + p])
            + w3 * (x[3 * step + p] + x[5 * step + p])
            + w4 * x[4 * step + p]
        )


@njit(inline="always")
def _gradient_products(above, left, right, below):
    """What the tensor sums: squared length of the gradient and its square as complex number."""
    dx, dy = right - left, below - above
    xx, yy, xy = dx * dx, dy * dy, dx * dy
    return xx + yy, xx - yy, xy + xy


@njit(inline="always")
def _load_strip(image, row, column, n_rows, strip):
    """Copy a strip of rows, as wide as the image still is, into the fixed pitch of `strip`."""
    n_columns = min(_PITCH, image.shape[1] - column)
    for i in range(n_rows):
        source = image[row + i]
        for c in range(n_columns):
            strip[i * _PITCH + c] = source[column + c]


@njit(nogil=True, cache=True)
def structure_tensor(image, origin, weights, tensor):
    """Structure tensors of the pixels of an image.

    Parameters
    ----------
    image : (H, W) float32
    origin : int
        Row and column of the first pixel, at least HASH_RADIUS; as much is left at the end.
    weights : (5,) float32
        Of the pixels at distance 4, 3, 2, 1, 0, along either axis.
    tensor : (3, h, w) float32, overwritten
        Sums of ``gx^2 + gy^2``, ``gx^2 - gy^2`` and ``2 gx gy``, where g is the difference of
        the pixels on either side.
    """
    strip = np.zeros((_ROWS + HASH_SIDE - 1) * _PITCH, np.float32)
    products = np.zeros(3 * _PRODUCTS, np.float32)
    columns = np.zeros(_PITCH, np.float32)
    sums = np.empty(LANES, np.float32)
    height, width = tensor.shape[1:]
    first = origin - HASH_RADIUS
    for row in range(0, height, _ROWS):
        n_rows = min(_ROWS, height - row)
        for column in range(0, width, LANES):
            count = min(LANES, width - column)
            _load_strip(image, first + row, first + column, n_rows + HASH_SIDE - 1, strip)
            for i in range(n_rows + _SIDE - 1):
                x = strip[i * _PITCH : (i + 3) * _PITCH]
                y = products[i * _PITCH : i * _PITCH + 2 * _PRODUCTS + _PITCH]
                for c in range(LANES + _SIDE - 1):
                    length, real, imaginary = _gradient_products(
                        x[c + 1], x[_PITCH + c], x[_PITCH + c + 2], x[2 * _PITCH + c + 1]
                    )
                    y[c] = length
                    y[_PRODUCTS + c] = real
                    y[2 * _PRODUCTS + c] = imaginary
            for k in range(3):
                for i in range(n_rows):
                    start = k * _PRODUCTS + i * _PITCH
                    _smooth(products, start, _PITCH, weights, columns, 0, LANES + _SIDE - 1)
                    _smooth(columns, 0, 1, weights, sums, 0, LANES)
                    target = tensor[k, row + i]
                    for c in range(count):
                        target[column + c] = sums[c]


@njit(nogil=True, cache=True)
def window_tensors(rows, positions, pixels, weights, tensor):
    """Structure tensors of the central pixels of windows; the bits of `structure_tensor`.

    Parameters
    ----------
    rows : (n_rows, n_features) float32
        Flattened windows.
    positions : (n,) int64
        Rows to look at.
    pixels : (HASH_SIDE * HASH_SIDE,) int64
        Column of `rows` of each of the central pixels, in raster order.
    weights : (5,) float32
    tensor : (3, n) float32, overwritten
    """
    block = np.zeros(HASH_SIDE * HASH_SIDE * LANES, np.float32)
    products = np.zeros(3 * _LANE_PRODUCTS, np.float32)
    columns = np.zeros(_SIDE * LANES, np.float32)
    sums = np.zeros(LANES, np.float32)
    for first in range(0, positions.shape[0], LANES):
        count = min(LANES, positions.shape[0] - first)
        for lane in range(count):
            row = rows[positions[first + lane]]
            for k in range(HASH_SIDE * HASH_SIDE):
                block[k * LANES + lane] = row[pixels[k]]
        for i in range(_SIDE):
            for j in range(_SIDE):
                x = block[(i * HASH_SIDE + j) * LANES :]
                y = products[(i * _SIDE + j) * LANES :]
                for p in range(LANES):
                    length, real, imaginary = _gradient_products(
                        x[LANES + p],
                        x[HASH_SIDE * LANES + p],
                        x[(HASH_SIDE + 2) * LANES + p],
                        x[(2 * HASH_SIDE + 1) * LANES + p],
                    )
                    y[p] = length
                    y[_LANE_PRODUCTS + p] = real
                    y[2 * _LANE_PRODUCTS + p] = imaginary
        for k in range(3):
            for j in range(_SIDE):
                start = k * _LANE_PRODUCTS + j * LANES
                _smooth(products, start, _SIDE * LANES, weights, columns, j * LANES, LANES)
            _smooth(columns, 0, LANES, weights, sums, 0, LANES)
            for lane in range(count):
                tensor[k, first + lane] = sums[lane]


@njit(inline="always")
def _count_steps(code, high, factors, low, weight):
    """``code += weight`` for each factor f with ``high * f > low``, lane by lane."""
    for e in range(factors.shape[0]):
        factor = factors[e]
        for p in range(LANES):
            code[p] += weight if high[p] * factor > low[p] else np.float32(0.0)


@njit(nogil=True, cache=True)
def hash_tensors(tensor, cotangents, strengths, coherences, codes):
    """Bucket of each structure tensor: angle, strength and coherence.

    Angles are those of the gradient, modulo pi, in ``4 * (len(cotangents) + 1)`` equal bins.
    With the eigenvalues l1 >= l2 of a tensor, strength counts the `strengths` f with
    ``2 l1 f > 1``, and coherence the `coherences` f with ``l1 f > l2``.

    Parameters
    ----------
    tensor : (3, n) float32
        From `structure_tensor` or `window_tensors`.
    cotangents : (n_angles / 4 - 1,) float32
        Of the bin edges within a quarter of the circle of doubled angles.
    strengths, coherences : (n_edges,) float32
    codes : (n,) int32, overwritten
        ``(angle * n_strengths + strength) * n_coherences + coherence``.
    """
    n_coherences = np.float32(coherences.shape[0] + 1)
    per_angle = np.float32(n_coherences * (strengths.shape[0] + 1))
    quarter = np.float32(per_angle * (cotangents.shape[0] + 1))
    zero, half = np.float32(0.0), np.float32(quarter + quarter)
    lanes = np.zeros((8, LANES), np.float32)
    total, real, imaginary, large = lanes[0], lanes[1], lanes[2], lanes[3]
    small, across, along, code = lanes[4], lanes[5], lanes[6], lanes[7]
    ones = np.ones(LANES, np.float32)
    for first in range(0, codes.shape[0], LANES):
        count = min(LANES, codes.shape[0] - first)
        for p in range(count):
            total[p] = tensor[0, first + p]
            real[p] = tensor[1, first + p]
            imaginary[p] = tensor[2, first + p]
        for p in range(LANES):
            root = np.sqrt(real[p] * real[p] + imaginary[p] * imaginary[p])
            large[p] = total[p] + root
            small[p] = max(total[p] - root, zero)
        for p in range(LANES):
            below = imaginary[p] < zero
            c = -real[p] if below else real[p]
            s = -imaginary[p] if below else imaginary[p]
            right = c > zero
            along[p] = c if right else s
            across[p] = s if right else -c
            code[p] = (half if below else zero) + (zero if right else quarter)
        _count_steps(code, across, cotangents, along, per_angle)
        _count_steps(code, large, strengths, ones, n_coherences)
        _count_steps(code, large, coherences, small, np.float32(1.0))
        for p in range(count):
            codes[first + p] = np.int32(code[p])
