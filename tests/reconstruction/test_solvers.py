"""Solvers against matrices and against each other; the one entry to all of them."""

import numpy as np
import pytest

from classicsr.degradation import (
    BicubicDegradation,
    GaussianDegradation,
    KSpaceTruncation,
    SliceProfileDegradation,
)
from classicsr.reconstruction import (
    DataTerm,
    Denoiser,
    HuberField,
    NuclearNorm,
    Tikhonov,
    TotalVariation,
    WaveletSparsity,
    minimize,
)
from classicsr.reconstruction._convergence import Convergence, reporting
from classicsr.reconstruction._data_prox import DataProx, spectrum
from classicsr.reconstruction._frames import ShiftedDegradation

DIAGONAL = [
    (BicubicDegradation((2.0, 2.0)), (8, 12)),
    (BicubicDegradation((3.0, 2.0)), (9, 12)),
    (GaussianDegradation((2.0, 4.0)), (8, 12)),
    (SliceProfileDegradation((1.0, 1.0, 3.0), thickness=1.4), (5, 4, 9)),
    (SliceProfileDegradation((2.0, 2.0, 2.0)), (4, 6, 4)),
    (KSpaceTruncation((2.0, 1.5)), (8, 9)),
]
OTHERS = [(BicubicDegradation((2.0, 2.0)), (9, 12)), (BicubicDegradation((1.5, 2.0)), (9, 12))]


def image(shape, seed=0):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def measured(model, shape):
    return DataTerm([model.forward(image(shape))], [model], shape)


def matrix_of(function, shape):
    columns = [
        function(row.reshape(shape)).ravel() for row in np.eye(np.prod(shape), dtype=np.float32)
    ]
    return np.stack(columns, axis=1).astype(float)


def dense_minimum(data, prior):
    """Of two quadratic forms."""
    matrix = matrix_of(data.normal, data.shape) + matrix_of(prior.normal, data.shape)
    zero = np.zeros(data.shape, np.float32)
    right = -(data.gradient(zero) + prior.gradient(zero)).ravel()
    return np.linalg.solve(matrix, right).reshape(data.shape)


@pytest.mark.parametrize(("model", "shape"), DIAGONAL + OTHERS)
def test_proximal_map_of_the_data_equals_a_dense_solution(model, shape):
    data, v = measured(model, shape), image(shape, 1)
    nearest = DataProx(data, 0.05)
    assert (nearest.spectrum is not None) == ((model, shape) in DIAGONAL)
    expected = dense_minimum(data, Tikhonov(0.05, 0, v))
    np.testing.assert_allclose(nearest(v), expected, atol=2e-5)
    nearest.spectrum = None  # by conjugate gradients
    np.testing.assert_allclose(nearest(v), expected, atol=2e-5)


def test_several_frames_have_no_spectrum():
    model = BicubicDegradation((2.0, 2.0))
    models = [model, ShiftedDegradation(model, (0.5, 0.25))]
    data = DataTerm([image((4, 5), k) for k in range(2)], models, (8, 10))
    v = image((8, 10), 3)
    expected = dense_minimum(data, Tikhonov(0.05, 0, v))
    np.testing.assert_allclose(DataProx(data, 0.05)(v), expected, atol=2e-5)
    assert spectrum(models[1], (8, 10), (4, 5)) is None


@pytest.mark.parametrize("solver", ["cg", "fista", "admm"])
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("model", [DIAGONAL[0], DIAGONAL[4], OTHERS[1]])
def test_solvers_of_tikhonov_equal_a_dense_solution(model, order, solver):
    data = measured(*model)
    prior = Tikhonov(0.03, order, None if order else image(model[1], 1))
    x, record = minimize(data, prior, solver=solver, n_iter=4000, tolerance=1e-7)
    assert record.converged
    np.testing.assert_allclose(x, dense_minimum(data, prior), atol=2e-3 if order == 2 else 2e-4)


