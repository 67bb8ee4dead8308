"""Nearest anchor by largest absolute correlation, exact and hierarchical."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT, LANES, TILE_DEPTH, TILE_ROWS, accumulate, pack_lanes


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def _search_block(block, anchors, candidates, sums, best, winner):
    """Per lane, the candidate with the largest ``|anchor . patch|`` (first one on ties).

    `block` (depth * LANES,), `anchors` (n, depth), `candidates` (m,) int32 rows of `anchors`,
    m a multiple of TILE_ROWS; `sums`, `best` and `winner` are overwritten.
    """
    best[:] = -1.0
    winner[:] = 0
    depth = anchors.shape[1]
    for c in range(0, candidates.shape[0], TILE_ROWS):
        i0, i1, i2, i3 = candidates[c], candidates[c + 1], candidates[c + 2], candidates[c + 3]
        sums[:] = 0.0
        for k in range(0, depth, TILE_DEPTH):
            accumulate(
                sums,
                block[k * LANES : (k + TILE_DEPTH) * LANES],
                anchors[i0],
                anchors[i1],
                anchors[i2],
                anchors[i3],
                k,
            )
        for p in range(LANES):
            high, index = best[p], winner[p]
            a0, a1 = abs(sums[p]), abs(sums[LANES + p])
            a2, a3 = abs(sums[2 * LANES + p]), abs(sums[3 * LANES + p])
            # selects, not branches: they vectorise
            index = i0 if a0 > high else index
            high = a0 if a0 > high else high
            index = i1 if a1 > high else index
            high = a1 if a1 > high else high
            index = i2 if a2 > high else index
            high = a2 if a2 > high else high
            index = i3 if a3 > high else index
            high = a3 if a3 > high else high
            best[p] = high
            winner[p] = index


@njit(nogil=True, cache=True)
def nearest_anchor(rows, positions, groups, anchors, links, link_starts, nearest):
    """Anchor of largest absolute correlation among those linked to each patch's group.

    With one group that is linked to every anchor this is exact search.

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
        Patches.
    positions : (n,) int64
        Rows to search for, sorted by group.
    groups : (n_groups + 1,) int64
        ``positions[groups[g]:groups[g + 1]]`` belong to group g.
    anchors : (n_anchors, depth) float32
        Zero-padded to a depth that is a multiple of TILE_DEPTH.
    links : (m,) int32
        Rows of `anchors`, ``links[link_starts[g]:link_starts[g + 1]]`` for group g; every
        group has a multiple of TILE_ROWS (repeat one to pad).
    link_starts : (n_groups + 1,) int64
    nearest : (n,) int32, overwritten
        Anchor of ``positions[i]``.
    """
    block = np.zeros(anchors.shape[1] * LANES, np.float32)
    sums = np.empty(TILE_ROWS * LANES, np.float32)
    best = np.empty(LANES, np.float32)
    winner = np.empty(LANES, np.int32)
    for g in range(groups.shape[0] - 1):
        linked = links[link_starts[g] : link_starts[g + 1]]
        for first in range(groups[g], groups[g + 1], LANES):
            count = min(LANES, groups[g + 1] - first)
            pack_lanes(rows, positions, first, count, block)
            _search_block(block, anchors, linked, sums, best, winner)
            for lane in range(count):
                nearest[first + lane] = winner[lane]
