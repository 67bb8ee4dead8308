"""Non-local means against their definition; non-local upsampling against what it promises."""

from itertools import product

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from classicsr import NonLocalSR
from classicsr.degradation import BicubicDegradation, SliceProfileDegradation, resize
from classicsr.reconstruction import nonlocal_means
from classicsr.reconstruction._nonlocal_means import local_deviation
from classicsr.zoo import make_method


def slow_nonlocal_means(image, widths, radius):
    rim = radius + 1
    padded = np.pad(image.astype(float), rim, mode="symmetric")
    steps = [np.array(step) for step in product(range(-radius, radius + 1), repeat=image.ndim)]

    def patch(at):
        return padded[tuple(slice(i - 1, i + 2) for i in at)]

    result = image.astype(float)
    for index in np.ndindex(*image.shape):
        h, at = float(widths[index]), np.array(index) + rim
        if h == 0:
            continue
        others = [at + step for step in steps if step.any()]
        gaps = np.array([np.mean((patch(at) - patch(other)) ** 2) for other in others])
        weights = np.exp(-np.maximum(gaps / (2 * h * h) - 1, 0))
        if weights.max() < 1e-30:
            continue
        values = np.array([padded[tuple(other)] for other in others])
        total = weights.sum() + weights.max()
        result[index] = (weights @ values + weights.max() * padded[tuple(at)]) / total
    return result


def scene(shape, seed=0):
    """Blobs with sharp rims: places that look alike."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    smooth = gaussian_filter(noise, 2.5)
    return (np.where(smooth > 0, 0.8, 0.2) + 0.3 * smooth).astype(np.float32)


@pytest.mark.parametrize("shape", [(9, 17, 6), (19, 11), (1, 12, 9), (7, 1, 8), (8, 6, 1), (15,)])
def test_nonlocal_means_by_definition(shape):
    rng = np.random.default_rng(len(shape))
    image = rng.random(shape).astype(np.float32)
    widths = (0.3 * rng.random(shape)).astype(np.float32)
    widths[rng.random(shape) < 0.2] = 0
    radius = 1 if image.ndim == 3 and min(shape) > 1 else 2
    fast = nonlocal_means(image, widths, radius)
    squeezed = slow_nonlocal_means(image.squeeze(), widths.squeeze(), radius)
    np.testing.assert_allclose(fast, squeezed.reshape(shape), atol=2e-6)


def test_nonlocal_means_do_not_depend_on_threads():
    image = scene((14, 40, 23))
    widths = local_deviation(image)
    one, two = (nonlocal_means(image, widths, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_local_deviation_by_definition():
    image = np.random.default_rng(0).random((7, 8, 6))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, 1, "symmetric"), (3, 3, 3))
    deviation = np.pad(windows.std(axis=(-3, -2, -1)), 1, "symmetric")
    expected = np.lib.stride_tricks.sliding_window_view(deviation, (3, 3, 3)).mean((-3, -2, -1))
    np.testing.assert_allclose(local_deviation(image.astype(np.float32)), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, (1, 1, 4), (2.5, 2, 1)])
def test_better_than_the_spline_and_true_to_the_input(scale):
    model = SliceProfileDegradation(scale)
    high = scene((30, 36, 24))
    low = model.forward(high)
    result = NonLocalSR(scale).predict(low)
    factors = [a / b for a, b in zip(high.shape, low.shape, strict=True)]
    spline = zoom(low, factors, order=3, mode="reflect", grid_mode=True)
    assert result.shape == high.shape
    assert np.square(result - high).mean() < 0.85 * np.square(spline - high).mean()
    np.testing.assert_allclose(model.forward(result), low, atol=4e-6)


def test_images_and_other_forward_models():
    model = BicubicDegradation(2)
    high = scene((64, 72))
    low = model.forward(high)
    result = NonLocalSR(2, degradation=model).predict(low)
    assert np.square(result - high).mean() < 0.8 * np.square(resize(low, 2) - high).mean()
    np.testing.assert_allclose(model.forward(result), low, atol=4e-6)


def test_an_image_is_a_volume_of_one_slice():
    low = scene((20, 24))
    image = NonLocalSR(2).predict(low)
    volume = NonLocalSR((1, 2, 2)).predict(low[None])
    np.testing.assert_allclose(volume[0], image, atol=1e-6)


def test_equivariances():
    low = scene((12, 10, 14)).astype(np.float64)
    sr = NonLocalSR((1, 2, 3))
    result = sr.predict(low)
    np.testing.assert_allclose(sr.predict(-3e3 * low + 5e4), -3e3 * result + 5e4, atol=0.1)
    for axis in range(3):
        np.testing.assert_allclose(sr.predict(np.flip(low, axis)), np.flip(result, axis), atol=2e-5)


def test_negative_intensities_are_kept():
    low = (2000 * scene((10, 12, 6)) - 1500).astype(np.int16)
    result = NonLocalSR((1, 1, 2)).predict(low)
    assert result.dtype == np.int16
    assert result.min() < -1100
    blocks = result.reshape(10, 12, 6, 2).mean(axis=3)
    assert np.abs(blocks - low).max() <= 0.5 + 1e-3


def test_constant_tiny_and_missing():
    constant = NonLocalSR(3).predict(np.full((5, 4, 3), -7.0), scale=(3, 3, 3))
    np.testing.assert_array_equal(constant, np.full((15, 12, 9), -7.0))
    assert NonLocalSR(2).predict(np.array([[3.0]])).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert NonLocalSR(2).predict(np.array([[1.0, 2.0]])).shape == (2, 4)
    low = scene((12, 12))
    low[4, 5] = np.nan
    result = NonLocalSR(2).predict(low)
    assert np.isnan(result[8:10, 10:12]).all()
    assert np.isnan(result).sum() == 4


def test_more_iterations_until_it_has_settled():
    """The criterion ends the iteration: a larger limit changes nothing."""
    low = scene((16, 18, 12))
    once, some, many = (NonLocalSR(2, n_iter=n) for n in (1, 20, 60))
    first, *rest = (sr.predict(low) for sr in (once, some, many))
    assert np.abs(first - rest[0]).max() > 1e-3
    np.testing.assert_array_equal(*rest)
    assert not once.convergence_.converged
    assert some.convergence_.converged
    assert len(some.convergence_.changes) == some.convergence_.n_iter < 20
    assert some.convergence_.changes[-1] <= some.tolerance


@pytest.mark.parametrize(
    ("name", "value"),
    [("strength", -1), ("search_radius", 0), ("search_radius", 2.5), ("n_iter", -1),
     ("tolerance", np.nan), ("scale", "2")],
)  # fmt: skip
def test_wrong_parameters_are_named(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of NonLocalSR must be"):
        NonLocalSR(**{name: value}).predict(np.ones((4, 4)))


def test_registry_name():
    assert isinstance(make_method("nlm"), NonLocalSR)
