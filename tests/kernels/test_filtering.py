"""A filter per pixel against NumPy in double precision."""

import numpy as np
import pytest

from classicsr.kernels.filtering import apply_filters, blend_by_census, pad_filters

SIDE = 7


def windows(block):
    view = np.lib.stride_tricks.sliding_window_view(block.astype(float), (SIDE, SIDE))
    return view.reshape(*view.shape[:2], -1)


def filtered(block, codes, filters, scale):
    """`codes` (h, w), one for each pixel that has a whole window."""
    pixels = np.append(block.ravel(), np.float32(7))
    height, width = codes.shape
    flat = np.zeros((height, block.shape[1]), np.int32)
    flat[:, :width] = codes
    image = np.full((height * scale, width * scale), np.nan, np.float32)
    apply_filters(pixels, block.shape[1], scale, flat.ravel(), pad_filters(filters), image)
    return image


def example(scale, shape, n_buckets=5):
    rng = np.random.default_rng(scale)
    block = rng.standard_normal((shape[0] + 6, shape[1] + 6), dtype=np.float32)
    codes = rng.integers(0, n_buckets, shape)
    return block, codes, rng.standard_normal((n_buckets, scale**2, 49)).astype(np.float32)


@pytest.mark.parametrize(("scale", "shape"), [(2, (1, 1)), (2, (3, 70)), (3, (4, 33)), (5, (2, 9))])
def test_matches_a_sum_over_taps(scale, shape):
    block, codes, filters = example(scale, shape)
    image = filtered(block, codes, filters, scale)
    expected = np.einsum("hwt,hwot->hwo", windows(block), filters[codes])
    blocks = image.reshape(shape[0], scale, shape[1], scale).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(blocks.reshape(expected.shape), expected, atol=2e-5)


@pytest.mark.parametrize("cut", [(0, 1), (2, 31), (1, 32)])
def test_bits_do_not_depend_on_the_place(cut):
    block, codes, filters = example(2, (5, 80))
    whole = filtered(block, codes, filters, 2)
    rows, columns = cut
    part = filtered(
        np.ascontiguousarray(block[rows:, columns:]), codes[rows:, columns:], filters, 2
    )
    np.testing.assert_array_equal(part, whole[2 * rows :, 2 * columns :])


def test_padding():
    filters = np.arange(1, 6 * 49 + 1, dtype=np.float32).reshape(1, 6, 49)
    padded = pad_filters(filters).reshape(8, 8, 8)
    np.testing.assert_array_equal(padded[:6, :7, :7].reshape(1, 6, 49), filters)
    assert padded.sum(dtype=float) == filters.sum(dtype=float)


def test_blend_by_census():
    """Each pixel moves towards the first image by the share of neighbours that changed order."""
    rng = np.random.default_rng(0)
    cheap, sharp = rng.random((2, 9, 12), dtype=np.float32)
    image = np.full((5, 8), np.nan, np.float32)
    blend_by_census(cheap, sharp, 2, image)
    for i in range(5):
        for j in range(8):
            near = [one[i + 1 : i + 4, j + 1 : j + 4] for one in (cheap, sharp)]
            changed = (near[0] > near[0][1, 1]) != (near[1] > near[1][1, 1])
            share = changed.sum() / 8
            expected = share * cheap[i + 2, j + 2] + (1 - share) * sharp[i + 2, j + 2]
            assert image[i, j] == pytest.approx(expected, abs=1e-6)
