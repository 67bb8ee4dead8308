"""Bimodal trees: a partition of directions by 2-means up to sign, node by node."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._partitions import half_sphere_kmeans

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
MAX_LEVELS = 12
_CHUNK = 4096  # patches whose features stay in the second-level cache from tree to tree
_NODE_SAMPLES = 2048  # enough to place two centres


class BimodalTrees:
    """Complete binary trees of centres; the leaf is the best of those that a patch reaches.

    In each tree a patch goes to the child whose centre it correlates with most, up to sign. Of
    the leaves where it ends, one per tree, it takes the one of largest absolute correlation: the
    likeliest (local naive Bayes) if leaves are equally frequent and equally wide.

    Parameters
    ----------
    centers : (n_trees, n_nodes, d) float32
        ``n_nodes = 2^(n_levels + 1) - 2``: nodes level by level without the root, so that the
        children of node i are 2 i + 2 and 2 i + 3.

    Raises
    ------
    ValueError
        No complete tree has so many nodes, or it has more than `MAX_LEVELS` levels.

    References
    ----------
    J. Salvador, E. Perez-Pellitero, "Naive Bayes super-resolution forest", ICCV 2015.
    """

    def __init__(self, centers: Float32) -> None:
        from classicsr.kernels.lanes import TILE_DEPTH, round_up

        self.n_levels = (centers.shape[1] + 2).bit_length() - 2
        if not 1 <= self.n_levels <= MAX_LEVELS or 4 << (self.n_levels - 1) != len(centers[0]) + 2:
            raise ValueError(f"trees must be complete, of 1 to {MAX_LEVELS} levels")
        self.centers = np.ascontiguousarray(centers, dtype=np.float32)
        n_trees, n_nodes, d = centers.shape
        padded = np.zeros((n_trees, n_nodes, round_up(d, TILE_DEPTH)), np.float32)
        padded[..., :d] = centers
        self._n_top = self.n_levels // 2
        tops = [_subtrees(tree, 0, self._n_top) for tree in padded]
        self._tops = np.ascontiguousarray(np.stack(tops, axis=1))
        self._bottoms = [_subtrees(tree, self._n_top, self.n_levels)[:, None] for tree in padded]

    @property
    def n_leaves(self) -> int:
        return len(self.centers) << self.n_levels

    def leaves(self, rows: Float32, positions: Int64) -> Int32:
        """Leaf (n,) int32 of ``rows[positions]``; those of the first tree are numbered first."""
        leaves = np.empty(len(positions), np.int32)
        for start in range(0, len(positions), _CHUNK):
            part = slice(start, start + _CHUNK)
            reached, strengths = self._descend(rows, positions[part])
            tree = strengths.argmax(axis=0)
            chosen = reached[tree, np.arange(len(tree))]
            leaves[part] = (tree << self.n_levels) + chosen
        return leaves

    def _descend(self, rows: Float32, positions: Int64) -> tuple[Int32, Float32]:
        """Leaf of each tree and its absolute correlation: (n_trees, n) each."""
        from classicsr.kernels.bimodal import descend_trees
        from classicsr.kernels.linear import sort_by_label

        n_trees, n = len(self.centers), len(positions)
        nodes = np.zeros((n_trees, n), np.int32)
        strengths = np.empty((n_trees, n), np.float32)
        if self._n_top:
            descend_trees(rows, positions, np.array([0, n]), self._tops, nodes, strengths)
        below = np.empty((1, n), np.int32)
        best = np.empty((1, n), np.float32)
        for tree, bottoms in enumerate(self._bottoms):
            order, starts = sort_by_label(nodes[tree], len(bottoms))
            descend_trees(rows, positions[order], starts, bottoms, below, best)
            nodes[tree, order] = (nodes[tree, order] << (self.n_levels - self._n_top)) + below[0]
            strengths[tree, order] = best[0]
        return nodes, strengths

    def to_tensors(self) -> dict[str, NDArray]:
        """Arrays by name, as model files hold them."""
        return {"centers": self.centers}


def _subtrees(tree: Float32, top: int, bottom: int) -> Float32:
    """Centres of the levels below `top` down to `bottom`, for each node of level `top`.

    (n_nodes, d) -> (2^top, 2^(bottom - top + 1), d), as `descend_trees` takes them.
    """
    d = tree.shape[1]
    levels = [
        tree[(1 << level) - 2 : (2 << level) - 2].reshape(1 << top, -1, d)
        for level in range(top + 1, bottom + 1)
    ]
    return np.concatenate([*levels, np.zeros((1 << top, 2, d), np.float32)], axis=1)


def grow_centers(directions: Float32, n_levels: int, rng: np.random.RandomState) -> Float32:
    """Centres (2^(n_levels + 1) - 2, d) of a tree grown by 2-means up to sign at each node.

    Parameters
    ----------
    directions : (n, d) float32
        Unit norm, in random order; a node is split by the first of its samples.
    n_levels : int
    rng : RandomState
    """
    nodes = [(np.zeros(directions.shape[1], np.float32), directions)]
    centers = []
    for _ in range(n_levels):
        children = []
        for center, inside in nodes:
            pair = np.stack([center, center])
            if len(inside) > 1:
                pair = half_sphere_kmeans(inside[:_NODE_SAMPLES], 2, rng)
            second = np.abs(inside @ pair.T).argmax(axis=1) == 1
            children += [(pair[0], inside[~second]), (pair[1], inside[second])]
        nodes = children
        centers += [center for center, _ in nodes]
    return np.stack(centers)
