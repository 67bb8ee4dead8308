"""Gradient features of the interpolated image, as one linear map of low-resolution pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import contributions
from classicsr.kernels.overlap import SPAN

WINDOW_RADIUS = 4
"""Low-resolution pixels around a patch centre that its features depend on (x2, x3, x4)."""
WINDOW_SIDE = 2 * WINDOW_RADIUS + 1


def _interpolation(scale: int) -> NDArray[np.float64]:
    """Bicubic interpolation of a window: ((WINDOW_SIDE) * scale, WINDOW_SIDE) matrix.

    The outer rows, which would need pixels beyond the window, are meaningless.
    """
    n_out = WINDOW_SIDE * scale
    indices, weights = contributions(WINDOW_SIDE, n_out, scale, "cubic")
    matrix = np.zeros((n_out, WINDOW_SIDE), dtype=np.float64)
    np.add.at(matrix, (np.arange(n_out)[:, None], indices), weights)
    return matrix


def interpolation_matrix(scale: int) -> NDArray[np.floating]:
    """Bicubic interpolation of a window's central pixel: (scale^2, WINDOW_SIDE^2) float64.

    Row ``p * scale + q`` gives high-resolution pixel (p, q) of the block.
    """
    first = WINDOW_RADIUS * scale
    block = _interpolation(scale)[first : first + scale]
    return np.kron(block, block)


def derivative_filters(scale: int) -> tuple[dict[int, float], dict[int, float]]:
    """First and second difference at a distance of one low-resolution pixel.

    Offsets in high-resolution pixels -> weights: ``[1 0.. -1]`` with ``scale - 1`` zeros and
    ``[1 0.. -2 0.. 1] / 2``.
    """
    back = scale // 2
    return {scale - back: 1.0, -back: -1.0}, {-scale: 0.5, 0: -1.0, scale: 0.5}


def gradient_matrix(scale: int) -> NDArray[np.float64]:
    """Matrix from a low-resolution window to the gradient features of its central patch.

    The patch covers 3 x 3 low-resolution pixels, ``3 scale`` pixels a side of the image
    interpolated bicubically; the features are its first and second differences, vertical and
    horizontal.

    Parameters
    ----------
    scale : int

    Returns
    -------
    (4 * (3 scale)^2, WINDOW_SIDE^2) float64

    References
    ----------
    R. Zeyde, M. Elad, M. Protter, "On single image scale-up using sparse-representations",
    2010.

    Examples
    --------
    >>> gradient_matrix(3).shape
    (324, 81)
    """
    interpolate = _interpolation(scale)
    first = (WINDOW_RADIUS - SPAN // 2) * scale
    rows = np.arange(first, first + SPAN * scale)
    plain = interpolate[rows]
    blocks = []
    for taps in derivative_filters(scale):
        derivative = np.zeros_like(plain)
        for offset, weight in taps.items():
            derivative += weight * interpolate[rows + offset]
        blocks += [np.kron(derivative, plain), np.kron(plain, derivative)]
    return np.concatenate(blocks)
