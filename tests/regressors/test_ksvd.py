"""K-SVD: unit atoms, falling error, and a dictionary that is known to be there."""

import numpy as np
import pytest
from sklearn.linear_model import orthogonal_mp_gram

from classicsr.regressors import ksvd, omp_codes


def planted(n_signals, n_atoms, d, n_nonzero, seed):
    """Signals that are exactly sparse in a random dictionary."""
    rng = np.random.default_rng(seed)
    atoms = rng.normal(size=(n_atoms, d))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    chosen = np.array([rng.permutation(n_atoms)[:n_nonzero] for _ in range(n_signals)])
    weights = rng.normal(size=chosen.shape)
    signals = np.einsum("ns,nsd->nd", weights, atoms[chosen])
    return atoms, signals.astype(np.float32)


def error_of(signals, atoms, n_nonzero):
    indices, coefficients = omp_codes(signals, atoms, n_nonzero)
    return np.linalg.norm(signals - np.einsum("ns,nsd->nd", coefficients, atoms[indices]))


def test_recovers_a_planted_dictionary():
    truth, signals = planted(1500, 40, 20, 3, seed=0)
    learned = ksvd(signals, 40, n_nonzero=3, n_iter=40, random_state=0)
    found = np.abs(truth @ learned.T).max(axis=1) > 0.95
    assert found.mean() >= 0.85


def test_error_falls_and_atoms_have_unit_norm():
    _, signals = planted(800, 30, 16, 3, seed=1)
    signals += 0.05 * np.random.default_rng(2).normal(size=signals.shape).astype(np.float32)
    errors = []
    for n_iter in (0, 2, 10, 30):
        atoms = ksvd(signals, 30, n_iter=n_iter, random_state=0)
        np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1, rtol=1e-5)
        errors.append(error_of(signals, atoms, 3))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.7 * errors[0]


def test_codes_of_many_signals_equal_scikit_learn():
    """More signals than are coded at a time."""
    atoms, signals = planted(2100, 12, 10, 3, seed=3)
    indices, coefficients = omp_codes(signals, atoms.astype(np.float32), 2, n_jobs=2)
    codes = np.zeros((2100, 12))
    np.add.at(codes, (np.arange(2100)[:, None], indices), coefficients)
    expected = orthogonal_mp_gram(
        atoms @ atoms.T, atoms @ signals.T.astype(float), n_nonzero_coefs=2
    )
    wrong = ~np.isclose(codes, expected.T, atol=1e-3).all(axis=1)
    assert wrong.mean() < 0.005  # near ties may go either way in float32


def test_seed_and_threads():
    _, signals = planted(1500, 30, 16, 3, seed=4)
    atoms = [
        ksvd(signals, 30, n_iter=3, random_state=seed, n_jobs=n_jobs)
        for seed, n_jobs in ((0, 1), (0, 2), (1, 1))
    ]
    np.testing.assert_array_equal(atoms[0], atoms[1])
    assert not np.array_equal(atoms[0], atoms[2])


def test_input_is_not_changed():
    _, signals = planted(200, 10, 8, 2, seed=5)
    signals.setflags(write=False)
    ksvd(signals, 10, n_iter=2, random_state=0)


def test_few_zero_and_repeated_signals():
    rng = np.random.default_rng(6)
    few = rng.normal(size=(5, 8)).astype(np.float32)
    assert ksvd(few, 20, n_iter=3, random_state=0).shape == (5, 8)
    zeros = ksvd(np.zeros((9, 8), np.float32), 4, random_state=0)
    np.testing.assert_array_equal(np.linalg.norm(zeros, axis=1), 1)
    mostly_zero = np.concatenate([np.zeros((50, 8), np.float32), few])
    repeated = np.repeat(few[:1], 40, axis=0)
    for signals in (mostly_zero, repeated):
        atoms = ksvd(signals, 8, n_iter=3, random_state=0)
        assert np.isfinite(atoms).all()
        np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_unused_atoms_learn_what_is_explained_worst(seed):
    """Copies of one atom at the start, and a rare signal that it does not explain."""
    signals = np.zeros((60, 5), np.float32)
    signals[:, 0] = 1
    signals[17] = [0, 0, 2, 0, 0]
    atoms = ksvd(signals, 2, n_nonzero=1, n_iter=2, random_state=seed)
    assert error_of(signals, atoms, 1) < 1e-5


def test_progress_is_told():
    told = []
    _, signals = planted(100, 8, 8, 2, seed=7)
    ksvd(signals, 8, n_iter=3, progress=lambda *step: told.append(step), random_state=0)
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("n_nonzero", [1, 5])
def test_n_nonzero_above_what_is_possible(n_nonzero):
    signals = np.random.default_rng(8).normal(size=(50, 3)).astype(np.float32)
    atoms = ksvd(signals, 6, n_nonzero=n_nonzero, n_iter=2, random_state=0)
    assert atoms.shape == (6, 3)
    assert np.isfinite(atoms).all()
