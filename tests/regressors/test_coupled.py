"""Coupled codes: the pieces against their formulas, and what every such method must obey."""

import pickle

import numpy as np
import pytest
from scipy.optimize import nnls
from sklearn.base import clone
from sklearn.linear_model import Lasso, orthogonal_mp_gram

from classicsr.regressors import (
    CoupledDictionaryRegressor,
    NeighborEmbeddingRegressor,
    ksvd,
    omp_codes,
)

N_ATOMS = 40
FAST = {"n_atoms": N_ATOMS, "n_iter": 4, "random_state": 0}
ESTIMATORS = {
    "omp": CoupledDictionaryRegressor(**FAST),
    "l1": CoupledDictionaryRegressor(solver="l1", penalty=0.1, **FAST),
    "ls": NeighborEmbeddingRegressor("ls", 6, **FAST),
    "nnls": NeighborEmbeddingRegressor("nnls", 12, **FAST),
    "lle": NeighborEmbeddingRegressor("lle", 12, **FAST),
    "patches": NeighborEmbeddingRegressor("lle", 12, columns="patches", random_state=0),
    "ivf": NeighborEmbeddingRegressor("nnls", 12, columns="patches", index="ivf", random_state=0),
    "laplacian": NeighborEmbeddingRegressor("lle", 12, space="laplacian", **FAST),
    "aligned": NeighborEmbeddingRegressor("lle", 12, space="aligned", **FAST),
    "cca": NeighborEmbeddingRegressor("lle", 12, space="cca", **FAST),
    "hnsw": NeighborEmbeddingRegressor("ls", 6, columns="patches", index="hnsw", random_state=0),
}
every = pytest.mark.parametrize("name", ESTIMATORS)
exact = ["omp", "l1", "ls", "nnls", "lle", "patches", "ivf", "laplacian", "aligned", "cca"]
up_to_sign = pytest.mark.parametrize("name", exact)


@pytest.fixture(scope="module")
def models(patches):
    """Every estimator, fitted; tests must not change them."""
    return {name: clone(estimator).fit(*patches) for name, estimator in ESTIMATORS.items()}


def dense(codes, n_atoms):
    indices, weights = codes
    full = np.zeros((len(indices), n_atoms))
    np.add.at(full, (np.arange(len(indices))[:, None], indices), weights)
    return full


def coded(model, X):
    return dense(model.map_.coder.codes(X, np.arange(len(X))), len(model.map_.high))


@every
def test_the_target_has_the_weights_of_the_features(name, models, patches):
    model, X = models[name], patches[0][:200]
    expected = coded(model, X) @ model.map_.high
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-5 * np.abs(expected).max())
    assert np.abs(expected).max() > 0


@pytest.mark.parametrize("name", ["omp", "ls", "nnls", "lle"])
def test_the_dictionary_is_zeydes(name, models, patches):
    """K-SVD of the features; target atoms by dense least squares over the same codes."""
    X, Y = patches
    low = ksvd(X, N_ATOMS, n_iter=4, random_state=0)
    codes = dense(omp_codes(X, low, 3), N_ATOMS)
    high = np.linalg.lstsq(codes, Y.astype(float), rcond=None)[0]
    map_ = models[name].map_
    np.testing.assert_array_equal(map_.coder.low, low)
    np.testing.assert_allclose(map_.high, high, atol=1e-3 * np.abs(high).max())


def test_codes_of_omp(models, patches):
    X, low = patches[0][:300], models["omp"].map_.coder.low.astype(float)
    expected = orthogonal_mp_gram(low @ low.T, low @ X.T.astype(float), n_nonzero_coefs=3).T
    same = np.isclose(coded(models["omp"], X), expected, atol=1e-3).all(axis=1)
    assert same.mean() > 0.98  # near ties may go either way in float32


def test_codes_of_l1(models, patches):
    """The objective for patches of unit norm."""
    X, low = patches[0][:100].astype(float), models["l1"].map_.coder.low.astype(float)
    norms = np.linalg.norm(X, axis=1, keepdims=True)
    X, norms = X[norms[:, 0] > 1e-3], norms[norms[:, 0] > 1e-3]
    codes = coded(models["l1"], X.astype(np.float32)) / norms
    lasso = Lasso(alpha=0.1 / X.shape[1], fit_intercept=False, tol=1e-9, max_iter=50_000)
    expected = lasso.fit(low.T, (X / norms).T).coef_

    def objective(w):
        return 0.5 * ((X / norms - w @ low) ** 2).sum(axis=1) + 0.1 * np.abs(w).sum(axis=1)

    np.testing.assert_allclose(objective(codes), objective(expected), atol=1e-4)


