"""Weighted means of similar samples against their definition."""

import numpy as np

from classicsr.kernels.nonlocal_means import average_similar


def test_a_plain_copy_of_the_pattern_is_found():
    """A row of period 4: everything that counts as alike has the same value."""
    image = np.tile(np.array([0, 1, 5, 2], np.float32), 12)
    widths = np.full_like(image, 0.1)
    result = np.zeros(20, np.float32)
    offsets = np.array([-4, -3, -2, -1, 1, 2, 3, 4])
    average_similar(image[None], widths[None], offsets, 0, 0, 10, result)
    np.testing.assert_allclose(result, image[10:30], atol=1e-6)


def test_equal_weights_where_all_is_alike():
    """Within the width every weight is 1, and that of the sample itself too."""
    image = np.random.default_rng(0).random(40).astype(np.float32)
    widths = np.full_like(image, 10)
    result = np.zeros(8, np.float32)
    average_similar(image[None], widths[None], np.array([-2, -1, 1, 2]), 0, 0, 10, result)
    expected = [image[p - 2 : p + 3].mean() for p in range(10, 18)]
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_width_zero_and_nothing_alike():
    image = np.random.default_rng(1).random(40).astype(np.float32)
    widths = np.zeros_like(image)
    result = np.zeros(8, np.float32)
    average_similar(image[None], widths[None], np.array([-1, 1]), 0, 0, 10, result)
    np.testing.assert_array_equal(result, image[10:18])
    average_similar(
        image[None], (widths + np.float32(1e-4))[None], np.array([-1, 1]), 0, 0, 10, result
    )
    assert np.isfinite(result).all()
