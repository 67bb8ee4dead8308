"""Total generalised variation: duality, what it is blind to, and the result that it gives."""

import numpy as np
import pytest

from classicsr import TotalVariationSR
from classicsr.degradation import BicubicDegradation, SliceProfileDegradation, resize
from classicsr.metrics import psnr
from classicsr.reconstruction import DataTerm
from classicsr.reconstruction._generalized_variation import GeneralizedVariation
from classicsr.reconstruction._total_variation_solver import TotalVariation


def planes(shape, slope=0.03, step=0.2):
    """A roof: linear on either side of a kink, with a step at it."""
    place = np.indices(shape).sum(axis=0) - sum(shape) / 2
    return (slope * np.abs(place) + step * (place > 0)).astype(np.float32)


@pytest.mark.parametrize("huber", [0, 0.05])
@pytest.mark.parametrize("shape", [(14, 12), (6, 7, 5)])
def test_dual_objective_of_denoising_is_a_lower_bound_that_is_reached(shape, huber):
    image = planes(shape) + np.random.default_rng(0).normal(0, 0.05, shape).astype(np.float32)
    solver = GeneralizedVariation(0.05, 2.0, huber).solver(
        None, image, anchor=image, anchor_weight=1.0
    )
    solver.run(3000)
    volume, p = solver.dual.shape[1:], solver.dual.astype(np.float64)
    pull = -sum(
        np.diff(p[a], axis=a, prepend=np.zeros_like(np.take(p[a], [0], a))) for a in range(3)
    )
    bound = np.sum(pull * image.reshape(volume)) - 0.5 * np.sum(pull**2)
    bound -= huber / (2 * 2.0 * 0.05) * np.sum(p**2)
    assert solver.objective() == pytest.approx(bound, rel=2e-3)
    assert np.sqrt((p**2).sum(axis=0)).max() <= 0.1 * (1 + 1e-5)
    assert np.sqrt((solver.matrix**2).sum(axis=0)).max() <= 0.05 * (1 + 1e-5)


@pytest.mark.parametrize("shape", [(9, 8), (5, 6, 7)])
def test_slopes_cost_nothing(shape):
    ramp = np.tensordot([0.03, -0.02, 0.05][: len(shape)], np.indices(shape), 1).astype(np.float32)
    for weight in (0.1, 10):
        solver = GeneralizedVariation(weight).solver(None, ramp, anchor=ramp, anchor_weight=1.0)
        solver.run(300)
        assert solver.objective() < 1e-4
        np.testing.assert_allclose(solver.image, ramp, atol=1e-5)


def test_dear_changes_of_slope_make_it_total_variation():
    """Affine slopes are free; of noise about a constant they help little."""
    image = (np.random.default_rng(0).random((12, 13)) > 0.5).astype(np.float32)
    solver = GeneralizedVariation(20.0, 0.01).solver(None, image, anchor=image, anchor_weight=1.0)
    solver.run(2000)
    plain = TotalVariation(0.2).prox(image, 1.0)
    assert np.sqrt(np.mean((solver.image - plain) ** 2)) < 0.05


@pytest.mark.parametrize("model", [BicubicDegradation((2.0, 2.0)), SliceProfileDegradation(2)])
def test_objective_is_that_of_a_long_run(model, make_texture):
    high = make_texture((28, 32), 0)
    low = model.forward(high)
    data = DataTerm([low], [model], high.shape)
    solver = GeneralizedVariation(1e-3).solver(data, resize(low, 2))
    solver.run(500)
    early = solver.objective()
    solver.run(4000)
    assert early <= solver.objective() * (1 + 1e-3)


@pytest.mark.parametrize("shape", [(32, 28), (14, 16, 12)])
def test_beats_first_order_on_slopes(shape):
    high = planes(shape, step=0)
    model = SliceProfileDegradation((2.0,) * len(shape))
    low = model.forward(high)
    found = [
        psnr(high, TotalVariationSR((2,) * len(shape), order=order, degradation=model).predict(low),
             data_range=1)
        for order in (1, 2)
    ]  # fmt: skip
    assert found[1] > found[0] + 0.3


def test_order_by_number_of_axes():
    low = np.random.default_rng(0).random((6, 7, 5))
    for image, order in ((low, 2), (low[0], 1)):
        results = [TotalVariationSR(2, order=o, n_iter=30).predict(image) for o in (None, 1, 2)]
        np.testing.assert_array_equal(results[0], results[order])
        assert np.abs(results[1] - results[2]).max() > 1e-4


def test_threads_constants_and_single_voxels():
    low = np.random.default_rng(0).random((6, 7, 5))
    one, two = (TotalVariationSR(2, n_iter=20, n_jobs=n).predict(low) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    constant = TotalVariationSR(2).predict(np.full((4, 5, 6), 9.0))
    np.testing.assert_allclose(constant, 9, atol=1e-3)
    assert TotalVariationSR((2, 3, 1)).predict(np.ones((1, 1, 1))).shape == (2, 3, 1)
