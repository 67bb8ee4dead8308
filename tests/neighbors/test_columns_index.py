"""Search by largest absolute correlation against brute force; cells; bits."""

import numba
import numpy as np
import pytest

from classicsr.neighbors import Cells, ColumnIndex

N = 150 if numba.config.DISABLE_JIT else 1500


@pytest.fixture(scope="module")
def columns():
    """Unit vectors around 30 directions, sorted by direction, and where each starts."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(30, 11))
    cell = np.sort(rng.integers(0, 30, N))
    vectors = centers[cell] * rng.choice([-1, 1], (N, 1)) + 0.5 * rng.normal(size=(N, 11))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cells = Cells(centers.astype("f4"), np.searchsorted(cell, np.arange(31)).astype(np.int64))
    return vectors.astype("f4"), cells


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(1).normal(size=(70, 13)).astype("f4")


def brute_force(columns, rows, k):
    correlations = np.abs(rows[:, : columns.shape[1]].astype(float) @ columns.T.astype(float))
    order = np.argsort(-correlations, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(correlations, order, axis=1)


@pytest.mark.parametrize("k", [1, 5, 24])
def test_exact(k, columns, rows):
    positions = np.array([3, 69, 0, 3, 17])
    indices, magnitudes = ColumnIndex(columns[0]).search(rows, positions, k)
    expected, values = brute_force(columns[0], rows[positions], k)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(magnitudes, values, rtol=1e-5)


def test_every_cell_probed_is_exact(columns, rows):
    everything = np.arange(len(rows))
    index = ColumnIndex(*columns, n_probes=99)
    np.testing.assert_array_equal(
        index.search(rows, everything, 7)[0], brute_force(columns[0], rows, 7)[0]
    )


def test_only_the_probed_cells_count(columns, rows):
    vectors, cells = columns
    indices = ColumnIndex(vectors, cells, n_probes=3).search(rows, np.arange(len(rows)), 4)[0]
    probed = brute_force(cells.centers, rows, 3)[0]
    for i, near in enumerate(probed):
        allowed = np.concatenate(
            [np.arange(cells.starts[c], cells.starts[c + 1]) for c in np.sort(near)]
        )
        best = allowed[brute_force(vectors[allowed], rows[i : i + 1], 4)[0][0]]
        np.testing.assert_array_equal(indices[i], best)


def test_cells_with_too_few_columns_repeat_the_best(columns, rows):
    vectors, _ = columns
    cells = Cells(vectors[[0, 50]], np.array([0, 2, 2], np.int64))
    indices, magnitudes = ColumnIndex(vectors[:2], cells, n_probes=2).search(rows, np.arange(9), 4)
    assert (indices[:, 2:] == indices[:, :1]).all()
    assert (magnitudes[:, 2:] == -1).all()


@pytest.mark.parametrize("n_probes", [None, 1, 4])
def test_bits_of_a_patch_do_not_depend_on_the_others(n_probes, columns, rows):
    index = ColumnIndex(columns[0]) if n_probes is None else ColumnIndex(*columns, n_probes)
    together = index.search(rows, np.arange(70), 6)
    for positions in (np.arange(70)[::-1], np.array([33]), np.arange(5, 28)):
        found = index.search(rows, positions, 6)
        np.testing.assert_array_equal(found[0], together[0][positions])
        np.testing.assert_array_equal(found[1], together[1][positions])


def test_negative_zero_and_nan_patches(columns, rows):
    index, positions = ColumnIndex(*columns), np.arange(len(rows))
    expected = index.search(rows, positions, 5)
    np.testing.assert_array_equal(index.search(-rows, positions, 5)[0], expected[0])
    for value in (0, np.nan):
        indices = index.search(np.full_like(rows, value), positions, 5)[0]
        assert ((indices >= 0) & (indices < N)).all()
