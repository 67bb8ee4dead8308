"""A bank of linear filters over an image, one row of responses per pixel."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT, LANES, TILE_DEPTH, TILE_ROWS, accumulate


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def correlate_bank(pixels, offsets, weights, start, responses):
    """Filter responses at consecutive flat positions of an image.

    Parameters
    ----------
    pixels : (n,) float32
        The image, rows one after another, followed by at least LANES spare elements.
    offsets : (depth,) int64
        Flat offset of each tap from the position; depth a multiple of TILE_DEPTH.
    weights : (n_filters, depth) float32
        n_filters a multiple of TILE_ROWS (see `lanes.pad_weights`).
    start : int
        First flat position.
    responses : (n_positions, n_filters) float32, overwritten
        n_positions a multiple of LANES.
    """
    n_filters, depth = weights.shape
    taps = np.empty(TILE_DEPTH * LANES, np.float32)
    block = np.empty(n_filters * LANES, np.float32)
    for first in range(0, responses.shape[0], LANES):
        block[:] = 0.0
        for k in range(0, depth, TILE_DEPTH):
            for j in range(TILE_DEPTH):
                t = start + first + offsets[k + j]
                source = pixels[t : t + LANES]
                for lane in range(LANES):
                    taps[j * LANES + lane] = source[lane]
            for f in range(0, n_filters, TILE_ROWS):
                accumulate(
                    block[f * LANES : (f + TILE_ROWS) * LANES],
                    taps,
                    weights[f],
                    weights[f + 1],
                    weights[f + 2],
                    weights[f + 3],
                    k,
                )
        for lane in range(LANES):
            row = responses[first + lane]
            for f in range(n_filters):
                row[f] = block[f * LANES + lane]
