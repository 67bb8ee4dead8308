"""Counting sort and one linear map per leaf, against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classicsr.kernels.linear import (
    OUTPUT_CHUNK,
    apply_leaf_maps,
    chunk_maps,
    padded_outputs,
    sort_by_label,
)


@given(st.integers(1, 12).flatmap(lambda k: st.tuples(st.just(k), st.lists(st.integers(0, k - 1)))))
def test_sort_by_label_is_the_stable_sort(case):
    n_labels, labels = case[0], np.array(case[1], np.int32)
    order, starts = sort_by_label(labels, n_labels)
    np.testing.assert_array_equal(order, np.argsort(labels, kind="stable"))
    np.testing.assert_array_equal(starts, np.searchsorted(np.sort(labels), np.arange(n_labels + 1)))


@pytest.mark.parametrize("n_outputs", [1, OUTPUT_CHUNK - 1, OUTPUT_CHUNK, 2 * OUTPUT_CHUNK + 3])
def test_chunk_maps_keeps_every_weight(n_outputs):
    maps = np.random.default_rng(0).normal(size=(3, 7, n_outputs)).astype(np.float32)
    n_chunks = -(-n_outputs // OUTPUT_CHUNK)
    chunks = chunk_maps(maps)
    assert chunks.flags.c_contiguous
    chunks = chunks.reshape(3, n_chunks, 7, OUTPUT_CHUNK)
    joined = np.concatenate(list(chunks.transpose(1, 0, 2, 3)), axis=2)
    np.testing.assert_array_equal(joined[:, :, :n_outputs], maps)
    assert np.count_nonzero(chunks) == np.count_nonzero(maps)


def apply(rows, positions, labels, maps):
    order, starts = sort_by_label(labels, len(maps))
    n_outputs = maps.shape[2]
    out = np.full((len(positions), padded_outputs(n_outputs)), np.nan, np.float32)
    apply_leaf_maps(rows, positions, order, starts, chunk_maps(maps), out, False)
    assert not out[:, n_outputs:].any()
    twice = out.copy()
    apply_leaf_maps(rows, positions, order, starts, chunk_maps(maps), twice, True)
    np.testing.assert_allclose(twice, 2 * out, rtol=0, atol=1e-5)
    return out[:, :n_outputs]


@pytest.mark.parametrize(("d", "n_outputs"), [(1, 1), (5, OUTPUT_CHUNK), (7, OUTPUT_CHUNK + 5)])
def test_each_patch_gets_the_map_of_its_leaf(d, n_outputs):
    rng = np.random.default_rng(d)
    rows = rng.normal(size=(60, d)).astype(np.float32)
    maps = rng.normal(size=(8, d, n_outputs)).astype(np.float32)
    # leaves of 0, 1, 3, 4, 5, 0, 9 and 0 patches: whole and partial groups of four
    labels = rng.permutation(np.repeat(np.arange(8), [0, 1, 3, 4, 5, 0, 9, 0])).astype(np.int32)
    positions = rng.permutation(len(rows))[: len(labels)]
    out = apply(rows, positions, labels, maps)
    expected = np.einsum("nd,ndo->no", rows[positions].astype(float), maps[labels].astype(float))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-5)
    wide = np.zeros((len(rows), d + 6), np.float32)  # columns that only pad
    wide[:, :d] = rows
    np.testing.assert_array_equal(apply(wide, positions, labels, maps), out)


def test_bits_do_not_depend_on_the_company():
    """The same patch alone, or anywhere among others, gives the same bits."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(30, 11)).astype(np.float32)
    maps = rng.normal(size=(3, 11, OUTPUT_CHUNK + 1)).astype(np.float32)
    labels = rng.integers(0, 3, 30).astype(np.int32)
    together = apply(rows, np.arange(30), labels, maps)

    order = rng.permutation(30)
    shuffled = apply(rows[order], np.arange(30), labels[order], maps)
    np.testing.assert_array_equal(shuffled, together[order])

    for i in (0, 7, 29):
        alone = apply(rows[i : i + 1], np.zeros(1, np.int64), labels[i : i + 1], maps)
        np.testing.assert_array_equal(alone[0], together[i])
