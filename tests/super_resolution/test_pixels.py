"""Blocks of an image on the unit scale and back: the bits of plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from classicsr.patches import mirrored
from classicsr.super_resolution._pixels import Intensity, PixelSource


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
@pytest.mark.parametrize("data_range", [None, (3.0, 77.0)])
def test_rounds_as_numpy_does(dtype: type, data_range: tuple[float, float] | None) -> None:
    block = np.random.default_rng(0).uniform(-0.5, 1.5, (3, 70, 40)).astype(np.float32)
    block[0, 0, :3] = 0.0, 1.0, 0.5
    intensity = Intensity.of(np.zeros(1, dtype), data_range)
    plain = block * np.float32(intensity.span) + np.float32(intensity.low)
    limits = np.iinfo(dtype)
    expected = np.clip(np.rint(plain), limits.min, limits.max).astype(dtype)
    np.testing.assert_array_equal(intensity.from_unit(block), expected)
    transposed = block.transpose(1, 2, 0)[2:, ::3]
    result = intensity.from_unit(transposed)
    np.testing.assert_array_equal(result, expected.transpose(1, 2, 0)[2:, ::3])
    assert result.dtype == dtype


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3), (1, 2)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_reads_any_rows_and_columns(shape: tuple[int, ...], order: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8, order=order)
    source = PixelSource(image, Intensity.of(image, None))
    before = image.copy()
    for rows in (mirrored(-4, 9, shape[0]), np.arange(shape[0]), np.array([0])):
        for columns in (mirrored(-3, shape[1] + 5, shape[1]), np.arange(1, shape[1])[::-1]):
            expected = image[np.ix_(rows, columns)].reshape(len(rows), len(columns), -1)
            block = source.read(rows, columns)
            assert block.flags.c_contiguous
            np.testing.assert_allclose(block, expected.transpose(2, 0, 1) / 255, rtol=1e-6)
    np.testing.assert_array_equal(image, before)
