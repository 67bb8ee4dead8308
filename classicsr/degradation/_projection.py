"""Projection onto the images that agree with a measurement."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation._models import Degradation
from classicsr.degradation._resize import as_floating

Floating = NDArray[np.floating]
_ROUNDS = 12  # of conjugate gradients: each starts from the residual as it truly is
_SINGULAR = 1e-9


def project(
    high: ArrayLike,
    low: ArrayLike,
    degradation: Degradation,
    *,
    noise: float = 0.0,
    tolerance: float = 2e-6,
    n_iter: int = 100,
    bounds: tuple[float, float] | None = None,
) -> Floating:
    """The nearest image to `high` that the forward model turns into `low`.

    ``x + H'z`` with ``H H' z = y - H x``, by conjugate gradients on the low-resolution grid: of
    all images with ``H x = y`` it is the one of smallest squared distance. It stops when no
    sample of ``y - H x`` exceeds `tolerance`, or when their root mean square is that of the noise,
    or when they no longer fall.

    With `bounds` it is clipped, and what that changed in ``H x`` is made up for by the samples
    that may still move, in turn: near the nearest image within the bounds that agrees.

    Parameters
    ----------
    high : array of any shape
        High-resolution estimate; float32 stays, other types are computed in float64.
    low : array
        Low-resolution image of the shape that `degradation` gives `high`.
    degradation : Degradation
        Forward model H.
    noise : float
        Standard deviation of the noise of `low`, in its units: agreement beyond it is not
        sought.
    tolerance : float
        Largest deviation that is left, in units of `low`.
    n_iter : int
        Iterations at most.
    bounds : (low, high), optional
        Smallest and largest value that an image can have.

    Returns
    -------
    array of the shape of `high`, of its float type

    Raises
    ------
    ValueError
        The two shapes do not belong together.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import BicubicDegradation, project, resize
    >>> model, low = BicubicDegradation(2), np.random.default_rng(0).random((8, 9))
    >>> bool(np.abs(model.forward(project(resize(low, 2), low, model)) - low).max() < 1e-5)
    True
    """
    x = as_floating(high)
    y = as_floating(low, x.dtype)
    expected = degradation.low_resolution_shape(x.shape)
    if y.shape != expected:
        raise ValueError(
            f"The 'low' parameter of project must have shape {expected}, that of the degraded "
            f"'high'. Got {y.shape} instead."
        )
    best, smallest = x, np.inf
    for _ in range(_ROUNDS):
        if bounds is not None:
            x = np.clip(x, *bounds)
        residual = y - degradation.forward(x)
        size = _dot(residual, residual)
        if size < smallest:
            best, smallest, step = x, size, 1.0
            if _agrees(residual, noise, tolerance):
                break
            move = _correction(x, residual, degradation, noise, tolerance, n_iter, bounds)
        elif bounds is None:
            break
        else:  # clipping undid the whole step
            step /= 4
        x = best + step * move
    return best


def _agrees(residual: Floating, noise: float, tolerance: float) -> bool:
    rms = np.sqrt(_dot(residual, residual) / residual.size)
    return bool(rms <= noise or np.abs(residual).max() <= tolerance)


def _correction(
    x: Floating,
    residual: Floating,
    degradation: Degradation,
    noise: float,
    tolerance: float,
    n_iter: int,
    bounds: tuple[float, float] | None,
) -> Floating:
    """``D H'z`` with ``H D H'z = residual``, by conjugate gradients.

    D keeps the samples that can move: all but those at a bound that would leave it.
    """
    free = None
    if bounds is not None:
        slope = degradation.adjoint(residual, x.shape)
        free = ((x > bounds[0]) | (slope > 0)) & ((x < bounds[1]) | (slope < 0))

    def moves(z: Floating) -> Floating:
        image = degradation.adjoint(z, x.shape)
        return image if free is None else image * free

    z = np.zeros_like(residual)
    left, direction = residual.copy(), residual
    size = _dot(left, left)
    for _ in range(n_iter):
        image = degradation.forward(moves(direction))
        curvature = _dot(direction, image)
        if curvature <= _SINGULAR * size:  # what is left is out of reach
            break
        step = left.dtype.type(size / curvature)
        z += step * direction
        left -= step * image
        if _agrees(left, noise, 0.5 * tolerance):
            break
        before, size = size, _dot(left, left)
        direction = left + left.dtype.type(size / before) * direction
    return moves(z)


def _dot(a: Floating, b: Floating) -> float:
    """Inner product in float64, without BLAS: its rounding depends on the number of threads."""
    return float(np.sum(a * b, dtype=np.float64))
