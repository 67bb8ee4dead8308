"""Projection onto the images that agree with a measurement."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation._models import Degradation
from classicsr.degradation._resize import as_floating

Floating = NDArray[np.floating]
_ROUNDS = 4  # of conjugate gradients: each starts from the residual as it truly is


def project(
    high: ArrayLike,
    low: ArrayLike,
    degradation: Degradation,
    *,
    noise: float = 0.0,
    tolerance: float = 2e-6,
    n_iter: int = 100,
) -> Floating:
    """The nearest image to `high` that the forward model turns into `low`.

    ``x + H'z`` with ``H H' z = y - H x``, by conjugate gradients on the low-resolution grid: of
    all images with ``H x = y`` it is the one of smallest squared distance. It stops when no
    sample of ``y - H x`` exceeds `tolerance`, or when their root mean square is that of the noise.

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
    for _ in range(_ROUNDS):
        residual = y - degradation.forward(x)
        if _agrees(residual, noise, tolerance):
            break
        z = _solve(residual, x.shape, degradation, noise, tolerance, n_iter)
        x = x + degradation.adjoint(z, x.shape)
    return x


def _agrees(residual: Floating, noise: float, tolerance: float) -> bool:
    rms = np.sqrt(_dot(residual, residual) / residual.size)
    return bool(rms <= noise or np.abs(residual).max() <= tolerance)


def _solve(
    residual: Floating,
    shape: tuple[int, ...],
    degradation: Degradation,
    noise: float,
    tolerance: float,
    n_iter: int,
) -> Floating:
    """Conjugate gradients for ``H H' z = residual``."""
    z = np.zeros_like(residual)
    left, direction = residual.copy(), residual
    size = _dot(left, left)
    for _ in range(n_iter):
        image = degradation.forward(degradation.adjoint(direction, shape))
        step = left.dtype.type(size / max(_dot(direction, image), np.finfo(float).tiny))
        z += step * direction
        left -= step * image
        if _agrees(left, noise, 0.5 * tolerance):
            break
        before, size = size, _dot(left, left)
        direction = left + left.dtype.type(size / before) * direction
    return z


def _dot(a: Floating, b: Floating) -> float:
    """Inner product in float64, without BLAS: its rounding depends on the number of threads."""
    return float(np.sum(a * b, dtype=np.float64))
