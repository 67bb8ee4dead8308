"""Online dictionary learning: the objective of scikit-learn, planted atoms, streams."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import MiniBatchDictionaryLearning, sparse_encode

from classicsr.regressors import CoupledDictionaryRegressor, online_dictionary
from classicsr.regressors._coupled import (
    LassoCoder,
    PursuitCoder,
    code_rows,
    code_statistics,
)
from classicsr.regressors._norms import norms, unit_rows
from classicsr.regressors._online_dictionary import _update_atoms, shuffled_batches


def lasso(penalty):
    return lambda atoms: LassoCoder(atoms, penalty)


def planted(n_signals, n_atoms, d, seed):
    """Signals that are sparse in a random dictionary."""
    rng = np.random.default_rng(seed)
    atoms = unit_rows(rng.normal(size=(n_atoms, d)).astype(np.float32))
    chosen = np.array([rng.permutation(n_atoms)[:3] for _ in range(n_signals)])
    weights = rng.normal(size=chosen.shape)
    signals = np.einsum("ns,nsd->nd", weights, atoms[chosen])
    return atoms, signals.astype(np.float32)


def learned(signals, n_atoms, penalty, n_epochs=2, size=256, **options):
    batches = shuffled_batches(signals, n_epochs, np.random.RandomState(1), size)
    return online_dictionary(batches, n_atoms, lasso(penalty), random_state=0, **options)


def objective(signals, atoms, penalty):
    codes = sparse_encode(signals, atoms, algorithm="lasso_lars", alpha=penalty)
    return (0.5 * ((signals - codes @ atoms) ** 2).sum() + penalty * np.abs(codes).sum()) / len(
        signals
    )


def test_objective_of_scikit_learn(patches):
    penalty = 0.2
    signals = unit_rows(patches[0][norms(patches[0]) > 1e-3])
    train, other = signals[::4], signals[1::16].astype(np.float64)
    theirs = MiniBatchDictionaryLearning(
        30, alpha=penalty, batch_size=256, max_iter=3, random_state=0, tol=0,
        max_no_improvement=None,
    ).fit(train.astype(np.float64)).components_  # fmt: skip
    ours, fewer_updates = (learned(train, 30, penalty, 3, size) for size in (256, 10_000))
    found = objective(other, ours, penalty)
    assert found < 1.02 * objective(other, unit_rows(theirs), penalty)
    assert found < objective(other, fewer_updates, penalty)


def test_recovers_a_planted_dictionary():
    truth, signals = planted(3000, 40, 20, seed=0)
    found = np.abs(truth @ learned(signals, 40, 0.1, n_epochs=8).T).max(axis=1) > 0.95
    assert found.mean() >= 0.85


def test_the_sweep_finds_the_best_atoms_for_the_codes():
    """Repeated, it reaches a point where no unit atom alone lowers the error."""
    _, signals = planted(400, 12, 8, seed=1)
    atoms = learned(signals, 12, 0.1)
    statistics = code_statistics(signals, *code_rows(LassoCoder(atoms, 0.3), signals), len(atoms))
    moved = unit_rows(np.random.default_rng(0).normal(size=atoms.shape).astype(np.float32))
    for _ in range(200):
        _update_atoms(moved, *statistics)
    gram, cross = statistics
    for j in np.flatnonzero(np.diagonal(gram)):
        pull = cross[j] - gram[j] @ moved + gram[j, j] * moved[j]
        np.testing.assert_allclose(moved[j], pull / np.linalg.norm(pull), atol=1e-3)


def test_statistics_of_codes_add_up():
    _, signals = planted(300, 12, 8, seed=2)
    atoms = learned(signals, 12, 0.1)
    indices, weights = code_rows(LassoCoder(atoms, 0.1), signals)
    dense = np.zeros((300, 12))
    np.add.at(dense, (np.arange(300)[:, None], indices), weights)
    whole = code_statistics(signals, indices, weights, 12)
    np.testing.assert_allclose(whole[0], dense.T @ dense, atol=1e-9)
    np.testing.assert_allclose(whole[1], dense.T @ signals.astype(float), atol=1e-9)
    halves = [code_statistics(signals[s], indices[s], weights[s], 12) for s in
              (slice(100), slice(100, None))]  # fmt: skip
    np.testing.assert_allclose(halves[0][0] + halves[1][0], whole[0])


def test_a_stream_is_read_once_and_in_order():
    _, signals = planted(1000, 20, 10, seed=3)
    listed = online_dictionary(np.split(signals, 10), 20, lasso(0.1), random_state=0)
    streamed = online_dictionary(iter(np.split(signals, 10)), 20, lasso(0.1), random_state=0)
    np.testing.assert_array_equal(listed, streamed)
    np.testing.assert_allclose(norms(listed), 1, rtol=1e-5)


def test_seed_threads_and_coder():
    _, signals = planted(1500, 30, 16, seed=4)
    once, again = (learned(signals, 30, 0.1, n_jobs=n_jobs) for n_jobs in (1, 2))
    np.testing.assert_array_equal(once, again)
    batches = np.split(signals, 5)
    other = online_dictionary(batches, 30, lambda a: PursuitCoder(a, 3), random_state=0)
    assert other.shape == (30, 16)
    assert not np.array_equal(
        other, online_dictionary(batches, 30, lambda a: PursuitCoder(a, 3), random_state=1)
    )


def test_few_zero_and_repeated_signals():
    few = np.random.default_rng(6).normal(size=(5, 8)).astype(np.float32)
    assert learned(few, 20, 0.1, n_epochs=1).shape == (5, 8)
    zeros = learned(np.zeros((9, 8), np.float32), 4, 0.1)
    np.testing.assert_array_equal(norms(zeros), 1)
    mostly_zero = np.concatenate([np.zeros((50, 8), np.float32), few])
    for signals in (mostly_zero, np.repeat(few[:1], 40, axis=0)):
        atoms = learned(signals, 8, 0.1, size=7)
        assert np.isfinite(atoms).all()
        np.testing.assert_allclose(norms(atoms), 1, rtol=1e-5)
    with pytest.raises(ValueError, match="'batches' parameter"):
        online_dictionary([], 4, lasso(0.1))


FAST = {"n_atoms": 40, "random_state": 0, "penalty": 0.1}
LEARNERS = {
    "online l1": CoupledDictionaryRegressor(learner="online", solver="l1", **FAST),
    "online omp": CoupledDictionaryRegressor(learner="online", **FAST),
    "joint l1": CoupledDictionaryRegressor(learner="joint", solver="l1", **FAST),
    "joint fista": CoupledDictionaryRegressor(learner="joint", solver="fista", **FAST),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_regressors(name, patches):
    X, Y = patches
    model = clone(LEARNERS[name]).fit(X[::2], Y[::2])
    predicted = model.predict(X[1::2])
    assert ((predicted - Y[1::2]) ** 2).sum() < 0.92 * (Y[1::2] ** 2).sum()
    np.testing.assert_array_equal(model.predict(-X[:50]), -model.predict(X[:50]))
    np.testing.assert_allclose(norms(model.map_.coder.low), 1, rtol=1e-5)
    two = clone(LEARNERS[name]).set_params(n_jobs=2).fit(X[::2], Y[::2])
    np.testing.assert_array_equal(two.predict(X[1::20]), model.predict(X[1::20]))


def test_fista_and_the_active_set_agree(patches):
    X, Y = patches
    models = [clone(LEARNERS[f"joint {name}"]).fit(X[::4], Y[::4]) for name in ("l1", "fista")]
    low = models[0].map_.coder.low
    rows, positions = X[:200], np.arange(200)
    dense = []
    for fista in (False, True):
        indices, weights = LassoCoder(low, 0.1, fista=fista).codes(rows, positions)
        codes = np.zeros((200, len(low)))
        np.add.at(codes, (positions[:, None], indices), weights)
        dense.append(codes @ low)
    np.testing.assert_allclose(*dense, atol=1e-3 * norms(X).max())
    errors = [((model.predict(X) - Y) ** 2).sum() for model in models]
    assert errors[1] == pytest.approx(errors[0], rel=0.02)


def test_targets_of_zero(patches):
    X = patches[0][:500]
    model = clone(LEARNERS["joint l1"]).fit(X, np.zeros((500, 3)))
    np.testing.assert_array_equal(model.predict(X), 0)
