"""Neighbour embedding: patches rebuilt from their nearest columns.

What is near is a matter of the search: the features themselves, or another space.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classicsr.neighbors import ColumnIndex, NeighborIndex
from classicsr.regressors._coupled import Codes
from classicsr.regressors._norms import unit_rows

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
WEIGHT_SOLVERS = ("ls", "nnls", "lle")
SPACES = ("features", "laplacian", "aligned", "cca")
ATOM_RIDGE, PATCH_RIDGE = 1e-4, 1e-2
"""Ridge of locally linear weights: raw patches are close to each other and noisy."""


class Search(Protocol):
    """Finds the nearest columns of patches."""

    def search(self, rows: Float32, positions: Int64, n_neighbors: int) -> tuple[Int32, Float32]:
        """Columns (n, k) int32 of ``rows[positions]``, nearest first, and how near."""
        ...


class NeighborCoder:
    """Weights that rebuild a patch from the nearest columns, up to sign.

    Parameters
    ----------
    low : (n_columns, d) float32, unit norm
    n_neighbors : int
        At most the number of columns.
    solver : {"ls", "nnls", "lle"}
        Least squares; with weights of the sign of the correlation; or that sum to one.
    search : Search, optional
        Default: the columns of largest absolute correlation, every one compared.
    ridge : float
        Of "lle".
    """

    chunk = 1 << 14  # the more patches, the less often columns are read

    def __init__(
        self,
        low: Float32,
        n_neighbors: int,
        solver: str,
        search: Search | None = None,
        ridge: float = ATOM_RIDGE,
    ) -> None:
        self.low = np.ascontiguousarray(low, dtype=np.float32)
        self.n_neighbors = n_neighbors
        self.solver = solver
        self.search = search or ColumnIndex(self.low)
        self.ridge = ridge

    def codes(self, rows: Float32, positions: Int64) -> Codes:
        """Columns and weights of ``rows[positions]``."""
        from classicsr.kernels.weights import neighbor_weights

        indices = self.search.search(rows, positions, self.n_neighbors)[0]
        weights = np.empty(indices.shape, np.float32)
        solver = WEIGHT_SOLVERS.index(self.solver)
        neighbor_weights(rows, positions, self.low, solver, self.ridge, indices, weights)
        return indices, weights


class GraphSearch:
    """Approximate search on a navigable graph, by correlation and not up to sign."""

    def __init__(self, columns: Float32) -> None:
        self._index = NeighborIndex(columns, kind="hnsw", metric="inner_product", effort=64)

    def search(self, rows: Float32, positions: Int64, n_neighbors: int) -> tuple[Int32, Float32]:
        """Columns of ``rows[positions]``, best first, and their correlations."""
        directions = unit_rows(rows[positions, : self._index.vectors.shape[1]])
        near, found = self._index.search(directions, n_neighbors)
        # a search that found too few repeats the best: a repeated column does no harm
        return np.where(found < 0, np.maximum(found[:, :1], 0), found).astype(np.int32), near
