"""Self-super-resolution: what it learns, what it promises, and what it survives."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from classicsr import SelfVolumeSR
from classicsr.degradation import SliceProfileDegradation, resize
from classicsr.reconstruction import NonLocalSR
from classicsr.reconstruction._reference import Reference
from classicsr.reconstruction._rehearsal import Rehearsal, _liveliest, _part_of
from classicsr.reconstruction._self_learning import (
    _PRIOR,
    STRENGTHS,
    SelfLearning,
    _best_weights,
    _merged,
    _roughness_across,
)
from classicsr.reconstruction._slice_regression import SliceRegression
from classicsr.zoo import load_model, make_method


def scene(shape, seed=0):
    """Blobs with sharp rims, alike along all axes."""
    smooth = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2.5)
    smooth /= smooth.std()
    return (np.where(smooth > 0, 0.8, 0.2) + 0.05 * smooth).astype(np.float32)


def mse(a, b):
    return float(np.mean((a - b) ** 2))


@pytest.fixture(scope="module")
def high():
    return scene((32, 34, 30))


@pytest.mark.parametrize(
    ("factor", "profile", "thickness"),
    [(2.0, "box", 1.0), (3.0, "gaussian", 1.0), (2.5, "box", 0.7)],
)
def test_better_than_the_spline_and_true_to_the_slices(high, factor, profile, thickness):
    model = SliceProfileDegradation((1, 1, factor), profile, thickness)
    truth = high[..., :25] if factor == 2.5 else high
    low = model.forward(truth).astype(np.float32)
    sr = SelfVolumeSR((1, 1, factor), profile=profile, thickness=thickness)
    result = sr.predict(low)
    assert result.shape == truth.shape
    assert np.abs(model.forward(result) - low).max() < 1e-5
    spline = zoom(
        low, (1, 1, truth.shape[2] / low.shape[2]), order=3, mode="reflect", grid_mode=True
    )
    assert mse(result, truth) < 0.7 * mse(spline, truth)
    assert sr.learning_.regression is not None


def test_the_thick_axis_may_be_any():
    truth = scene((27, 24, 26))
    low = SliceProfileDegradation((3, 1, 1)).forward(truth)
    sr = SelfVolumeSR((3, 1, 1))
    result = sr.predict(low)
    assert sr.learning_.axis == 0
    assert mse(result, truth) < 0.7 * mse(resize(low, (3, 1, 1)), truth)


def test_regression_against_least_squares():
    """Smooth noise: the best estimate is linear, and least squares on the answer is its limit."""
    volume, fresh = (
        gaussian_filter(np.random.default_rng(k).standard_normal(n), 1).astype(np.float32)
        for k, n in ((0, (48, 48, 24)), (1, (48, 30, 30)))
    )
    rng = np.random.RandomState(0)
    regression = SliceRegression.learn(volume, {0: 3.0, 1: 3.0}, 3, SliceProfileDegradation(1), rng)
    low = SliceProfileDegradation((3, 1, 1)).forward(fresh)
    learned = regression.apply(low, 0, 3.0, 48)
    patches = np.lib.stride_tricks.sliding_window_view(low, (5, 5), axis=(0, 1))
    rows = patches.transpose(2, 0, 1, 3, 4).reshape(-1, 25)
    blocks = fresh.reshape(16, 3, 30, 30)[2:-2, :, 2:-2].transpose(3, 0, 2, 1).reshape(-1, 3)
    limit = mse(rows @ np.linalg.lstsq(rows, blocks)[0], blocks)
    inside = np.s_[6:-6, 2:-2]
    assert mse(learned[inside], fresh[inside]) < 1.05 * limit
    assert mse(learned, fresh) < 0.95 * mse(resize(low, (3, 1, 1)), fresh)


def test_more_than_its_parts_on_the_training_volume(high):
    low = SliceProfileDegradation((1, 1, 2)).forward(high)
    own = SelfVolumeSR((1, 1, 2)).predict(low)
    assert mse(own, high) < 1.03 * mse(NonLocalSR((1, 1, 2)).predict(low), high)


def test_weights_are_a_convex_mean_and_the_best_near_the_prior():
    power = np.diag([0.1, 1.0, 1.0, 1.0]) ** 2  # the first is ten times as exact as the others
    weights = _best_weights(power, _PRIOR, 0.0)
    assert sum(weights) == pytest.approx(1)
    inverse = 1 / np.diag(power)  # independent errors
    np.testing.assert_allclose(weights, inverse / inverse.sum(), rtol=1e-3)
    np.testing.assert_allclose(_best_weights(power, _PRIOR, 1e3), _PRIOR, atol=1e-2)
    assert min(_best_weights(power + 0.9, _PRIOR, 0.01)) >= 0
    assert _best_weights(np.zeros((4, 4)), _PRIOR, 0.3) == _PRIOR


def test_total_variation_takes_part_in_smooth_volumes_only(high):
    noise = np.random.default_rng(0).standard_normal((24, 24, 24))
    smooth = gaussian_filter(noise, 3).astype(np.float32)
    model = SliceProfileDegradation((1, 1, 4))
    low, sr = model.forward(smooth), SelfVolumeSR((1, 1, 4))
    result = sr.predict(low)
    assert 0.1 < sr.learning_.weights[-1] < 0.9
    assert mse(result, smooth) < 0.8 * mse(NonLocalSR((1, 1, 4)).predict(low), smooth)
    assert np.abs(model.forward(result) - low).max() < 1e-5
    np.testing.assert_array_equal(SelfVolumeSR((1, 1, 4), n_jobs=2).predict(low), result)
    sr.predict(model.forward(high[..., :24]))
    assert sr.learning_.weights[-1] == 0


def test_roughness_across_slices_beside_that_within_them():
    noise = np.random.default_rng(0).standard_normal((30, 30, 30))
    smoothed = 1 - np.exp(-(3**2) / (4 * 2**2))  # of the variance: changes over 3 samples
    for sigma, expected in ((2, 1.0), ((2, 2, 0), 1 / smoothed)):
        truth = gaussian_filter(noise, sigma).astype(np.float32)
        learning = SelfLearning(0, None, (1, 0, 0), 0.5)
        model = SliceProfileDegradation((3, 1, 1))
        one = Rehearsal(learning, model.forward(truth), truth, model)
        assert _roughness_across(2, [one]) == pytest.approx(expected, rel=0.2)


def test_rough_slices_take_less_of_the_regression(high):
    rough = high + np.random.default_rng(0).standard_normal(30).astype(np.float32)
    low = SliceProfileDegradation((1, 1, 2)).forward(rough)
    sr = SelfVolumeSR((1, 1, 2))
    sr.predict(low)
    assert sr.learning_.share < 0.5
    half = SelfLearning(2, sr.learning_.regression, (0, 1, 0), 0.5, share=0.5)
    ends = [replace(half, share=one) for one in (0.0, 1.0)]
    model = SliceProfileDegradation((1, 1, 2))
    results = [one.estimate(low, model, rough.shape, 1) for one in (*ends, half)]
    assert mse(results[2], (results[0] + results[1]) / 2) < 0.3 * mse(*results[:2])
    plain = NonLocalSR((1, 1, 2), strength=0.5, tolerance=0.07, n_iter=12).predict(low)
    np.testing.assert_allclose(results[0], plain, atol=1e-4)


def test_rehearsed_where_the_detail_is():
    image = np.zeros((40, 30, 12), np.float32)
    image[25:35, 4:12, 3:9] = np.random.default_rng(0).random((10, 8, 6))
    rows, columns, _ = _liveliest(image, (20, 15, 12), 2)
    assert rows.start <= 25 < 35 <= rows.stop
    assert columns.start <= 4 < 12 <= columns.stop
    assert [s.stop - s.start for s in (rows, columns)] == [20, 15]


def test_part_of_a_reference_on_the_grid_of_an_estimate():
    image = np.add.outer(np.arange(12.0), np.zeros((12, 24))).astype(np.float32)
    reference = Reference(image, np.ones_like(image))
    place = (slice(2, 5), slice(0, 6), slice(1, 6))
    same = _part_of(reference.part((slice(None),) * 3), place, (1, 1, 4), (3, 6, 20))
    np.testing.assert_array_equal(same.image[:, 0, 0], [2, 3, 4])
    coarse = _part_of(reference, place, (2, 2, 4), (3, 6, 10))  # half the grid of the result
    np.testing.assert_allclose(coarse.image[1, 0, 0], 6.5, atol=1e-4)
    assert coarse.image.shape == coarse.covered.shape == (3, 6, 10)


def test_nonlocal_means_of_one_strength_stand_for_those_of_two(high):
    weights, strength = _merged((2, 3, 5, 0.1))
    assert weights == pytest.approx((0.2, 0.8, 0))
    assert strength == pytest.approx((3 * STRENGTHS[0] + 5 * STRENGTHS[1]) / 8)
    assert _merged((1, 0, 0, 1))[0] == (0.5, 0, 0.5)
    low = SliceProfileDegradation((1, 1, 3)).forward(high)
    two = [NonLocalSR((1, 1, 3), strength=one).predict(low) for one in STRENGTHS]
    mean = (3 * two[0] + 5 * two[1]) / 8
    one = NonLocalSR((1, 1, 3), strength=strength).predict(low)
    assert mse(one, mean) < 0.3 * mse(*two)
    assert mse(one, high) < 1.02 * mse(mean, high)


def test_same_bits_for_any_number_of_threads(high):
    low = SliceProfileDegradation((1, 1, 3)).forward(high[:24, :24])
    one, two = (SelfVolumeSR((1, 1, 3), n_jobs=n).predict(low) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("shape", "scale"),
    [((1, 1, 1), (1, 1, 3)), ((2, 3, 4), (1, 1, 6)), ((12, 2, 3), (1, 1, 2)),
     ((9, 9, 1), (1, 1, 4)), ((8, 8, 8), 2), ((8, 8, 6), (2, 2, 4)), ((9, 8, 5), (0.9, 1, 2.5))],
)  # fmt: skip
def test_small_volumes_and_any_scale(shape, scale):
    low = np.random.default_rng(0).random(shape)
    result = SelfVolumeSR(scale).predict(low)
    factors = np.broadcast_to(scale, 3)
    assert result.shape == tuple(int(n * s + 0.5) for n, s in zip(shape, factors, strict=True))
    assert np.isfinite(result).all()


def test_images_have_no_thick_axis():
    sr = SelfVolumeSR(2)
    assert sr.predict(np.eye(9)).shape == (18, 18)
    assert sr.learning_.regression is None
    assert "non-local means only" in sr.plan((9, 9))
    assert "learned from the volume's axes 0 and 2" in sr.plan((9, 9, 9), (1, 3, 1))


def test_constants_nan_and_negative_integers():
    flat = np.full((16, 16, 6), -1000, np.int16)
    np.testing.assert_array_equal(SelfVolumeSR((1, 1, 3)).predict(flat), -1000)
    thick = scene((20, 18, 8)).astype(float)
    thick[3, 4, 5] = np.nan
    result = SelfVolumeSR((1, 1, 2)).predict(thick)
    assert np.isnan(result).sum() == 2
    assert np.isnan(result[3, 4, 10:12]).all()
    hounsfield = (2000 * scene((20, 18, 8)) - 1000).astype(np.int16)
    result = SelfVolumeSR((1, 1, 2)).predict(hounsfield)
    assert result.dtype == np.int16
    means = result.reshape(20, 18, 8, 2).mean(axis=3)
    assert np.abs(means - hounsfield).max() <= 0.5


def test_record_says_what_was_learned(high):
    record = {}
    low = SliceProfileDegradation((1, 1, 3)).forward(high)
    SelfVolumeSR((1, 1, 3)).predict(low, record=record)
    learned = json.loads(json.dumps(record["learned"]))
    assert learned["thick_axis"] == 2
    assert learned["regression_leaves"] > 0
    assert sum(learned["weights"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "value"), [("axis", 3), ("profile", "sinc"), ("thickness", 0), ("thickness", 17.0)]
)
def test_parameters_are_checked(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of SelfVolumeSR"):
        SelfVolumeSR((1, 1, 2), **{name: value}).predict(np.eye(4))


def test_registry():
    assert isinstance(make_method("self"), SelfVolumeSR)
    assert isinstance(load_model("self"), SelfVolumeSR)
