"""Checks of parameters, all with one form of error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LARGEST_SCALE = 256.0
"""No real image is enlarged or reduced more; the bound keeps memory in check."""


def require(condition: bool, name: str, owner: str, rule: str, value: Any) -> None:
    """Raise a ValueError that names parameter, owner, rule and value unless `condition`.

    Examples
    --------
    >>> require(False, "scale", "BicubicSR", "positive", -1)
    Traceback (most recent call last):
    ValueError: The 'scale' parameter of BicubicSR must be positive. Got -1 instead.
    """
    if not condition:
        raise ValueError(
            f"The {name!r} parameter of {owner} must be {rule}. Got {value!r} instead."
        )


def is_integer(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `value` is an integer (not a bool) in [low, high]."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and low <= int(value) <= high


def is_number(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `value` is a finite real number (not a bool) in [low, high]."""
    real = isinstance(value, int | float | np.integer | np.floating)
    return (
        real
        and not isinstance(value, bool)
        and low <= float(value) <= high
        and math.isfinite(value)
    )


def is_sequence_of(value: Any, n: int, accepted: Any) -> bool:
    """Whether `value` is a list, tuple or array of `n` entries that all are `accepted`."""
    return (
        isinstance(value, list | tuple | np.ndarray)
        and len(value) == n
        and all(accepted(entry) for entry in value)
    )


def is_scale(value: Any) -> bool:
    """Whether `value` is one factor, or a list of two or three."""

    def factor(entry: Any) -> bool:
        return is_number(entry, 1 / LARGEST_SCALE, LARGEST_SCALE)

    return factor(value) or any(is_sequence_of(value, n, factor) for n in (2, 3))


def is_range(value: Any) -> bool:
    """Whether `value` is two finite numbers, the first one smaller."""
    return is_sequence_of(value, 2, is_number) and value[0] < value[1]
