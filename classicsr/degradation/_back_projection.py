"""Iterated back-projection: making a result agree with the image it came from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation._models import Degradation
from classicsr.degradation._resize import as_floating, resize


def back_project(
    high: ArrayLike, low: ArrayLike, degradation: Degradation, n_iter: int = 20
) -> NDArray[np.floating]:
    """Correct `high` until the forward model turns it into `low`: ``x += U (y - H x)``.

    U is cubic interpolation. The iteration ends early when the residual ``|y - H x|`` no
    longer falls.

    Parameters
    ----------
    high : array of any shape
        High-resolution estimate; float32 stays, other types are computed in float64.
    low : array
        Low-resolution image of the shape that `degradation` gives `high`.
    degradation : Degradation
        Forward model H.
    n_iter : int
        Corrections at most.

    Returns
    -------
    array of the shape of `high`, of its float type

    Raises
    ------
    ValueError
        The two shapes do not belong together.

    References
    ----------
    M. Irani, S. Peleg, "Improving resolution by image registration", CVGIP 53(3), 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import BicubicDegradation, back_project, resize
    >>> model = BicubicDegradation(2)
    >>> low = np.random.default_rng(0).random((8, 9))
    >>> once, often = (back_project(resize(low, 2), low, model, n) for n in (1, 20))
    >>> bool(np.abs(model.forward(often) - low).max() < np.abs(model.forward(once) - low).max())
    True
    """
    x = as_floating(high)
    y = as_floating(low, x.dtype)
    expected = degradation.low_resolution_shape(x.shape)
    if y.shape != expected:
        raise ValueError(
            f"The 'low' parameter of back_project must have shape {expected}, that of the "
            f"degraded 'high'. Got {y.shape} instead."
        )
    scales = degradation._per_axis("scale", x.ndim)
    best, smallest = x, np.inf
    for step in range(n_iter + 1):
        residual = y - degradation.forward(x)
        size = float(np.square(residual, dtype=np.float64).sum())
        if not size < smallest:
            break
        best, smallest = x, size
        if step < n_iter:
            x = x + resize(residual, scales, output_shape=x.shape)
    return best
