"""The width of the blur of a low-resolution image, estimated from its edges."""

import numpy as np
import pytest

from classicsr.degradation import GaussianDegradation, estimate_blur


@pytest.fixture(scope="module")
def scene():
    """Blocks and discs of random grey, with sharp edges."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:400, :380]
    image = np.zeros(x.shape)
    for _ in range(60):
        row, column, size = rng.integers(0, 400), rng.integers(0, 380), rng.integers(10, 60)
        inside = (np.abs(y - row) < size) & (np.abs(x - column) < rng.integers(10, 60))
        image[inside if rng.random() < 0.5 else np.hypot(y - row, x - column) < size] += (
            rng.normal()
        )
    return image


@pytest.mark.parametrize("scale", [2, 3.5, 4])
@pytest.mark.parametrize("ratio", [0.7, 1, 1.5, 2, 3])
def test_finds_the_width_of_a_known_blur(scale, ratio, scene):
    low = GaussianDegradation(scale, fwhm=ratio * scale).forward(scene)
    widths = estimate_blur(low, scale)
    assert widths[0] == widths[1] == pytest.approx(ratio * scale, rel=0.15)


def test_one_width_per_factor(scene):
    model = GaussianDegradation((2, 3), fwhm=(4, 4))
    assert estimate_blur(model.forward(scene), (2, 3)) == pytest.approx((4, 4), rel=0.15)


def test_only_axes_that_are_enlarged(scene):
    volume = np.stack([scene[k : k + 100, ::8] for k in range(0, 240, 8)], axis=1)
    low = GaussianDegradation((4, 1, 1), fwhm=(8, 0, 0)).forward(volume)
    width, *others = estimate_blur(low, (4, 1, 1))
    assert width == pytest.approx(8, rel=0.2)
    assert others == [0, 0]


def test_units_and_places_without_value_do_not_matter(scene):
    low = GaussianDegradation(3, fwhm=4).forward(scene)
    expected = estimate_blur(low, 3)
    assert estimate_blur(1000 - 7 * low, 3) == pytest.approx(expected)
    low[30:34, 50] = np.nan
    low[3, 3] = np.inf
    assert estimate_blur(low, 3) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("image", [np.ones((9, 9)), np.zeros((1, 1)), np.full((5, 4), np.nan)])
def test_without_edges_the_width_is_the_spacing(image):
    assert estimate_blur(image, 3) == (3, 3)


def test_nothing_but_noise_is_as_sharp_as_can_be():
    assert estimate_blur(np.random.default_rng(0).random((90, 90)), 2) == (1, 1)


@pytest.mark.parametrize("scale", [0.5, (2, 3, 4), np.nan])
def test_refused(scale):
    with pytest.raises(ValueError, match="'scale' parameter of estimate_blur"):
        estimate_blur(np.eye(9), scale)


def test_the_widths_serve_a_degradation():
    """At other scales each axis keeps its width in low-resolution samples."""
    model = GaussianDegradation((2.0, 4.0), fwhm=(3.0, 4.0))
    assert model.at_scale((2.0, 4.0)) == model
    assert model.at_scale((4.0, 2.0)) == GaussianDegradation((4.0, 2.0), (6.0, 2.0))
    assert model.at_scale((2.0, 2.0, 1.0)) == GaussianDegradation((2.0, 2.0, 1.0), (3.0, 3.0, 0.0))
    thick = GaussianDegradation((1, 1, 4), fwhm=(0, 0, 6))
    assert thick.at_scale((2.0, 1.0, 4.0)) == GaussianDegradation((2.0, 1.0, 4.0), (3.0, 0.0, 6.0))


def test_photographs(data_root):
    """Median error over photographs that had no part in the measured curve."""
    from classicsr.datasets import load_dataset
    from classicsr.metrics import luma

    dataset, errors = load_dataset("natural/BSDS200"), []
    for number in range(1, 200, 10):
        high = luma(dataset[number])
        for ratio in (0.7, 1, 1.5, 2, 2.5):
            low = np.rint(GaussianDegradation(3, fwhm=3 * ratio).forward(high))
            errors.append(abs(estimate_blur(low, 3)[0] / (3 * ratio) - 1))
    assert np.median(errors) < 0.12
