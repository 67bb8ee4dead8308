"""Any scikit-learn regressor as a super-resolution method."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classicsr import BicubicSR, PatchRegressionSR, psnr
from classicsr.degradation import BicubicDegradation
from classicsr.regressors import GlobalRegressor

REGRESSORS = {
    "default": None,
    "ridge": Ridge(alpha=0.1),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
    "forest": RandomForestRegressor(n_estimators=3, max_depth=4, random_state=0),
    "own": GlobalRegressor(n_anchors=16, n_iter=2, random_state=0),
}


def gain(sr, image):
    """PSNR above that of bicubic interpolation, in dB."""
    low = BicubicDegradation(2).forward(image)
    before, after = (
        psnr(image, one.predict(low), data_range=1.0, crop=4) for one in (BicubicSR(2), sr)
    )
    return after - before


@pytest.mark.parametrize("name", REGRESSORS)
def test_learned_detail_helps(name, training_images, make_texture):
    sr = PatchRegressionSR(REGRESSORS[name], n_samples=2000, random_state=0)
    sr.fit(training_images)
    assert gain(sr, training_images[0]) > 0.5
    if name != "forest":  # three short trees remember, they do not generalise
        assert gain(sr, make_texture((60, 66), 98)) > 0.1


def test_regressor_is_cloned(training_images):
    regressor = Ridge()
    sr = PatchRegressionSR(regressor).fit(training_images[:1])
    assert not hasattr(regressor, "coef_")
    assert sr.regressor_ is not regressor
    assert sr.regressor_.coef_.shape == (36, len(sr.filters_))


def test_predictions_are_averaged_patches(training_images, make_texture):
    """The result is the bicubic image plus the mean of the nine patches over each pixel."""
    sr = PatchRegressionSR(Ridge(alpha=0.1)).fit(training_images[:1])
    low = make_texture((12, 13), 3)
    padded = np.pad(low, 5, mode="symmetric")
    total = np.zeros((12 + 4, 2, 13 + 4, 2))
    for i in range(-1, 13):
        for j in range(-1, 14):
            window = padded[i + 1 : i + 10, j + 1 : j + 10].reshape(1, -1)
            patch = sr.regressor_.predict(window @ sr.filters_.T)
            total[i + 1 : i + 4, :, j + 1 : j + 4] += patch.reshape(3, 2, 3, 2)
    detail = total[2:-2, :, 2:-2].reshape(24, 26) / 9
    expected = BicubicSR(2).predict(low) + detail
    np.testing.assert_allclose(sr.predict(low, data_range=(0, 1)), expected, atol=1e-5)


def test_random_state_picks_the_samples(training_images, make_texture):
    image = make_texture((20, 20), 1)
    a, b, c = (
        PatchRegressionSR(n_samples=400, random_state=seed).fit(training_images).predict(image)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_scale(scale, training_images):
    sr = PatchRegressionSR(scale=scale).fit(training_images[:1])
    assert sr.native_scale_ == scale
    assert sr.regressor_.coef_.shape[0] == (3 * scale) ** 2
    assert sr.plan((9, 9)) == f"Ridge x{scale}"


def test_a_fractional_scale_is_learned_at_the_next_integer(training_images):
    sr = PatchRegressionSR(scale=2.5).fit(training_images[:1])
    assert sr.native_scale_ == 3
    assert sr.predict(training_images[1][:20, :21]).shape == (50, 53)


@pytest.mark.parametrize("scale", [5, 8])
def test_large_scales_do_not_lose_to_interpolation(scale, training_images):
    sr = PatchRegressionSR(scale=scale).fit(training_images)
    seen = training_images[0]
    height, width = (n // scale * scale for n in seen.shape)
    seen = seen[:height, :width]
    low = BicubicDegradation(scale).forward(seen)
    before, after = (psnr(seen, one.predict(low), data_range=1.0) for one in (BicubicSR(scale), sr))
    assert after > before
