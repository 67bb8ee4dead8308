"""What was added to the measurement: the part of a result that the forward model cannot see."""

import numpy as np
import pytest

from classicsr import BicubicSR, load_model
from classicsr.degradation import BicubicDegradation, GaussianDegradation
from classicsr.super_resolution._consistency import added_detail


def matrix_of(model, shape):
    """The forward model as a dense matrix."""
    columns = [model.forward(row.reshape(shape)).ravel() for row in np.eye(np.prod(shape))]
    return np.array(columns).T


@pytest.mark.parametrize(
    "model", [BicubicDegradation(2), BicubicDegradation(3), GaussianDegradation(2, fwhm=2.5)]
)
def test_against_the_pseudo_inverse(model, make_texture):
    shape = (12, 18)
    high = make_texture(shape, 1)
    low = model.forward(make_texture(shape, 2))
    record = {}
    detail = added_detail(high, low, model, record)
    H = matrix_of(model, shape)
    inverse, level = np.linalg.pinv(H), low.mean()
    smallest = level + inverse @ (low.ravel() - (H @ np.full(high.size, level)))
    np.testing.assert_allclose(detail.ravel(), high.ravel() - smallest, atol=1e-4)
    hidden = detail.ravel() - inverse @ (H @ detail.ravel())
    energy = np.square(high - level).sum()
    shares = record["detail"]
    assert shares["null_space_share"] == pytest.approx(np.square(hidden).sum() / energy, rel=1e-3)
    rest = np.square(detail.ravel() - hidden).sum() / energy
    assert shares["deviation_share"] == pytest.approx(rest, rel=1e-3)


def test_of_a_consistent_result_nothing_shows(make_texture):
    low, record = 200 * make_texture((20, 24), 3), {}
    sr = load_model("aplus-x2")
    plain, before = sr.predict(low, return_detail=True, record=record)
    assert record["detail"]["deviation_share"] > 1e-6
    result, detail = sr.predict(low, consistent=True, return_detail=True, record=record)
    assert detail.dtype == np.float32
    assert np.abs(BicubicDegradation(2).forward(detail)).max() < 2e-3
    assert record["detail"]["deviation_share"] < 1e-9 < record["detail"]["null_space_share"] < 0.1
    np.testing.assert_array_equal(plain, sr.predict(low))
    np.testing.assert_allclose(before - detail, plain - result, atol=1e-3)


def test_goes_with_scale_and_shift(make_texture):
    low = make_texture((14, 15), 4)
    _, detail = BicubicSR(2).predict(low, return_detail=True)
    _, other = BicubicSR(2).predict(1000 - 50 * low, return_detail=True)
    np.testing.assert_allclose(other, -50 * detail, atol=2e-3)


def test_nothing_is_added_to_a_constant():
    _, detail = BicubicSR(3).predict(np.full((5, 6), 7, np.uint8), return_detail=True)
    assert detail.shape == (15, 18)
    assert np.abs(detail).max() < 1e-4


def test_volumes_colours_and_nan(make_texture):
    volume = np.stack([make_texture((10, 12), seed) for seed in range(5)], axis=-1)
    volume[2, 3, 1] = np.nan
    result, detail = BicubicSR((1, 1, 2)).predict(volume, return_detail=True)
    assert detail.shape == result.shape == (10, 12, 10)
    np.testing.assert_array_equal(np.isnan(detail), np.isnan(result))
    _, detail = load_model("aplus-x2").predict(np.zeros((6, 7, 4), np.uint8), return_detail=True)
    assert detail.shape == (12, 14, 4)
