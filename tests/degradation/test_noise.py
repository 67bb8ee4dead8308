"""Noise has the statistics that its documentation gives."""

import numpy as np
import pytest

from classicsr.degradation import add_noise


def test_gaussian():
    noisy = add_noise(np.full(200_000, 7.0), 0.3, random_state=0)
    assert abs(noisy.mean() - 7) < 0.005
    assert abs(noisy.std() - 0.3) < 0.005


def test_rician():
    """Second moment signal^2 + 2 sigma^2; Rayleigh mean sigma sqrt(pi/2) without signal."""
    noisy = add_noise(np.full(200_000, 2.0), 0.5, "rician", random_state=0)
    assert abs(np.mean(noisy**2) - (4 + 2 * 0.25)) < 0.02
    background = add_noise(np.zeros(200_000), 0.5, "rician", random_state=0)
    assert background.min() >= 0
    assert abs(background.mean() - 0.5 * np.sqrt(np.pi / 2)) < 0.005


def test_poisson():
    """Variance proportional to the intensity, sigma at the largest."""
    image = np.repeat([100.0, 25.0, 0.0], 100_000)
    noisy = add_noise(image, 8.0, "poisson", random_state=0).reshape(3, -1)
    np.testing.assert_allclose(noisy.mean(axis=1), [100, 25, 0], atol=0.1)
    np.testing.assert_allclose(noisy.std(axis=1), [8, 4, 0], rtol=0.01)


@pytest.mark.parametrize("kind", ["gaussian", "rician", "poisson"])
def test_seed_dtype_and_zero_sigma(kind):
    image = np.random.default_rng(1).uniform(1, 5, (6, 7)).astype(np.float32)
    first = add_noise(image, 0.5, kind, random_state=3)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, add_noise(image, 0.5, kind, random_state=3))
    assert not np.array_equal(first, add_noise(image, 0.5, kind, random_state=4))
    np.testing.assert_array_equal(add_noise(image, 0, kind), image)
    assert add_noise(np.zeros((2, 2), np.uint8), 0, kind).dtype == np.float64


def test_errors():
    with pytest.raises(ValueError, match="'sigma' parameter of add_noise"):
        add_noise(np.ones(3), -1)
    with pytest.raises(ValueError, match="'kind' parameter of add_noise"):
        add_noise(np.ones(3), 1, "speckle")
    with pytest.raises(ValueError, match="at least 0"):
        add_noise(-np.ones(3), 1, "poisson")
