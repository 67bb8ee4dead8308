"""How two contrasts of one scene relate: in small windows nearly linearly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation
from classicsr.reconstruction._reference import Reference

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
_RIDGE = 1e-3  # in units of the variance of the whole image
_WINDOW = 5  # samples per sharp axis, within which contrasts are compared
_SHIFTS = (-4, -3, -2, 2, 3, 4)  # samples of the result, along each axis
_FARTHEST = 4  # where nothing but chance agrees
_AS_GOOD = 0.8  # share of the best shift's agreement that the reference must have in its place
_BETTER = 0.88  # share of what chance leaves unexplained that it may leave


def local_fit(x: Float32, y: Float32, sizes: int | Sequence[int]) -> tuple[Float64, Float64]:
    """Least squares ``y = a x + b`` in windows of `sizes` around every sample.

    Returns
    -------
    slope, explained : float64 arrays
        a, and the variance of y that it explains.

    References
    ----------
    K. He, J. Sun, X. Tang, "Guided image filtering", IEEE TPAMI 35(6), 2013.
    """
    from scipy.ndimage import uniform_filter

    wide_x, wide_y = x.astype(np.float64), y.astype(np.float64)
    mean_x, mean_y = uniform_filter(wide_x, sizes), uniform_filter(wide_y, sizes)
    covariance = uniform_filter(wide_x * wide_y, sizes) - mean_x * mean_y
    variance = np.maximum(uniform_filter(wide_x * wide_x, sizes) - mean_x**2, 0)
    slope = covariance / (variance + (_RIDGE * float(wide_x.var()) or 1.0))
    return slope, slope * covariance


def is_in_place(low: Float32, reference: Reference, model: Degradation) -> bool:
    """Whether a reference explains `low` better where it is than moved or by chance.

    Along every axis it is moved to and fro; `model` degrades it to the grid of `low`.
    """
    scales = model._per_axis("scale", low.ndim)
    sizes = [int(_WINDOW * min(scales) / scale) | 1 for scale in scales]  # odd
    covered = reference.degraded(model).covered

    def explained(x: Float32) -> float:
        return float(np.sum(local_fit(x, low, sizes)[1] * covered))

    whole = explained(low)

    def agreement(shift: int, axis: int) -> float:
        moved = model.forward(np.roll(reference.image, shift, axis))
        return explained(moved) / (whole or 1.0)

    here = agreement(0, 0)
    axes = [axis for axis, n in enumerate(reference.image.shape) if n > 2 * _FARTHEST]
    elsewhere = {(shift, axis): agreement(shift, axis) for axis in axes for shift in _SHIFTS}
    if not elsewhere:
        return here > 0
    far = [value for (shift, _), value in elsewhere.items() if abs(shift) == _FARTHEST]
    chance, best = np.mean(far), max(elsewhere.values())
    return bool(here >= _AS_GOOD * best and 1 - here <= _BETTER * (1 - chance))
