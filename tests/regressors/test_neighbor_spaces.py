"""Laplacian eigenmaps, manifold alignment and canonical correlations against their definitions."""

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.cross_decomposition import CCA

from classicsr.regressors import _alignment, _laplacian
from classicsr.regressors._alignment import aligned_directions, common_space
from classicsr.regressors._laplacian import (
    GRAPH_NEIGHBORS,
    TEMPERATURE,
    EigenmapSearch,
    laplacian_eigenmaps,
)
from classicsr.regressors._norms import unit_rows


@pytest.fixture(scope="module")
def curve():
    """Unit vectors along a closed curve in 6 dimensions, with random signs."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.uniform(0, 2 * np.pi, 300))
    points = np.stack([np.cos(t), np.sin(t), np.cos(2 * t), np.sin(2 * t), 2 + 0 * t, 0.1 * t], 1)
    return unit_rows((points * rng.choice([-1, 1], (300, 1))).astype("f4")), t


def dense_affinity(low, k, temperature):
    """Heat weights of the mutual graph by plain loops."""
    correlations = np.abs(low.astype(float) @ low.T.astype(float))
    weights = np.zeros_like(correlations)
    for i, row in enumerate(correlations):
        near = np.argsort(-row, kind="stable")[: k + 1]
        weights[i, near] = np.exp(-(2 - 2 * np.minimum(row[near], 1)) / temperature)
    return np.maximum(weights, weights.T)


def test_eigenmaps_solve_the_generalised_problem(curve):
    low = curve[0]
    coordinates, decay = laplacian_eigenmaps(low, np.random.RandomState(0))
    weights = dense_affinity(low, GRAPH_NEIGHBORS, TEMPERATURE)
    degree = np.diag(weights.sum(axis=1))
    m = coordinates.shape[1]
    values = eigh(degree - weights, degree, eigvals_only=True)[1 : m + 1]
    np.testing.assert_allclose(1 - decay, values, atol=1e-5)
    residual = (degree - weights) @ coordinates - degree @ coordinates * (1 - decay)
    np.testing.assert_allclose(residual, 0, atol=1e-3)
    np.testing.assert_allclose(coordinates.T @ degree @ coordinates, np.eye(m), atol=1e-3)
    peaks = coordinates[np.abs(coordinates).argmax(axis=0), np.arange(m)]
    assert (peaks > 0).all()


def test_eigenmaps_do_not_depend_on_the_signs_of_columns_or_the_seed(curve):
    low = curve[0]
    signs = np.random.default_rng(1).choice([-1, 1], (len(low), 1)).astype("f4")
    one, decay = laplacian_eigenmaps(low, np.random.RandomState(0))
    two = laplacian_eigenmaps(low * signs, np.random.RandomState(5))[0]
    apart = np.abs(np.diff(decay))[:9] > 1e-3  # equal eigenvalues have no vectors of their own
    clear = np.flatnonzero(np.concatenate([[True], apart]) & np.concatenate([apart, [True]]))
    assert len(clear) > 2
    np.testing.assert_allclose(two[:, clear], one[:, clear], atol=1e-4)


def test_nystrom_gives_a_column_its_own_coordinates(curve, monkeypatch):
    """Exactly so on a complete graph, which is its own symmetrisation."""
    low = curve[0][::4]
    monkeypatch.setattr(_laplacian, "GRAPH_NEIGHBORS", len(low))
    coordinates, decay = laplacian_eigenmaps(low, np.random.RandomState(0))
    kept = decay > 0.05
    search = EigenmapSearch(low, coordinates[:, kept], decay[kept])
    embedded = search.embed(-3 * low, np.arange(len(low)))[:, :-1]
    np.testing.assert_allclose(embedded, coordinates[:, kept], atol=1e-4)


def test_neighbours_in_the_embedding(curve):
    low = curve[0]
    search = EigenmapSearch(low, *laplacian_eigenmaps(low, np.random.RandomState(0)))
    rows = np.random.default_rng(2).normal(size=(40, 6)).astype("f4")
    embedded = search.embed(rows, np.arange(40))[:, :-1].astype(float)
    found = search.search(rows, np.arange(40), 5)[0]
    for z, near in zip(embedded, found, strict=True):
        distances = ((search.coordinates.astype(float) - z) ** 2).sum(axis=1)
        allowed = np.sort(distances)[4] + 1e-4 * distances.max()
        assert (distances[near] <= allowed).all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_columns(n):
    low = np.eye(6, dtype="f4")[:n]
    search = EigenmapSearch(low, *laplacian_eigenmaps(low, np.random.RandomState(0)))
    assert search.search(low, np.arange(n), 1)[0].shape == (n, 1)


@pytest.fixture(scope="module")
def pairs():
    """Features and targets that share three directions; centred, as scikit-learn's CCA wants."""
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(400, 3)) * [1, 0.8, 0.5]
    x, y = (
        shared @ rng.normal(size=(3, d)) + noise * rng.normal(size=(400, d))
        for d, noise in ((7, 0.7), (5, 0.9))
    )
    return np.concatenate([x, -x]).astype("f4"), np.concatenate([y, -y]).astype("f4")


