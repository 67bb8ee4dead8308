"""How sure MAP is: samples of its posterior have the covariance that the problem says."""

import warnings

import numpy as np
import pytest

from classicsr import load_model
from classicsr.degradation import BicubicDegradation
from classicsr.reconstruction import BayesianSR, HuberField
from classicsr.reconstruction._markov import QuadraticField
from classicsr.reconstruction._posterior import PosteriorSpreadSR

FORWARD = BicubicDegradation(2)


@pytest.fixture(scope="module")
def calibrated(make_texture):
    return BayesianSR(2).calibrate([make_texture((48, 52), 100 + seed) for seed in range(6)])


def predicted(sr, low, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return sr.predict(low, return_std=True, **options)


@pytest.mark.parametrize("kind", ["slopes_and_curvatures", "bilateral"])
@pytest.mark.parametrize("shape", [(9, 7), (5, 6, 4), (1, 2)])
def test_the_quadratic_form_has_the_gradient_of_the_field(kind, shape):
    image = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    field = getattr(HuberField, kind)(len(shape), 0.7, 0.3)
    found = QuadraticField(field, image).gradient(image)
    np.testing.assert_allclose(found, field.gradient(image), atol=2e-6)


def test_noise_of_the_prior_has_the_covariance_of_its_matrix():
    """By sums over random directions: var <v, noise> = <v, D'KD v>."""
    rng = np.random.default_rng(0)
    image, v = rng.standard_normal((2, 6, 7)).astype(np.float32)
    prior = QuadraticField(HuberField.slopes_and_curvatures(2, 0.7, 0.3), image)
    sums = [np.sum(v * prior.noise(rng)) for _ in range(4000)]
    assert np.var(sums) == pytest.approx(np.sum(v * prior.normal(v)), rel=0.1)


def test_spread_is_that_of_the_exact_posterior(make_texture):
    """Gaussian prior (a threshold beyond all differences): noise^2 (H'H + D'KD)^-1."""
    noise, low = 0.05, FORWARD.forward(make_texture((24, 24), 1))
    options = {"noise": noise, "threshold": 100.0, "tolerance": 1e-7}
    found = PosteriorSpreadSR(2, **options).predict(low, data_range=(0, 1))
    sr = BayesianSR(2, **options)
    start = load_model("bicubic").predict(low, scale=2, data_range=(0, 1))
    prior = QuadraticField(sr._field(start, noise, 2.0), start)
    units = np.eye(24 * 24, dtype=np.float32).reshape(-1, 24, 24)
    columns = [FORWARD.adjoint(FORWARD.forward(e), e.shape) + prior.normal(e) for e in units]
    exact = noise**2 * np.diag(np.linalg.inv(np.array(columns, np.float64).reshape(576, 576)))
    assert np.mean(found**2) == pytest.approx(np.mean(exact), rel=0.1)


def test_intervals_cover_and_widen_with_noise(calibrated, make_texture):
    rng, inside = np.random.default_rng(0), []
    for seed in range(200, 208):
        high = make_texture((48, 52), seed)
        low = FORWARD.forward(high)
        result, std = predicted(calibrated, low, data_range=(0, 1))
        inside.append(np.mean(np.abs(high - result) <= 1.645 * std))
        low += np.float32(0.03) * rng.standard_normal(low.shape, np.float32)
        assert predicted(calibrated, low, data_range=(0, 1))[1].mean() > std.mean()
    assert 0.84 < np.mean(inside) < 0.96


def test_same_bits_for_any_threads_and_tiles(calibrated, make_texture):
    low = FORWARD.forward(make_texture((40, 44), 300))
    first = predicted(calibrated, low)
    calibrated.set_params(n_jobs=2, tile_shape=(5, 7))
    for one, two in zip(first, predicted(calibrated, low), strict=True):
        np.testing.assert_array_equal(one, two)


def test_hard_inputs(calibrated, make_texture):
    assert not predicted(calibrated, np.full((9, 8), 3.5))[1].any()
    assert predicted(calibrated, np.ones((1, 1), np.int16))[1].shape == (2, 2)
    low = FORWARD.forward(make_texture((24, 28), 300))
    low[4, 5] = np.nan
    result, std = predicted(calibrated, low)
    np.testing.assert_array_equal(np.isnan(std), np.isnan(result))
    volume = np.stack([low[:, :10]] * 3, axis=-1)
    assert predicted(calibrated, volume, scale=(2, 2, 1))[1].shape == (24, 20, 3)
    with pytest.raises(ValueError, match=r"cannot tell how sure a result of scale 0\.5x0\.5 is"):
        predicted(calibrated, low, scale=0.5)


def test_lives_in_a_model_file(calibrated, make_texture, tmp_path):
    calibrated.save(tmp_path / "map.safetensors")
    loaded = load_model(tmp_path / "map.safetensors")
    assert loaded.calibration_.score == "posterior"
    low = FORWARD.forward(make_texture((24, 28), 300))
    for mine, stored in zip(predicted(calibrated, low), predicted(loaded, low), strict=True):
        np.testing.assert_array_equal(mine, stored)
