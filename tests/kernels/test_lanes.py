"""The lane layout that every hot kernel works on."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classicsr.kernels.lanes import LANES, TILE_DEPTH, TILE_ROWS, pack_lanes, pad_weights, round_up


@given(st.integers(0, 10_000), st.integers(1, 200))
def test_round_up_is_the_smallest_multiple(n, step):
    rounded = round_up(n, step)
    assert rounded % step == 0
    assert n <= rounded < n + step


def test_pack_lanes_puts_patches_into_lanes_and_nothing_else():
    rows = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    positions = np.array([8, 0, 3, 3, 7])
    flat = np.full(6 * LANES, -5, np.float32)
    block = flat.reshape(6, LANES)
    pack_lanes(rows, positions, 1, 3, flat)
    np.testing.assert_array_equal(block[:4, :3].T, rows[[0, 3, 3]])
    assert (block[4:] == -5).all()
    assert (block[:, 3:] == -5).all()
    pack_lanes(rows, positions, 0, 1, flat[: 2 * LANES])  # fewer features than the rows have
    np.testing.assert_array_equal(block[:3, 0], [*rows[8, :2], rows[0, 2]])


def test_pad_weights_keeps_the_weights_and_adds_zeros():
    weights = np.arange(1, 43, dtype=np.float32).reshape(6, 7)
    padded = pad_weights(weights)
    assert padded.shape == (round_up(6, TILE_ROWS), round_up(7, TILE_DEPTH))
    np.testing.assert_array_equal(padded[:6, :7], weights)
    assert padded.sum() == weights.sum()
