"""Naive Bayes forest: which leaf a patch takes, and what its map is solved from."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from classicsr.regressors import NaiveBayesForestRegressor
from classicsr.regressors._bimodal import _CHUNK, MAX_LEVELS, BimodalTrees, grow_centers
from classicsr.regressors._norms import norms, unit_rows
from classicsr.regressors._piecewise import ridge_map

FOREST = NaiveBayesForestRegressor(n_trees=3, max_depth=4, n_neighbors=200, random_state=0)


@pytest.fixture(scope="module")
def forest(patches):
    return clone(FOREST).fit(*patches)


def walk(row, centers):
    """Node at which a patch ends, and its correlation with it."""
    first = 0
    while first < len(centers):
        pair = np.abs(centers[first : first + 2].astype(float) @ row)
        node = first + int(pair[1] > pair[0])
        first = 2 * node + 2
    return node, pair.max()


@pytest.mark.parametrize("n_levels", [1, 2, 3, 6])
def test_the_likeliest_leaf_of_all_trees(n_levels):
    rng = np.random.default_rng(n_levels)
    centers = rng.normal(size=(4, (2 << n_levels) - 2, 6)).astype(np.float32)
    trees = BimodalTrees(centers)
    assert trees.n_leaves == 4 << n_levels
    rows = rng.normal(size=(200, 8)).astype(np.float32)
    positions = rng.permutation(200)[:150]
    found = trees.leaves(rows, positions)
    for leaf, position in zip(found, positions, strict=True):
        ends = [walk(rows[position, :6].astype(float), tree) for tree in centers]
        tree = int(np.argmax([strength for _, strength in ends]))
        first_leaf = (1 << n_levels) - 2
        assert leaf == (tree << n_levels) + ends[tree][0] - first_leaf


def test_sign_and_contrast_do_not_matter(forest, patches):
    X = patches[0][::3]
    leaves = forest.map_.partition.leaves(X, np.arange(len(X)))
    for factor in (-1, 4, -0.25):
        scaled = np.float32(factor) * X
        found = forest.map_.partition.leaves(scaled, np.arange(len(X)))
        np.testing.assert_array_equal(found, leaves)
        np.testing.assert_array_equal(forest.predict(scaled), factor * forest.predict(X))
    assert len(np.unique(leaves)) > 20


def test_maps_are_ridge_maps_of_the_patches_nearest_to_the_leaf(forest, patches):
    """With so few patches every one of them is a candidate."""
    Y = patches[1].astype(float)
    directions, lengths = unit_rows(patches[0]).astype(float), norms(patches[0])
    targets = Y / np.where(lengths < FOREST.norm_floor, 1, lengths)[:, None]
    leaves = forest.map_.partition.centers[:, -16:].reshape(48, -1)
    for leaf in range(0, 48, 7):
        nearest = np.argsort(-np.abs(directions @ leaves[leaf]))[: FOREST.n_neighbors]
        A, B = directions[nearest], targets[nearest]
        expected = ridge_map(A.T @ A, A.T @ B, FOREST.ridge)
        np.testing.assert_allclose(forest.map_.maps[leaf], expected, atol=1e-3)


def test_neighbours_come_from_the_subtree_around_the_leaf():
    from classicsr.regressors._naive_bayes_forest import _CANDIDATES, _Neighborhoods

    rng = np.random.default_rng(0)
    directions = unit_rows(rng.normal(size=(3000, 4)).astype(np.float32))
    centers = grow_centers(directions, 4, np.random.RandomState(0))
    near = _Neighborhoods(centers, directions, 5)
    reached = BimodalTrees(centers[None]).leaves(directions, np.arange(3000))
    for leaf in range(16):
        chosen = near.of(leaf)
        width = 1
        while True:
            candidates = np.flatnonzero(reached // width == leaf // width)
            if len(candidates) >= 5 * _CANDIDATES:
                break
            width *= 2
        strengths = np.abs(directions[candidates] @ centers[leaf - 16])
        assert set(chosen) == set(candidates[np.argsort(-strengths)[:5]])


def test_a_split_finds_two_modes_up_to_sign():
    rng = np.random.default_rng(0)
    modes = np.linalg.qr(rng.normal(size=(5, 2)))[0].T
    signs = rng.choice([-1, 1], 1500)[:, None]
    directions = signs * modes[rng.integers(2, size=1500)] + 0.1 * rng.normal(size=(1500, 5))
    centers = grow_centers(unit_rows(directions.astype(np.float32)), 1, np.random.RandomState(0))
    overlap = np.abs(modes @ centers.T)
    np.testing.assert_allclose(np.sort(overlap, axis=None)[2:], 1, atol=0.01)
    assert overlap.argmax(axis=1).tolist() in ([0, 1], [1, 0])


def test_better_than_one_map():
    X = np.random.default_rng(0).normal(size=(8000, 5)).astype(np.float32)
    Y = np.abs(X[:, :1]) * np.sign(X[:, 1:2])

    def error(**params):
        model = clone(FOREST).set_params(**params).fit(X[:4000], Y[:4000])
        return ((model.predict(X[4000:]) - Y[4000:]) ** 2).mean()

    forest, tree, coarse = error(), error(n_trees=1), error(n_trees=1, max_depth=1)
    assert forest < tree < coarse


def test_same_bits_for_any_thread_count_and_for_the_same_seed(forest, patches):
    two = clone(FOREST).set_params(n_jobs=2).fit(*patches)
    np.testing.assert_array_equal(two.map_.maps, forest.map_.maps)
    np.testing.assert_array_equal(two.map_.partition.centers, forest.map_.partition.centers)
    other = clone(FOREST).set_params(random_state=1).fit(*patches)
    assert not np.array_equal(other.map_.maps, forest.map_.maps)


def test_bits_of_a_patch_do_not_depend_on_the_others(forest, patches):
    X = np.tile(patches[0], (2, 1))[: _CHUNK + 300]
    together = forest.predict(X)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(forest.predict(X[order]), together[order])
    np.testing.assert_array_equal(forest.predict(X[123:124]), together[123:124])


def test_pickle_round_trip(forest, patches):
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict(patches[0]), forest.predict(patches[0]))


def test_samples_that_cannot_be_split(patches):
    for X in (np.ones((50, 4)), np.zeros((50, 4)), patches[0][:1], patches[0][:2]):
        model = clone(FOREST).fit(X, np.arange(len(X), dtype=float))
        assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("shape", [(2, 0, 3), (1, 1, 3), (1, 5, 3), (1, 7, 3), (1, 8, 3)])
def test_nodes_that_are_no_complete_tree(shape):
    with pytest.raises(ValueError, match="complete"):
        BimodalTrees(np.zeros(shape, np.float32))


def test_trees_that_are_too_deep():
    with pytest.raises(ValueError, match=f"1 to {MAX_LEVELS} levels"):
        BimodalTrees(np.zeros((1, (4 << MAX_LEVELS) - 2, 1), np.float32))
