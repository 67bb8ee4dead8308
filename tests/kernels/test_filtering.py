"""A filter per pixel against NumPy in double precision."""

import numpy as np
import pytest

from classicsr.kernels.filtering import (
    FILTER_SIZE,
    apply_filters,
    blend_by_census,
    pad_filters,
    window_rows,
)

SIDE = 9


def windows(block):
    view = np.lib.stride_tricks.sliding_window_view(block.astype(float), (SIDE, SIDE))
    return view.reshape(*view.shape[:2], -1)


def filtered(block, codes, filters, scale):
    pixels = np.concatenate([block.ravel(), np.full(16, 7, np.float32)])
    image = np.full(codes.shape, np.nan, np.float32)
    apply_filters(pixels, block.shape[1], scale, codes, pad_filters(filters), image)
    return image


def example(scale, shape, n_buckets=5):
    rng = np.random.default_rng(scale)
    block = rng.standard_normal((shape[0] + 8, shape[1] + 8), dtype=np.float32)
    codes = rng.integers(0, n_buckets, (shape[0] * scale, shape[1] * scale)).astype(np.int32)
    return block, codes, rng.standard_normal((scale**2, n_buckets, 81)).astype(np.float32)


@pytest.mark.parametrize(("scale", "shape"), [(2, (1, 1)), (2, (3, 70)), (3, (4, 33)), (5, (2, 9))])
def test_matches_a_sum_over_taps(scale, shape):
    block, codes, filters = example(scale, shape)
    image = filtered(block, codes, filters, scale)
    for p in range(scale):
        for q in range(scale):
            chosen = filters[p * scale + q][codes[p::scale, q::scale]]
            expected = (windows(block) * chosen).sum(axis=-1)
            np.testing.assert_allclose(image[p::scale, q::scale], expected, atol=2e-5)


@pytest.mark.parametrize("cut", [(0, 1), (2, 31), (1, 32)])
def test_bits_do_not_depend_on_the_place(cut):
    block, codes, filters = example(2, (5, 80))
    whole = filtered(block, codes, filters, 2)
    rows, columns = cut
    part = filtered(
        np.ascontiguousarray(block[rows:, columns:]),
        np.ascontiguousarray(codes[2 * rows :, 2 * columns :]),
        filters,
        2,
    )
    np.testing.assert_array_equal(part, whole[2 * rows :, 2 * columns :])


def test_padding():
    filters = np.arange(3 * 81, dtype=np.float32).reshape(3, 81)
    padded = pad_filters(filters)
    assert padded.shape == (3, FILTER_SIZE)
    np.testing.assert_array_equal(padded.reshape(3, SIDE, -1)[..., :SIDE].reshape(3, 81), filters)
    assert padded.sum() == filters.sum()


def test_window_rows():
    image = np.random.default_rng(0).random((9, 11), dtype=np.float32)
    rows = np.full((2, 25), np.nan)
    window_rows(image, np.array([0, 3 * 11 + 6]), 5, rows)
    for row, (i, j) in zip(rows, [(0, 0), (3, 6)], strict=True):
        window = image[i : i + 5, j : j + 5]
        np.testing.assert_array_equal(row.reshape(5, 5), window - window[2, 2])


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
