"""Between the caller's pixels and the methods' float32 blocks: units, colour, NaN, rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.metrics import rgb_to_ycbcr, ycbcr_to_rgb

Float32 = NDArray[np.float32]
Pixels = NDArray[Any]
Range = tuple[float, float]
_SMALLEST_SPAN = 1e-300  # its inverse still is a number


@dataclass(frozen=True)
class Intensity:
    """The affine map between an image's own units and the unit interval.

    Attributes
    ----------
    low, high : float
        Values that become 0 and 1.
    dtype : numpy.dtype
        Type of the image; results are given back in it.
    """

    low: float
    high: float
    dtype: np.dtype

    @classmethod
    def of(cls, image: Pixels, data_range: Range | None) -> Intensity:
        """Range of an image: `data_range`, or the dtype's for 8- and 16-bit integers.

        Everything else (floats, and integers that float32 cannot hold) uses its own finite
        minimum and maximum.
        """
        if data_range is not None:
            return cls(float(data_range[0]), float(data_range[1]), image.dtype)
        if image.dtype.kind == "b":
            return cls(0.0, 1.0, image.dtype)
        if image.dtype.kind in "iu" and image.dtype.itemsize <= 2:
            limits = np.iinfo(image.dtype)
            return cls(float(limits.min), float(limits.max), image.dtype)
        low, high = _finite_range(image)
        return cls(low, high, image.dtype)

    @property
    def span(self) -> float:
        """Distance between the two ends; 1 for a constant image (or one as good as constant)."""
        span = self.high - self.low
        return span if span > _SMALLEST_SPAN else 1.0

    @property
    def bounds(self) -> Range | None:
        """What the type can hold, on the unit scale; None for floats."""
        if self.dtype.kind == "f":
            return None
        low, high = _limits(self.dtype)
        return (low - self.low) / self.span, (high - self.low) / self.span

    @property
    def _wide(self) -> type:
        """Type to convert in: float32 holds 8- and 16-bit numbers exactly."""
        return np.float32 if self.dtype.itemsize <= 2 else np.float64

    def to_unit(self, pixels: Pixels) -> Float32:
        """float32 intensities on the unit scale (outside [0, 1] where the range was exceeded)."""
        shifted: Pixels = pixels.astype(self._wide)
        shifted -= self._wide(self.low)
        shifted *= self._wide(1 / self.span)
        return shifted.astype(np.float32, copy=False)

    def from_unit(self, block: Float32) -> Pixels:
        """The image's units and dtype again; integers are rounded and clipped to their type."""
        if self.dtype.kind in "iu" and self.dtype.itemsize <= 2:
            return self._rounded(block)
        pixels: Pixels = block.astype(self._wide)
        pixels *= self._wide(self.span)
        pixels += self._wide(self.low)
        if self.dtype.kind == "f":
            if self.dtype.itemsize < pixels.dtype.itemsize:
                largest = np.finfo(self.dtype).max
                np.clip(pixels, -largest, largest, out=pixels)
            return pixels.astype(self.dtype, copy=False)
        low, high = _limits(self.dtype)
        np.rint(pixels, out=pixels)
        np.clip(pixels, low, high, out=pixels)
        return pixels.astype(self.dtype)

    def _rounded(self, block: Float32) -> Pixels:
        """The same for 8- and 16-bit integers, in one pass."""
        from classicsr.kernels.pixels import round_affine

        values = np.ascontiguousarray(block, np.float32)
        pixels = np.empty(block.shape, self.dtype)
        low, high = (np.float32(end) for end in _limits(self.dtype))
        factor, shift = np.float32(self.span), np.float32(self.low)
        round_affine(values.ravel(), factor, shift, low, high, pixels.ravel())
        return pixels


def _limits(dtype: np.dtype) -> tuple[float, float]:
    """Ends of an integer type, or bool, that survive the round trip through float64."""
    if dtype.kind == "b":
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    high = float(limits.max)
    return float(limits.min), high if int(high) <= limits.max else float(np.nextafter(high, 0))


def _finite_range(image: Pixels) -> Range:
    """Minimum and maximum of the finite pixels; (0, 1) when there are none."""
    low, high = image.min(), image.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = image[np.isfinite(image)]
        if finite.size == 0:
            return 0.0, 1.0
        low, high = finite.min(), finite.max()
    return float(low), float(high)


