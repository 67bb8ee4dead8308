"""Convolution of many channels: agrees with SciPy; a pixel's result does not depend on the rest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from classicsr.kernels.convolution import chunk_filters, convolve
from classicsr.kernels.linear import padded_outputs


def _convolved(image: np.ndarray, filters: np.ndarray, bias: np.ndarray, rectify: bool):
    side = filters.shape[-1]
    padded = np.zeros(padded_outputs(len(bias)), np.float32)
    padded[: len(bias)] = bias
    shape = (image.shape[0] - side + 1, image.shape[1] - side + 1, len(padded))
    result = np.full(shape, np.nan, np.float32)
    convolve(image, chunk_filters(filters), padded, rectify, result)
    return result


@pytest.mark.parametrize("rectify", [False, True])
@pytest.mark.parametrize(
    ("n_inputs", "n_outputs", "side", "shape"),
    [(1, 48, 5, (9, 12)), (48, 48, 3, (6, 7)), (5, 64, 3, (3, 3)), (3, 9, 1, (4, 9))],
)
def test_agrees_with_scipy(n_inputs, n_outputs, side, shape, rectify):
    rng = np.random.default_rng(n_outputs)
    image = rng.standard_normal((*shape, n_inputs)).astype(np.float32)
    filters = rng.standard_normal((n_outputs, n_inputs, side, side)).astype(np.float32)
    bias = rng.standard_normal(n_outputs).astype(np.float32)
    result = _convolved(image, filters, bias, rectify)
    for output in range(n_outputs):
        kernel = filters[output].transpose(1, 2, 0).astype(np.float64)
        expected = correlate(image.astype(np.float64), kernel, "valid")[..., 0] + bias[output]
        expected = np.maximum(expected, 0) if rectify else expected
        np.testing.assert_allclose(result[..., output], expected, atol=1e-4)
    assert not result[..., n_outputs:].any()  # what pads the outputs stays zero


def test_a_pixel_does_not_depend_on_where_its_row_begins():
    rng = np.random.default_rng(1)
    image = rng.standard_normal((5, 17, 6)).astype(np.float32)
    filters = rng.standard_normal((48, 6, 3, 3)).astype(np.float32)
    whole = _convolved(image, filters, np.zeros(48, np.float32), False)
    for first in range(1, 6):
        part = np.ascontiguousarray(image[:, first:])
        result = _convolved(part, filters, np.zeros(48, np.float32), False)
        np.testing.assert_array_equal(result, whole[:, first:])
