"""A bank of linear filters over an image, written straight into lane blocks."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT, LANES, TILE_DEPTH, TILE_ROWS, accumulate


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def correlate_bank(pixels, offsets, weights, start, blocks):
    """Filter responses at consecutive flat positions of an image.

    Parameters
    ----------
    pixels : (n,) float32
        The image, rows one after another, followed by at least LANES spare elements.
    offsets : (depth,) int64
        Flat offset of each tap from the position; depth a multiple of TILE_DEPTH.
    weights : (filters, depth) float32
        filters a multiple of TILE_ROWS (see `lanes.pad_weights`).
    start : int
        Flat position of lane 0 of block 0.
    blocks : (n_blocks, >= filters, LANES) float32, overwritten
        ``blocks[b, f, p]`` = response of filter f at ``start + b * LANES + p``.
    """
    sums = np.empty((TILE_ROWS, LANES), np.float32)
    n_filters, depth = weights.shape
    for b in range(blocks.shape[0]):
        base = start + b * LANES
        for f in range(0, n_filters, TILE_ROWS):
            sums[:] = 0.0
            for k in range(0, depth, TILE_DEPTH):
                t0, t1, t2 = base + offsets[k], base + offsets[k + 1], base + offsets[k + 2]
                t3, t4 = base + offsets[k + 3], base + offsets[k + 4]
                accumulate(
                    sums,
                    pixels[t0 : t0 + LANES],
                    pixels[t1 : t1 + LANES],
                    pixels[t2 : t2 + LANES],
                    pixels[t3 : t3 + LANES],
                    pixels[t4 : t4 + LANES],
                    weights[f],
                    weights[f + 1],
                    weights[f + 2],
                    weights[f + 3],
                    k,
                )
            for r in range(TILE_ROWS):
                blocks[b, f + r] = sums[r]
