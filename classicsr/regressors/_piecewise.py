"""Partitioned linear regression: a partition sends each patch to a leaf, each leaf is linear.

Global regression, ANR, A+ and whatever else is piecewise linear share this one predictor and
one way from Gram statistics to maps. Nothing here needs scikit-learn, so that a model file is
loaded and applied without paying for its import.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.regressors._partitions import Partition

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


class RowsPredictor(ABC):
    """What is fitted to patches and applied to rows of features, without scikit-learn."""

    n_outputs: int

    @abstractmethod
    def predict_rows(self, rows: Float32, positions: NDArray[np.int64], out: Float32) -> None:
        """Write the outputs of the patches ``rows[positions]`` to `out`."""

    def predict(self, X: NDArray) -> Float32:
        """Outputs (n, n_outputs) float32 of patches (n, n_features)."""
        from classicsr.kernels.linear import padded_outputs

        out = np.empty((len(X), padded_outputs(self.n_outputs)), np.float32)
        rows = np.ascontiguousarray(X, dtype=np.float32)
        self.predict_rows(rows, np.arange(len(X)), out)
        return np.ascontiguousarray(out[:, : self.n_outputs])


class PiecewiseLinearMap(RowsPredictor):
    """A linear map per leaf of a partition.

    Parameters
    ----------
    partition : Partition
    maps : (n_leaves, n_features, n_outputs) float32
        ``y = x @ maps[leaf]``.
    """

    def __init__(self, partition: Partition, maps: Float32) -> None:
        from classicsr.kernels.linear import chunk_maps

        self.partition = partition
        self.maps = maps
        self.n_features, self.n_outputs = maps.shape[1:]
        self._chunks = chunk_maps(maps)

    def predict_rows(
        self, rows: Float32, positions: NDArray[np.int64], out: Float32, *, add: bool = False
    ) -> None:
        """Write the outputs of the patches ``rows[positions]`` to `out`.

        Parameters
        ----------
        rows : (n_rows, >= n_features) float32
        positions : (n,) int64
        out : (n, padded_outputs(n_outputs)) float32, updated
            The first `n_outputs` columns count.
        add : bool
            Add to `out` instead of overwriting it.
        """
        from classicsr.kernels.linear import apply_leaf_maps, padded_outputs, sort_by_label

        wanted = (len(positions), padded_outputs(self.n_outputs))
        if out.shape != wanted:  # kernels do not check bounds
            raise ValueError(f"The 'out' array must have shape {wanted}. Got {out.shape} instead.")
        if rows.shape[1] < self.n_features:
            raise ValueError(f"Patches must have {self.n_features} features. Got {rows.shape[1]}.")
        leaves = self.partition.leaves(rows, positions)
        order, starts = sort_by_label(leaves, self.partition.n_leaves)
        apply_leaf_maps(rows, positions, order, starts, self._chunks, out, add)


def ridge_map(gram: Float64, cross: Float64, ridge: float) -> Float64:
    """Solve ``(gram + ridge I) F = cross`` for a map (n_features, n_outputs).

    Parameters
    ----------
    gram : (n_features, n_features) float64
        Sum of x x' over samples.
    cross : (n_features, n_outputs) float64
        Sum of x y' over samples.
    ridge : float
        Added to the diagonal. Where the sum is singular the minimum-norm solution is taken.
    """
    from scipy import linalg

    regularised = gram + ridge * np.eye(len(gram))
    try:
        return linalg.cho_solve(linalg.cho_factor(regularised), cross)
    except linalg.LinAlgError:
        return linalg.lstsq(regularised, cross)[0]


def neighborhood_maps(
    samples_of: Callable[[int], tuple[NDArray, NDArray]],
    n_leaves: int,
    ridge: float,
    n_jobs: int | None = None,
) -> Float32:
    """Ridge map of each leaf from the samples (x rows, y rows) that belong to it.

    Statistics are summed and solved in float64.

    Returns
    -------
    (n_leaves, n_features, n_outputs) float32
    """

    def solve(leaf: int) -> Float32:
        x, y = samples_of(leaf)
        x = x.astype(np.float64)
        return ridge_map(x.T @ x, x.T @ y, ridge).astype(np.float32)

    return np.stack(list(run_parallel(solve, range(n_leaves), n_jobs)))
