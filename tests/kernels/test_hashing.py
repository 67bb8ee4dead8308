"""Shapes of gradients and their buckets against NumPy in double precision."""

import numpy as np
import pytest

from classicsr.kernels.hashing import HASH_RADIUS, hash_shapes, local_shapes
from classicsr.kernels.lanes import LANES, round_up


def shapes_of(image):
    """Shapes of the pixels of an image but for HASH_RADIUS at its borders."""
    height, width = image.shape
    steps = np.arange(-HASH_RADIUS, HASH_RADIUS + 1)
    pixels = np.concatenate([image.ravel(), np.full(2 * LANES, 7, np.float32)])
    shapes = np.full((7, round_up((height - 4) * width - 4, LANES)), np.nan, np.float32)
    offsets = (steps[:, None] * width + steps).ravel()
    local_shapes(pixels, offsets, HASH_RADIUS * (width + 1), shapes)
    padded = np.zeros((7, (height - 4) * width), np.float32)
    padded[:, : (height - 4) * width - 4] = shapes[:, : (height - 4) * width - 4]
    return padded.reshape(7, height - 4, width)[..., : width - 4]


def expected_of(window):
    """By eigenvectors: eigenvalues, curvature and slope along the first, its octant."""
    x = window.astype(float)
    weights = np.array([1, 2, 1]) / 4
    dx, dy = x[1:-1, 2:] - x[1:-1, :-2], x[2:, 1:-1] - x[:-2, 1:-1]
    tensor = sum(
        weights[i] * weights[j] * np.outer(g, g)
        for i in range(3)
        for j in range(3)
        for g in [np.array([dx[i, j], dy[i, j]])]
    )
    values, vectors = np.linalg.eigh(tensor)
    axis = vectors[:, 1]
    c = x[1:4, 1:4]
    mixed = (c[2, 2] + c[0, 0] - c[0, 2] - c[2, 0]) / 4
    across, down = c[1, 2] + c[1, 0] - 2 * c[1, 1], c[2, 1] + c[0, 1] - 2 * c[1, 1]
    curvature = axis @ np.array([[across, mixed], [mixed, down]]) @ axis
    slope = axis @ [dx[1, 1], dy[1, 1]] / 2
    axis = axis if slope * curvature > 0 else -axis
    octant = 4 * (axis[0] < 0) + 2 * (axis[1] < 0) + (abs(axis[1]) > abs(axis[0]))
    angle = np.arctan2(*sorted(np.abs(axis)))  # from the nearer coordinate axis
    return octant, angle, values[1], values[0], abs(curvature), abs(slope)


@pytest.mark.parametrize("shape", [(5, 5), (6, 9), (7, LANES + 9)])
def test_shapes(shape):
    image = np.random.default_rng(sum(shape)).random(shape, dtype=np.float32)
    octant, sine, cosine, large, small, curvature, slope = shapes_of(image)
    windows = np.lib.stride_tricks.sliding_window_view(image, (5, 5))
    expected = np.array([[expected_of(window) for window in row] for row in windows])
    assert np.array_equal(octant, expected[..., 0])
    np.testing.assert_allclose(np.arctan2(sine, cosine) / 2, expected[..., 1], atol=1e-4)
    np.testing.assert_allclose(large, 2 * expected[..., 2], rtol=1e-4)
    np.testing.assert_allclose(small, 2 * expected[..., 3], atol=1e-5)
    np.testing.assert_allclose(curvature, 2 * expected[..., 4], atol=1e-5)
    np.testing.assert_allclose(slope, np.sqrt(8) * expected[..., 5], atol=1e-5)


def test_a_negative_has_the_same_shapes():
    image = np.random.default_rng(0).random((9, 12), dtype=np.float32)
    np.testing.assert_array_equal(shapes_of(-image), shapes_of(image))


def test_flat_areas_are_finite():
    assert not shapes_of(np.full((8, 8), 0.3, np.float32))[1:].any()


@pytest.mark.parametrize("cut", [(0, 1), (3, 17), (6, 140)])
def test_bits_do_not_depend_on_the_place(cut):
    image = np.random.default_rng(1).random((12, LANES + 60), dtype=np.float32)
    part = shapes_of(np.ascontiguousarray(image[cut[0] :, cut[1] :]))
    np.testing.assert_array_equal(part, shapes_of(image)[:, cut[0] :, cut[1] :])


def codes_of(shapes, n_angles=1, strengths=(), coherences=(), curvatures=()):
    shapes = np.asarray(shapes, np.float32)
    cotangents = 1 / np.tan(np.pi / 2 * np.arange(1, n_angles) / n_angles)
    codes = np.full(shapes.shape[1], -1, np.int32)
    edges = (cotangents, strengths, coherences, curvatures)
    hash_shapes(shapes, *(np.asarray(one, np.float32) for one in edges), codes)
    return codes


@pytest.mark.parametrize("n_angles", [1, 2, 3])
def test_angles_within_each_octant(n_angles):
    octant = np.repeat(np.arange(8), 50)
    doubled = np.tile((np.arange(50) + 0.5) * np.pi / 100, 8)
    length, rest = np.random.default_rng(0).uniform(0.1, 9, 400), np.ones((4, 400))
    shapes = [octant, length * np.sin(doubled), length * np.cos(doubled), *rest]
    expected = octant * n_angles + doubled // (np.pi / 2 / n_angles)
    assert np.array_equal(codes_of(shapes, n_angles), expected)


def test_strength_coherence_and_curvature():
    large, small = [8.0, 8.0, 2.0, 2.0, 0.0], [0.1, 7.5, 0.0, 1.9, 0.0]  # twice the eigenvalues
    curvature, slope = [1.0, 2.0, 3.0, 0.5, 0.0], [2.0, 1.0, 1.0, 1.0, 0.0]
    zero = np.zeros(5)
    codes = codes_of([zero, zero, zero, large, small, curvature, slope], 1, [1 / 6], [0.5], [1, 2])
    # 2 l1 above 6; l2 below l1 / 2; curvature above slope, and above half of it
    assert codes.tolist() == [9, 6 + 2, 3 + 2, 0, 0]
