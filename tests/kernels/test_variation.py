"""The fused primal-dual step against its formula in NumPy."""

import numpy as np
import pytest

from classicsr.kernels.variation import add_huber_gradient, primal_dual


def gradient(x):
    return np.stack([np.diff(x, axis=a, append=np.take(x, [-1], a)) for a in range(x.ndim)])


def adjoint_of_gradient(p):
    """Transpose of `gradient` for a dual that is zero at the far borders."""
    return -sum(
        np.diff(p[a], axis=a, prepend=np.zeros_like(np.take(p[a], [0], a))) for a in range(len(p))
    )


def reference(x, force, dual, steps, radius, isotropic):
    step, shrink, momentum, dual_step, smooth = steps
    new = (x - step * (force + adjoint_of_gradient(dual))) * shrink
    dual = (dual + dual_step * gradient(new + momentum * (new - x))) * smooth
    if isotropic:
        return new, dual * (radius / np.maximum(np.sqrt((dual**2).sum(axis=0)), radius))
    return new, np.clip(dual, -radius, radius)


@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize(
    "shape", [(7, 1, 9), (1, 1, 5), (6, 1, 1), (3, 4, 5), (1, 1, 1), (2, 5, 3)]
)
def test_two_steps(shape, isotropic):
    rng = np.random.default_rng(0)
    x, force = rng.random((2, *shape))
    dual = np.zeros((len(shape), *shape))
    steps, radius = np.array([0.4, 0.8, 0.7, 0.3, 0.9]), 0.11
    arrays = [array.astype(np.float32) for array in (x, force, dual)]
    for _ in range(2):
        primal_dual(*arrays, steps.astype(np.float32), np.float32(radius), isotropic)
        x, dual = reference(x, force, dual, steps, radius, isotropic)
    np.testing.assert_allclose(arrays[0], x, atol=1e-6)
    np.testing.assert_allclose(arrays[2], dual, atol=1e-6)


def test_every_way_to_make_an_image_a_volume():
    rng = np.random.default_rng(1)
    x, force = rng.random((2, 8, 9), dtype=np.float32)
    steps, radius = np.array([0.4, 1, 1, 0.3, 1], np.float32), np.float32(0.1)
    results = []
    for axis in range(3):
        volume, push = np.expand_dims(x, axis).copy(), np.expand_dims(force, axis)
        dual = np.zeros((3, *volume.shape), np.float32)
        for _ in range(5):
            primal_dual(volume, push, dual, steps, radius, True)
        results.append(volume.reshape(x.shape))
    np.testing.assert_allclose(results[1], results[0], atol=1e-6)
    np.testing.assert_allclose(results[2], results[0], atol=1e-6)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("offset", [(0, 0, 1), (0, 1, -1), (1, -2, 1), (2, 0, 0)])
def test_huber_gradient(offset, order):
    x = np.random.default_rng(0).random((4, 5, 6))
    found = np.zeros(x.shape, np.float32)
    add_huber_gradient(
        x.astype(np.float32), np.array(offset), order, np.float32(0.2), np.float32(3), found
    )
    expected = np.zeros_like(x)
    stencil = (-1, 1) if order == 1 else (1, -2, 1)
    for start in np.ndindex(x.shape):
        points = [tuple(np.add(start, k * np.array(offset))) for k in range(order + 1)]
        if all(0 <= c < n for point in points for c, n in zip(point, x.shape, strict=True)):
            value = sum(f * x[point] for f, point in zip(stencil, points, strict=True))
            for factor, point in zip(stencil, points, strict=True):
                expected[point] += 3 * factor * np.clip(value, -0.2, 0.2) / 0.2
    np.testing.assert_allclose(found, expected, atol=1e-5)
