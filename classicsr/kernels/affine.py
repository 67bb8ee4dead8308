"""Cubic interpolation of a volume at the points of an affine grid, and its transpose."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT


@njit(fastmath=CONTRACT, inline="always")
def _taps(position, n):
    """First of four neighbours, and their weights (Keys, a = -0.5); 0 and 1 where exact."""
    position = min(max(position, -1.0), float(n))
    first = int(np.floor(position))
    t = position - first
    u = 1.0 - t
    w0, w3 = -0.5 * t * u * u, -0.5 * u * t * t
    w1 = 1.0 + t * t * (1.5 * t - 2.5)
    return first - 1, np.float32(w0), np.float32(w1), np.float32(1.0 - w0 - w1 - w3), np.float32(w3)


@njit(fastmath=CONTRACT, inline="always")
def _mirrored(index, n):
    if index < 0:
        index = -1 - index
    elif index >= n:
        index = 2 * n - 1 - index
    return min(max(index, 0), n - 1)


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def interpolate(volume, matrix, samples, transpose):
    """Take `samples` from a volume, or spread them over it: ``s = T v`` or ``v += T's``.

    Sample (i, j, k) lies at ``matrix @ (i, j, k, 1)`` of the volume, which is mirrored beyond its
    border, for two samples. Both directions go through the same weights in the same order, so
    that one is the transpose of the other; axes that fall on whole samples cost one tap, not four.

    Parameters
    ----------
    volume, samples : 3-D float32; the one that receives is updated
    matrix : (3, 4) float64
    transpose : bool
    """
    depth, height, width = volume.shape
    for i in range(samples.shape[0]):
        for j in range(samples.shape[1]):
            for k in range(samples.shape[2]):
                z = matrix[0, 0] * i + matrix[0, 1] * j + matrix[0, 2] * k + matrix[0, 3]
                y = matrix[1, 0] * i + matrix[1, 1] * j + matrix[1, 2] * k + matrix[1, 3]
                x = matrix[2, 0] * i + matrix[2, 1] * j + matrix[2, 2] * k + matrix[2, 3]
                plane, a0, a1, a2, a3 = _taps(z, depth)
                row, b0, b1, b2, b3 = _taps(y, height)
                column, c0, c1, c2, c3 = _taps(x, width)
                x0, x1 = _mirrored(column, width), _mirrored(column + 1, width)
                x2, x3 = _mirrored(column + 2, width), _mirrored(column + 3, width)
                value, total = samples[i, j, k], np.float32(0)
                for p, a in enumerate((a0, a1, a2, a3)):
                    if a == 0:
                        continue
                    layer = volume[_mirrored(plane + p, depth)]
                    for q, b in enumerate((b0, b1, b2, b3)):
                        if b == 0:
                            continue
                        line, weight = layer[_mirrored(row + q, height)], a * b
                        if transpose:
                            weight *= value
                            line[x0] += weight * c0
                            line[x1] += weight * c1
                            line[x2] += weight * c2
                            line[x3] += weight * c3
                        else:
                            total += weight * (
                                c0 * line[x0] + c1 * line[x1] + c2 * line[x2] + c3 * line[x3]
                            )
                if not transpose:
                    samples[i, j, k] = total
