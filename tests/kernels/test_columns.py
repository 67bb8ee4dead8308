"""Correlations with columns, the strongest of them, and their weighted sums, against NumPy."""

import numba
import numpy as np
import pytest

from classicsr.kernels.columns import (
    block_columns,
    combine_columns,
    correlate_columns,
    merge_strongest,
    row_norms,
)

N = 11 if numba.config.DISABLE_JIT else 203


def correlations_of(rows, positions, columns):
    blocks = block_columns(columns)
    found = np.full((len(positions), len(blocks) * 128), np.nan, np.float32)
    correlate_columns(rows, positions, blocks, found)
    return found


@pytest.mark.parametrize(("n_columns", "d"), [(1, 1), (128, 5), (150, 31)])
def test_correlations(n_columns, d):
    rng = np.random.default_rng(d)
    rows = rng.normal(size=(N + 3, d + 4)).astype(np.float32)  # wider than the columns
    rows[:, d:] = 0
    columns = rng.normal(size=(n_columns, d)).astype(np.float32)
    positions = rng.permutation(N + 3)[:N]
    found = correlations_of(rows, positions, columns)
    expected = rows[positions, :d].astype(float) @ columns.T.astype(float)
    np.testing.assert_allclose(found[:, :n_columns], expected, atol=1e-4)
    np.testing.assert_array_equal(found[:, n_columns:], 0)


def test_correlations_have_the_same_bits_wherever_the_patch_lies():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(N, 31)).astype(np.float32)
    columns = rng.normal(size=(140, 31)).astype(np.float32)
    together = correlations_of(rows, np.arange(N), columns)
    for i in (0, N // 2, N - 1):
        np.testing.assert_array_equal(correlations_of(rows, np.array([i]), columns)[0], together[i])


@pytest.mark.parametrize("k", [1, 4, 20])
def test_strongest(k):
    values = np.random.default_rng(k).normal(size=(N, 20)).astype(np.float32)
    values[0] = 1  # ties: the first ones win
    values[1] = 0
    found = np.full((N, k), -5, np.int32)
    for row, chosen in zip(values, found, strict=True):
        best, cut = np.full(k, -1, np.float32), len(row) // 2
        merge_strongest(row[:cut], 0, chosen, best)
        merge_strongest(row[cut:], cut, chosen, best)
    np.testing.assert_array_equal(found, np.argsort(-np.abs(values), axis=1, kind="stable")[:, :k])


def test_combination():
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(9, 48)).astype(np.float32)
    indices = rng.integers(0, 9, (N, 5)).astype(np.int32)
    weights = rng.normal(size=(N, 5)).astype(np.float32)
    weights[2] = 0
    found = np.full((N, 48), np.nan, np.float32)
    combine_columns(indices, weights, columns, found)
    expected = np.einsum("nk,nko->no", weights.astype(float), columns[indices])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_norms():
    rows = np.random.default_rng(2).normal(size=(N, 7)).astype(np.float32)
    norms = np.empty(3, np.float32)
    row_norms(rows, np.array([4, 0, 4]), 6, norms)
    np.testing.assert_allclose(norms, np.linalg.norm(rows[[4, 0, 4], :6], axis=1), rtol=1e-6)
