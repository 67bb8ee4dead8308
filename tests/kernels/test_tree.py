"""Going down a tree against a plain walk, patch by patch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classicsr.kernels.tree import WALKERS, extend_rows, split_samples, walk_tree


def extended(n, d, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    out = np.full((n, d + 2), 7, np.float32)
    extend_rows(rows, np.arange(n), out)
    return out


def random_tree(n_inner, n_columns, rng):
    """Arrays of `walk_tree`; nodes are split in random order, so children follow parents."""
    tests, thresholds, children = [(0, 0)], [0.0], [0]
    steps = [0]
    for _ in range(n_inner):
        leaves = [i for i, child in enumerate(children) if child == i]
        node = leaves[rng.integers(len(leaves))]
        tests[node] = tuple(rng.integers(n_columns, size=2))
        thresholds[node] = rng.normal() / 3
        children[node] = len(children)
        for _ in range(2):
            children.append(len(children))
            tests.append((0, 0))
            thresholds.append(0.0)
            steps.append(steps[node] + 1)
    return (
        np.column_stack([tests, children]).astype(np.uint32),
        np.array(thresholds, np.float32),
        max(steps),
    )


def plain_walk(row, steps, thresholds):
    node = 0
    while steps[node, 2] != node:
        first, second, child = steps[node]
        above = row[first] - row[second] > thresholds[node] * row[-2]
        node = child + int(above)
    return node


@pytest.mark.parametrize("n", [1, WALKERS - 1, WALKERS, 5 * WALKERS + 3])
@pytest.mark.parametrize("n_inner", [0, 1, 40])
def test_walk(n, n_inner):
    rng = np.random.default_rng(n + n_inner)
    rows = extended(n + 9, 5)
    tree = random_tree(n_inner, 7, rng)
    positions = rng.permutation(n + 9)[:n]
    nodes = np.full(n, -5, np.int32)
    walk_tree(rows, positions, *tree, nodes)
    assert nodes.tolist() == [plain_walk(rows[p], *tree[:2]) for p in positions]
    assert n < WALKERS or n_inner < 2 or len(set(nodes.tolist())) > 1


def test_no_patches():
    nodes = np.empty(0, np.int32)
    tree = random_tree(3, 4, np.random.default_rng(0))
    walk_tree(extended(1, 2), np.empty(0, np.int64), *tree, nodes)


def test_flat_patches_stay_in_the_tree():
    """Their norm is zero, and so is every difference."""
    tree = random_tree(10, 5, np.random.default_rng(0))
    nodes = np.full(20, -5, np.int32)
    walk_tree(np.zeros((20, 5), np.float32), np.arange(20), *tree, nodes)
    assert (tree[0][nodes, 2] == nodes).all()
    assert len(set(nodes.tolist())) == 1


@given(st.integers(0, 60), st.integers(0, 3), st.floats(-1, 1, width=32))
def test_split_is_a_stable_partition_by_the_test_of_the_walk(n, second, threshold):
    rows = extended(80, 2, seed=n)
    samples = np.random.default_rng(n).permutation(80)[:n].astype(np.int32)
    above = rows[samples, 1] - rows[samples, second] > np.float32(threshold) * rows[samples, -2]
    expected = np.concatenate([samples[~above], samples[above]])
    n_first = split_samples(rows, samples, 1, second, np.float32(threshold), np.empty(n, np.int32))
    assert n_first == (~above).sum()
    np.testing.assert_array_equal(samples, expected)


def test_extended_rows():
    rows = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)[:, :7]
    out = np.full((3, 5), 9, np.float32)
    extend_rows(rows, np.array([4, 0, 5]), out)
    np.testing.assert_array_equal(out[:, :3], rows[[4, 0, 5], :3])
    np.testing.assert_allclose(out[:, 3], np.linalg.norm(rows[[4, 0, 5], :3], axis=1), rtol=1e-6)
    np.testing.assert_array_equal(out[:, 4], 0)
