"""One image prepared for a comparison: what is degraded, and what the result is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.metrics import modcrop
from classicsr.report._forward import Forward, Scale
from classicsr.super_resolution import SuperResolver
from classicsr.super_resolution._evaluation import luma_255

PEAK = 255.0


@dataclass(frozen=True, eq=False)
class Case:
    """A high-resolution reference and the low-resolution image made from it.

    Attributes
    ----------
    reference : (H, W) or (X, Y, Z) float64 array
        Luma in [0, 255] of an image; the real units of a volume's first frame.
    low : float32 or uint8 array
    forward : Forward
    scales : tuple of float
        Factor of each axis.
    peak : float
        255 of an image, ``max - min`` of a volume.
    spacing : tuple of float or None
        Voxel sizes of the low-resolution volume in mm; None for an image.
    """

    reference: NDArray[np.float64]
    low: NDArray[Any]
    forward: Forward
    scales: tuple[float, ...]
    peak: float
    spacing: tuple[float, ...] | None

    @classmethod
    def read(cls, path: Path, forward: Forward, scale: Scale, lr: str) -> Case:
        """Read a file and degrade it.

        Raises
        ------
        OSError, ValueError
            The file cannot be read, holds NaN, is constant, or does not fit the factors.
        """
        array, spacing = read_reference(path)
        if not np.isfinite(array).all():
            share = 1 - np.isfinite(array).mean()
            raise ValueError(
                f"{share:.2%} of its values are not finite: no reference to compare with"
            )
        scales = forward.scales(scale, array.ndim)
        reference = modcrop(array, scales)
        peak = PEAK if spacing is None else float(np.ptp(reference))
        if peak == 0:
            raise ValueError("all values are equal: no range to compare with")
        low: NDArray[Any] = forward.apply(reference, scales, peak)
        if spacing is None and lr == "uint8":
            low = np.clip(np.rint(low), 0, PEAK).astype(np.uint8)
        if spacing is not None:
            spacing = tuple(mm * s for mm, s in zip(spacing, scales, strict=True))
        return cls(reference, low, forward, scales, peak, spacing)

    @property
    def crop(self) -> tuple[int, ...]:
        """Samples that are left out at each border: the factor, rounded up, of enlarged axes."""
        return tuple(int(np.ceil(s)) if s > 1 else 0 for s in self.scales)

    def upscale(self, sr: SuperResolver, low: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """The method's result, neither rounded nor clipped."""
        image = self.low if low is None else low
        span = (0.0, PEAK) if self.spacing is None else None
        result = sr.predict(image, scale=self.scales, spacing=self.spacing, data_range=span)
        if result.shape != self.reference.shape:
            raise ValueError(f"result of shape {result.shape} instead of {self.reference.shape}")
        return np.asarray(result, np.float64)

    def compared(self, result: NDArray[np.float64]) -> NDArray[np.float64]:
        """What metrics see: 8-bit values of an image, a volume as it is."""
        return np.clip(np.rint(result), 0, PEAK) if self.spacing is None else result


def read_reference(path: Path) -> tuple[NDArray[np.float64], tuple[float, ...] | None]:
    """Luma of an image and None, or the first frame of a volume and its voxel sizes."""
    from classicsr.io import kind_of, read_image, read_volume

    if kind_of(path) == "volume":
        volume = read_volume(path)
        return volume.slope * volume.frame(0).astype(np.float64) + volume.inter, volume.spacing
    array = read_image(path).array
    if array.dtype.kind == "f":
        raise ValueError("is an image of floats: without a known peak it cannot be compared")
    return luma_255(array), None


def companion_path(path: Path, folder: Path) -> Path | None:
    """The file in `folder` that has the name of `path`, whatever its format."""
    from classicsr.io import expand_inputs

    stem = path.name.partition(".")[0]
    found = (one for one in expand_inputs([folder]) if one.name.partition(".")[0] == stem)
    return next(found, None)


def read_companion(path: Path, folder: Path, scales: Sequence[float]) -> NDArray[Any]:
    """The mask or label image in `folder` that has the name of `path`, cropped alike."""
    from classicsr.datasets._dataset import read_array

    found = companion_path(path, folder)
    if found is None:
        raise ValueError(
            f"the folder {folder.name} has no file named {path.name.partition('.')[0]}"
        )
    array = read_array(found)
    if len(scales) == 2 and array.ndim == 3:
        array = array[..., 0]
    if array.ndim != len(scales):
        raise ValueError(f"{found.name} of {folder.name} is of another kind than the image")
    return modcrop(array, tuple(scales))
