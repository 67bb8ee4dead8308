"""The filter bank against a sum over taps."""

import numpy as np
import pytest

from classicsr.kernels.convolve import correlate_bank
from classicsr.kernels.lanes import LANES, TILE_DEPTH, pad_weights, round_up


def random_bank(rng, n_filters, n_taps, reach=40):
    weights = pad_weights(rng.normal(size=(n_filters, n_taps)).astype(np.float32))
    offsets = np.zeros(round_up(n_taps, TILE_DEPTH), np.int64)
    offsets[:n_taps] = rng.permutation(np.arange(-reach, reach))[:n_taps]
    return weights, offsets


def responses(pixels, offsets, weights, start, n_positions):
    out = np.full((n_positions, len(weights)), np.nan, np.float32)
    correlate_bank(pixels, offsets, weights, start, out)
    return out


@pytest.mark.parametrize(("n_filters", "n_taps"), [(1, 1), (3, 7), (4, 5), (9, 16)])
@pytest.mark.parametrize("n_positions", [LANES, 2 * LANES])
def test_matches_a_sum_over_taps(n_filters, n_taps, n_positions):
    rng = np.random.default_rng(n_taps)
    weights, offsets = random_bank(rng, n_filters, n_taps)
    pixels = rng.normal(size=90 + n_positions).astype(np.float32)
    got = responses(pixels, offsets, weights, 45, n_positions)

    at = 45 + np.arange(n_positions)
    taps = pixels.astype(float)[at[:, None] + offsets]
    np.testing.assert_allclose(got, taps @ weights.astype(float).T, rtol=0, atol=2e-5)
    assert not got[:, n_filters:].any()  # filters that only pad respond with zero


@pytest.mark.parametrize("shift", [1, 37, LANES - 1, LANES])
def test_bits_do_not_depend_on_the_lane(shift):
    rng = np.random.default_rng(shift)
    weights, offsets = random_bank(rng, 4, 9)
    pixels = rng.normal(size=90 + 4 * LANES).astype(np.float32)
    whole = responses(pixels, offsets, weights, 41, 3 * LANES)
    shifted = responses(pixels, offsets, weights, 41 + shift, 2 * LANES)
    np.testing.assert_array_equal(shifted, whole[shift : shift + 2 * LANES])
