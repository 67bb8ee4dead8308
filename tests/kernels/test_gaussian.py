"""Sums of odd Gaussians against NumPy in double precision."""

import numba
import numpy as np
import pytest

from classicsr.kernels.gaussian import (
    apply_gaussians,
    block_coefficients,
    exponential,
    odd_exponentials,
    pad_points,
)
from classicsr.kernels.lanes import LANES, pad_weights

PLAIN = numba.config.DISABLE_JIT
N = 11 if PLAIN else 203


def problem(n_points, d, n_outputs, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n_points, d)).astype(np.float32) / np.sqrt(d, dtype=np.float32)
    coefficients = rng.normal(size=(n_points, n_outputs)).astype(np.float32)
    linear = rng.normal(size=(d, n_outputs)).astype(np.float32)
    return points, coefficients, linear


def applied(rows, positions, points, coefficients, linear, gamma):
    outputs = np.full((len(positions), linear.shape[1] + 1), np.nan, np.float32)
    tables = pad_weights(linear.T), *pad_points(points, gamma), block_coefficients(coefficients)
    apply_gaussians(rows, positions, len(linear), *tables, outputs)
    return outputs[:, :-1]


def expected(rows, points, coefficients, linear, gamma):
    x = rows.astype(float)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    u = x / np.where(norms > 0, norms, 1)

    def gaussians(sign):
        return np.exp(-gamma * ((u[:, None] - sign * points.astype(float)) ** 2).sum(axis=2))

    return norms * (u @ linear + (gaussians(1) - gaussians(-1)) @ coefficients)


def test_exponential():
    x = np.linspace(-87, 0, 1000, dtype=np.float32)
    found = np.array([exponential(v) for v in x], np.float64)
    np.testing.assert_allclose(found, np.exp(x.astype(np.float64)), rtol=2.5e-7)
    assert exponential(np.float32(0)) == 1
    assert 0 <= exponential(np.float32(-1e30)) < 2e-38


def test_values_are_odd_to_the_bit():
    values = np.linspace(-3, 3, LANES, dtype=np.float32)
    there, back = values.copy(), -values
    odd_exponentials(there, np.float32(4))
    odd_exponentials(back, np.float32(4))
    np.testing.assert_array_equal(back, -there)
    np.testing.assert_allclose(there, 2 * np.exp(-4) * np.sinh(values.astype(float)), atol=1e-7)


@pytest.mark.parametrize(
    ("n_points", "d", "n_outputs", "gamma"), [(1, 1, 1, 0.1), (20, 5, 4, 3.0), (37, 31, 9, 50.0)]
)
def test_against_double_precision(n_points, d, n_outputs, gamma):
    model = problem(n_points, d, n_outputs)
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(N + 3, d + 6)).astype(np.float32)  # further entries do not count
    rows[2, :d] = 0
    rows[3] *= 1000
    positions = rng.permutation(N + 3)[:N]
    found = applied(rows, positions, *model, gamma)
    wanted = expected(rows[:, :d], *model, gamma)[positions]
    scale = np.maximum(np.linalg.norm(rows[positions, :d], axis=1, keepdims=True), 1)
    np.testing.assert_allclose(found / scale, wanted / scale, atol=3e-5)
    np.testing.assert_array_equal(found[positions == 2], 0)


def test_same_bits_wherever_the_patch_lies():
    model = problem(23, 6, 5)
    rows = np.random.default_rng(2).normal(size=(N, 6)).astype(np.float32)
    together = applied(rows, np.arange(N), *model, 2.0)
    for i in (0, N // 2, N - 1):
        np.testing.assert_array_equal(applied(rows, np.array([i]), *model, 2.0)[0], together[i])


def test_homogeneous_to_the_bit():
    model = problem(23, 6, 5)
    rows = np.random.default_rng(3).normal(size=(N, 6)).astype(np.float32)
    found = applied(rows, np.arange(N), *model, 2.0)
    np.testing.assert_array_equal(applied(-4 * rows, np.arange(N), *model, 2.0), -4 * found)
