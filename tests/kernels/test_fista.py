"""FISTA: the conditions of the minimum, and the objective of scikit-learn and the active set."""

import numba
import numpy as np
import pytest
from sklearn.linear_model import Lasso

from classicsr.kernels.fista import batch_fista
from classicsr.kernels.lasso import batch_lasso

N = 3 if numba.config.DISABLE_JIT else 60


def problem(n_atoms, d, seed):
    rng = np.random.default_rng(seed)
    atoms = rng.normal(size=(n_atoms, d)) + rng.normal(size=d)  # coherent
    signals = rng.normal(size=(N, d))
    atoms, signals = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (atoms, signals))
    return atoms.astype(np.float32), signals.astype(np.float32)


def codes_of(signals, atoms, penalties, capacity=None, solve=batch_fista):
    capacity = capacity or len(atoms)
    indices = np.full((len(signals), capacity), 99, np.int32)
    coefficients = np.full((len(signals), capacity), np.nan, np.float32)
    penalties = np.broadcast_to(penalties, len(signals)).astype(np.float32)
    solve(signals @ atoms.T, atoms @ atoms.T, penalties, indices, coefficients)
    codes = np.zeros((len(signals), len(atoms)))
    np.add.at(codes, (np.arange(len(signals))[:, None], indices), coefficients)
    return codes


def objective(codes, signals, atoms, penalty):
    residual = signals.astype(float) - codes @ atoms
    return 0.5 * (residual**2).sum(axis=1) + penalty * np.abs(codes).sum(axis=1)


@pytest.mark.parametrize("penalty", [0.02, 0.15, 0.6])
@pytest.mark.parametrize(("n_atoms", "d"), [(5, 12), (60, 12)])
def test_objective_of_other_solvers(n_atoms, d, penalty):
    atoms, signals = problem(n_atoms, d, 0)
    lasso = Lasso(alpha=penalty / d, fit_intercept=False, tol=1e-10, max_iter=100_000)
    expected = lasso.fit(atoms.T.astype(float), signals.T.astype(float)).coef_
    found = objective(codes_of(signals, atoms, penalty), signals, atoms, penalty)
    for codes in (expected, codes_of(signals, atoms, penalty, min(n_atoms, d + 1), batch_lasso)):
        np.testing.assert_allclose(found, objective(codes, signals, atoms, penalty), rtol=1e-4)


def test_conditions_of_the_minimum():
    atoms, signals = problem(50, 10, 1)
    codes = codes_of(signals, atoms, 0.1)
    correlations = (signals - codes @ atoms) @ atoms.T.astype(float)
    assert np.abs(correlations).max() <= 0.1 * 1.001
    used = codes != 0
    np.testing.assert_allclose(correlations[used], 0.1 * np.sign(codes[used]), rtol=1e-3)
    assert used.any(axis=1).all()


def test_the_largest_weights_are_kept():
    atoms, signals = problem(30, 12, 2)
    whole = codes_of(signals, atoms, 0.02)
    short = codes_of(signals, atoms, 0.02, capacity=4)
    for all_weights, kept in zip(whole, short, strict=True):
        largest = np.sort(np.argsort(-np.abs(all_weights))[:4])
        np.testing.assert_array_equal(np.flatnonzero(kept), largest)
        np.testing.assert_array_equal(kept[largest], all_weights[largest])


def test_zero_signals_zero_atoms_and_signs():
    atoms, signals = problem(12, 8, 3)
    atoms = np.concatenate([atoms, atoms[:3], 0 * atoms])
    signals[0] = 0
    penalties = np.where(np.arange(N) == 0, 0, 0.05)
    codes = codes_of(signals, atoms, penalties)
    np.testing.assert_array_equal(codes[0], 0)
    np.testing.assert_array_equal(codes[:, 15:], 0)
    np.testing.assert_array_equal(codes_of(-signals, atoms, penalties), -codes)
    np.testing.assert_array_equal(codes_of(4 * signals, atoms, 4 * penalties), 4 * codes)
    np.testing.assert_array_equal(codes_of(signals, 0 * atoms, penalties), 0)
