"""Weights of a few columns against SciPy and NumPy, and against the conditions of a minimum."""

import numba
import numpy as np
import pytest
from scipy.optimize import nnls

from classicsr.kernels.weights import (
    LEAST_SQUARES,
    LOCALLY_LINEAR,
    NON_NEGATIVE,
    neighbor_weights,
)

N = 8 if numba.config.DISABLE_JIT else 150
D = 10


def problem(k, seed, d=D):
    """Patches, unit columns, and k different columns for each patch."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(N, d)).astype(np.float32)
    columns = rng.normal(size=(40, d))
    columns = (columns / np.linalg.norm(columns, axis=1, keepdims=True)).astype(np.float32)
    indices = np.array([rng.permutation(40)[:k] for _ in range(N)], np.int32)
    return rows, columns, indices


def weights_of(solver, rows, columns, indices):
    weights = np.full(indices.shape, np.nan, np.float32)
    neighbor_weights(rows, np.arange(len(rows)), columns, solver, 1e-4, indices, weights)
    return weights


def each(rows, columns, indices):
    """Patch, and its columns as a matrix (d, k) whose columns correlate with it; their signs."""
    for x, chosen in zip(rows.astype(float), indices, strict=True):
        matrix = columns[chosen].T.astype(float)
        signs = np.where(x @ matrix < 0, -1.0, 1.0)
        yield x, matrix * signs, signs


@pytest.mark.parametrize("k", [1, 3, 9])
def test_least_squares(k):
    rows, columns, indices = problem(k, k)
    found = weights_of(LEAST_SQUARES, rows, columns, indices)
    for weights, (x, matrix, signs) in zip(found, each(rows, columns, indices), strict=True):
        expected = signs * np.linalg.lstsq(matrix, x, rcond=None)[0]
        np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("k", [1, 5, 10, 24])
def test_non_negative(k):
    rows, columns, indices = problem(k, k)
    found = weights_of(NON_NEGATIVE, rows, columns, indices)
    for weights, (x, matrix, signs) in zip(found, each(rows, columns, indices), strict=True):
        expected, error = nnls(matrix, x)
        assert (weights * signs >= 0).all()
        assert np.linalg.norm(matrix @ (signs * weights) - x) <= error + 1e-5
        if k <= D:  # otherwise several minima may exist
            np.testing.assert_allclose(signs * weights, expected, atol=1e-3)


@pytest.mark.parametrize("k", [1, 5, 24])
def test_locally_linear(k):
    rows, columns, indices = problem(k, k)
    found = weights_of(LOCALLY_LINEAR, rows, columns, indices)
    for weights, (x, matrix, signs) in zip(found, each(rows, columns, indices), strict=True):
        norm = np.linalg.norm(x)
        differences = matrix - (x / norm)[:, None]
        gram = differences.T @ differences
        solution = np.linalg.solve(gram + 1e-4 * np.trace(gram) * np.eye(k), np.ones(k))
        expected = signs * norm * solution / solution.sum()
        np.testing.assert_allclose(weights, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("solver", [LEAST_SQUARES, NON_NEGATIVE, LOCALLY_LINEAR])
def test_zero_patches_repeated_and_zero_columns(solver):
    rows, columns, indices = problem(6, 0)
    columns[3] = 0
    rows[0] = 0
    indices[1:4] = [[5, 5, 5, 5, 7, 7], [3, 3, 3, 3, 3, 3], [5, 3, 6, 5, 3, 6]]
    rows[4] = 2 * columns[indices[4, 2]]
    weights = weights_of(solver, rows, columns, indices)
    assert np.isfinite(weights).all()
    np.testing.assert_array_equal(weights[0], 0)
    rebuilt = np.einsum("nk,nkd->nd", weights, columns[indices])
    np.testing.assert_allclose(rebuilt[4], rows[4], atol=0.05 if solver == LOCALLY_LINEAR else 1e-4)


@pytest.mark.parametrize("solver", [LEAST_SQUARES, NON_NEGATIVE, LOCALLY_LINEAR])
def test_negative_and_scaled_patches(solver):
    rows, columns, indices = problem(8, 3)
    weights = weights_of(solver, rows, columns, indices)
    np.testing.assert_array_equal(weights_of(solver, -rows, columns, indices), -weights)
    np.testing.assert_array_equal(weights_of(solver, 4 * rows, columns, indices), 4 * weights)
