"""Training pairs from high-resolution images, or from given pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.degradation import Degradation, resize, resized_shape
from classicsr.metrics import modcrop
from classicsr.patches import TrainingPair
from classicsr.super_resolution._pixels import Intensity, PixelSource, Range

Float32 = NDArray[np.float32]


def unit_planes(
    images: Sequence[Any], ranges: Sequence[Range | None], channel_mode: str
) -> list[Float32]:
    """The planes that methods learn from: luma of colour images, slices of volumes.

    Each is float32 on the unit scale; `ranges` are those of the images, None for their own.
    """
    planes: list[Float32] = []
    for number, (given, data_range) in enumerate(zip(images, ranges, strict=True)):
        image = np.asarray(given)
        if image.dtype.kind not in "biuf" or image.ndim not in (2, 3) or image.size == 0:
            raise ValueError(
                f"Training image {number} must be a 2-D, colour or 3-D array of real numbers. "
                f"Got shape {image.shape}, dtype {image.dtype}."
            )
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise ValueError(f"Training image {number} holds NaN or infinite values.")
        planes += _planes(image, Intensity.of(image, data_range), channel_mode)
    return planes


def image_range(image: Any, data_range: Range | None) -> Range:
    """The intensity range that an image is taken to have."""
    intensity = Intensity.of(np.asarray(image), data_range)
    return intensity.low, intensity.low + intensity.span


def _planes(image: NDArray, intensity: Intensity, channel_mode: str) -> list[Float32]:
    rows, columns = np.arange(image.shape[0]), np.arange(image.shape[1])
    color = image.ndim == 3 and image.shape[2] in (3, 4) and channel_mode == "luma"
    block = PixelSource(image, intensity, color=color).read(rows, columns)
    first_only = color or (image.ndim == 3 and image.shape[2] == 2 and channel_mode == "luma")
    return [np.ascontiguousarray(plane) for plane in (block[:1] if first_only else block)]


def degraded_pairs(
    planes: Sequence[Float32],
    degradation: Degradation,
    scale: int,
    *,
    n_levels: int,
    level_ratio: float,
    n_jobs: int | None,
) -> list[TrainingPair]:
    """Pairs of every plane at every level of a pyramid, degraded by the forward model.

    Parameters
    ----------
    planes : sequence of (H, W) float32
    degradation : Degradation
    scale : int
    n_levels : int
        Levels of the pyramid, the original size included.
    level_ratio : float
        Size of each level relative to the one before.
    n_jobs : int, optional
    """

    def pair(job: tuple[Float32, int]) -> TrainingPair | None:
        plane, level = job
        factor = level_ratio**level
        if min(resized_shape(plane.shape, factor)) < 3 * scale:
            return None
        high = modcrop(resize(plane, factor) if level else plane, scale)
        return training_pair(degradation.forward(high), high, scale)

    jobs = [(plane, level) for plane in planes for level in range(n_levels)]
    return [made for made in run_parallel(pair, jobs, n_jobs) if made is not None]


def training_pair(low: Float32, high: Float32, scale: int) -> TrainingPair:
    """A pair whose residual is what cubic interpolation lacks.

    Raises
    ------
    ValueError
        `high` is not `scale` times as large as `low`.
    """
    if high.shape != (low.shape[0] * scale, low.shape[1] * scale):
        raise ValueError(
            f"High-resolution images must be {scale} times as large as their low-resolution "
            f"ones. Got {high.shape} for {low.shape}."
        )
    low, high = np.ascontiguousarray(low), np.ascontiguousarray(high)
    return TrainingPair(low, high - resize(low, scale))
