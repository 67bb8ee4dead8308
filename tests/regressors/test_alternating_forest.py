"""Alternating forest against the definition, where the whole prediction is computed anew."""

import numpy as np
import pytest
from sklearn.base import clone

from classicsr.regressors import AlternatingForestRegressor
from classicsr.regressors._piecewise import ridge_map
from classicsr.regressors._tree_growth import GrowingTree
from classicsr.regressors._trees import extend

FOREST = AlternatingForestRegressor(
    n_trees=3, min_samples_leaf=100, min_samples_split=200, random_state=0
)


@pytest.fixture(scope="module")
def forest(patches):
    return clone(FOREST).fit(*patches)


def slow_forest(model, X, Y):
    """Maps of the leaves of each tree: `predict_all` is evaluated before every step."""
    rows = extend(X, np.arange(len(X)), X.shape[1])
    rules = model._split_rules()
    seeds = np.random.RandomState(model.random_state).randint(2**31 - 1, size=model.n_trees)
    growths = [GrowingTree(rows, rules, np.random.RandomState(seed)) for seed in seeds]
    maps = [[np.zeros((X.shape[1] + 1, Y.shape[1]))] for _ in seeds]

    def nodes(tree):
        return growths[tree].finished + growths[tree].growing

    def predicted_by(tree):
        out = np.zeros(Y.shape)
        for samples, map_ in zip(nodes(tree), maps[tree], strict=True):
            out[samples] = rows[samples, :-1].astype(float) @ map_
        return out

    def correct(tree):
        lack = Y - sum(predicted_by(other) for other in range(len(growths)))
        for samples, map_ in zip(nodes(tree), maps[tree], strict=True):
            A = rows[samples, :-1].astype(float)
            map_ += model.learning_rate * ridge_map(A.T @ A, A.T @ lack[samples], model.ridge)

    def grow(tree):
        others = sum(predicted_by(other) for other in range(len(growths)) if other != tree)
        retargeted = (Y - others).astype(np.float32)
        origins = growths[tree].grow(lambda node, samples: retargeted[samples])
        maps[tree] = [maps[tree][origin].copy() for origin in origins]

    while any(growth.growing for growth in growths):
        for tree in range(len(growths)):
            correct(tree)
            grow(tree)
    for _ in range(model.n_rounds):
        for tree in range(len(growths)):
            correct(tree)
    return [growth.tree() for growth in growths], maps


@pytest.mark.parametrize(("learning_rate", "n_rounds"), [(1.0, 0), (0.3, 2)])
def test_growth_and_maps_are_those_of_the_definition(learning_rate, n_rounds, patches):
    X, Y = patches[0][::4, :6].copy(), patches[1][::4, :3].copy()
    model = clone(FOREST).set_params(learning_rate=learning_rate, n_rounds=n_rounds).fit(X, Y)
    trees, maps = slow_forest(model, X, Y)
    for member, tree, expected in zip(model.map_.members, trees, maps, strict=True):
        np.testing.assert_array_equal(member.partition.tests, tree.tests)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(member.maps, expected, atol=1e-3 * scale)
    assert trees[0].n_leaves > 3


def test_one_tree_without_rounds_ends_with_the_ridge_maps_of_its_leaves():
    """With the whole correction and almost no ridge, later levels forget the earlier ones."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2000, 4)).astype(np.float32), rng.normal(size=(2000, 2))
    model = clone(FOREST).set_params(n_trees=1, learning_rate=1.0, n_rounds=0, ridge=1e-6)
    model.fit(X, Y)
    (member,) = model.map_.members
    rows = extend(X, np.arange(2000), 4)
    leaves = member.partition.leaves(rows, np.arange(2000))
    for leaf in range(member.partition.n_leaves):
        A, B = rows[leaves == leaf, :-1].astype(float), Y[leaves == leaf]
        expected = np.linalg.lstsq(A, B)[0]
        np.testing.assert_allclose(member.maps[leaf], expected, atol=1e-3)


def test_more_rounds_fit_better(patches):
    X, Y = patches
    errors = [
        ((clone(FOREST).set_params(n_rounds=rounds).fit(X, Y).predict(X) - Y) ** 2).mean()
        for rounds in (0, 1, 4)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_targets_are_left_alone(patches):
    X, Y = (array.copy() for array in patches)
    clone(FOREST).set_params(n_trees=1).fit(X, Y)
    np.testing.assert_array_equal(Y, patches[1])


def test_contrast_does_not_matter(forest, patches):
    X = patches[0][::7]
    np.testing.assert_array_equal(forest.predict(4 * X), 4 * forest.predict(X))


def test_same_bits_for_any_thread_count(forest, patches):
    two = clone(FOREST).set_params(n_jobs=2).fit(*patches)
    for mine, other in zip(forest.map_.members, two.map_.members, strict=True):
        np.testing.assert_array_equal(mine.maps, other.maps)
    np.testing.assert_array_equal(two.predict(patches[0]), forest.predict(patches[0]))
