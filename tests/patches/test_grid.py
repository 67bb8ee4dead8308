"""Mirrored borders, windows and tiles against NumPy's padding and counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classicsr.patches import mirrored, tiles, windows

sizes = st.integers(1, 9)


@given(n=sizes, before=st.integers(0, 30), after=st.integers(0, 30))
def test_mirrored_is_symmetric_padding(n, before, after):
    expected = np.pad(np.arange(n), (before, after), mode="symmetric")
    np.testing.assert_array_equal(mirrored(-before, n + after, n), expected)


@given(n=sizes, start=st.integers(-40, 40), length=st.integers(0, 20))
def test_any_part_of_the_continued_signal(n, start, length):
    indices = mirrored(start, start + length, n)
    assert indices.shape == (length,)
    whole = mirrored(-40, 80, n)
    np.testing.assert_array_equal(indices, whole[start + 40 : start + 40 + length])


@given(h=sizes, w=sizes, radius=st.integers(0, 4))
def test_windows_are_those_of_the_padded_image(h, w, radius):
    image = np.random.default_rng(h * w).random((h, w)).astype(np.float32)
    found = windows(image, radius)
    side = 2 * radius + 1
    assert found.shape == (h, w, side, side)
    padded = np.pad(image, radius, mode="symmetric")
    for i in range(h):
        for j in range(w):
            np.testing.assert_array_equal(found[i, j], padded[i : i + side, j : j + side])
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0, 0, 0] = 1


@given(st.tuples(sizes, sizes), st.tuples(sizes, sizes))
def test_tiles_cover_each_pixel_once(shape, tile_shape):
    count = np.zeros(shape, int)
    corners = []
    for tile in tiles(shape, tile_shape):
        assert 1 <= tile.height <= tile_shape[0]
        assert 1 <= tile.width <= tile_shape[1]
        assert tile.row + tile.height <= shape[0]
        assert tile.column + tile.width <= shape[1]
        count[tile.row : tile.row + tile.height, tile.column : tile.column + tile.width] += 1
        corners.append((tile.row, tile.column))
    assert (count == 1).all()
    assert corners == sorted(corners)
