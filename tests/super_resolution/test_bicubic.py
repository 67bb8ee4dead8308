"""BicubicSR is MATLAB's imresize in the image-level contract."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classicsr import BicubicSR
from classicsr.degradation import resize


@pytest.mark.parametrize("kernel", ["cubic", "lanczos3", "linear"])
@pytest.mark.parametrize("scale", [2, 3, 2.5, 0.5, (1.3, 0.7), 1])
def test_equals_resize(kernel, scale, make_texture):
    image = make_texture((21, 30), 8).astype(float) * 100 - 30
    result = BicubicSR(scale, kernel=kernel).predict(image)
    np.testing.assert_allclose(result, resize(image, scale, kernel=kernel), atol=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_integers_are_rounded_and_clipped(dtype):
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    image = rng.integers(limits.min, limits.max, (13, 17), endpoint=True).astype(dtype)
    image[:3] = limits.max
    precise = resize(image.astype(float), 3)
    assert precise.max() > limits.max
    assert precise.min() < limits.min
    result = BicubicSR(3).predict(image).astype(float)
    expected = np.clip(np.rint(precise), limits.min, limits.max)
    tie = np.abs(precise - np.floor(precise) - 0.5) < 1e-6 * (limits.max - limits.min)
    np.testing.assert_array_equal(result[~tie], expected[~tie])
    assert np.abs(result - expected).max() <= 1


@given(st.integers(1, 15), st.integers(1, 15), st.sampled_from([2, 3, 1.5, 0.6]))
def test_flip_and_transpose_equivariance(height, width, scale):
    image = np.random.default_rng(height + 20 * width).random((height, width))
    result = BicubicSR(scale).predict(image)
    if height * scale == result.shape[0] and width * scale == result.shape[1]:
        for flip in (np.flipud, np.fliplr):
            np.testing.assert_allclose(
                BicubicSR(scale).predict(flip(image)), flip(result), atol=1e-6
            )
    np.testing.assert_allclose(BicubicSR(scale).predict(image.T), result.T, atol=1e-6)


def test_volume_equals_resize_on_three_axes(make_texture):
    volume = np.stack([make_texture((9, 10), s) for s in range(6)], axis=-1)
    for scale in (2, (1, 2, 1.5), (2, 0.5, 1)):
        np.testing.assert_allclose(
            BicubicSR().predict(volume, scale=scale), resize(volume, scale), atol=1e-5
        )


def test_colour_channels_are_interpolated_alike(make_texture):
    """The way through luma and chroma changes nothing: interpolation is linear."""
    color = np.stack([make_texture((12, 14), s) for s in range(3)], axis=-1)
    result = BicubicSR(2).predict(color)
    np.testing.assert_allclose(result, resize(color, 2, axes=(0, 1)), atol=2e-6)
    independent = BicubicSR(2, channel_mode="independent").predict(color)
    np.testing.assert_allclose(independent, result, atol=2e-6)


def test_needs_no_fit_and_returns_itself():
    sr = BicubicSR(2)
    assert sr.fit() is sr
    assert sr.fit([np.zeros((3, 3))], None) is sr
    assert sr.predict(np.zeros((2, 2))).shape == (4, 4)


def test_scale_one_is_the_identity(make_texture):
    pixels = (make_texture((9, 11), 1) * 255).astype(np.uint8)
    np.testing.assert_array_equal(BicubicSR(1).predict(pixels), pixels)


def test_unknown_kernel():
    with pytest.raises(ValueError, match="'kernel' parameter"):
        BicubicSR(kernel="sharp").predict(np.zeros((4, 4)))
