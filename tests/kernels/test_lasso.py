"""L1 codes: the conditions of the minimum, and scikit-learn's objective."""

import numba
import numpy as np
import pytest
from sklearn.linear_model import Lasso

from classicsr.kernels.lasso import batch_lasso

N = 6 if numba.config.DISABLE_JIT else 60


def problem(n_atoms, d, seed):
    rng = np.random.default_rng(seed)
    atoms = rng.normal(size=(n_atoms, d)) + rng.normal(size=d)  # coherent
    signals = rng.normal(size=(N, d))
    atoms, signals = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (atoms, signals))
    return atoms.astype(np.float32), signals.astype(np.float32)


def codes_of(signals, atoms, penalties, capacity=None):
    capacity = capacity or min(len(atoms), atoms.shape[1] + 1)
    indices = np.full((len(signals), capacity), 99, np.int32)
    coefficients = np.full((len(signals), capacity), np.nan, np.float32)
    penalties = np.broadcast_to(penalties, len(signals)).astype(np.float32)
    batch_lasso(signals @ atoms.T, atoms @ atoms.T, penalties, indices, coefficients)
    codes = np.zeros((len(signals), len(atoms)))
    np.add.at(codes, (np.arange(len(signals))[:, None], indices), coefficients)
    return codes


def objective(codes, signals, atoms, penalty):
    residual = signals.astype(float) - codes @ atoms
    return 0.5 * (residual**2).sum(axis=1) + penalty * np.abs(codes).sum(axis=1)


@pytest.mark.parametrize("penalty", [0.01, 0.15, 0.6])
@pytest.mark.parametrize(("n_atoms", "d"), [(5, 12), (80, 12)])
def test_objective_of_scikit_learn(n_atoms, d, penalty):
    atoms, signals = problem(n_atoms, d, 0)
    codes = codes_of(signals, atoms, penalty)
    lasso = Lasso(alpha=penalty / d, fit_intercept=False, tol=1e-10, max_iter=100_000)
    expected = lasso.fit(atoms.T.astype(float), signals.T.astype(float)).coef_
    gap = objective(codes, signals, atoms, penalty) - objective(expected, signals, atoms, penalty)
    assert np.abs(gap).max() < 1e-4
    assert (codes != 0).any(axis=1).mean() > 0.1


@pytest.mark.parametrize("penalty", [0.02, 0.15])
def test_conditions_of_the_minimum(penalty):
    atoms, signals = problem(60, 10, 1)
    codes = codes_of(signals, atoms, penalty)
    correlations = (signals - codes @ atoms) @ atoms.T.astype(float)
    assert np.abs(correlations).max() <= penalty * 1.001
    used = codes != 0
    np.testing.assert_allclose(
        correlations[used], penalty * np.sign(codes[used]), rtol=1e-3, atol=1e-5
    )


def test_a_penalty_for_each_signal():
    atoms, signals = problem(30, 8, 2)
    once = codes_of(signals, atoms, 0.1)
    scales = np.random.default_rng(0).uniform(0.01, 100, (N, 1)).astype(np.float32)
    scaled = codes_of(signals * scales, atoms, 0.1 * scales[:, 0])
    np.testing.assert_allclose(scaled / scales, once, atol=1e-4)
    np.testing.assert_array_equal(codes_of(signals, atoms, 1.1), 0)


def test_zero_signals_and_repeated_atoms():
    atoms, signals = problem(12, 8, 3)
    atoms = np.concatenate([atoms, atoms, -atoms, 0 * atoms])
    signals[0] = 0
    penalties = np.full(N, 0.05)
    penalties[0] = 0
    codes = codes_of(signals, atoms, penalties)
    np.testing.assert_array_equal(codes[0], 0)
    expected = codes_of(signals, atoms[:12], penalties)
    np.testing.assert_allclose(
        objective(codes, signals, atoms, 0.05)[1:],
        objective(expected, signals, atoms[:12], 0.05)[1:],
        atol=1e-5,
    )


def test_never_more_atoms_than_asked_for():
    atoms, signals = problem(40, 12, 4)
    codes = codes_of(signals, atoms, 0.01, capacity=3)
    assert (codes != 0).sum(axis=1).max() == 3
