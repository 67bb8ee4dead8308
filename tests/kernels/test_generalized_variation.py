"""The fused step of second order against its formulas in NumPy."""

import numpy as np
import pytest

from classicsr.kernels.generalized_variation import generalized_primal_dual

MATRIX = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
SHAPES = [(7, 1, 9), (1, 1, 5), (6, 1, 1), (3, 4, 5), (1, 1, 1), (2, 5, 3)]


def gradient(x):
    """Forward differences, zero at the far border."""
    return np.stack([np.diff(x, axis=a, append=np.take(x, [-1], a)) for a in range(3)])


def inside(shape):
    """Where forward differences fit."""
    return gradient(np.indices(shape).sum(axis=0)) != 0


def symmetrised(v):
    """Backward differences, zero at the near border of the axes of an entry."""
    entries = []
    for a, b in MATRIX:
        back = [np.diff(v[i], axis=j, prepend=np.take(v[i], [0], j)) for i, j in ((a, b), (b, a))]
        entry = back[0] if a == b else (back[0] + back[1]) / np.sqrt(2)
        for axis in (a, b):
            np.moveaxis(entry, axis, 0)[0] = 0
        entries.append(entry)
    return np.stack(entries)


def transposed(operator, shape_in, y):
    """The transpose by its columns: as slow as can be."""
    columns = np.eye(np.prod(shape_in)).reshape(-1, *shape_in)
    return np.array([np.sum(operator(c) * y) for c in columns]).reshape(shape_in)


def projected(p, radius):
    return p * (radius / np.maximum(np.sqrt((p**2).sum(axis=0)), radius))


@pytest.mark.parametrize("shape", SHAPES)
def test_two_steps(shape):
    rng = np.random.default_rng(0)
    x, force = rng.random((2, *shape))
    v, p, q = rng.random((3, *shape)), np.zeros((3, *shape)), np.zeros((6, *shape))
    image_steps, steps = np.array([0.2, 0.8, 1]), np.array([0.1, 0.3, 0.9, 0.11, 0.2, 0.95, 0.07])
    arrays = [array.astype(np.float32) for array in (x, force, v, p, q)]
    mask = inside(shape)
    for _ in range(2):
        generalized_primal_dual(*arrays, image_steps.astype(np.float32), steps.astype(np.float32))
        new = (x - 0.2 * (force + transposed(gradient, shape, p))) * 0.8
        new_v = v - 0.1 * (transposed(symmetrised, v.shape, q) - p)
        ahead, lead = 2 * new - x, 2 * new_v - v
        p = projected((p + 0.3 * (gradient(ahead) - lead * mask)) * 0.9, 0.11)
        q = projected((q + 0.2 * symmetrised(lead)) * 0.95, 0.07)
        x, v = new, new_v
    for found, expected in zip(arrays, (x, force, v, p, q), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_every_way_to_make_an_image_a_volume():
    rng = np.random.default_rng(1)
    x, force = rng.random((2, 8, 9), dtype=np.float32)
    steps = np.array([0.1, 0.3, 0.9, 0.11, 0.2, 1, 0.07], np.float32)
    results = []
    for axis in range(3):
        volume, push = np.expand_dims(x, axis).copy(), np.expand_dims(force, axis)
        v, p, q = (np.zeros((n, *volume.shape), np.float32) for n in (3, 3, 6))
        for _ in range(5):
            generalized_primal_dual(volume, push, v, p, q, np.array([0.2, 1, 1], np.float32), steps)
        results.append(volume.reshape(x.shape))
    np.testing.assert_allclose(results[1], results[0], atol=1e-6)
    np.testing.assert_allclose(results[2], results[0], atol=1e-6)
