"""GR, ANR and A+ against their formulas, and what every piecewise-linear map must obey."""

import pickle

import numpy as np
import pytest

from classicsr.regressors import (
    AdjustedAnchoredRegressor,
    AnchoredNeighborhoodRegressor,
    GlobalRegressor,
    NearestAnchor,
    PiecewiseLinearMap,
    ksvd,
    omp_codes,
)
from classicsr.regressors._partitions import grouped_anchors
from classicsr.regressors._piecewise import ridge_map

N_ANCHORS = 30
FAST = {"n_anchors": N_ANCHORS, "n_iter": 4, "random_state": 0}
ESTIMATORS = [
    GlobalRegressor(**FAST),
    AnchoredNeighborhoodRegressor(**FAST, n_neighbors=12),
    AdjustedAnchoredRegressor(**FAST, n_neighbors=150),
]
names = pytest.mark.parametrize("estimator", ESTIMATORS, ids=["gr", "anr", "aplus"])


def fitted(estimator, patches, **params):
    from sklearn.base import clone

    return clone(estimator).set_params(**params).fit(*patches)


def coupled_dictionary(X, Y):
    """D_l and D_h with atoms as columns, by dense least squares: Y = D_h G."""
    low = ksvd(X, N_ANCHORS, n_iter=4, random_state=0)
    indices, coefficients = omp_codes(X, low, 3)
    codes = np.zeros((len(X), N_ANCHORS))
    np.add.at(codes, (np.arange(len(X))[:, None], indices), coefficients)
    high = np.linalg.lstsq(codes, Y.astype(float), rcond=None)[0]
    return low.T.astype(float), high.T


def projection(low, high, ridge):
    """``(1 + ridge) D_h (D_l' D_l + ridge I)^-1 D_l'``."""
    gram = low.T @ low + ridge * np.eye(low.shape[1])
    return (1 + ridge) * high @ np.linalg.inv(gram) @ low.T


def test_gr_is_its_closed_form(patches):
    model = fitted(ESTIMATORS[0], patches, ridge=0.1)
    low, high = coupled_dictionary(*patches)
    expected = projection(low, high, 0.1)
    assert model.map_.maps.shape == (1, *expected.T.shape)
    np.testing.assert_allclose(model.map_.maps[0].T, expected, atol=2e-4 * np.abs(expected).max())


def test_anr_is_a_ridge_map_per_atom(patches):
    model = fitted(ESTIMATORS[1], patches, ridge=0.01)
    low, high = coupled_dictionary(*patches)
    np.testing.assert_array_equal(model.map_.partition.anchors, low.T)
    for atom in range(N_ANCHORS):
        nearest = np.argsort(-np.abs(low.T @ low[:, atom]))[:12]
        assert nearest[0] == atom
        expected = projection(low[:, nearest], high[:, nearest], 0.01)
        np.testing.assert_allclose(
            model.map_.maps[atom].T, expected, atol=1e-3 * np.abs(expected).max()
        )


def test_aplus_is_a_ridge_map_per_neighbourhood_of_samples(patches):
    X, Y = (array.astype(float) for array in patches)
    ridge, floor = 0.1, 0.2
    model = fitted(ESTIMATORS[2], patches, ridge=ridge, norm_floor=floor)
    anchors = model.map_.partition.anchors.astype(float)
    np.testing.assert_allclose(np.linalg.norm(anchors, axis=1), 1, rtol=1e-5)
    norms = np.linalg.norm(X, axis=1)
    assert (norms < floor).any()
    assert (norms > floor).any()
    units = X / np.maximum(norms, 1e-12)[:, None]
    scaled = Y / np.where(norms < floor, 1, norms)[:, None]
    for leaf in range(0, N_ANCHORS, 3):
        nearest = np.argsort(-np.abs(units @ anchors[leaf]))[:150]
        A, B = units[nearest], scaled[nearest]
        expected = np.linalg.inv(A.T @ A + ridge * np.eye(A.shape[1])) @ A.T @ B
        np.testing.assert_allclose(
            model.map_.maps[leaf], expected, atol=1e-3 * np.abs(expected).max()
        )


@pytest.mark.parametrize("estimator", ESTIMATORS[1:], ids=["anr", "aplus"])
def test_predict_applies_the_map_of_the_nearest_anchor(estimator, patches):
    model = fitted(estimator, patches)
    X = patches[0][::50]
    anchors, maps = model.map_.partition.anchors, model.map_.maps
    correlation = np.abs(X.astype(float) @ anchors.T.astype(float))
    best = np.sort(correlation, axis=1)
    clear = best[:, -1] - best[:, -2] > 1e-5  # ties may go either way
    expected = np.stack(
        [x.astype(float) @ maps[leaf] for x, leaf in zip(X, correlation.argmax(1), strict=True)]
    )
    assert clear.sum() > 50
    np.testing.assert_allclose(model.predict(X)[clear], expected[clear], atol=1e-5)


