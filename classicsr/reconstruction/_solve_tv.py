"""Total-variation problems solved in one call."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from classicsr.degradation import Degradation, resize
from classicsr.degradation._resize import as_floating
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm, Float32
from classicsr.reconstruction._total_variation_solver import (
    TotalVariation,
    TotalVariationSolver,
)


def tv_denoise(image: ArrayLike, weight: float, *, isotropic: bool = True) -> Float32:
    """Total-variation denoising: ``argmin_x |x - image|^2 / 2 + weight * TV(x)``.

    Parameters
    ----------
    image : 2-D or 3-D array
    weight : float, 0 or more
        In units of the image.
    isotropic : bool
        Lengths of gradients; else the sum of absolute differences along the axes.

    Returns
    -------
    float32 array of the same shape

    References
    ----------
    L. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms",
    Physica D 60, 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import tv_denoise
    >>> edge = np.repeat([[0.0, 1.0]], 6, axis=0).repeat(4, axis=1)
    >>> tv_denoise(edge, 0.4)[0].round(2)[[0, -1]].tolist()
    [0.10000000149011612, 0.8999999761581421]
    """
    pixels = as_floating(image, np.float32)
    return TotalVariation(weight, isotropic).prox(pixels, 1.0)


def solve_tv(
    low: ArrayLike,
    model: Degradation,
    shape: tuple[int, ...],
    weight: float,
    start: ArrayLike | None = None,
    anchor: ArrayLike | None = None,
    anchor_weight: float = 0.0,
    *,
    n_iter: int = 300,
    tolerance: float = 1e-5,
) -> tuple[Float32, Convergence]:
    """Minimise ``|H x - low|^2 / 2 + anchor_weight / 2 |x - anchor|^2 + weight * TV(x)``.

    Parameters
    ----------
    low : 2-D or 3-D array
        Measurement, on the unit intensity scale.
    model : Degradation
        Forward model H, which turns arrays of `shape` into arrays of ``low.shape``.
    shape : tuple of int
    weight : float
    start : array of `shape`, optional
        Where to begin; default `anchor`, or the cubic interpolation of `low`.
    anchor : array of `shape`, optional
        An image that the result is pulled toward, such as that of another method.
    anchor_weight : float
    n_iter : int
        Iterations at most.
    tolerance : float
        Stop when a step changes the image by less than this (root mean square).

    Returns
    -------
    image : float32 array of `shape`
    convergence : Convergence

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import SliceProfileDegradation
    >>> from classicsr.reconstruction import solve_tv
    >>> image, found = solve_tv(np.eye(4), SliceProfileDegradation(2), (8, 8), 0.001, n_iter=50)
    >>> image.shape, found.n_iter
    ((8, 8), 50)
    """
    pixels = as_floating(low, np.float32)
    if start is None:
        start = anchor
    if start is None:
        start = resize(pixels, model._per_axis("scale", pixels.ndim), output_shape=shape)
    solver = TotalVariationSolver(
        DataTerm([pixels], [model], shape),
        TotalVariation(weight),
        as_floating(start, np.float32),
        anchor=None if anchor is None else as_floating(anchor, np.float32),
        anchor_weight=anchor_weight,
    )
    return solver.image, solver.run(n_iter, tolerance)
