"""A blur that is not the true one: too narrow leaves some of it, too wide makes halos."""

import numpy as np
import pytest

from classicsr.degradation import GaussianDegradation, resize
from classicsr.metrics import psnr
from classicsr.zoo import make_method

TRUE = 3.0  # high-resolution samples


@pytest.fixture(scope="module")
def pair(make_texture):
    high = 40 + 170 * make_texture((90, 96), 4)
    low = np.rint(GaussianDegradation(2, fwhm=TRUE).forward(high))
    return high, low


def result(name, factor, low, **request):
    model = GaussianDegradation(2, fwhm=factor * TRUE)
    return make_method(name, scale=2, degradation=model).predict(
        low, data_range=(0, 255), **request
    )


def quality(high, image):
    return psnr(high, image, data_range=255, crop=6)


@pytest.mark.parametrize("name", ["ibp", "tv", "map"])
def test_the_true_width_is_best_and_half_too_wide_is_worse_than_nothing(name, pair):
    high, low = pair
    narrow, right, wide = (quality(high, result(name, f, low)) for f in (0.6, 1, 1.5))
    cubic = quality(high, resize(low, 2))
    assert wide < cubic < narrow < right


@pytest.mark.parametrize("name", ["ibp", "tv"])
def test_too_wide_overshoots(name, pair):
    """Beyond the brightest and darkest sample around: by much more than the true width."""
    from scipy.ndimage import maximum_filter, minimum_filter

    _, low = pair
    above, below = (
        np.kron(extreme(low, 3), np.ones((2, 2))) for extreme in (maximum_filter, minimum_filter)
    )

    def overshoot(image):
        return np.mean(np.maximum(image - above, 0) + np.maximum(below - image, 0))

    right, wide = (overshoot(result(name, factor, low)) for factor in (1, 1.5))
    assert wide > 2 * right


def test_consistency_helps_only_with_the_true_width(pair):
    high, _ = pair
    low = GaussianDegradation(2, fwhm=TRUE).forward(high)
    right, wide = (
        quality(high, result("tv", factor, low, consistent=True))
        - quality(high, result("tv", factor, low))
        for factor in (1, 1.5)
    )
    assert wide < 0 < right


def test_rounding_is_noise_too(pair):
    """Through a wide blur exact agreement with rounded pixels amplifies their rounding."""
    high, low = pair
    exact = quality(high, result("tv", 1, low, consistent=True))
    within = quality(high, result("tv", 1, low, consistent=True, noise=0.3))
    assert within > exact + 1
