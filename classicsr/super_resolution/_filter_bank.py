"""A bank of linear filters over windows, for one tile after another."""

from __future__ import annotations

import math
import threading

import numpy as np
from numpy.typing import NDArray

from classicsr.kernels.convolve import correlate_bank
from classicsr.kernels.lanes import LANES, pad_weights, round_up

Float32 = NDArray[np.float32]


def padded_pixels(block: Float32) -> Float32:
    """The pixels of a block one after another, and spare ones, as kernels need them."""
    pixels = np.zeros(block.size + 2 * LANES, np.float32)
    pixels[: block.size] = block.ravel()
    return pixels


class FilterBank:
    """Filters (n_filters, side^2) without the window pixels that none of them uses.

    Parameters
    ----------
    filters : (n_filters, side^2) array
        Windows are square, around a low-resolution pixel.
    scale : int
        1 for windows of the low-resolution image. Otherwise they are of an image `scale` times
        as large, given as its phases: plane ``p * scale + q`` holds pixel (p, q) of the block of
        each low-resolution pixel.

    Attributes
    ----------
    radius : int
        Of the windows, in low-resolution pixels.
    """

    def __init__(self, filters: NDArray, scale: int = 1) -> None:
        used = np.flatnonzero(np.any(filters != 0, axis=0))
        side = math.isqrt(filters.shape[1])
        self.radius = side // scale // 2
        rows, columns = np.divmod(used, side)
        self._planes = rows % scale * scale + columns % scale
        self._rows = rows // scale - self.radius
        self._columns = columns // scale - self.radius
        self._weights = pad_weights(filters[:, used])
        self._scratch = Scratch()

    def responses(
        self, pixels: Float32, pitch: int, start: int, n_positions: int, plane_size: int = 0
    ) -> Float32:
        """Responses at flat positions of an image whose rows are `pitch` apart.

        `pixels` are the image's, or those of its phases, which are `plane_size` apart, and
        2 LANES spare ones. Returns (n_positions or more, n_filters or more), from the position
        `start` on; the next call writes there again.
        """
        offsets = np.zeros(self._weights.shape[1], np.int64)
        taps = self._planes * plane_size + self._rows * pitch + self._columns
        offsets[: len(taps)] = taps
        responses = self._scratch.get(
            "responses", (round_up(n_positions, LANES), len(self._weights))
        )
        correlate_bank(pixels, offsets, self._weights, start, responses)
        return responses


class Scratch(threading.local):
    """Arrays that each thread uses again from tile to tile: fresh memory costs page faults."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, tuple[int, ...]], Float32] = {}

    def get(self, name: str, shape: tuple[int, ...]) -> Float32:
        """An array with whatever the last tile left in it."""
        if (name, shape) not in self._arrays:
            self._arrays = {key: a for key, a in self._arrays.items() if key[0] != name}
            self._arrays[name, shape] = np.empty(shape, np.float32)
        return self._arrays[name, shape]
