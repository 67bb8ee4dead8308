"""Binary trees that compare the difference of two features with a share of the patch's norm.

Rows hold the features, then their Euclidean norm, then a zero (see `regressors._trees`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

WALKERS = 16
"""Patches that go down a tree together, so that their memory accesses overlap."""


@njit(nogil=True, cache=True)
def extend_rows(rows, positions, extended):
    """Copy patches, with their norm and a zero after the features.

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
    positions : (n,) int64
        Rows to copy.
    extended : (n, n_features + 2) float32, overwritten
    """
    n_features = extended.shape[1] - 2
    for i in range(positions.shape[0]):
        row = rows[positions[i]]
        total = np.float32(0.0)
        for k in range(n_features):
            extended[i, k] = row[k]
            total += row[k] * row[k]
        extended[i, n_features] = np.sqrt(total)
        extended[i, n_features + 1] = 0.0


@njit(nogil=True, cache=True)
def walk_tree(rows, positions, steps, thresholds, depth, nodes):
    """Node at which each patch ends.

    At node i, where ``first, second, child = steps[i]``, a patch goes to `child` if
    ``row[first] - row[second]`` is at most ``thresholds[i] * norm``, else to the node after it.

    Parameters
    ----------
    rows : (n_rows, n_features + 2) float32, C order
        Patches.
    positions : (n,) int64
        Rows to send down.
    steps : (n_nodes, 3) uint32
        A leaf compares a column with itself and has itself as child: walkers wait there.
        Unsigned, as Numba spares them the test for negative indices.
    thresholds : (n_nodes,) float32
        0 in leaves.
    depth : int
        Steps to the deepest leaf.
    nodes : (n,) int32, overwritten
    """
    n, width = positions.shape[0], rows.shape[1]
    values = rows.reshape(-1)
    current = np.empty(WALKERS, np.uint32)
    base = np.empty(WALKERS, np.uint64)
    norms = np.empty(WALKERS, np.float32)
    for first in range(0, n, WALKERS):
        for w in range(WALKERS):
            position = positions[min(first + w, n - 1)]
            current[w] = 0
            base[w] = position * width
            norms[w] = rows[position, width - 2]
        for _ in range(depth):
            for w in range(WALKERS):
                step, at = steps[current[w]], base[w]
                value = values[at + step[0]] - values[at + step[1]]
                current[w] = step[2] + np.uint32(value > thresholds[current[w]] * norms[w])
        for w in range(min(WALKERS, n - first)):
            nodes[first + w] = current[w]


@njit(nogil=True, cache=True)
def split_samples(rows, samples, first, second, threshold, scratch):
    """Reorder `samples` by a test as `walk_tree` makes it; return how many go to the first child.

    The order of the samples on either side is kept.

    Parameters
    ----------
    rows : (n_rows, n_features + 2) float32
    samples : (n,) int32, overwritten
        Rows.
    first, second : int
        Columns of `rows`.
    threshold : float32
    scratch : (>= n,) int32, overwritten
    """
    norm = rows.shape[1] - 2
    n_first = 0
    n_second = 0
    for i in range(samples.shape[0]):
        s = samples[i]
        if rows[s, first] - rows[s, second] > threshold * rows[s, norm]:
            scratch[n_second] = s
            n_second += 1
        else:
            samples[n_first] = s
            n_first += 1
    for i in range(n_second):
        samples[n_first + i] = scratch[i]
    return n_first