@pytest.mark.parametrize("name", ["ls", "nnls", "lle"])
def test_codes_over_the_most_correlated_atoms(name, models, patches):
    coder, X = models[name].map_.coder, patches[0][100:200].astype(float)
    found = coded(models[name], X.astype(np.float32))
    low = coder.low.astype(float)
    for x, weights in zip(X, found, strict=True):
        nearest = np.argsort(-np.abs(low @ x), kind="stable")[: coder.n_neighbors]
        assert set(np.flatnonzero(weights)) <= set(nearest)
        columns = (low[nearest] * np.sign(low[nearest] @ x)[:, None]).T
        if name == "lle":
            signed = weights[nearest] * np.sign(low[nearest] @ x)
            np.testing.assert_allclose(signed.sum(), np.linalg.norm(x), rtol=1e-3)
            continue
        best = nnls(columns, x)[1] if name == "nnls" else lstsq_error(columns, x)
        assert np.linalg.norm(weights @ low - x) <= best + 1e-4 * np.linalg.norm(x)


def lstsq_error(columns, x):
    return np.linalg.norm(columns @ np.linalg.lstsq(columns, x, rcond=None)[0] - x)


def test_patches_are_columns_of_unit_norm(models, patches):
    X, Y = patches
    map_ = models["patches"].map_
    norms = np.linalg.norm(X, axis=1)
    strong = norms >= np.quantile(norms, 0.01)
    X, Y, norms = X[strong], Y[strong], norms[strong]
    np.testing.assert_allclose(map_.coder.low, X / norms[:, None], atol=1e-5)
    np.testing.assert_allclose(map_.high, Y / norms[:, None], rtol=1e-3, atol=1e-4)
    near = map_.coder.codes(X, np.arange(50))[0]
    for i in range(50):
        correlations = np.abs(map_.coder.low @ X[i])
        worst_chosen = correlations[near[i]].min()
        assert (correlations > worst_chosen + 1e-5 * norms[i]).sum() < 12


@every
def test_learns_something(name, patches):
    X, Y = patches
    model = clone(ESTIMATORS[name]).fit(X[::2], Y[::2])
    error = ((model.predict(X[1::2]) - Y[1::2]) ** 2).sum()
    assert error < 0.95 * (Y[1::2] ** 2).sum()


@up_to_sign
def test_sign_and_scale_equivariance(name, models, patches):
    model, X = models[name], patches[0][::7]
    predicted = model.predict(X)
    np.testing.assert_array_equal(model.predict(-X), -predicted)
    np.testing.assert_array_equal(model.predict(4 * X), 4 * predicted)
    np.testing.assert_array_equal(model.predict(0 * X), 0 * predicted)


@up_to_sign
def test_bits_of_a_patch_do_not_depend_on_the_others(name, models, patches):
    model, X = models[name], patches[0][:300]
    together = model.predict(X)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_array_equal(model.predict(X[order]), together[order])
    np.testing.assert_array_equal(model.predict(X[123:124]), together[123:124])


@pytest.mark.parametrize("name", ["omp", "l1", "nnls", "ivf", "hnsw", "laplacian", "aligned"])
def test_same_model_for_any_thread_count_and_for_the_same_seed(name, models, patches):
    two = clone(ESTIMATORS[name]).set_params(n_jobs=2).fit(*patches)
    np.testing.assert_array_equal(two.map_.coder.low, models[name].map_.coder.low)
    np.testing.assert_array_equal(two.map_.high, models[name].map_.high)
    np.testing.assert_array_equal(two.predict(patches[0]), models[name].predict(patches[0]))


@every
def test_pickle_round_trip(name, models, patches):
    again = pickle.loads(pickle.dumps(models[name]))
    X = patches[0][:300]
    np.testing.assert_array_equal(again.predict(X), models[name].predict(X))


@pytest.mark.parametrize("name", ["ivf", "hnsw"])
def test_approximate_search_costs_little(name, models, patches):
    X, Y = (array[1::5] for array in patches)
    exact = clone(ESTIMATORS[name]).set_params(index="exact").fit(*patches)
    errors = [((model.predict(X) - Y) ** 2).sum() for model in (exact, models[name])]
    assert errors[1] <= 1.1 * errors[0] + 1e-3 * (Y**2).sum()