def test_canonical_correlations(pairs):
    X, Y = pairs
    F, G, values = common_space(X, Y, 3, 0.0)
    a, b = CCA(3, max_iter=5000, tol=1e-10).fit(X, Y).transform(X, Y)
    expected = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(3)]
    np.testing.assert_allclose(1 - values, expected, atol=1e-3)
    ours = [np.corrcoef(X @ F[:, i], Y @ G[:, i])[0, 1] for i in range(3)]
    np.testing.assert_allclose(ours, expected, atol=1e-3)


def dense_roughness(z):
    """``Z'L Z`` as a sum over edges."""
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    correlations = unit @ unit.T
    weights = np.zeros_like(correlations)
    for i in range(len(z)):
        near = np.argsort(-np.abs(correlations[i]), kind="stable")[: _alignment.GRAPH_NEIGHBORS + 1]
        near = near[near != i]
        weights[i, near] = np.exp(-2 * (1 - np.abs(correlations[i, near])))
    total = np.zeros((z.shape[1],) * 2)
    for i, j in np.argwhere(weights):
        difference = z[i] - np.sign(correlations[i, j]) * z[j]
        total += weights[i, j] / 2 * np.outer(difference, difference)
    return total


def test_alignment_minimises_its_cost(pairs):
    """Against a slow dense problem; stationary and orthonormal; no direction does better."""
    X, Y = (array[:400].astype(float) for array in pairs)
    smoothness = 0.5
    F, G, values = common_space(X.astype("f4"), Y.astype("f4"), 3, smoothness)
    ridges = [1e-4 * np.trace(z.T @ z) / z.shape[1] * np.eye(z.shape[1]) for z in (X, Y)]
    own = [z.T @ z + ridge for z, ridge in zip((X, Y), ridges, strict=True)]
    rough = [dense_roughness(z) for z in (X, Y)]
    cost = np.block([[own[0], -X.T @ Y], [-Y.T @ X, own[1]]])
    cost[:7, :7] += smoothness * rough[0]
    cost[7:, 7:] += smoothness * rough[1]
    unit = np.block([[own[0], np.zeros((7, 5))], [np.zeros((5, 7)), own[1]]])
    np.testing.assert_allclose(values, eigh(cost, unit, eigvals_only=True)[:3], rtol=1e-3)
    both = np.concatenate([F, G])
    np.testing.assert_allclose(both.T @ unit @ both, np.eye(3), atol=1e-6)
    assert np.abs(cost @ both - unit @ both * values).max() < 1e-2 * np.abs(cost @ both).max()
    tried = np.random.default_rng(0).normal(size=(12, 50))
    quotients = np.einsum("it,ij,jt->t", tried, cost, tried)
    quotients /= np.einsum("it,ij,jt->t", tried, unit, tried)
    assert (quotients > values[0]).all()


def test_directions_rank_columns_as_the_common_space_does(pairs):
    X, Y = pairs
    low = unit_rows(X[:20])
    moment_components = np.linalg.eigh(Y.T.astype(float) @ Y)[1][:, ::-1]
    targets = (Y @ moment_components).astype("f4")
    F = common_space(X, targets, 5, 0.2)[0]
    embedded = low @ F
    embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
    directions = aligned_directions(X, Y, low, 0.2)
    np.testing.assert_allclose(X @ directions.T, (X @ F) @ embedded.T, rtol=1e-3, atol=1e-4)
