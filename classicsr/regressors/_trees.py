"""Trees as partitions, and forests of linear maps: what a stored forest is applied with.

Trees and maps see *extended* rows: the features, their norm and a zero. Thresholds are shares
of the norm and the maps' bias is a multiple of it, so that a forest is equivariant to contrast;
with the zero, a single feature is the difference of two columns as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._piecewise import PiecewiseLinearMap, RowsPredictor

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
LEAF = -1
"""Stands for the columns of a test where there is none."""
MAX_DEPTH = 64


def extend(rows: Float32, positions: Int64, n_features: int) -> Float32:
    """Features of ``rows[positions]``, their Euclidean norm and a zero: (n, n_features + 2)."""
    from classicsr.kernels.tree import extend_rows

    extended = np.empty((len(positions), n_features + 2), np.float32)
    extend_rows(rows, positions, extended)
    return extended


class Tree:
    """A partition by binary tests; the leaf of a patch is where its way down ends.

    Nodes are in breadth-first order, so which of them are leaves says all of the structure:
    the children of inner node number k are nodes 2 k + 1 and 2 k + 2.

    Parameters
    ----------
    tests : (n_nodes, 2) integer
        Columns of the extended rows whose difference is compared; LEAF in leaves.
    thresholds : (n_nodes,) float32
        Differences above this share of the norm go to the second child.

    Raises
    ------
    ValueError
        The nodes are not one tree, or one that is too deep.
    """

    def __init__(self, tests: NDArray, thresholds: Float32) -> None:
        inner = tests[:, 0] != LEAF
        opened_before = np.cumsum(inner) - inner
        nodes = np.arange(len(tests))
        if len(tests) != 2 * inner.sum() + 1 or (nodes > 2 * opened_before).any():
            raise ValueError("the nodes do not form one binary tree")
        if (tests[inner, 1] == LEAF).any():
            raise ValueError("a test has no second column")
        self.tests, self.thresholds = tests, thresholds
        self.n_leaves = len(tests) - int(inner.sum())
        self._numbers = (nodes - opened_before).astype(np.int32)
        children = np.where(inner, 2 * opened_before + 1, nodes)
        columns = np.where(inner[:, None], tests, 0)
        self._steps = np.column_stack([columns, children]).astype(np.uint32)
        self._limits = np.where(inner, thresholds, 0).astype(np.float32)
        depths = np.zeros(len(tests), np.int64)
        for node in np.flatnonzero(inner):
            depths[children[node] : children[node] + 2] = depths[node] + 1
        self.depth = int(depths.max())
        if self.depth > MAX_DEPTH:
            raise ValueError(f"a tree is deeper than {MAX_DEPTH}")

    def leaves(self, rows: Float32, positions: Int64) -> Int32:
        """Leaf (n,) int32 of the extended rows at `positions`."""
        from classicsr.kernels.tree import walk_tree

        nodes = np.empty(len(positions), np.int32)
        walk_tree(rows, positions, self._steps, self._limits, self.depth, nodes)
        return self._numbers[nodes]

    def to_tensors(self) -> dict[str, NDArray]:
        """Arrays by name, as model files hold them."""
        return {"tests": self.tests, "thresholds": self.thresholds}


class LinearForest(RowsPredictor):
    """Sum over trees of the linear map of each tree's leaf.

    Parameters
    ----------
    trees : sequence of Tree
    maps : sequence of (n_leaves, n_features + 1, n_outputs) arrays
        One per tree; the last row is for the norm.
    """

    def __init__(self, trees: Sequence[Tree], maps: Sequence[NDArray]) -> None:
        self.members = [PiecewiseLinearMap(*one) for one in zip(trees, maps, strict=True)]
        self.n_features = self.members[0].n_features - 1
        self.n_outputs = self.members[0].n_outputs

    def predict_rows(self, rows: Float32, positions: Int64, out: Float32) -> None:
        """Write the outputs of the patches ``rows[positions]``, as `PiecewiseLinearMap` does."""
        everything = np.arange(len(positions))
        extended = extend(rows, positions, self.n_features)
        for number, member in enumerate(self.members):
            member.predict_rows(extended, everything, out, add=number > 0)
