"""Total generalised variation of second order: one primal-dual step in one pass over memory.

An image x and a field of slopes v, with a dual vector for ``grad x - v`` and a dual matrix for the
symmetrised gradient of v. Differences of x are forward ones, those of v backward ones, which
together makes centred second differences; differences that do not fit inside do not count.
A plane of x and v descends along the duals as they still are; then the dual matrices of this plane
and the dual vectors of the plane before ascend.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT
from .variation import _descend

_MIXED = np.float32(0.5**0.5)  # a mixed difference stands for two entries of the matrix
_ONE = np.float32(1)


@njit(fastmath=CONTRACT, error_model="numpy", nogil=True, cache=True)
def generalized_primal_dual(image, force, slopes, dual, matrix, image_steps, steps):
    """One primal-dual step, in place.

    Parameters
    ----------
    image : (depth, height, width) float32, updated
        An image is fastest as a volume of height 1.
    force : array like `image`
        Gradient of the smooth part of the objective.
    slopes : (3, depth, height, width) float32, updated
        The field v.
    dual : array like `slopes`, updated
        Dual vectors, zero at the far border of their axis.
    matrix : (6, depth, height, width) float32, updated
        Dual matrices: zz, yy, xx, zy, zx, yx, zero at the near border of their axes.
    image_steps : (3,) float32
        Of x: step, factor after it, extrapolation (as in `variation.primal_dual`).
    steps : (7,) float32
        Step of v; then of the dual vectors and of the dual matrices: step, factor after it,
        radius of the ball onto which they are projected.
    """
    depth, height, width = image.shape
    ahead = np.empty((2, height, width + 1), image.dtype)
    lead = np.empty((2, 3, height, width), image.dtype)
    norms, zero = np.empty(width, image.dtype), np.zeros(width, image.dtype)
    for k in range(depth + 1):
        for i in range(height if k < depth else 0):
            before = dual[0, k - 1, i] if k > 0 else zero
            above = dual[1, k, i - 1] if i > 0 else zero
            _descend(
                image[k, i], force[k, i], dual[0, k, i], before, dual[1, k, i], above,
                dual[2, k, i], image_steps, ahead[k % 2, i],
            )  # fmt: skip
            _descend_slopes(slopes, dual, matrix, k, i, zero, steps[0], lead[k % 2])
        for i in range(height if k < depth else 0):
            _ascend_matrix(matrix, lead[k % 2], lead[(k + 1) % 2], k, i, zero, steps[4])
            _project(matrix, k, i, steps[5], steps[6], norms)
        for i in range(height if k > 0 else 0):
            far = ahead[k % 2, i] if k < depth else zero
            _ascend_vector(
                dual, ahead[(k + 1) % 2], far, lead[(k + 1) % 2], k - 1, i, zero, steps[1]
            )
            _project(dual, k - 1, i, steps[2], steps[3], norms)


@njit(fastmath=CONTRACT, inline="always")
def _descend_slopes(slopes, dual, matrix, k, i, zero, step, lead):
    """Along the dual vectors and the divergence of the dual matrices."""
    deeper, lower = k + 1 < slopes.shape[1], i + 1 < slopes.shape[2]
    zz = matrix[0, k + 1, i] if deeper else zero
    zy = matrix[3, k + 1, i] if deeper else zero
    zx = matrix[4, k + 1, i] if deeper else zero
    yy = matrix[1, k, i + 1] if lower else zero
    yz = matrix[3, k, i + 1] if lower else zero
    yx = matrix[5, k, i + 1] if lower else zero
    _descend_slope(
        slopes[0, k, i], dual[0, k, i], matrix[0, k, i], zz, _ONE, matrix[3, k, i], yz,
        matrix[4, k, i], _MIXED, step, lead[0, i],
    )  # fmt: skip
    _descend_slope(
        slopes[1, k, i], dual[1, k, i], matrix[1, k, i], yy, _ONE, matrix[3, k, i], zy,
        matrix[5, k, i], _MIXED, step, lead[1, i],
    )  # fmt: skip
    _descend_slope(
        slopes[2, k, i], dual[2, k, i], matrix[4, k, i], zx, _MIXED, matrix[5, k, i], yx,
        matrix[2, k, i], _ONE, step, lead[2, i],
    )  # fmt: skip


@njit(fastmath=CONTRACT, inline="always")
def _descend_slope(
    slope, push, first, first_on, weight, second, second_on, along, along_weight, step, lead
):
    last = slope.shape[0] - 1
    for j in range(last):
        rise = weight * (first_on[j] - first[j]) + _MIXED * (second_on[j] - second[j])
        value = slope[j] + step * (push[j] + rise + along_weight * (along[j + 1] - along[j]))
        lead[j] = value + value - slope[j]
        slope[j] = value
    rise = weight * (first_on[last] - first[last]) + _MIXED * (second_on[last] - second[last])
    value = slope[last] + step * (push[last] + rise - along_weight * along[last])
    lead[last] = value + value - slope[last]
    slope[last] = value


@njit(fastmath=CONTRACT, inline="always")
def _ascend_matrix(matrix, lead, behind, k, i, zero, step):
    """Along the symmetrised gradient of the slopes."""
    mixed, last = step * _MIXED, lead.shape[2] - 1
    z, y, x = lead[0, i], lead[1, i], lead[2, i]
    _add(matrix[2, k, i, 1:], x[1:], x[:last], zero, zero, step)
    if k > 0:
        _add(matrix[0, k, i], z, behind[0, i], zero, zero, step)
        _add(matrix[4, k, i, 1:], x[1:], behind[2, i, 1:], z[1:], z[:last], mixed)
    if i > 0:
        _add(matrix[1, k, i], y, lead[1, i - 1], zero, zero, step)
        _add(matrix[5, k, i, 1:], x[1:], lead[2, i - 1, 1:], y[1:], y[:last], mixed)
    if k > 0 and i > 0:
        _add(matrix[3, k, i], y, behind[1, i], z, lead[0, i - 1], mixed)


@njit(fastmath=CONTRACT, inline="always")
def _ascend_vector(dual, ahead, far, lead, k, i, zero, step):
    """Along the gradient of the image less the slopes."""
    here, last = ahead[i], lead.shape[2] - 1
    if k + 1 < dual.shape[1]:
        _add(dual[0, k, i], far, here, zero, lead[0, i], step)
    if i + 1 < dual.shape[2]:
        _add(dual[1, k, i], ahead[i + 1], here, zero, lead[1, i], step)
    _add(dual[2, k, i, :last], here[1:], here, zero, lead[2, i], step)


@njit(fastmath=CONTRACT, inline="always")
def _add(row, plus, minus, more, less, factor):
    for j in range(row.shape[0]):
        row[j] += factor * (plus[j] - minus[j] + (more[j] - less[j]))


@njit(fastmath=CONTRACT, error_model="numpy")  # a test for division by zero would stop SIMD
def _project(dual, k, i, smooth, radius, norms):
    """Scale a row of dual vectors by `smooth`, then onto the ball."""
    for j in range(norms.shape[0]):
        norms[j] = 0
    for c in range(dual.shape[0]):
        row = dual[c, k, i]
        for j in range(norms.shape[0]):
            norms[j] += row[j] * row[j]
    for j in range(norms.shape[0]):
        norms[j] = smooth * radius / max(smooth * np.sqrt(norms[j]), radius)
    for c in range(dual.shape[0]):
        row = dual[c, k, i]
        for j in range(norms.shape[0]):
            row[j] *= norms[j]
