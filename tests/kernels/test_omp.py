"""Batch OMP against scikit-learn's, the K-SVD atom update against plain NumPy."""

import numba
import numpy as np
import pytest
from sklearn.linear_model import orthogonal_mp_gram

from classicsr.kernels.linear import sort_by_label
from classicsr.kernels.omp import batch_omp, update_atoms

N_SIGNALS = 10 if numba.config.DISABLE_JIT else 120


def unit_rows(rng, n, d):
    rows = rng.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def codes_of(signals, atoms, n_nonzero):
    indices = np.full((len(signals), n_nonzero), 99, np.int32)
    coefficients = np.full((len(signals), n_nonzero), np.nan, np.float32)
    batch_omp(signals @ atoms.T, atoms @ atoms.T, indices, coefficients)
    return indices, coefficients


def dense(indices, coefficients, n_atoms):
    codes = np.zeros((len(indices), n_atoms))
    np.add.at(codes, (np.arange(len(indices))[:, None], indices), coefficients)
    return codes


@pytest.mark.parametrize("n_nonzero", [1, 2, 3, 5])
@pytest.mark.parametrize("n_atoms", [7, 16, 37])
def test_equals_scikit_learn(n_atoms, n_nonzero):
    rng = np.random.default_rng(n_atoms)
    atoms = unit_rows(rng, n_atoms, 12)
    signals = rng.normal(size=(N_SIGNALS, 12)).astype(np.float32)
    indices, coefficients = codes_of(signals, atoms, n_nonzero)
    exact = atoms.astype(float)
    expected = orthogonal_mp_gram(
        exact @ exact.T, exact @ signals.T.astype(float), n_nonzero_coefs=n_nonzero
    )
    np.testing.assert_allclose(
        dense(indices, coefficients, n_atoms), expected.reshape(n_atoms, -1).T, atol=2e-4
    )


def test_residual_is_orthogonal_to_the_chosen_atoms():
    rng = np.random.default_rng(0)
    atoms = unit_rows(rng, 20, 8)
    signals = rng.normal(size=(N_SIGNALS, 8)).astype(np.float32)
    indices, coefficients = codes_of(signals, atoms, 4)
    residual = signals - dense(indices, coefficients, 20) @ atoms
    inner = np.einsum("nd,nkd->nk", residual, atoms[indices])
    np.testing.assert_allclose(inner, 0, atol=1e-5)


def test_an_explained_signal_stops_early():
    rng = np.random.default_rng(1)
    atoms = unit_rows(rng, 10, 12)
    signals = np.stack([3 * atoms[4], np.zeros(12, np.float32), -2 * atoms[9]])
    indices, coefficients = codes_of(signals, atoms, 3)
    np.testing.assert_allclose(
        dense(indices, coefficients, 10), np.diag([3.0, 0, -2])[:, [1, 1, 1, 1, 0, 1, 1, 1, 1, 2]],
        atol=1e-5,
    )  # fmt: skip
    assert (coefficients[1] == 0).all()


def test_repeated_atoms_do_no_harm():
    rng = np.random.default_rng(2)
    once = unit_rows(rng, 4, 9)
    atoms = np.concatenate([once, once, -once])
    signals = rng.normal(size=(N_SIGNALS, 9)).astype(np.float32)
    indices, coefficients = codes_of(signals, atoms, 6)
    expected = np.linalg.lstsq(once.T, signals.T, rcond=None)[0]
    np.testing.assert_allclose(
        dense(indices, coefficients, 12) @ atoms, (once.T @ expected).T, atol=1e-4
    )


def test_the_first_atom_wins_a_tie():
    atoms = np.zeros((40, 3), np.float32)
    atoms[:, 0] = 0.5
    atoms[[5, 18, 37]] = [0, 1, 0]
    indices, _ = codes_of(np.array([[0, 2, 0]], np.float32), atoms, 1)
    assert indices.tolist() == [[5]]


def sweep(signals, atoms, indices, coefficients):
    order, starts = sort_by_label(indices.ravel(), len(atoms))
    update_atoms(signals, atoms, indices, coefficients, order, starts)


def slow_sweep(signals, atoms, codes):
    """Approximate K-SVD with dense matrices in float64."""
    for k in range(len(atoms)):
        users = np.flatnonzero(codes[:, k])
        without = codes[users].copy()
        without[:, k] = 0
        residual = signals[users] - without @ atoms
        total = codes[users, k] @ residual
        if np.linalg.norm(total) > 0:
            atoms[k] = total / np.linalg.norm(total)
            codes[users, k] = residual @ atoms[k]
    return atoms, codes


@pytest.mark.parametrize("n_nonzero", [1, 3])
def test_sweep_equals_dense_matrices(n_nonzero):
    rng = np.random.default_rng(n_nonzero)
    atoms = unit_rows(rng, 6, 5)
    signals = rng.normal(size=(N_SIGNALS, 5)).astype(np.float32)
    indices, coefficients = codes_of(signals, atoms, n_nonzero)
    expected_atoms, expected_codes = slow_sweep(
        signals.astype(float), atoms.astype(float), dense(indices, coefficients, 6)
    )
    sweep(signals, atoms, indices, coefficients)
    np.testing.assert_allclose(atoms, expected_atoms, atol=1e-4)
    np.testing.assert_allclose(dense(indices, coefficients, 6), expected_codes, atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_sweep_never_raises_the_error(seed):
    rng = np.random.default_rng(seed)
    atoms = unit_rows(rng, 12, 7)
    signals = (unit_rows(rng, 12, 7)[rng.integers(0, 12, N_SIGNALS)] * 3).astype(np.float32)
    signals += 0.3 * rng.normal(size=signals.shape).astype(np.float32)
    indices, coefficients = codes_of(signals, atoms, 2)
    before = np.linalg.norm(signals - dense(indices, coefficients, 12) @ atoms)
    for _ in range(3):
        sweep(signals, atoms, indices, coefficients)
        after = np.linalg.norm(signals - dense(indices, coefficients, 12) @ atoms)
        assert after <= before * (1 + 1e-6)
        before = after
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1, rtol=1e-5)


def test_unused_atoms_stay():
    atoms = np.eye(4, 3, dtype=np.float32)
    atoms[3] = [0.6, 0, 0.8]
    unused = atoms[2].copy()
    signals = np.array([[2, 0.1, 0], [3, 0, 0.1], [0.1, 1, 0]], np.float32)
    indices, coefficients = codes_of(signals, atoms, 1)
    sweep(signals, atoms, indices, coefficients)
    np.testing.assert_array_equal(atoms[2], unused)
    assert not np.array_equal(atoms[0], [1, 0, 0])
