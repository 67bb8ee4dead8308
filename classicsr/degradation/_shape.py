"""Shapes before and after resampling, and parameters given once or per axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def resized_shape(shape: Sequence[int], scale: float | Sequence[float]) -> tuple[int, ...]:
    """Shape after resampling: ``round(n * scale)`` per axis, half up, at least 1.

    Examples
    --------
    >>> from classicsr.degradation import resized_shape
    >>> resized_shape((5, 7), (2.5, 1 / 3))
    (13, 2)
    """
    # the small term keeps n * scale of exactly .5 up when its product rounds down
    return tuple(
        max(1, math.floor(n * s + 0.5 + 1e-9))
        for n, s in zip(shape, per_axis(scale, len(shape), "scale", "resized_shape"), strict=True)
    )


def per_axis(
    value: float | Sequence[float], n_axes: int, name: str, owner: str
) -> tuple[float, ...]:
    """One float per axis from a number (meant for every axis) or a sequence of them."""
    values = np.atleast_1d(np.asarray(value, dtype=float))
    if np.ndim(value) == 0:
        values = np.repeat(values, n_axes)
    if values.shape != (n_axes,):
        raise ValueError(
            f"The {name!r} parameter of {owner} must be a number or {n_axes} numbers, "
            f"one per axis. Got {value!r} instead."
        )
    return tuple(values.tolist())
