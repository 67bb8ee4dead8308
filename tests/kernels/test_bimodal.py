"""Going down trees of centres against a plain walk, patch by patch."""

import numpy as np
import pytest

from classicsr.kernels.bimodal import descend_trees
from classicsr.kernels.lanes import LANES, TILE_DEPTH, round_up


def plain_walk(row, centers):
    """Leaf and strength; `centers` (2^(levels + 1) - 2, d)."""
    first, n_leaves = 0, len(centers) // 2 + 1
    while first < len(centers):
        pair = np.abs(centers[first : first + 2] @ row)
        node = first + int(pair[1] > pair[0])
        first = 2 * node + 2
    return node - (n_leaves - 2), pair.max()


def descend(rows, positions, groups, centers):
    """`descend_trees` for centres (n_groups, n_trees, n_nodes, d)."""
    n_groups, n_trees, n_nodes, d = centers.shape
    padded = np.zeros((n_groups, n_trees, n_nodes + 2, round_up(d, TILE_DEPTH)), np.float32)
    padded[:, :, :n_nodes, :d] = centers
    leaves = np.full((n_trees, len(positions)), -7, np.int32)
    strengths = np.full((n_trees, len(positions)), np.nan, np.float32)
    descend_trees(rows, positions, np.array(groups), padded, leaves, strengths)
    return leaves, strengths


@pytest.mark.parametrize("n", [1, LANES, LANES + 9])
@pytest.mark.parametrize(("n_levels", "d"), [(1, 3), (2, 10), (4, 7)])
def test_walk(n, n_levels, d):
    rng = np.random.default_rng(n + d)
    rows = rng.normal(size=(n + 5, d + 2)).astype(np.float32)
    centers = rng.normal(size=(2, 3, (2 << n_levels) - 2, d)).astype(np.float32)
    positions = rng.permutation(n + 5)[:n]
    middle = n // 3
    leaves, strengths = descend(rows, positions, [0, middle, n], centers)
    for i, position in enumerate(positions):
        for tree in range(3):
            nodes = centers[int(i >= middle), tree]
            leaf, strength = plain_walk(rows[position, :d], nodes)
            assert leaves[tree, i] == leaf
            np.testing.assert_allclose(strengths[tree, i], strength, rtol=1e-4, atol=1e-5)


def test_flat_patches_take_the_first_leaf():
    centers = np.random.default_rng(0).normal(size=(1, 2, 6, 5)).astype(np.float32)
    leaves, strengths = descend(np.zeros((3, 5), np.float32), np.arange(3), [0, 3], centers)
    assert not leaves.any()
    assert not strengths.any()


def test_no_patches():
    centers = np.ones((2, 1, 2, 4), np.float32)
    leaves, _ = descend(np.ones((1, 4), np.float32), np.empty(0, np.int64), [0, 0, 0], centers)
    assert leaves.shape == (1, 0)
