"""Nearest anchor by largest absolute correlation, exact and hierarchical."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT, LANES, TILE_DEPTH, TILE_ROWS, accumulate


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def _search_block(features, anchors, candidates, sums, best, winner):
    """Per lane, the candidate with the largest ``|anchor . feature|`` (first one on ties).

    `features` (>= depth, LANES), `anchors` (n, depth), `candidates` (m,) int32 rows of `anchors`,
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
                features[k],
                features[k + 1],
                features[k + 2],
                features[k + 3],
                features[k + 4],
                anchors[i0],
                anchors[i1],
                anchors[i2],
                anchors[i3],
                k,
            )
        s0, s1, s2, s3 = sums[0], sums[1], sums[2], sums[3]
        for p in range(LANES):
            high, index = best[p], winner[p]
            a0, a1, a2, a3 = abs(s0[p]), abs(s1[p]), abs(s2[p]), abs(s3[p])
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
def nearest_anchor(blocks, anchors, candidates, nearest):
    """Exact search: index of the candidate anchor of largest absolute correlation.

    Parameters
    ----------
    blocks : (n_blocks, >= depth, LANES) float32
        Features in lane blocks.
    anchors : (n_anchors, depth) float32
        depth a multiple of TILE_DEPTH, zero-padded.
    candidates : (m,) int32
        Rows of `anchors` to compare with; m a multiple of TILE_ROWS (repeat one to pad).
    nearest : (n_blocks, LANES) int32, overwritten
    """
    sums = np.empty((TILE_ROWS, LANES), np.float32)
    best = np.empty(LANES, np.float32)
    for b in range(blocks.shape[0]):
        _search_block(blocks[b], anchors, candidates, sums, best, nearest[b])


@njit(nogil=True, cache=True)
def nearest_anchor_in_groups(blocks, positions, group, anchors, starts, candidates, nearest):
    """Search only among the candidates of each patch's group.

    Patches of one group are packed together into full lane blocks before they are searched.

    Parameters
    ----------
    blocks : (n_blocks, >= depth, LANES) float32
    positions : (n,) int64
        Flat lane positions (block * LANES + lane) of the patches to search, sorted by group.
    group : (n_groups + 1,) int64
        Patches ``positions[group[g]:group[g + 1]]`` belong to group g.
    anchors : (n_anchors, depth) float32
    starts : (n_groups + 1,) int64
        ``candidates[starts[g]:starts[g + 1]]`` are the anchors linked to group g.
    candidates : (m,) int32
    nearest : (n,) int32, overwritten
        Anchor of ``positions[i]``.
    """
    depth = anchors.shape[1]
    packed = np.zeros((depth, LANES), np.float32)
    sums = np.empty((TILE_ROWS, LANES), np.float32)
    best = np.empty(LANES, np.float32)
    winner = np.empty(LANES, np.int32)
    for g in range(group.shape[0] - 1):
        linked = candidates[starts[g] : starts[g + 1]]
        for first in range(group[g], group[g + 1], LANES):
            count = min(LANES, group[g + 1] - first)
            for i in range(count):
                block, lane = divmod(positions[first + i], LANES)
                for k in range(depth):
                    packed[k, i] = blocks[block, k, lane]
            _search_block(packed, anchors, linked, sums, best, winner)
            nearest[first : first + count] = winner[:count]
