"""Gradients against finite differences, bounds against dense matrices, proximal maps."""

import numpy as np
import pytest

from classicsr.degradation import BicubicDegradation, GaussianDegradation
from classicsr.reconstruction import DataTerm, noise_level
from classicsr.reconstruction._fista import fista
from classicsr.reconstruction._frames import ShiftedDegradation, refined, register
from classicsr.reconstruction._markov import HuberField, _differences
from classicsr.reconstruction._total_variation_solver import TotalVariation

SHAPE = (8, 10)


@pytest.fixture(scope="module")
def two_frames():
    model = BicubicDegradation((2.0, 2.0))
    models = [model, ShiftedDegradation(model, (0.3, -0.5))]
    frames = list(np.random.default_rng(0).random((2, 4, 5)).astype(np.float32))
    return DataTerm(frames, models, SHAPE)


def dense(data):
    columns = []
    for n in range(data.shape[0] * data.shape[1]):
        x = np.zeros(data.shape)
        x.flat[n] = 1
        columns.append(np.concatenate([m.forward(x).ravel() for m in data.models]))
    return np.stack(columns, axis=1)


def check_gradient(function, gradient, x, atol):
    direction = np.random.default_rng(9).standard_normal(x.shape).astype(np.float32)
    step = 1e-3
    slope = (function(x + step * direction) - function(x - step * direction)) / (2 * step)
    assert slope == pytest.approx(float(np.sum(gradient(x) * direction)), abs=atol)


def test_data_term_is_least_squares(two_frames):
    matrix = dense(two_frames)
    y = np.concatenate([frame.ravel() for frame in two_frames.frames])
    x = np.random.default_rng(1).random(SHAPE).astype(np.float32)
    residual = matrix @ x.ravel() - y
    assert two_frames.value(x) == pytest.approx(0.5 * residual @ residual, rel=1e-5)
    np.testing.assert_allclose(
        two_frames.gradient(x).ravel(), matrix.T @ residual, rtol=1e-4, atol=1e-5
    )


def test_curvature_bounds_the_largest_eigenvalue(two_frames):
    largest = np.linalg.norm(dense(two_frames), 2) ** 2
    assert largest <= two_frames.curvature() <= 1.1 * largest


def test_one_model_per_frame():
    with pytest.raises(ValueError, match="one forward model per frame"):
        DataTerm([np.zeros((2, 2), np.float32)], [], (4, 4))


@pytest.mark.parametrize("sigma", [0.01, 0.05])
@pytest.mark.parametrize("shape", [(90, 80), (24, 26, 25)])
def test_noise_level(sigma, shape):
    ramp = np.add.outer(np.linspace(0, 1, shape[0]), np.zeros(shape[1:]))
    noise = np.random.default_rng(0).normal(0, sigma, shape)
    assert noise_level((ramp + noise).astype(np.float32)) == pytest.approx(sigma, rel=0.1)
    assert noise_level(np.ones(shape, np.float32)) < 1e-7
    assert noise_level(np.ones((1,) * len(shape), np.float32)) == 0


@pytest.mark.parametrize("kind", ["slopes_and_curvatures", "bilateral"])
@pytest.mark.parametrize("shape", [(9, 7), (5, 6, 4), (1, 8), (2, 2), (1, 1, 1)])
def test_gradient_of_a_markov_field(kind, shape):
    field = getattr(HuberField, kind)(len(shape), 0.7, 0.3)
    x = np.random.default_rng(2).random(shape).astype(np.float32)
    check_gradient(field.value, field.gradient, x, 2e-3)
    assert field.gradient(np.full_like(x, 3)).any() == False  # noqa: E712
    for axis in range(len(shape)):  # cliques in all directions
        assert field.value(np.flip(x, axis)) == pytest.approx(field.value(x), rel=1e-9)


def test_differences_of_a_clique():
    field = HuberField.slopes_and_curvatures(2, 1, 1)
    x = np.random.default_rng(0).random((5, 6)).astype(np.float32)
    found = {(c.offset, c.order): _differences(x, c) for c in field.cliques}
    np.testing.assert_allclose(found[(0, 1), 2], np.diff(x, 2, axis=1), atol=1e-6)
    np.testing.assert_allclose(found[(1, -1), 1], x[1:, :-1] - x[:-1, 1:], atol=1e-6)


@pytest.mark.parametrize("kind", ["slopes_and_curvatures", "bilateral"])
def test_curvature_of_a_markov_field(kind):
    """Where all differences are small the field is a quadratic form: its matrix is known."""
    field = getattr(HuberField, kind)(2, 0.7, 10.0)
    columns = [field.gradient(row.reshape(SHAPE)).ravel() for row in np.eye(80, dtype=np.float32)]
    assert np.linalg.norm(np.stack(columns), 2) <= field.curvature()


def test_fista_finds_the_minimum_of_a_smooth_prior(two_frames):
    field = HuberField.slopes_and_curvatures(2, 0.01, 0.1)
    x, record = fista(two_frames, np.zeros(SHAPE, np.float32), 3000, 1e-8, smooth=field)
    assert np.abs(two_frames.gradient(x) + field.gradient(x)).max() < 1e-5
    assert record.converged
    assert record.n_iter == 10 * len(record.changes)


def test_fista_with_a_proximal_map_finds_that_of_the_primal_dual_solver(two_frames):
    from classicsr.reconstruction._total_variation_solver import TotalVariationSolver

    prior, start = TotalVariation(0.01), np.zeros(SHAPE, np.float32)
    x, _ = fista(two_frames, start, 200, 1e-7, proximal=prior)
    solver = TotalVariationSolver(two_frames, prior, start)
    solver.run(4000, 1e-9)
    found = two_frames.value(x) + prior.value(x)
    assert found == pytest.approx(solver.objective(), rel=1e-4)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, -0.25), (3.1, 0.7)])
def test_shifted_model_is_adjoint(shift):
    rng = np.random.default_rng(0)
    model = ShiftedDegradation(GaussianDegradation((2.0, 3.0)), shift)
    x, y = rng.random((12, 15)), rng.random((6, 5))
    assert np.sum(model.forward(x) * y) == pytest.approx(np.sum(x * model.adjoint(y, x.shape)))


def test_whole_shifts_are_exact(make_texture):
    scene = make_texture((40, 44), 3)
    model = BicubicDegradation((2.0, 2.0))
    moved = ShiftedDegradation(model, (0.5, -1.0)).forward(scene)
    expected = model.forward(np.roll(scene, (-1, 2), axis=(0, 1)))
    np.testing.assert_allclose(moved[3:-3, 3:-3], expected[3:-3, 3:-3], atol=1e-6)


def test_registration_is_refined(make_texture):
    scene = make_texture((96, 90), 4)
    model, truth = BicubicDegradation((2.0, 2.0)), (0.37, -1.2)
    frames = [ShiftedDegradation(model, s).forward(scene) for s in ((0.0, 0.0), truth)]
    found = register(frames)[1]
    assert np.abs(np.subtract(found, truth)).max() < 0.3
    better = ShiftedDegradation(model, found)
    for _ in range(3):
        better = refined(better, scene, frames[1])
    assert np.abs(np.subtract(better.shift, truth)).max() < 0.01
