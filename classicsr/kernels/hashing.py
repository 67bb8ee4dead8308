"""Gradients around a pixel, and the bucket that they send it to.

Nothing here may be contracted or reordered: a pixel has the same bits, and so the same bucket, in
an image and in a window of its own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import LANES

HASH_RADIUS = 2
"""The structure tensor sums the gradients of 3 x 3 pixels, which reach one pixel further."""
HASH_SIDE = 2 * HASH_RADIUS + 1
N_SHAPES = 7
_TINY = np.float32(1e-30)  # keeps quotients of flat areas finite
_CENTER = HASH_RADIUS * (HASH_SIDE + 1)
# One flat block holds the pixels of LANES windows, their tensors and their shapes: the compiler
# sees one array and constant offsets, and does not test whether several overlap.
_TENSOR = HASH_SIDE * HASH_SIDE * LANES
_SHAPES = _TENSOR + 3 * LANES


@njit(inline="always")
def _copy(x, y):
    for p in range(LANES):
        y[p] = x[p]


@njit(inline="always")
def _add_gradient(block, at, weight):
    """Add the gradient at pixel `at` to the tensor: squared length; square as complex number."""
    above, below = (at - HASH_SIDE) * LANES, (at + HASH_SIDE) * LANES
    left, right = (at - 1) * LANES, (at + 1) * LANES
    for p in range(LANES):
        dx, dy = block[right + p] - block[left + p], block[below + p] - block[above + p]
        xx, yy, xy = dx * dx, dy * dy, dx * dy
        block[_TENSOR + p] += weight * (xx + yy)
        block[_TENSOR + LANES + p] += weight * (xx - yy)
        block[_TENSOR + 2 * LANES + p] += weight * (xy + xy)


@njit(inline="always")
def _describe(block):
    """Shapes of the central pixels, from their neighbours and tensors."""
    zero, half, one, two = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(2.0)
    x = block[(_CENTER - HASH_SIDE - 1) * LANES :]
    for p in range(LANES):
        above, left, center = x[LANES + p], x[HASH_SIDE * LANES + p], x[(HASH_SIDE + 1) * LANES + p]
        right, below = x[(HASH_SIDE + 2) * LANES + p], x[(2 * HASH_SIDE + 1) * LANES + p]
        diagonal = x[p] + x[(2 * HASH_SIDE + 2) * LANES + p]
        other = x[2 * LANES + p] + x[2 * HASH_SIDE * LANES + p]
        total, real = block[_TENSOR + p], block[_TENSOR + LANES + p]
        imaginary = block[_TENSOR + 2 * LANES + p]
        root = np.sqrt(real * real + imaginary * imaginary)
        inverse = one / max(root, _TINY)
        cosine, sine = real * inverse, imaginary * inverse  # of the doubled angle
        across = np.sqrt(max(one + cosine, zero))
        down = np.sqrt(max(one - cosine, zero))
        up = imaginary < zero
        slope = (right - left) * across + (below - above) * (-down if up else down)
        xx, yy = right + left - two * center, below + above - two * center
        curvature = xx + yy + cosine * (xx - yy) + sine * half * (diagonal - other)
        back = (slope < zero) != (curvature < zero)
        octant = (two + two if back else zero) + (two if up != back else zero)
        block[_SHAPES + p] = octant + (one if real < zero else zero)
        block[_SHAPES + LANES + p] = abs(imaginary)
        block[_SHAPES + 2 * LANES + p] = abs(real)
        block[_SHAPES + 3 * LANES + p] = total + root
        block[_SHAPES + 4 * LANES + p] = max(total - root, zero)
        block[_SHAPES + 5 * LANES + p] = abs(curvature)
        block[_SHAPES + 6 * LANES + p] = abs(slope)


@njit(nogil=True, cache=True, error_model="numpy")
def local_shapes(values, offsets, start, shapes):
    """What the gradients around a pixel look like, at consecutive positions.

    The dominant direction of the structure tensor is an axis. Here it gets a sense: the one in
    which the slope grows, from either side of an edge towards its middle. An image and its
    negative have the same shapes.

    Parameters
    ----------
    values : (n,) float32
        Followed by at least LANES spare elements.
    offsets : (HASH_SIDE * HASH_SIDE,) int64
        Offset of each pixel of a window from the position, in raster order.
    start : int
        First position.
    shapes : (N_SHAPES, n_positions) float32, overwritten
        n_positions a multiple of LANES. The octant of the direction as ``4 left + 2 up +
        steep``; sine and cosine, absolute, of twice its angle, times a length; twice the larger
        and the smaller eigenvalue of the tensor; curvature and slope along the direction,
        absolute, each in a unit of its own.
    """
    block = np.empty(_SHAPES + N_SHAPES * LANES, np.float32)
    for first in range(0, shapes.shape[1], LANES):
        for k in range(HASH_SIDE * HASH_SIDE):
            t = start + first + offsets[k]
            _copy(values[t : t + LANES], block[k * LANES :])
        block[_TENSOR:_SHAPES] = 0.0
        for i in range(-1, 2):
            for j in range(-1, 2):
                weight = np.float32((2 - abs(i)) * (2 - abs(j)) / 16)
                _add_gradient(block, _CENTER + i * HASH_SIDE + j, weight)
        _describe(block)
        for k in range(N_SHAPES):
            _copy(block[_SHAPES + k * LANES :], shapes[k, first : first + LANES])


@njit(inline="always")
def _count_steps(code, high, factors, low, weight):
    """``code += weight`` for each factor f with ``high * f > low``, lane by lane."""
    for e in range(factors.shape[0]):
        factor = factors[e]
        for p in range(LANES):
            code[p] += weight if high[p] * factor > low[p] else np.float32(0.0)


@njit(nogil=True, cache=True)
def hash_shapes(shapes, cotangents, strengths, coherences, curvatures, codes):
    """Bucket of each pixel: octant, angle within it, strength, coherence, curvature.

    Each counts its factors f: ``sine f > cosine`` for the angle; with the eigenvalues l1 >= l2
    ``2 l1 f > 1`` for strength and ``l1 f > l2`` for coherence; ``curvature f > slope``.

    Parameters
    ----------
    shapes : (N_SHAPES, n) float32
        From `local_shapes`.
    cotangents, strengths, coherences, curvatures : (n_bins - 1,) float32
    codes : (n,) int32, overwritten
        ``(((octant * n_angles + angle) * n_strengths + strength) * n_coherences + coherence) *
        n_curvatures + curvature``, fewer than 2^24.
    """
    one = np.float32(1.0)
    per_coherence = np.float32(curvatures.shape[0] + 1)
    per_strength = np.float32(per_coherence * (coherences.shape[0] + 1))
    per_angle = np.float32(per_strength * (strengths.shape[0] + 1))
    per_octant = np.float32(per_angle * (cotangents.shape[0] + 1))
    ones = np.ones(LANES, np.float32)
    code = np.empty(LANES, np.float32)
    block = np.zeros((N_SHAPES, LANES), np.float32)
    for first in range(0, codes.shape[0], LANES):
        count = min(LANES, codes.shape[0] - first)
        for k in range(N_SHAPES):
            for p in range(count):
                block[k, p] = shapes[k, first + p]
        for p in range(LANES):
            code[p] = per_octant * block[0, p]
        _count_steps(code, block[1], cotangents, block[2], per_angle)
        _count_steps(code, block[3], strengths, ones, per_strength)
        _count_steps(code, block[3], coherences, block[4], per_coherence)
        _count_steps(code, block[5], curvatures, block[6], one)
        for p in range(count):
            codes[first + p] = np.int32(code[p])
