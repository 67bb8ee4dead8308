"""Volumes that three-dimensional patches are learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
_BLUR = 1.0  # samples: many scans are oversampled, and not to be sharpened


def training_volumes(
    volumes: Sequence[Any],
    factors: tuple[int, ...],
    to_unit: Callable[[NDArray[Any]], Float32],
    side: int,
    smoothed: bool,
) -> list[Float32]:
    """The centre of every volume on the unit scale, at most `side` samples along an axis.

    Where it is wanted, a smoothed copy follows each.

    The factors belong to the axes in this order, and the volumes are turned so that every axis
    has each of them.

    Raises
    ------
    ValueError
        For no volumes, and for one that is not 3-D, too small for `factors`, or holds NaN.
    """
    from scipy.ndimage import gaussian_filter

    if not len(volumes):
        raise ValueError("There must be at least one training volume. Got none.")
    made = []
    for given in volumes:
        centre = _centre(np.asarray(given), 3 * max(factors), to_unit, side)
        for order in _orders(factors):
            turned = centre.transpose(order)
            made += [turned, gaussian_filter(turned, _BLUR)] if smoothed else [turned]
    return [_whole_blocks(one, factors) for one in made]


def _centre(
    volume: NDArray[Any], fewest: int, to_unit: Callable[[NDArray[Any]], Float32], side: int
) -> Float32:
    if volume.ndim != 3 or volume.dtype.kind not in "biuf":
        raise ValueError(
            f"A training volume must be a 3-D array of real numbers. Got shape {volume.shape}, "
            f"dtype {volume.dtype}."
        )
    if min(volume.shape) < fewest:
        raise ValueError(
            f"A training volume must have {fewest} samples or more along each axis. "
            f"Got shape {volume.shape}."
        )
    if not np.isfinite(volume).all():
        raise ValueError("A training volume holds NaN or infinite values.")
    starts = [max(0, n - side) // 2 for n in volume.shape]
    return to_unit(volume)[tuple(slice(start, start + side) for start in starts)]


def _orders(factors: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Orders of the axes of a volume that give the factors to its axes in every way once."""
    seen = set()
    for order in permutations(range(len(factors))):
        placed = tuple(factors[order.index(axis)] for axis in range(len(factors)))
        if placed not in seen:
            seen.add(placed)
            yield order


def _whole_blocks(volume: Float32, factors: tuple[int, ...]) -> Float32:
    """As much of a volume as is a multiple of the factors."""
    whole = tuple(slice(n // f * f) for n, f in zip(volume.shape, factors, strict=True))
    return np.ascontiguousarray(volume[whole])