class PixelSource:
    """Reads float32 blocks on the unit scale from an image of any type.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
    intensity : Intensity
    color : bool
        Turn the first three channels from RGB to YCbCr.
    """

    def __init__(self, image: Pixels, intensity: Intensity, *, color: bool = False) -> None:
        self.image = image if image.ndim == 3 else image[..., None]
        self.intensity = intensity
        self.color = color

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[0], self.image.shape[1]

    def read(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Float32:
        """Block (C, len(rows), len(columns)), planes contiguous."""
        block = self.intensity.to_unit(_window(self.image, rows, columns))
        if self.color:
            block[..., :3] = rgb_to_ycbcr(block[..., :3], peak=1.0)
        return np.ascontiguousarray(block.transpose(2, 0, 1))


def _window(image: Pixels, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Pixels:
    """``image[np.ix_(rows, columns)]``; a view, which is much cheaper, where both are ranges."""
    top, left = rows.min(), columns.min()
    near = image[top : rows.max() + 1, left : columns.max() + 1]
    for axis, index in enumerate((rows - top, columns - left)):
        if not np.array_equal(index, np.arange(near.shape[axis])):
            near = near.take(index, axis)
    return near


class PixelSink:
    """Writes float32 blocks into a result array: the inverse of `PixelSource`."""

    def __init__(self, image: Pixels, intensity: Intensity, *, color: bool = False) -> None:
        self.image = image if image.ndim == 3 else image[..., None]
        self.intensity = intensity
        self.color = color

    def write(self, block: Float32, row: int, column: int) -> None:
        """Store a block (C, h, w) whose first pixel is (row, column)."""
        pixels = block.transpose(1, 2, 0)
        if self.color:
            pixels = pixels.copy()
            pixels[..., :3] = ycbcr_to_rgb(pixels[..., :3], peak=1.0)
        h, w = pixels.shape[:2]
        self.image[row : row + h, column : column + w] = self.intensity.from_unit(pixels)


def nearest_low(n_low: int, n_high: int, scale: float) -> NDArray[np.int64]:
    """Index of the low-resolution sample whose block each high-resolution sample lies in."""
    return np.minimum(np.floor((np.arange(n_high) + 0.5) / scale), n_low - 1).astype(np.int64)


class NonFiniteMask:
    """NaN and Inf are set aside, then put back where they were on the finer grid.

    Attributes
    ----------
    image : array
        The image with each such pixel replaced by its nearest finite one, so that its
        neighbours are not harmed; the input itself when all is finite.
    """

    def __init__(self, image: Pixels, n_spatial: int) -> None:
        self.image = image
        self._original = image
        self._bad: NDArray[np.bool_] | None = None
        with np.errstate(invalid="ignore", over="ignore"):  # opposite infinities, huge values
            if image.dtype.kind != "f" or np.isfinite(image.sum(dtype=np.float64)):
                return
        bad = ~np.isfinite(image)
        if bad.any():
            self._bad = bad
            self.image = _filled(image, bad, n_spatial)

    def restore(self, result: Pixels, scales: tuple[float, ...]) -> None:
        """Write the original NaN and Inf into `result`, in place."""
        if self._bad is None:
            return
        axes = [
            nearest_low(n_low, n_high, scale)
            for n_low, n_high, scale in zip(
                self._bad.shape, result.shape, (*scales, *[1.0] * result.ndim), strict=False
            )
        ]
        grid = np.ix_(*axes)
        bad = self._bad[grid]
        result[bad] = self._original[grid][bad]


def _filled(image: Pixels, bad: NDArray[np.bool_], n_spatial: int) -> Pixels:
    """Copy of `image` whose bad pixels hold the value of the nearest good one (per channel)."""
    from scipy.ndimage import distance_transform_edt

    if image.ndim > n_spatial:
        planes = [_filled(image[..., c], bad[..., c], n_spatial) for c in range(image.shape[-1])]
        return np.stack(planes, axis=-1)
    if bad.all():
        return np.zeros_like(image)
    nearest = distance_transform_edt(bad, return_distances=False, return_indices=True)
    return image[tuple(nearest)]
