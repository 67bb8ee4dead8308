"""Forests: every tree a partition, every leaf the ridge map of its samples."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from classicsr.regressors import PatchForestRegressor
from classicsr.regressors._piecewise import ridge_map
from classicsr.regressors._tree_growth import _gains
from classicsr.regressors._trees import LEAF, Tree, extend

FOREST = PatchForestRegressor(
    n_trees=3, min_samples_leaf=100, min_samples_split=200, random_state=0
)


@pytest.fixture(scope="module")
def forest(patches):
    return clone(FOREST).fit(*patches)


def leaves_of(member, X):
    rows = extend(X, np.arange(len(X)), X.shape[1])
    return rows, member.partition.leaves(rows, np.arange(len(X)))


def test_each_leaf_is_the_ridge_map_of_the_samples_that_reach_it(forest, patches):
    X, Y = patches
    for member in forest.map_.members:
        rows, leaves = leaves_of(member, X)
        assert member.partition.n_leaves > 10
        for leaf in range(0, member.partition.n_leaves, 5):
            A, B = rows[leaves == leaf, :-1].astype(float), Y[leaves == leaf].astype(float)
            expected = ridge_map(A.T @ A, A.T @ B, FOREST.ridge) / 3
            np.testing.assert_allclose(
                member.maps[leaf], expected, atol=1e-4 * np.abs(expected).max()
            )


def test_prediction_is_the_mean_over_trees(forest, patches):
    X = patches[0][::40]
    expected = np.zeros((len(X), patches[1].shape[1]))
    for member in forest.map_.members:
        rows, leaves = leaves_of(member, X)
        expected += np.einsum("nd,ndo->no", rows[:, :-1].astype(float), member.maps[leaves])
    np.testing.assert_allclose(forest.predict(X), expected, atol=1e-5)


def test_limits_are_kept(patches):
    X, _ = patches
    for params in ({"max_depth": 4}, {"min_samples_leaf": 300}, {"min_samples_split": 1500}):
        model = clone(FOREST).set_params(**params).fit(*patches)
        for member in model.map_.members:
            counts = np.bincount(leaves_of(member, X)[1], minlength=member.partition.n_leaves)
            assert counts.sum() == len(X)
            assert counts.min() >= model.min_samples_leaf
            assert member.partition.depth <= model.max_depth
    stump = clone(FOREST).set_params(max_depth=0).fit(*patches)
    assert [member.partition.n_leaves for member in stump.map_.members] == [1, 1, 1]


def test_better_than_one_tree_and_than_one_leaf():
    """Where the truth is piecewise linear."""
    X = np.random.default_rng(0).normal(size=(8000, 5)).astype(np.float32)
    Y = np.abs(X[:, :2] - X[:, 2:3])

    def error(**params):
        model = clone(FOREST).set_params(**params).fit(X[:4000], Y[:4000])
        return ((model.predict(X[4000:]) - Y[4000:]) ** 2).mean()

    forest, tree, line = error(), error(n_trees=1), error(max_depth=0)
    assert forest < 0.9 * tree
    assert tree < 0.6 * line


def test_gain_is_the_drop_of_the_summed_squared_deviation():
    rng = np.random.default_rng(0)
    values, vectors = rng.normal(size=(50, 3)), rng.normal(size=(50, 4)) + 5
    thresholds = np.array([[-0.5, 0, 9], [0.2, 2.4, -1]])
    found = _gains(values, thresholds, vectors, 3)

    def deviation(part):
        return ((part - part.mean(axis=0)) ** 2).sum() if len(part) else 0

    for i, j in np.ndindex(thresholds.shape):
        above = values[:, j] > thresholds[i, j]
        drop = deviation(vectors) - deviation(vectors[above]) - deviation(vectors[~above])
        enough = min(above.sum(), (~above).sum()) >= 3
        np.testing.assert_allclose(found[i, j], drop if enough else 0, atol=1e-4)
    assert (found == 0).any()
    assert (found > 0).any()


def test_contrast_does_not_matter(forest, patches):
    X = patches[0][::7]
    predicted = forest.predict(X)
    np.testing.assert_array_equal(forest.predict(4 * X), 4 * predicted)
    np.testing.assert_array_equal(forest.predict(0 * X), 0 * predicted)


def test_same_bits_for_any_thread_count_and_for_the_same_seed(forest, patches):
    two = clone(FOREST).set_params(n_jobs=2).fit(*patches)
    for mine, other in zip(forest.map_.members, two.map_.members, strict=True):
        np.testing.assert_array_equal(mine.maps, other.maps)
        for name, tensor in mine.partition.to_tensors().items():
            np.testing.assert_array_equal(tensor, other.partition.to_tensors()[name])
    np.testing.assert_array_equal(two.predict(patches[0]), forest.predict(patches[0]))
    other = clone(FOREST).set_params(random_state=1).fit(*patches)
    assert not np.array_equal(other.predict(patches[0]), forest.predict(patches[0]))


def test_bits_of_a_patch_do_not_depend_on_the_others(forest, patches):
    X = patches[0][:300]
    together = forest.predict(X)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_array_equal(forest.predict(X[order]), together[order])
    np.testing.assert_array_equal(forest.predict(X[123:124]), together[123:124])


def test_pickle_round_trip(forest, patches):
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict(patches[0]), forest.predict(patches[0]))


def test_samples_that_cannot_be_split(patches):
    """Equal features everywhere, and fewer samples than a node needs."""
    same = np.ones((500, 4), np.float32)
    model = clone(FOREST).fit(same, np.arange(500.0))
    np.testing.assert_allclose(model.predict(same), 249.5, rtol=1e-3)
    few = clone(FOREST).fit(patches[0][:2], patches[1][:2])
    assert np.isfinite(few.predict(patches[0])).all()


def test_breadth_first_nodes():
    """Root; its second child is inner; then two leaves."""
    tests = np.array([(0, 1), (LEAF, LEAF), (1, 3), (LEAF, LEAF), (LEAF, LEAF)])
    tree = Tree(tests, np.array([0, 0, 0.5, 0, 0], np.float32))
    assert (tree.n_leaves, tree.depth) == (3, 2)
    X = np.array([[-1, 0], [1, 0], [1, 0.8], [0, 0]], np.float32)
    assert tree.leaves(extend(X, np.arange(4), 2), np.arange(4)).tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    "inner",
    [[1], [1, 0], [0, 0, 0], [0, 1, 0], [1, 0, 0, 1, 0, 0], [1, 0, 0, 0, 1], []],
    ids=str,
)
def test_nodes_that_are_no_tree(inner):
    tests = np.where(np.array(inner, bool)[:, None], (0, 1), LEAF).reshape(-1, 2)
    with pytest.raises(ValueError, match="one binary tree"):
        Tree(tests, np.zeros(len(tests), np.float32))


def test_a_tree_that_is_too_deep():
    tests = np.full((201, 2), LEAF)
    tests[0] = tests[1:-2:2] = (0, 1)
    with pytest.raises(ValueError, match="deeper"):
        Tree(tests, np.zeros(201, np.float32))
