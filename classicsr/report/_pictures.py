"""Details to look at: the same part of every result, as small 8-bit pictures."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr.report._case import PEAK, Case

IMAGE_SIDE = 176
VOLUME_SIDE = 88
N_SLICES = 12

Strip = NDArray[np.uint8]
"""Slices below each other, ``(n * height, width)``; an image is one slice."""


@dataclass(frozen=True)
class Window:
    """Which part of a case is shown, and how.

    Attributes
    ----------
    part : tuple of slice
        Per axis.
    shown : (int, int, int)
        Axes of the slices, of the rows and of the columns; slices -1 for an image.
    low, high : float
        Intensities shown black and white.
    aspect : float
        Height of a pixel over its width.
    """

    part: tuple[slice, ...]
    shown: tuple[int, int, int]
    low: float
    high: float
    aspect: float

    @classmethod
    def of(cls, case: Case) -> Window:
        """The part with the most detail that cubic interpolation does not restore.

        It depends on the case alone, so that no method is favoured.
        """
        from scipy.ndimage import uniform_filter

        lost = np.square(case.reference - interpolated(case))
        if case.spacing is None:
            shown = (-1, 0, 1)
            sides = _sides(lost.shape, IMAGE_SIDE)
            span, aspect = (0.0, PEAK), 1.0
        else:
            shown = _planes(case.scales)
            sides = _sides(lost.shape, VOLUME_SIDE)
            bottom, top = np.percentile(case.reference, (0.1, 99.9))
            span = (float(bottom), float(max(top, bottom + 1e-6 * case.peak)))
            fine = [mm / s for mm, s in zip(case.spacing, case.scales, strict=True)]
            aspect = fine[shown[1]] / fine[shown[2]]
        energy = uniform_filter(lost, sides, mode="constant")
        centre = np.unravel_index(int(np.argmax(energy)), lost.shape)
        starts = (
            int(np.clip(at - side // 2, 0, n - side))
            for at, side, n in zip(centre, sides, lost.shape, strict=True)
        )
        part = tuple(slice(a, a + side) for a, side in zip(starts, sides, strict=True))
        return cls(part, shown, *span, aspect)

    @property
    def n_slices(self) -> int:
        """How many slices a strip has."""
        return 1 if self.shown[0] < 0 else len(self._chosen())

    def _chosen(self) -> NDArray[np.intp]:
        part = self.part[self.shown[0]]
        length = part.stop - part.start
        return np.unique(np.linspace(0, length - 1, min(N_SLICES, length)).round().astype(int))

    def strip(self, image: NDArray[np.float64]) -> Strip:
        """The part of `image` as 8-bit slices; of volumes the last rows come first (head up)."""
        shown = np.clip((image[self.part] - self.low) / (self.high - self.low), 0, 1)
        pixels = np.rint(np.nan_to_num(shown) * 255).astype(np.uint8)
        if self.n_slices == 1 and pixels.ndim == 2:
            return pixels
        stack = pixels.transpose(self.shown)[self._chosen(), ::-1]
        return stack.reshape(-1, stack.shape[-1])


def _sides(shape: tuple[int, ...], side: int) -> tuple[int, ...]:
    return tuple(min(side, n) for n in shape)


def _planes(scales: tuple[float, ...]) -> tuple[int, int, int]:
    """Axes of slices, rows and columns: rows along the last of the most enlarged axes."""
    rows = 2 - int(np.argmax(scales[::-1]))
    columns, slices = (axis for axis in range(3) if axis != rows)
    return slices, rows, columns


def interpolated(case: Case) -> NDArray[np.float64]:
    """Cubic interpolation of the low-resolution image."""
    from classicsr.degradation import resize

    return resize(case.low.astype(np.float64), case.scales)


def repeated(case: Case) -> NDArray[np.float64]:
    """The low-resolution image in squares of its own samples."""
    result: NDArray[np.float64] = case.low.astype(np.float64)
    for axis, (n, scale) in enumerate(zip(case.reference.shape, case.scales, strict=True)):
        nearest = np.minimum((np.arange(n) / scale).astype(int), result.shape[axis] - 1)
        result = result.take(nearest, axis)
    return result


def encode(strip: Strip) -> str:
    """A PNG file in base64."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def decode(text: str) -> Strip:
    """The inverse of `encode`."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
