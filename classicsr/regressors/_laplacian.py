"""Laplacian eigenmaps: columns near each other along the manifold that they lie on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.neighbors import ColumnIndex

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
GRAPH_NEIGHBORS = 12
N_COORDINATES = 30
_LEAST_DECAY = 0.01
TEMPERATURE = 0.5  # of squared distances, which lie between 0 and 2


def laplacian_eigenmaps(low: Float32, rng: np.random.RandomState) -> tuple[Float64, Float64]:
    """Coordinates of columns in which neighbours in a graph lie near each other.

    The graph joins each column to itself and its nearest up to sign, with heat weights W.

    Parameters
    ----------
    low : (n_columns, d) float32, unit norm
    rng : RandomState
        Of the start vector of the eigensolver.

    Returns
    -------
    coordinates : (n_columns, m) float64
        Solutions 2 to m + 1 of ``(D - W) f = lambda D f`` with ``f' D f = 1``; the largest
        entry of each is positive.
    decay : (m,) float64
        ``1 - lambda``, falling: how much of a coordinate the mean over the neighbours keeps.

    References
    ----------
    M. Belkin, P. Niyogi, "Laplacian eigenmaps for dimensionality reduction and data
    representation", Neural Computation 15(6), 2003.
    """
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh

    affinity = _affinity(low)
    degree = np.asarray(affinity.sum(axis=1)).ravel()
    root = 1 / np.sqrt(degree)
    normalised = affinity.multiply(root[:, None]).multiply(root).tocsr()
    n = len(low)
    m = min(N_COORDINATES, n - 1)
    if n <= 4 * (m + 1):  # too few for an iterative solver
        decay, vectors = eigh(normalised.toarray())
    else:
        decay, vectors = eigsh(normalised, m + 1, which="LA", v0=rng.uniform(-1, 1, n))
    ranked = np.argsort(-decay, kind="stable")
    order = ranked[1 : m + 1][decay[ranked[1 : m + 1]] > _LEAST_DECAY]
    if len(order) == 0:  # a column alone
        order = ranked[:1]
    decay, coordinates = decay[order], vectors[:, order] * root[:, None]
    peak = coordinates[np.abs(coordinates).argmax(axis=0), np.arange(len(order))]
    return coordinates * np.sign(peak), decay


def _affinity(low: Float32) -> Any:
    """Symmetric heat weights (n, n) of the graph, sparse."""
    from scipy import sparse

    n, positions = len(low), np.arange(len(low))
    indices, correlations = ColumnIndex(low).search(low, positions, min(GRAPH_NEIGHBORS + 1, n))
    heat = np.exp(-(2 - 2 * np.minimum(correlations.astype(np.float64), 1)) / TEMPERATURE)
    rows = np.repeat(positions, indices.shape[1])
    directed = sparse.csr_matrix((heat.ravel(), (rows, indices.ravel())), shape=(n, n))
    return directed.maximum(directed.T)


class EigenmapSearch:
    """Neighbours in the coordinates of Laplacian eigenmaps.

    A patch gets its coordinates by Nystrom's extension: the mean of its nearest columns'
    with heat weights, divided by the decay of each coordinate.

    Parameters
    ----------
    low : (n_columns, d) float32, unit norm
    coordinates : (n_columns, m) array
    decay : (m,) array
        Not zero.

    References
    ----------
    Y. Bengio et al., "Out-of-sample extensions for LLE, Isomap, MDS, eigenmaps, and spectral
    clustering", NIPS 2003.
    """

    def __init__(self, low: Float32, coordinates: NDArray, decay: NDArray) -> None:
        self.coordinates = np.ascontiguousarray(coordinates, dtype=np.float32)
        self.decay = np.ascontiguousarray(decay, dtype=np.float32)
        self._graph = ColumnIndex(low)
        self._n_features = low.shape[1]
        self._n_graph = min(GRAPH_NEIGHBORS + 1, len(low))
        # |z - c|^2 falls where 2 c'z - |c|^2 rises; lifted, so that it is never negative
        extension = self.coordinates / self.decay
        squares = (self.coordinates**2).sum(axis=1)
        lift = 4 * max(squares.max(), (extension**2).sum(axis=1).max())
        self._extension = np.pad(extension, ((0, 0), (0, 1)), constant_values=1)
        columns = np.column_stack([2 * self.coordinates, lift - squares])
        self._embedded = ColumnIndex(columns.astype(np.float32))

    def embed(self, rows: Float32, positions: Int64) -> Float32:
        """Coordinates (n, m) of ``rows[positions]``, and a column of ones."""
        from classicsr.kernels.columns import combine_columns, row_norms
        from classicsr.kernels.weights import heat_weights

        near, correlations = self._graph.search(rows, positions, self._n_graph)
        lengths = np.empty(len(positions), np.float32)
        row_norms(rows, positions, self._n_features, lengths)
        weights = np.empty(near.shape, np.float32)
        heat_weights(correlations, lengths, TEMPERATURE, weights)
        embedded = np.empty((len(positions), self._extension.shape[1]), np.float32)
        combine_columns(near, weights, self._extension, embedded)
        return embedded

    def search(self, rows: Float32, positions: Int64, n_neighbors: int) -> tuple[Int32, Float32]:
        """Columns of ``rows[positions]``, nearest coordinates first, and how near (a rank)."""
        embedded = self.embed(rows, positions)
        return self._embedded.search(embedded, np.arange(len(positions)), n_neighbors)
