"""Linear maps that can be adapted to further samples: what a stored model is applied with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._norms import norms
from classicsr.regressors._partitions import Partition
from classicsr.regressors._piecewise import PiecewiseLinearMap

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


class AdaptableMap(PiecewiseLinearMap):
    """A linear map per leaf of a partition, with how firmly the training samples hold it.

    Seen as a prior, a map has the stored value as its mean and a precision that is the sum of
    ``x x'`` over as many training samples as it counts for.

    Parameters
    ----------
    partition : Partition
    maps : (n_leaves, n_features, n_outputs) float32
    precisions : (n_leaves, n_features, n_features) float32
    """

    def __init__(self, partition: Partition, maps: Float32, precisions: Float32) -> None:
        super().__init__(partition, maps)
        self.precisions = precisions

    def adapted(self, X: Float32, Y: Float32) -> PiecewiseLinearMap:
        """Maps for samples (X, Y) on top of those learned from: sums of both, solved again.

        A correction of each map is solved from what it leaves of its new samples.
        """
        gram, cross, _ = leaf_statistics(self.partition, X, Y - self.predict(X))
        correction = np.linalg.solve(self.precisions + gram, cross)
        return PiecewiseLinearMap(self.partition, self.maps + correction.astype(np.float32))


def leaf_statistics(
    partition: Partition, X: Float32, Y: Float32
) -> tuple[Float64, Float64, NDArray[np.int64]]:
    """Sums of ``x x'`` and ``x y'`` over the samples of each leaf, and how many there are.

    Samples are divided by the norm of their features, those of less than the root mean square
    norm by that: so many flat patches would drown the others.

    Parameters
    ----------
    partition : Partition
    X : (n, n_features) float32
    Y : (n, n_outputs) float32

    Returns
    -------
    (n_leaves, n_features, n_features) and (n_leaves, n_features, n_outputs) float64, (n_leaves,)
    """
    from classicsr.kernels.linear import sort_by_label

    lengths = norms(X).astype(np.float64)
    divisors = np.maximum(lengths, np.sqrt(np.mean(lengths**2)))
    divisors[divisors == 0] = 1
    order, starts = sort_by_label(partition.leaves(X, np.arange(len(X))), partition.n_leaves)
    gram = np.zeros((partition.n_leaves, X.shape[1], X.shape[1]))
    cross = np.zeros((partition.n_leaves, X.shape[1], Y.shape[1]))
    for leaf, inside in enumerate(np.split(order, starts[1:-1])):
        x = X[inside] / divisors[inside, None]
        gram[leaf] = x.T @ x
        cross[leaf] = x.T @ (Y[inside] / divisors[inside, None])
    return gram, cross, np.diff(starts)
