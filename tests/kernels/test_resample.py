"""The banded-matrix kernel against a dense matrix product."""

import numpy as np
import pytest

from classicsr.kernels.resample import apply_banded

python_version = getattr(apply_banded, "py_func", apply_banded)


def random_case(rng, shape, n_out, n_taps, dtype):
    source = rng.normal(size=shape).astype(dtype)
    indices = rng.integers(0, shape[1], (n_out, n_taps))
    weights = rng.normal(size=(n_out, n_taps)).astype(dtype)
    dense = np.zeros((n_out, shape[1]))
    np.add.at(dense, (np.arange(n_out)[:, None], indices), weights)
    expected = np.einsum("ij,ojc->oic", dense, source.astype(float))
    return source, indices, weights, expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_taps", [1, 4, 7, 18])
@pytest.mark.parametrize(
    "shape", [(1, 6, 1), (1, 5, 80), (70, 9, 1), (33, 4, 3), (3, 7, 31), (5, 1, 2), (2, 3, 32)]
)
def test_matches_a_dense_matrix(shape, n_taps, dtype):
    source, indices, weights, expected = random_case(
        np.random.default_rng(n_taps), shape, 11, n_taps, dtype
    )
    tolerance = {np.float32: 1e-4, np.float64: 1e-12}[dtype]
    for version in (apply_banded, python_version):
        out = np.full((shape[0], 11, shape[2]), np.nan, dtype)
        version(source, indices, weights, out)
        np.testing.assert_allclose(out, expected, rtol=0, atol=tolerance)


def test_bits_do_not_depend_on_the_rows_or_the_layout():
    """A tile, and the same data with the axis moved, give the bits of the whole."""
    rng = np.random.default_rng(0)
    source, indices, weights, _ = random_case(rng, (40, 30, 1), 50, 9, np.float32)
    whole = np.empty((40, 50, 1), np.float32)
    apply_banded(source, indices, weights, whole)

    tile = np.empty((3, 17, 1), np.float32)
    apply_banded(source[5:8], indices[20:37], weights[20:37], tile)
    np.testing.assert_array_equal(tile, whole[5:8, 20:37])

    upright = np.empty((1, 50, 40), np.float32)
    turned = np.ascontiguousarray(source[:, :, 0].T)[None]
    apply_banded(turned, indices, weights, upright)
    np.testing.assert_array_equal(upright[0].T, whole[:, :, 0])


def test_read_only_input():
    source, indices, weights, expected = random_case(
        np.random.default_rng(1), (4, 5, 2), 3, 2, np.float64
    )
    source.setflags(write=False)
    out = np.empty((4, 3, 2))
    apply_banded(source, indices, weights, out)
    np.testing.assert_allclose(out, expected)
