"""Weights of one axis: sums, sample grid, kernels against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classicsr.degradation._contributions import KERNELS, contributions, transposed


def dense(bands, n_in):
    indices, weights = bands
    matrix = np.zeros((len(weights), n_in))
    np.add.at(matrix, (np.arange(len(weights))[:, None], indices), weights)
    return matrix


@settings(max_examples=150, deadline=None)
@given(
    n_in=st.integers(1, 40),
    n_out=st.integers(1, 60),
    scale=st.floats(0.1, 8),
    kernel=st.sampled_from(KERNELS),
    antialias=st.booleans(),
)
def test_rows_sum_to_one_and_stay_inside(n_in, n_out, scale, kernel, antialias):
    indices, weights = contributions(n_in, n_out, scale, kernel, antialias=antialias)
    assert indices.shape == weights.shape
    assert len(weights) == n_out
    assert indices.min() >= 0
    assert indices.max() < n_in
    assert weights.any(axis=0).all()  # no idle tap column
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", [1 / 4, 1 / 3, 1 / 2, 0.4, 2, 3, 2.7])
def test_sample_grid(kernel, scale):
    """Away from the border a ramp maps to the coordinates (j + 1/2) / scale - 1/2."""
    n_in = 120
    n_out = round(n_in * scale)
    # symmetric weights (integer factors of shrinking) and the polynomial kernels are exact;
    # a stretched kernel sampled off centre is not, nor do lanczos3 and Gaussian interpolate
    exact = round(1 / scale, 9).is_integer() if scale < 1 else kernel in ("linear", "cubic", "box")
    tolerance = 1e-9 if exact else 0.07
    values = dense(contributions(n_in, n_out, scale, kernel), n_in) @ np.arange(n_in)
    expected = (np.arange(n_out) + 0.5) / scale - 0.5
    inner = (expected > 15) & (expected < n_in - 16)
    assert inner.sum() > 10
    np.testing.assert_allclose(values[inner], expected[inner], rtol=0, atol=tolerance)


def test_shrinking_and_enlarging_share_the_grid():
    """LR index i sits at HR coordinate i*s + (s-1)/2 in both directions."""
    s = 3
    hr = np.arange(90.0)
    lr = dense(contributions(90, 30, 1 / s), 90) @ hr
    np.testing.assert_allclose(lr[5:25], (np.arange(30) * s + (s - 1) / 2)[5:25])
    again = dense(contributions(30, 90, s), 30) @ lr
    np.testing.assert_allclose(again[20:70], hr[20:70])


def brute_force_coverage(n_in, n_out, scale, thickness, oversampling=20_000):
    """Share of each sample in each box, by counting points."""
    matrix = np.zeros((n_out, n_in))
    for j in range(n_out):
        center = (j + 0.5) / scale  # in block edges: sample i covers [i, i + 1)
        half = thickness / scale / 2
        points = center - half + (np.arange(oversampling) + 0.5) / oversampling * 2 * half
        samples = np.floor(points).astype(int) % (2 * n_in)
        samples = np.where(samples < n_in, samples, 2 * n_in - 1 - samples)
        np.add.at(matrix[j], samples, 1 / oversampling)
    return matrix


@pytest.mark.parametrize(
    ("n_in", "scale", "thickness"),
    [(12, 1 / 3, 1.0), (12, 1 / 4, 0.5), (13, 1 / 2.6, 1.3), (5, 0.7, 1.0), (3, 1 / 3, 3.0)],
)
def test_box_is_exact_coverage(n_in, scale, thickness):
    n_out = max(1, round(n_in * scale))
    matrix = dense(contributions(n_in, n_out, scale, "box", thickness), n_in)
    expected = brute_force_coverage(n_in, n_out, scale, thickness)
    np.testing.assert_allclose(matrix, expected, atol=2e-4)


def test_gaussian_has_the_asked_width():
    """Half the peak at half the full width at half maximum, here 4 of 8 input samples."""
    indices, weights = contributions(801, 89, 1 / 9, "gaussian", 8 / 9)
    row = dense((indices, weights), 801)[44]  # centred on input sample 400
    assert row.argmax() == 400
    np.testing.assert_allclose(row[[396, 404]], row[400] / 2, rtol=1e-12)


@pytest.mark.parametrize("width", [1e-300, 1e-9, 1e-3])
def test_narrow_gaussian_takes_the_nearest_samples(width):
    matrix = dense(contributions(8, 4, 1 / 2, "gaussian", width), 8)
    np.testing.assert_allclose(matrix, np.kron(np.eye(4), [0.5, 0.5]), atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    n_in=st.integers(1, 30),
    n_out=st.integers(1, 30),
    scale=st.floats(0.2, 5),
    kernel=st.sampled_from(KERNELS),
)
def test_transposed_is_the_transpose(n_in, n_out, scale, kernel):
    bands = contributions(n_in, n_out, scale, kernel)
    np.testing.assert_allclose(
        dense(transposed(bands, n_in), n_out), dense(bands, n_in).T, atol=1e-15
    )


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0, 3, 2.0), "n_in"),
        ((3, 0, 2.0), "n_out"),
        ((3, 3, 0.0), "scale"),
        ((3, 3, float("nan")), "scale"),
        ((3, 3, 2.0, "nearest"), "kernel"),
        ((3, 3, 2.0, "cubic", 2.0), "width"),
        ((3, 3, 2.0, "box", -1.0), "width"),
    ],
)
def test_parameter_errors_name_the_parameter(arguments, name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of contributions must be"):
        contributions(*arguments)