@pytest.mark.parametrize("ridge", [1e-3, 0.1, 10.0])
def test_ridge_map_is_optimal(ridge):
    """The gradient of ``|Y - X F|^2 + ridge |F|^2`` is zero."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(50, 8)), rng.normal(size=(50, 3))
    F = ridge_map(X.T @ X, X.T @ Y, ridge)
    np.testing.assert_allclose(X.T @ (X @ F - Y) + ridge * F, 0, atol=1e-10)


def test_ridge_map_of_a_singular_problem_has_minimum_norm():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(3, 8)), rng.normal(size=(3, 2))
    F = ridge_map(X.T @ X, X.T @ Y, 0.0)
    np.testing.assert_allclose(F, np.linalg.pinv(X) @ Y, atol=1e-6)


@names
def test_learns_something(estimator, patches):
    X, Y = patches
    model = fitted(estimator, (X[::2], Y[::2]))
    error = ((model.predict(X[1::2]) - Y[1::2]) ** 2).sum()
    assert error < 0.85 * (Y[1::2] ** 2).sum()


@names
def test_sign_and_scale_equivariance(estimator, patches):
    """Linear along each ray: the negative of a patch gives the negative, bit for bit."""
    model = fitted(estimator, patches)
    X = patches[0][::7]
    predicted = model.predict(X)
    assert np.abs(predicted).max() > 0
    np.testing.assert_array_equal(model.predict(-X), -predicted)
    np.testing.assert_array_equal(model.predict(4 * X), 4 * predicted)
    np.testing.assert_allclose(model.predict(X * np.float32(0.3)), 0.3 * predicted, atol=1e-5)
    np.testing.assert_array_equal(model.predict(0 * X), 0 * predicted)


@names
def test_same_bits_for_any_thread_count_and_for_the_same_seed(estimator, patches):
    one, two = (fitted(estimator, patches, n_jobs=n_jobs) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one.map_.maps, two.map_.maps)
    for name, tensor in one.map_.partition.to_tensors().items():
        np.testing.assert_array_equal(tensor, two.map_.partition.to_tensors()[name])
    np.testing.assert_array_equal(one.predict(patches[0]), two.predict(patches[0]))
    other = fitted(estimator, patches, random_state=1)
    assert not np.array_equal(one.map_.maps, other.map_.maps)


@names
def test_bits_of_a_patch_do_not_depend_on_the_others(estimator, patches):
    model = fitted(estimator, patches)
    X = patches[0][:300]
    together = model.predict(X)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_array_equal(model.predict(X[order]), together[order])
    np.testing.assert_array_equal(model.predict(X[123:124]), together[123:124])


@names
def test_pickle_round_trip(estimator, patches):
    model = fitted(estimator, patches)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(patches[0]), model.predict(patches[0]))


@names
def test_types_and_shapes(estimator, patches):
    X, Y = patches[0][:500], patches[1][:500]
    model = fitted(estimator, (X, Y))
    assert model.predict(X).dtype == np.float32
    assert model.predict(X.astype(float)).dtype == np.float64
    np.testing.assert_array_equal(model.predict(X.astype(float)), model.predict(X))
    np.testing.assert_array_equal(model.predict(np.asfortranarray(X)), model.predict(X))
    single = fitted(estimator, (X, Y[:, 0]))
    assert single.predict(X).shape == (500,)


@pytest.fixture(scope="module")
def held_out(make_samples, make_texture):
    """A+ with the hierarchical search, and samples of images that it has not seen."""
    X, Y = make_samples([make_texture((72, 90), seed) for seed in range(10, 40)])
    train, unseen = slice(0, len(X) * 3 // 4), slice(len(X) * 3 // 4, None)
    params = {"n_anchors": 128, "n_neighbors": 400, "n_iter": 3, "n_groups": 16}
    return fitted(ESTIMATORS[2], (X[train], Y[train]), **params), X[unseen], Y[unseen], X[train]


def unit_rows(X):
    norms = np.linalg.norm(X, axis=1)
    return np.ascontiguousarray((X / np.maximum(norms, 1e-9)[:, None])[norms > 0.1])


@pytest.mark.parametrize(("coverage", "floor"), [(0.9, 0.88), (0.99, 0.97)])
def test_hierarchical_search_covers_what_was_asked(coverage, floor, held_out):
    """Share of patches that get the anchor of the exact search, seen and unseen ones."""
    model, unseen, _, seen = held_out
    anchors, seen, unseen = model.map_.partition.anchors, unit_rows(seen), unit_rows(unseen)
    grouped = grouped_anchors(
        anchors, seen, 16, coverage=coverage, random_state=np.random.RandomState(0)
    )
    for units, least in ((seen, coverage - 1e-3), (unseen, floor)):
        every = np.arange(len(units))
        found, expected = (one.leaves(units, every) for one in (grouped, NearestAnchor(anchors)))
        assert np.mean(found == expected) >= least
    links = grouped.to_tensors()["group_links"]
    assert len(links) < 0.6 * 16 * 128  # it saves work


def test_hierarchical_search_costs_less_than_a_percent(held_out):
    model, X, Y, _ = held_out
    assert "group_links" in model.map_.partition.to_tensors()
    exact = PiecewiseLinearMap(NearestAnchor(model.map_.partition.anchors), model.map_.maps)
    errors = [((one.predict(X) - Y) ** 2).mean() for one in (exact, model)]
    assert errors[1] <= 1.01 * errors[0]
