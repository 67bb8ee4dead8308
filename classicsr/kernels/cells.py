"""Search among many columns: those of a few cells are compared, many patches at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from .columns import merge_strongest
from .lanes import CONTRACT, LANES, TILE_DEPTH, TILE_ROWS, accumulate


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def search_cells(rows, positions, order, starts, n_probes, blocks, bounds, indices, best):
    """Columns of largest ``|correlation|`` among the cells that each patch probes, best first.

    A pair of patch and column has the same bits wherever it lies, and a patch sees its columns
    in the same order whatever the others are.

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
    positions : (n,) int64
        Rows to search for.
    order, starts : from `linear.sort_by_label`
        Probes by cell; patch i makes those from ``i * n_probes`` on.
    n_probes : int
    blocks : (n_blocks, depth * LANES) float32
        Columns sorted by cell, from `columns.block_columns`.
    bounds : (n_cells + 1,) int64
        Columns ``bounds[c]`` to ``bounds[c + 1]`` belong to cell c.
    indices : (n, k) int32, updated
    best : (n, k) float32, updated
        Magnitudes of the correlations, -1 where there is none yet.
    """
    depth = blocks.shape[1] // LANES
    n_features = min(depth, rows.shape[1])
    sums = np.empty(TILE_ROWS * LANES, np.float32)
    for cell in range(bounds.shape[0] - 1):
        probes = order[starts[cell] : starts[cell + 1]]
        n = probes.shape[0]
        if n == 0:
            continue
        x = np.zeros(((n + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS, depth), np.float32)
        for i in range(n):
            row = rows[positions[probes[i] // n_probes]]
            for k in range(n_features):
                x[i, k] = row[k]
        begin, end = bounds[cell], bounds[cell + 1]
        for b in range(begin // LANES, (end + LANES - 1) // LANES):
            block = blocks[b]
            low, high = max(begin - b * LANES, 0), min(end - b * LANES, LANES)
            for first in range(0, n, TILE_ROWS):
                sums[:] = 0.0
                x0, x1, x2, x3 = x[first], x[first + 1], x[first + 2], x[first + 3]
                for k in range(0, depth, TILE_DEPTH):
                    five = block[k * LANES : (k + TILE_DEPTH) * LANES]
                    accumulate(sums, five, x0, x1, x2, x3, k)
                for r in range(min(TILE_ROWS, n - first)):
                    patch = probes[first + r] // n_probes
                    own = sums[r * LANES + low : r * LANES + high]
                    merge_strongest(own, b * LANES + low, indices[patch], best[patch])
