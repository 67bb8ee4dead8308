"""Projection onto the images that agree with the measurement."""

import numpy as np
import pytest

from classicsr.degradation import (
    BicubicDegradation,
    GaussianDegradation,
    SliceProfileDegradation,
    project,
)

MODELS = [
    (BicubicDegradation(2), (14, 11)),
    (BicubicDegradation(3), (13, 17)),
    (BicubicDegradation(4), (24, 20)),
    (BicubicDegradation((2.5, 1)), (15, 6)),
    (GaussianDegradation(3), (15, 18)),
    (SliceProfileDegradation((1, 1, 3)), (4, 5, 12)),
    (SliceProfileDegradation((1, 1, 2.5), "gaussian", 1.2), (4, 5, 15)),
]
each_model = pytest.mark.parametrize(("model", "shape"), MODELS)


def matrix(model, shape):
    """The forward model as a dense matrix."""
    size = int(np.prod(shape))
    columns = [model.forward(np.eye(1, size, k).reshape(shape)).ravel() for k in range(size)]
    return np.stack(columns, axis=1)


def problem(model, shape, dtype=np.float64):
    rng = np.random.default_rng(0)
    low = rng.random(model.low_resolution_shape(shape))
    return rng.random(shape).astype(dtype), low.astype(dtype)


@each_model
def test_nearest_image_that_agrees(model, shape):
    """The dense answer: x + pinv(H) (y - H x)."""
    high, low = problem(model, shape)
    dense = matrix(model, shape)
    expected = high.ravel() + np.linalg.pinv(dense) @ (low.ravel() - dense @ high.ravel())
    found = project(high, low, model, tolerance=1e-10, n_iter=1000)
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-6)


@each_model
def test_agreement_in_float32(model, shape):
    high, low = problem(model, shape, np.float32)
    found = project(high, low, model)
    assert found.dtype == np.float32
    assert np.abs(model.forward(found) - low).max() <= 1e-3 / 255


@each_model
def test_what_agrees_is_left_alone(model, shape):
    high, _ = problem(model, shape)
    np.testing.assert_array_equal(project(high, model.forward(high), model), high)


def test_never_farther_from_the_truth():
    """A projection onto a set that holds the truth cannot move away from it."""
    model, rng = BicubicDegradation(3), np.random.default_rng(1)
    truth = rng.random((30, 24))
    estimate = truth + 0.1 * rng.standard_normal(truth.shape)
    found = project(estimate, model.forward(truth), model)
    assert np.linalg.norm(found - truth) < np.linalg.norm(estimate - truth)


def test_noise_is_not_fitted():
    model, rng = BicubicDegradation(2), np.random.default_rng(2)
    truth = rng.random((60, 60))
    low = model.forward(truth) + 0.05 * rng.standard_normal((30, 30))
    found = project(np.full_like(truth, 0.5), low, model, noise=0.05)
    rms = np.sqrt(np.mean((model.forward(found) - low) ** 2))
    assert 0.02 < rms <= 0.05


def test_shapes_must_belong_together():
    with pytest.raises(ValueError, match="'low' parameter of project"):
        project(np.zeros((6, 6)), np.zeros((2, 3)), BicubicDegradation(3))


@pytest.mark.parametrize("model", [BicubicDegradation(3), GaussianDegradation(2)])
def test_within_bounds(model):
    """Of saturated images, too: clipping alone would spoil the agreement."""
    rng = np.random.default_rng(3)
    scale = int(model.scale)
    truth = np.clip(rng.standard_normal((8, 10)).repeat(scale, 0).repeat(scale, 1), 0, 1)
    low = model.forward(truth)
    estimate = truth + 0.2 * rng.standard_normal(truth.shape)
    found = project(estimate, low, model, bounds=(0, 1))
    assert found.min() >= 0
    assert found.max() <= 1
    assert np.abs(model.forward(found) - low).max() < 0.005
    clipped = np.clip(project(estimate, low, model), 0, 1)
    assert np.abs(model.forward(clipped) - low).max() > 0.02
    assert np.linalg.norm(found - truth) < np.linalg.norm(clipped - truth)


def test_measurements_out_of_reach():
    """What no image within the bounds explains is explained as well as may be."""
    model = BicubicDegradation(2)
    found = project(np.full((12, 12), 0.5), np.full((6, 6), 2.0), model, bounds=(0, 1))
    np.testing.assert_allclose(found, 1)
