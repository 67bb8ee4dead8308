"""BT.601 studio-swing colour: known values, exact inverse, scaling."""

import itertools

import numpy as np
import pytest

from classicsr.metrics import luma, rgb_to_ycbcr, ycbcr_to_rgb

# RGB corners of the cube with step 17 and all grey levels
COLORS = np.array(
    [*itertools.product(range(0, 256, 17), repeat=3), *[(v, v, v) for v in range(256)]], np.uint8
)


def test_equals_scikit_image():
    from skimage.color import rgb2ycbcr

    np.testing.assert_allclose(rgb_to_ycbcr(COLORS), rgb2ycbcr(COLORS), atol=2e-4)
    np.testing.assert_allclose(luma(COLORS), rgb2ycbcr(COLORS)[..., 0], atol=1e-10)


def test_known_colours():
    """The 75 % and 100 % bars of studio swing."""
    bars = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    expected = [[235, 128, 128], [16, 128, 128], [81, 90, 240], [145, 54, 34], [41, 240, 110]]
    np.testing.assert_array_equal(rgb_to_ycbcr(bars).round(), expected)
    np.testing.assert_array_equal(luma(bars, rounded=True), [235, 16, 81, 145, 41])


@pytest.mark.parametrize("peak", [1.0, 255.0, 65535.0])
def test_inverse_pair(peak):
    rgb = (COLORS / 255 * peak).astype(np.float32)
    ycbcr = rgb_to_ycbcr(rgb, peak=peak)
    assert ycbcr.dtype == np.float32
    np.testing.assert_allclose(ycbcr_to_rgb(ycbcr, peak=peak), rgb, atol=2e-6 * peak)
    np.testing.assert_allclose(ycbcr, rgb_to_ycbcr(COLORS) * (peak / 255), atol=2e-6 * peak)
    np.testing.assert_allclose(luma(rgb, peak=peak), ycbcr[..., 0], atol=2e-6 * peak)


def test_colours_of_8_and_16_bits_survive():
    np.testing.assert_array_equal(ycbcr_to_rgb(rgb_to_ycbcr(COLORS)).round(), COLORS)
    deep = np.random.default_rng(0).integers(0, 65536, (1000, 3), dtype=np.uint16)
    again = ycbcr_to_rgb(rgb_to_ycbcr(deep, peak=65535), peak=65535)
    np.testing.assert_array_equal(again.round(), deep)


def test_bits_do_not_depend_on_the_block():
    image = np.random.default_rng(0).integers(0, 256, (37, 41, 3), dtype=np.uint8)
    whole = rgb_to_ycbcr(image)
    np.testing.assert_array_equal(rgb_to_ycbcr(image[5:6, 3:20]), whole[5:6, 3:20])
    np.testing.assert_array_equal(ycbcr_to_rgb(whole[7:9, 1:4]), ycbcr_to_rgb(whole)[7:9, 1:4])


@pytest.mark.parametrize("function", [luma, rgb_to_ycbcr, ycbcr_to_rgb])
@pytest.mark.parametrize("shape", [(5, 4), (5, 3, 4), ()])
def test_needs_three_channels(function, shape):
    with pytest.raises(ValueError, match="3 colour channels"):
        function(np.ones(shape))
