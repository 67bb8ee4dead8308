"""Anchor search against the largest absolute entry of a matrix product."""

import numpy as np
import pytest

from classicsr.kernels.lanes import LANES, TILE_ROWS, pad_weights, round_up
from classicsr.kernels.linear import sort_by_label
from classicsr.kernels.search import nearest_anchor


def grouped_search(rows, positions, groups, anchors, links):
    """`nearest_anchor` with lists of candidates."""
    lists = [
        np.pad(one, (0, round_up(len(one), TILE_ROWS) - len(one)), mode="edge") for one in links
    ]
    nearest = np.full(len(positions), -7, np.int32)
    nearest_anchor(
        rows,
        positions,
        groups,
        pad_weights(anchors),
        np.concatenate(lists).astype(np.int32),
        np.cumsum([0, *map(len, lists)], dtype=np.int64),
        nearest,
    )
    return nearest


def search(rows, anchors, candidates):
    everything = np.array([0, len(rows)])
    return grouped_search(rows, np.arange(len(rows)), everything, anchors, [candidates])


def assert_is_nearest(found, rows, anchors, candidates):
    """`found` are candidates whose correlation is the largest, up to float32 rounding."""
    correlation = np.abs(rows.astype(float) @ anchors.astype(float).T)
    assert np.isin(found, candidates).all()
    best = correlation[:, candidates].max(axis=1)
    reached = correlation[np.arange(len(rows)), found]
    np.testing.assert_allclose(reached, best, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n", [1, LANES, LANES + 9])
@pytest.mark.parametrize(("n_anchors", "d"), [(1, 1), (6, 7), (12, 10)])
def test_exact_search(n, n_anchors, d):
    rng = np.random.default_rng(n + d)
    rows = rng.normal(size=(n, d)).astype(np.float32)
    anchors = rng.normal(size=(n_anchors, d)).astype(np.float32)
    every = np.arange(n_anchors)
    found = search(rows, anchors, every)
    assert_is_nearest(found, rows, anchors, every)
    assert n == 1 or n_anchors == 1 or len(set(found.tolist())) > 1


def test_only_candidates_win():
    rng = np.random.default_rng(0)
    rows, anchors = rng.normal(size=(40, 5)), rng.normal(size=(11, 5))
    rows, anchors = rows.astype(np.float32), anchors.astype(np.float32)
    for candidates in ([4], [1, 9], [10, 2, 7, 3, 0]):
        assert_is_nearest(search(rows, anchors, candidates), rows, anchors, candidates)


def test_faint_patches_find_the_same_anchor():
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(30, 6)).astype(np.float32)
    anchors = rng.normal(size=(9, 6)).astype(np.float32)
    expected = search(rows, anchors, np.arange(9))
    faint = rows * np.float32(2.0**-60)
    np.testing.assert_array_equal(search(faint, anchors, np.arange(9)), expected)
    zeros = np.zeros((2, 6), np.float32)
    assert search(zeros, anchors, [5, 2]).tolist() == [5, 5]


def test_the_first_candidate_wins_a_tie():
    anchor = np.array([[1, 2, 3]], np.float32)
    weaker = np.array([[0.1, 0, 0]], np.float32)
    anchors = np.concatenate([weaker, anchor, -anchor, anchor, weaker, anchor])
    rows = np.array([[1, 1, 1], [-2, 0, -1]], np.float32)
    assert search(rows, anchors, np.arange(6)).tolist() == [1, 1]
    assert search(rows, anchors, [0, 5, 2, 3]).tolist() == [5, 5]


def test_rows_may_be_wider_or_narrower_than_the_padded_anchors():
    rng = np.random.default_rng(7)
    anchors = rng.normal(size=(9, 6)).astype(np.float32)  # padded to a depth of 10
    rows = np.zeros((20, 12), np.float32)
    rows[:, :6] = rng.normal(size=(20, 6))
    narrow = search(np.ascontiguousarray(rows[:, :6]), anchors, np.arange(9))
    np.testing.assert_array_equal(search(rows, anchors, np.arange(9)), narrow)


def test_zeros_and_nan_get_some_valid_anchor():
    rows = np.array([[0, 0, 0], [np.nan, 1, 1], [np.inf, 1, 1]], np.float32)
    found = search(rows, np.eye(3, dtype=np.float32), np.arange(3))
    assert ((found >= 0) & (found < 3)).all()
    assert found[0] == 0


def test_bits_do_not_depend_on_the_lane():
    """Ties are broken by the last bits, so the same patch must win everywhere."""
    rng = np.random.default_rng(3)
    anchors = (1 + 1e-6 * rng.normal(size=(8, 6))).astype(np.float32)
    rows = np.repeat(rng.normal(size=(10, 6)).astype(np.float32), 20, axis=0)
    order = rng.permutation(len(rows))
    found = np.empty(len(rows), np.int32)
    found[order] = search(rows[order], anchors, np.arange(8))
    assert (found.reshape(10, 20) == found.reshape(10, 20)[:, :1]).all()


def test_search_in_groups():
    """Groups without patches, larger than a block, and with one candidate."""
    rng = np.random.default_rng(5)
    n, d, n_anchors = LANES + 60, 6, 10
    rows = rng.normal(size=(n, d)).astype(np.float32)
    anchors = rng.normal(size=(n_anchors, d)).astype(np.float32)
    links = [[3], [0, 1, 2], [4, 5, 6, 7, 8, 9], [9, 0], list(range(n_anchors))]
    label = rng.choice([0, 2, 4], n, p=[0.05, 0.9, 0.05]).astype(np.int32)
    used = rng.permutation(n)[: n - 13]  # a part of the rows, in any order

    order, group = sort_by_label(label[used], len(links))
    nearest = grouped_search(rows, used[order], group, anchors, links)
    assert (group[1:] - group[:-1]).max() > LANES - 30
    for g, candidates in enumerate(links):
        of_group = slice(group[g], group[g + 1])
        assert_is_nearest(nearest[of_group], rows[used[order][of_group]], anchors, candidates)
    exact = search(rows[used[order]], anchors, np.arange(n_anchors))
    last = slice(group[4], group[5])  # this group is linked to every anchor
    np.testing.assert_array_equal(nearest[last], exact[last])
