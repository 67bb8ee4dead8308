"""Where patches lie: mirrored borders, windows of an image, tiles of a plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def mirrored(start: int, stop: int, n: int) -> NDArray[np.int64]:
    """Indices start..stop-1 of a signal of `n` samples continued by mirroring.

    The edge sample is repeated (MATLAB's "symmetric"), as often as needed, so that any size
    down to one sample works.

    Examples
    --------
    >>> mirrored(-2, 5, 3).tolist()
    [1, 0, 0, 1, 2, 2, 1]
    """
    period = np.arange(start, stop) % (2 * n)
    return np.where(period < n, period, 2 * n - 1 - period)


def windows(
    image: NDArray[np.float32], radius: int | Sequence[int], block: int | Sequence[int] = 1
) -> NDArray[np.float32]:
    """All windows of an array of any number of axes, borders mirrored: a view, read-only.

    Parameters
    ----------
    image : array, float32
    radius : int or one per axis
        Samples of a window before and after its centre.
    block : int or one per axis
        Centres are blocks of so many samples, side by side.

    Returns
    -------
    array of shape ``(n // block, ..., 2 * radius + block, ...)``: places, then sides

    Examples
    --------
    >>> windows(np.zeros((5, 7), np.float32), 4).shape
    (5, 7, 9, 9)
    >>> windows(np.zeros((5, 7, 6), np.float32), (1, 1, 2), (1, 1, 3)).shape
    (5, 7, 2, 3, 3, 7)
    """
    radii, blocks = (np.broadcast_to(one, image.ndim).tolist() for one in (radius, block))
    lines = [mirrored(-r, n + r, n) for r, n in zip(radii, image.shape, strict=True)]
    sides = tuple(2 * r + b for r, b in zip(radii, blocks, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(image[np.ix_(*lines)], sides)
    return view[tuple(slice(None, None, b) for b in blocks)]


@dataclass(frozen=True)
class Tile:
    """A rectangle of low-resolution pixels, ``[row, row + height) x [column, ...)``."""

    row: int
    column: int
    height: int
    width: int


def tiles(shape: tuple[int, int], tile_shape: tuple[int, int]) -> Iterator[Tile]:
    """Cover a plane with even tiles of at most `tile_shape`, in raster order."""
    for row, next_row in pairwise(_even_steps(shape[0], tile_shape[0])):
        for column, next_column in pairwise(_even_steps(shape[1], tile_shape[1])):
            yield Tile(row, column, next_row - row, next_column - column)


def _even_steps(n: int, largest: int) -> list[int]:
    """Ends of the fewest steps of at most `largest` that lead from 0 to `n`, all about equal."""
    count = -(-n // largest)
    return [n * i // count for i in range(count + 1)]
