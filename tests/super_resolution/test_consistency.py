"""Results that agree with their input: degraded again, they are the input."""

import numpy as np
import pytest

from classicsr import AnchoredRegressionSR, BicubicSR, load_model
from classicsr.degradation import (
    BicubicDegradation,
    GaussianDegradation,
    SliceProfileDegradation,
)
from classicsr.metrics import psnr

GREY_LEVEL = 1e-3  # of 255, before rounding


def forward(model, result):
    return model.forward(result.astype(np.float64))


@pytest.mark.parametrize("name", ["aplus-x2", "aplus-x3", "raisr-x4", "bicubic"])
def test_agrees_and_is_no_worse(name, make_texture):
    sr = BicubicSR(3) if name == "bicubic" else load_model(name)
    scale = sr.native_scale_ or 3
    model, before, after = BicubicDegradation(scale), [], []
    for seed in range(4):
        high = 255 * make_texture((24 * scale, 20 * scale), seed)
        low = model.forward(high)
        plain = sr.predict(low, data_range=(0, 255))
        result = sr.predict(low, data_range=(0, 255), consistent=True)
        assert np.abs(forward(model, result) - low).max() < GREY_LEVEL
        before.append(psnr(high, plain, data_range=255, crop=scale))
        after.append(psnr(high, result, data_range=255, crop=scale))
    assert np.mean(after) > np.mean(before)


@pytest.mark.parametrize("scale", [1.5, 2.4, (1, 2)])
def test_scales_between(scale, make_texture):
    low = 255 * make_texture((21, 18), 1)
    result = load_model("aplus-x3").predict(low, scale=scale, consistent=True)
    pair = scale if isinstance(scale, tuple) else (scale, scale)
    assert np.abs(forward(BicubicDegradation(pair), result) - low).max() < GREY_LEVEL


def test_colour_and_alpha_agree_channel_by_channel(make_texture):
    low = np.stack([make_texture((20, 24), seed) for seed in range(4)], axis=-1)
    result = load_model("aplus-x2").predict(low, data_range=(0, 1), consistent=True)
    again = forward(BicubicDegradation((2, 2, 1)), result)
    assert np.abs(again - low).max() * 255 < GREY_LEVEL


def test_integers_are_rounded_afterwards(make_texture):
    low = np.rint(40 + 170 * make_texture((30, 30), 3)).astype(np.uint8)
    result = load_model("aplus-x2").predict(low, consistent=True)
    assert result.dtype == np.uint8
    assert np.abs(forward(BicubicDegradation(2), result) - low).max() < 0.5


def test_volume_with_small_numbers_in_a_wide_type(make_texture):
    """The tolerance is that of the voxels there are, not of their type's range."""
    low = np.stack([make_texture((12, 14), seed) for seed in range(6)], axis=-1)
    low = np.rint(300 * low - 100).astype(np.int16)
    record = {}
    sr = BicubicSR(scale=(1, 1, 3))
    assert sr.predict(low, consistent=True, record=record).dtype == np.int16
    found = record["consistency"]
    assert found["after"]["max"] < 0.01 < found["before"]["max"]
    assert abs(found["after"]["bias"]) < 1e-3


def test_record_tells_what_the_projection_changed(make_texture):
    low, record = 100 * make_texture((16, 18), 4), {}
    sr = load_model("aplus-x2")
    plain = sr.predict(low)
    sr.predict(low, consistent=True, record=record)
    found = record["consistency"]
    assert found["forward_model"]["name"] == "bicubic"
    expected = np.abs(forward(BicubicDegradation(2), plain) - low).max()
    assert found["before"]["max"] == pytest.approx(expected, rel=1e-3)


def test_noise_need_not_be_reproduced(make_texture):
    rng = np.random.default_rng(5)
    low = 255 * make_texture((40, 40), 5) + 5 * rng.standard_normal((40, 40))
    model, sr = BicubicDegradation(2), load_model("aplus-x2")
    result = sr.predict(low, consistent=True, noise=2.0)
    rms = np.sqrt(np.mean((forward(model, result) - low) ** 2))
    exact = sr.predict(low, consistent=True)
    assert np.abs(forward(model, exact) - low).max() < 0.01 < rms <= 2.001


def test_nan_stays_where_it_was(make_texture):
    low = make_texture((20, 20), 6)
    low[7, 9] = np.nan
    result = load_model("aplus-x2").predict(low, consistent=True)
    assert np.isnan(result).sum() == 4


def test_smaller_results_are_refused():
    with pytest.raises(ValueError, match="only if it is not smaller"):
        BicubicSR(0.5).predict(np.zeros((8, 8)), consistent=True)


@pytest.mark.parametrize("noise", [-1, np.nan, "much"])
def test_noise_must_be_a_number(noise):
    with pytest.raises(ValueError, match="'noise' parameter"):
        BicubicSR(2).predict(np.zeros((8, 8)), consistent=True, noise=noise)


def test_same_bits_for_any_threads_and_tiles(make_texture):
    low = make_texture((33, 57), 7)
    one, two = load_model("aplus-x2"), load_model("aplus-x2")
    one.set_params(n_jobs=1)
    two.set_params(n_jobs=2, tile_shape=(7, 9))
    np.testing.assert_array_equal(
        one.predict(low, consistent=True), two.predict(low, consistent=True)
    )


def test_forward_model_of_the_estimator(make_texture):
    """An estimator that learned another degradation is made consistent with that one."""
    sharp = GaussianDegradation(2, fwhm=1.2)
    images = [make_texture((40, 40), seed) for seed in range(3)]
    sr = AnchoredRegressionSR(2, variant="gr", degradation=sharp, n_anchors=16, n_levels=1)
    low = sharp.forward(make_texture((24, 24), 9))
    result = sr.fit(images).predict(low, data_range=(0, 1), consistent=True)
    assert np.abs(forward(sharp, result) - low).max() * 255 < GREY_LEVEL


def test_degradations_at_other_scales():
    gaussian = GaussianDegradation(4, fwhm=6).at_scale((2.0, 1.0))
    assert gaussian == GaussianDegradation((2.0, 1.0), (3.0, 0.0))
    assert GaussianDegradation(3).at_scale((1.0, 2.0)) == GaussianDegradation((1.0, 2.0))
    profile = SliceProfileDegradation((1, 1, 4), "gaussian", 1.25).at_scale((1.0, 1.0, 3.0))
    assert profile == SliceProfileDegradation((1.0, 1.0, 3.0), "gaussian", 1.25)
    assert BicubicDegradation(3).at_scale((2.0, 2.0, 1.0)) == BicubicDegradation((2.0, 2.0, 1.0))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_saturated_images_agree_after_rounding(dtype, make_texture):
    """What clipping takes away is made up for by the pixels around.

    Rounding the result alone brings about half a grey level; unchecked clipping brings many.
    """
    peak = np.iinfo(dtype).max
    high = np.clip(1.6 * make_texture((60, 60), 8) - 0.3, 0, 1) * peak
    low = np.rint(BicubicDegradation(2).forward(high)).clip(0, peak).astype(dtype)
    result = load_model("aplus-x2").predict(low, consistent=True)
    assert result.dtype == dtype
    assert np.abs(forward(BicubicDegradation(2), result) - low).max() < 0.6 * peak / 255
