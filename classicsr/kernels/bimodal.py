"""Binary trees of centres: a patch goes to the child that it correlates with most, up to sign."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT, LANES, TILE_DEPTH, TILE_ROWS, accumulate, pack_lanes


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def descend_trees(rows, positions, groups, centers, leaves, strengths):
    """Leaf of each tree that a patch ends in, and its absolute correlation with that leaf.

    Every node of a tree is compared with every patch, which fills the lanes and costs no
    more than going down one by one; deep trees are descended in stages (`groups`).

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
    positions : (n,) int64
        Rows to send down, sorted by group.
    groups : (n_groups + 1,) int64
        ``positions[groups[g]:groups[g + 1]]`` go down the trees of group g.
    centers : (n_groups, n_trees, 2^(n_levels + 1), depth) float32
        Nodes of each tree level by level, without the root: the children of the root are 0 and
        1, those of node i are 2 i + 2 and 2 i + 3. Two spare ones at the end; zero-padded to a
        depth that is a multiple of TILE_DEPTH. The first child wins ties.
    leaves : (n_trees, n) int32, overwritten
        From 0 to 2^n_levels - 1.
    strengths : (n_trees, n) float32, overwritten
    """
    n_nodes, depth = centers.shape[2:]
    n_inner = np.uint32(n_nodes // 2 - 1)
    n_levels = 0
    while 2 << n_levels < n_nodes:
        n_levels += 1
    block = np.zeros(depth * LANES, np.float32)
    correlations = np.empty(n_nodes * LANES, np.float32)
    for g in range(groups.shape[0] - 1):
        for first in range(groups[g], groups[g + 1], LANES):
            count = min(LANES, groups[g + 1] - first)
            pack_lanes(rows, positions, first, count, block)
            for tree in range(centers.shape[1]):
                nodes = centers[g, tree]
                correlations[:] = 0.0
                for r in range(0, n_nodes, TILE_ROWS):
                    sums = correlations[r * LANES : (r + TILE_ROWS) * LANES]
                    n0, n1, n2, n3 = nodes[r], nodes[r + 1], nodes[r + 2], nodes[r + 3]
                    for k in range(0, depth, TILE_DEPTH):
                        five = block[k * LANES : (k + TILE_DEPTH) * LANES]
                        accumulate(sums, five, n0, n1, n2, n3, k)
                for lane in range(count):
                    node = np.uint32(0)  # the first of the two to choose from
                    best = np.float32(0.0)
                    for _ in range(n_levels):
                        one = abs(correlations[node * LANES + lane])
                        two = abs(correlations[node * LANES + LANES + lane])
                        node = np.uint32(2) * (node + np.uint32(two > one)) + np.uint32(2)
                        best = max(one, two)
                    leaves[tree, first + lane] = node // np.uint32(2) - n_inner
                    strengths[tree, first + lane] = best
