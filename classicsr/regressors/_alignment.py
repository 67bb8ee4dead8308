"""Manifold alignment: a common space of features and targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.neighbors import ColumnIndex

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
GRAPH_NEIGHBORS = 12
TARGET_COMPONENTS = 50
N_DIMS = 12
SMOOTHNESS = 1.0
_RIDGE = 1e-4  # of the mean variance


def common_space(
    X: Float32, Y: Float32, n_dims: int, smoothness: float
) -> tuple[Float64, Float64, Float64]:
    """Linear maps of features and targets in which partners meet.

    Columns f, g minimise ``sum_i (f'x_i - g'y_i)^2 + mu (f'X'L_x X f + g'Y'L_y Y g)`` one
    after the other, each with ``f'(X'X + r I) f + g'(Y'Y + r I) g = 1`` and uncorrelated with
    those before. L_x and L_y are the Laplacians of nearest-neighbour graphs, up to sign: where
    two neighbours point in opposite directions their difference is replaced by their sum. With
    mu = 0 this is canonical correlation analysis.

    Parameters
    ----------
    X : (n, d) float32; Y : (n, p) float32
        Not centred: a patch and its negative are one.
    n_dims : int
        At most ``min(d, p)``.
    smoothness : float
        mu.

    Returns
    -------
    F : (d, n_dims) float64; G : (p, n_dims) float64
    values : (n_dims,) float64
        The minima, rising; with mu = 0 one minus the canonical correlations.

    References
    ----------
    J. Ham, D. Lee, L. Saul, "Semisupervised alignment of manifolds", AISTATS 2005; H. Huang,
    H. He, X. Fan, J. Zhang, "Super-resolution of human face image using canonical correlation
    analysis", Pattern Recognition 43(7), 2010.
    """
    from scipy.linalg import block_diag, eigh

    x, y = X.astype(np.float64), Y.astype(np.float64)
    own = [_regularised(z.T @ z) for z in (x, y)]
    cross = x.T @ y
    cost = np.block([[own[0], -cross], [-cross.T, own[1]]])
    if smoothness > 0:
        cost += smoothness * block_diag(*(_roughness(z) for z in (x, y)))
    values, vectors = eigh(cost, block_diag(*own), subset_by_index=[0, n_dims - 1])
    return vectors[: x.shape[1]], vectors[x.shape[1] :], values


def _regularised(moment: Float64) -> Float64:
    return moment + (_RIDGE * np.trace(moment) / len(moment) + 1e-12) * np.eye(len(moment))


def _roughness(z: Float64) -> Float64:
    """``Z' L Z`` of the graph of nearest neighbours up to sign, with heat weights."""
    from scipy import sparse

    n, lengths = len(z), np.maximum(np.linalg.norm(z, axis=1), 1e-12)
    unit = np.ascontiguousarray(z / lengths[:, None], dtype=np.float32)
    indices = ColumnIndex(unit).search(unit, np.arange(n), min(GRAPH_NEIGHBORS + 1, n))[0]
    rows = np.repeat(np.arange(n), indices.shape[1])
    near = indices.ravel()
    correlations = np.einsum("nd,nd->n", unit[rows], unit[near], dtype=np.float64)
    heat = np.sign(correlations) * np.exp(-2 * (1 - np.minimum(np.abs(correlations), 1)))
    directed = sparse.csr_matrix((heat * (rows != near), (rows, near)), shape=(n, n))
    signed = (directed + directed.T) / 2
    degree = np.asarray(abs(signed).sum(axis=1)).ravel()
    return (z * degree[:, None]).T @ z - z.T @ (signed @ z)


def aligned_directions(X: Float32, Y: Float32, low: Float32, smoothness: float) -> Float32:
    """Directions of features whose correlations with a patch rank columns in a common space.

    The features x of a patch are F'x there, a column l is F'l at unit length: their inner
    product is that of x and F F'l.

    Parameters
    ----------
    X : (n, d) float32; Y : (n, p) float32
        Training patches.
    low : (n_columns, d) float32
    smoothness : float
        As in `common_space`.

    Returns
    -------
    (n_columns, d) float32
    """
    moment = Y.T.astype(np.float64) @ Y
    components = np.linalg.eigh(moment)[1][:, ::-1][:, :TARGET_COMPONENTS]
    targets = (Y @ components).astype(np.float32)
    n_dims = min(N_DIMS, X.shape[1], targets.shape[1])
    F = common_space(X, targets, n_dims, smoothness)[0]
    embedded = low @ F
    embedded /= np.maximum(np.linalg.norm(embedded, axis=1, keepdims=True), 1e-12)
    return (embedded @ F.T).astype(np.float32)
