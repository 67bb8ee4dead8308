"""Gradient features of the interpolated image, as one linear map of low-resolution pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import contributions
from classicsr.kernels.overlap import SPAN

WINDOW_RADIUS = 4
"""Low-resolution pixels around a patch centre that its features depend on (x2, x3, x4)."""
WINDOW_SIDE = 2 * WINDOW_RADIUS + 1
ESTIMATE_SIDE = SPAN + 2
"""Low-resolution pixels across what the features of an estimate depend on."""


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
    return _patch_gradients(_interpolation(scale), scale)


def estimate_gradient_matrix(scale: int) -> NDArray[np.float64]:
    """The same features of an image that is large already: no interpolation.

    Parameters
    ----------
    scale : int

    Returns
    -------
    (4 * (3 scale)^2, (ESTIMATE_SIDE scale)^2) float64

    Examples
    --------
    >>> estimate_gradient_matrix(2).shape
    (144, 100)
    """
    return _patch_gradients(np.eye(ESTIMATE_SIDE * scale), scale)


def _patch_gradients(lines: NDArray[np.float64], scale: int) -> NDArray[np.float64]:
    """Gradients of the central patch of a window whose lines are ``lines @ pixels``."""
    first = (len(lines) - SPAN * scale) // 2
    rows = np.arange(first, first + SPAN * scale)
    plain = lines[rows]
    blocks = []
    for taps in derivative_filters(scale):
        derivative = np.zeros_like(plain)
        for offset, weight in taps.items():
            derivative += weight * lines[rows + offset]
        blocks += [np.kron(derivative, plain), np.kron(plain, derivative)]
    return np.concatenate(blocks)


def difference_matrix(shape: Sequence[int]) -> NDArray[np.float64]:
    """First and second differences of neighbours along every axis of a window, one per row.

    Parameters
    ----------
    shape : sequence of int
        Samples of the window along each of its axes, of which there may be any number.

    Returns
    -------
    (n_differences, n_samples) float64

    Examples
    --------
    >>> difference_matrix((3, 1, 2)).shape
    (9, 6)
    """
    samples = np.eye(int(np.prod(shape))).reshape(*shape, -1)
    parts = [
        np.diff(samples, order, axis).reshape(-1, samples.shape[-1])
        for axis in range(len(shape))
        for order in (1, 2)
    ]
    return np.concatenate(parts)