@pytest.mark.parametrize(
    ("prior", "n_iters"),
    [
        (TotalVariation(0.01), {"primal-dual": 2000, "fista": 60, "admm": 60}),
        (TotalVariation(0.01, huber=0.05), {"primal-dual": 2000, "admm": 60}),
        (WaveletSparsity(0.01, "haar", 2, 1), {"fista": 300, "admm": 300}),
        (WaveletSparsity(0.01, "db2", 2, 1), {"fista": 300, "admm": 300}),
        (NuclearNorm(0.01, 0), {"fista": 60, "admm": 60}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("model", [DIAGONAL[4], OTHERS[0]])
def test_solvers_reach_the_same_minimum(model, prior, n_iters):
    data = measured(*model)
    values = []
    for solver, n_iter in n_iters.items():
        x, _ = minimize(data, prior, solver=solver, n_iter=n_iter, tolerance=1e-7)
        values.append(data.value(x) + prior.value(x))
    np.testing.assert_allclose(values, min(values), rtol=1e-4)


def test_objective_falls_and_is_recorded():
    data, prior = measured(*DIAGONAL[0]), WaveletSparsity(0.01, n_shifts=1)
    x, record = minimize(data, prior, n_iter=100, tolerance=0, objective=True)
    assert len(record.objectives) == len(record.changes) == 10
    assert record.objectives[-1] == data.value(x) + prior.value(x)
    assert record.objectives[-1] < record.objectives[0]
    assert not minimize(data, prior, n_iter=10)[1].objectives
    total = minimize(data, TotalVariation(0.01), n_iter=10, objective=True)
    assert total[1].objectives == [
        pytest.approx(data.value(total[0]) + TotalVariation(0.01).value(total[0]))
    ]


@pytest.mark.parametrize(
    ("prior", "criterion"),
    [(Tikhonov(0.01), "change"), (TotalVariation(0.01), "change"), (Denoiser(1e-4), "residual")],
)
def test_criterion_is_named(prior, criterion):
    record = minimize(measured(*DIAGONAL[0]), prior, n_iter=3)[1]
    assert criterion in record.criterion
    assert record.n_iter <= 3


def test_iterations_are_told_but_not_those_within_them():
    told = []
    data = measured(*OTHERS[0])  # conjugate gradients within
    minimize(data, Denoiser(1e-4), n_iter=3, callback=lambda *step: told.append(step))
    assert told == [(1, 3), (2, 3), (3, 3)]
    told.clear()
    minimize(data, Denoiser(1e-4), n_iter=3)
    assert not told


def test_iterations_that_end_early_are_told_again():
    told, record = [], Convergence()
    with reporting(lambda *step: told.append(step)):
        for k in record.iterations(5):
            if k == 2:
                break
        for _ in Convergence().iterations(1):
            pass
    assert told == [(1, 5), (2, 5), (1, 1)]
    assert record.n_iter == 2


class Steep:
    """A prior of one's own."""

    def gradient(self, x):
        return 0.1 * x

    def curvature(self):
        return 0.1


def test_a_prior_of_ones_own():
    data = measured(*DIAGONAL[0])
    x, _ = minimize(data, Steep(), n_iter=1000, tolerance=1e-8)
    np.testing.assert_allclose(x, dense_minimum(data, Tikhonov(0.1, 0)), atol=1e-4)


@pytest.mark.parametrize(
    ("prior", "solver", "message"),
    [
        (WaveletSparsity(1), "cg", "prior WaveletSparsity must be auto or fista or admm"),
        (HuberField.bilateral(2, 1, 1), "admm", "prior HuberField must be auto or fista. Got"),
        (Denoiser(1), "fista", "prior Denoiser must be auto or admm"),
        (Tikhonov(1), "newton", "'solver' parameter of minimize"),
        (object(), "auto", "'prior' parameter of minimize must be one with prox, or gradient"),
    ],
)
def test_impossible_pairs_are_refused(prior, solver, message):
    with pytest.raises(ValueError, match=message):
        minimize(measured(*DIAGONAL[0]), prior, solver=solver)


def test_objective_needs_a_value():
    with pytest.raises(ValueError, match="one that has a value"):
        minimize(measured(*DIAGONAL[0]), Denoiser(1), objective=True)
