"""Clustered codes: a coupled dictionary for each class of patches.

Nothing here needs scikit-learn, so that a model file is loaded and applied without paying for
its import.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._coupled import CoupledCodes
from classicsr.regressors._partitions import Partition
from classicsr.regressors._piecewise import RowsPredictor
from classicsr.regressors._trees import Tree, extend

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
CLASSIFIERS = ("nearest", "forest")


class ClusteredCodes(RowsPredictor):
    """A partition sends each patch to a class, the class's coupled dictionary gives its output.

    Parameters
    ----------
    partition : Partition
        Its leaves are the classes.
    members : sequence of CoupledCodes
        One per class.
    """

    def __init__(self, partition: Partition, members: Sequence[CoupledCodes]) -> None:
        self.partition = partition
        self.members = members
        self.n_outputs = members[0].n_outputs

    def predict_rows(self, rows: Float32, positions: Int64, out: Float32) -> None:
        """Write the outputs of the patches ``rows[positions]``, as `CoupledCodes` does."""
        from classicsr.kernels.linear import sort_by_label

        classes = self.partition.leaves(rows, positions)
        order, starts = sort_by_label(classes, self.partition.n_leaves)
        for member, inside in zip(self.members, np.split(order, starts[1:-1]), strict=True):
            part = np.empty((len(inside), out.shape[1]), np.float32)
            member.predict_rows(rows, positions[inside], part)
            out[inside] = part


class ForestVote:
    """The leaf is the class that most trees' leaves have seen, by their shares of it.

    A patch and its negative have one class: trees see the one whose first feature, the largest
    principal component, is positive.

    Parameters
    ----------
    trees : sequence of Tree
    shares : sequence of (n_leaves, n_classes) float32
        Share of each class among the training patches of each leaf, one array per tree.
    n_features : int
    """

    def __init__(self, trees: Sequence[Tree], shares: Sequence[Float32], n_features: int) -> None:
        self.trees = trees
        self.shares = shares
        self.n_features = n_features

    @property
    def n_leaves(self) -> int:
        return self.shares[0].shape[1]

    def leaves(self, rows: Float32, positions: Int64) -> Int32:
        """Class (n,) int32 of each patch."""
        signed = oriented(rows, positions, self.n_features)
        everything = np.arange(len(positions))
        votes = np.zeros((len(positions), self.n_leaves), np.float32)
        for tree, shares in zip(self.trees, self.shares, strict=True):
            votes += shares[tree.leaves(signed, everything)]
        return votes.argmax(axis=1).astype(np.int32)

    def to_tensors(self) -> dict[str, NDArray]:
        """Arrays by name, as model files hold them."""
        trees = [tree.to_tensors() for tree in self.trees]
        return {
            "class_shares": np.concatenate(self.shares).astype(np.float16),
            "n_nodes": np.array([len(tree["thresholds"]) for tree in trees]),
            **{name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]},
        }


def oriented(rows: Float32, positions: Int64, n_features: int) -> Float32:
    """Extended rows of the patches, or of their negatives where the first feature is negative."""
    extended = extend(rows, positions, n_features)
    extended[:, :n_features] *= np.where(extended[:, :1] < 0, np.float32(-1), np.float32(1))
    return extended
