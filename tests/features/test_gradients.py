"""Folded matrices against what they stand for: interpolate the image, then take differences."""

import numpy as np
import pytest

from classicsr.degradation import resize
from classicsr.features import WINDOW_RADIUS, gradient_matrix, interpolation_matrix

SCALES = [2, 3, 4]
# first differences at a distance of one low-resolution pixel: x[i + after] - x[i - before]
FIRST = {2: (1, 1), 3: (2, 1), 4: (2, 2)}


def window_at(image, row, column):
    return image[
        row - WINDOW_RADIUS : row + WINDOW_RADIUS + 1,
        column - WINDOW_RADIUS : column + WINDOW_RADIUS + 1,
    ].ravel()


def slow_gradients(image, scale, row, column):
    """Differences of the interpolated image within the patch of a low-resolution pixel."""
    large = resize(image, scale)
    top, left, side = (row - 1) * scale, (column - 1) * scale, 3 * scale
    after, before = FIRST[scale]

    def moved(down, right):
        return large[top + down : top + down + side, left + right : left + right + side].ravel()

    return np.concatenate(
        [
            moved(after, 0) - moved(-before, 0),
            moved(0, after) - moved(0, -before),
            (moved(scale, 0) - 2 * moved(0, 0) + moved(-scale, 0)) / 2,
            (moved(0, scale) - 2 * moved(0, 0) + moved(0, -scale)) / 2,
        ]
    )


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("row", "column"), [(4, 4), (6, 11), (9, 5)])
def test_gradients_of_the_interpolated_image(scale, row, column, make_texture):
    image = make_texture((14, 16), 7).astype(float)
    found = gradient_matrix(scale) @ window_at(image, row, column)
    assert found.shape == (4 * (3 * scale) ** 2,)
    np.testing.assert_allclose(found, slow_gradients(image, scale, row, column), atol=1e-12)


@pytest.mark.parametrize("scale", SCALES)
def test_gradients_of_constants_and_ramps(scale):
    matrix = gradient_matrix(scale)
    vertical, horizontal, vertical2, horizontal2 = np.split(matrix, 4)
    np.testing.assert_allclose(matrix @ np.ones(81), 0, atol=1e-13)
    down = np.repeat(np.arange(9.0), 9)
    np.testing.assert_allclose(vertical @ down, 1, atol=1e-12)
    for part in (horizontal, vertical2, horizontal2):
        np.testing.assert_allclose(part @ down, 0, atol=1e-12)


@pytest.mark.parametrize("scale", SCALES)
def test_interpolation_of_the_central_pixel(scale, make_texture):
    image = make_texture((13, 15), 3).astype(float)
    large = resize(image, scale)
    for row, column in [(4, 4), (7, 9)]:
        block = interpolation_matrix(scale) @ window_at(image, row, column)
        expected = large[row * scale : (row + 1) * scale, column * scale : (column + 1) * scale]
        np.testing.assert_allclose(block.reshape(scale, scale), expected, atol=1e-12)


@pytest.mark.parametrize("scale", [5, 8])
def test_interpolation_serves_every_scale(scale):
    np.testing.assert_allclose(interpolation_matrix(scale).sum(axis=1), 1, atol=1e-13)
