"""Clustered dictionaries and adaptable maps at the patch level."""

import numpy as np
import pytest
from sklearn.base import clone

from classicsr.regressors import AdaptableRegressor, ClusteredDictionaryRegressor
from classicsr.regressors._adaptive import AdaptableMap, leaf_statistics
from classicsr.regressors._partitions import NearestAnchor

SMALL = {"n_clusters": 6, "random_state": 0}
ESTIMATORS = {
    "nearest": ClusteredDictionaryRegressor(**SMALL, n_atoms=24, n_iter=3),
    "forest": ClusteredDictionaryRegressor(
        **SMALL, n_atoms=24, n_iter=3, classifier="forest", n_trees=3, min_samples_leaf=60
    ),
    "adaptable": AdaptableRegressor(**SMALL),
}
each = pytest.mark.parametrize("name", ESTIMATORS)


@pytest.fixture(scope="module")
def models(patches):
    return {name: clone(model).fit(*patches) for name, model in ESTIMATORS.items()}


@each
def test_explains_most_of_the_targets(name, models, patches):
    X, Y = patches
    error = models[name].predict(X) - Y
    assert (error**2).sum() < 0.65 * (Y**2).sum()


@each
def test_odd_and_homogeneous(name, models, patches):
    X = patches[0][:500]
    predicted = models[name].predict(X)
    np.testing.assert_array_equal(models[name].predict(-X), -predicted)
    np.testing.assert_allclose(models[name].predict(4 * X), 4 * predicted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(models[name].predict(0 * X), 0)


@each
def test_bits_of_a_patch_do_not_depend_on_the_others(name, models, patches):
    model, X = models[name], patches[0][:300]
    together = model.predict(X)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_array_equal(model.predict(X[order]), together[order])
    np.testing.assert_array_equal(model.predict(X[123:124]), together[123:124])


@each
def test_same_model_for_any_thread_count(name, models, patches):
    two = clone(ESTIMATORS[name]).set_params(n_jobs=2).fit(*patches)
    np.testing.assert_array_equal(two.predict(patches[0]), models[name].predict(patches[0]))


@pytest.mark.parametrize("name", ["nearest", "forest"])
def test_a_patch_is_coded_over_the_dictionary_of_its_class(name, models, patches):
    predictor, X = models[name].map_, patches[0][:400]
    classes = predictor.partition.leaves(X, np.arange(len(X)))
    assert len(np.unique(classes)) > 1
    predicted = predictor.predict(X)
    for number, member in enumerate(predictor.members):
        inside = classes == number
        np.testing.assert_array_equal(predicted[inside], member.predict(X[inside]))


def test_the_forest_guesses_classes_that_features_show(patches):
    """Without targets classes depend on features alone: the forest finds most of them."""
    X, Y = patches
    model = clone(ESTIMATORS["forest"]).set_params(target_weight=0.0, n_clusters=3).fit(X, Y)
    nearest = clone(ESTIMATORS["nearest"]).set_params(n_clusters=3).fit(X, Y)
    rows = np.arange(len(X))
    found, expected = (m.map_.partition.leaves(X, rows) for m in (model, nearest))
    table = np.zeros((3, 3))
    np.add.at(table, (found, expected), 1)
    assert table.max(axis=1).sum() > 0.85 * len(X)


def test_statistics_against_sums_over_samples(patches):
    X, Y = (array[:200].astype(float) for array in patches)
    partition = NearestAnchor(patches[0][:5])
    gram, cross, counts = leaf_statistics(partition, *(array[:200] for array in patches))
    lengths = np.linalg.norm(X, axis=1)
    weights = 1 / np.maximum(lengths, np.sqrt((lengths**2).mean())) ** 2
    nearest = np.abs(X @ X[:5].T).argmax(axis=1)
    for leaf in range(5):
        inside = nearest == leaf
        x, w = X[inside], weights[inside, None]
        np.testing.assert_allclose(gram[leaf], (w * x).T @ x, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(cross[leaf], (w * x).T @ Y[inside], rtol=1e-5, atol=1e-6)
        assert counts[leaf] == inside.sum()


def test_adapting_equals_learning_from_all_samples_at_once():
    """With a prior that counts for as many samples as there were, it is one ridge regression."""
    rng = np.random.default_rng(0)
    anchors = np.eye(4, 7, dtype="f4")
    X = rng.standard_normal((600, 7)).astype("f4")
    X /= np.linalg.norm(X, axis=1)[:, None]  # so that all weights are 1
    Y = (X @ rng.standard_normal((7, 5)) + 0.1 * rng.standard_normal((600, 5))).astype("f4")
    partition = NearestAnchor(anchors)
    ridge = 0.1 * np.eye(7)

    def solved(rows):
        gram, cross, _ = leaf_statistics(partition, X[rows], Y[rows])
        return np.linalg.solve(gram + ridge, cross).astype("f4"), (gram + ridge).astype("f4")

    adapted = AdaptableMap(partition, *solved(slice(400))).adapted(X[400:], Y[400:])
    np.testing.assert_allclose(adapted.maps, solved(slice(600))[0], atol=1e-5)


def test_adapting_to_nothing_new_changes_nothing(models, patches):
    predictor, X = models["adaptable"].map_, patches[0]
    same = predictor.adapted(X, predictor.predict(X))
    np.testing.assert_allclose(same.maps, predictor.maps, atol=1e-5)
    flat = predictor.adapted(0 * X, 0 * patches[1])
    np.testing.assert_array_equal(flat.maps, predictor.maps)


def test_fewer_patches_than_clusters():
    X = np.random.default_rng(0).standard_normal((5, 3))
    for model in (AdaptableRegressor(20), ClusteredDictionaryRegressor(20, n_atoms=4)):
        assert np.isfinite(model.fit(X, X).predict(X)).all()
