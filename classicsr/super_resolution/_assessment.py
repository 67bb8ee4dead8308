"""What a calibrated estimator says about one image: how sure it is, and how well it knows it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classicsr.metrics import rgb_to_ycbcr
from classicsr.super_resolution._novelty import Novelty
from classicsr.super_resolution._uncertainty import contrast, local_rms
from classicsr.super_resolution._volume import plan_volume

if TYPE_CHECKING:
    from classicsr.super_resolution._calibration import Calibration
    from classicsr.super_resolution._prediction import Prediction

Float32 = NDArray[np.float32]
Spacing = Sequence[float] | None


def calibration_of(sr: Prediction) -> Calibration:
    """The calibration of an estimator; a ValueError says how to get one."""
    if sr.calibration_ is None:
        raise ValueError(
            f"This {type(sr).__name__} is not calibrated. Call calibrate with images that were "
            "not used for fitting, or load a model file that holds a calibration."
        )
    return sr.calibration_


def plane_scales(sr: Prediction, scales: tuple[float, ...], spacing: Spacing) -> tuple[float, ...]:
    """Factors of the plane that a method enlarges: the image, or the slices of a volume."""
    return plan_volume(scales, spacing, sr.plane).plane_scales if len(scales) == 3 else scales


def score_map(
    sr: Prediction, low: Float32, high: Float32, scales: tuple[float, ...], spacing: Spacing
) -> Float32:
    """How difficult each pixel of one channel, or voxel, is."""
    return local_rms(sr._raw_scores(low, high, scales, spacing), scales)


def std_map(
    sr: Prediction, low: Float32, high: Float32, scales: tuple[float, ...], spacing: Spacing
) -> Float32:
    """Standard deviation of the errors of `high`, on the unit scale: (H, W), or as `high`."""
    calibration = calibration_of(sr)
    if calibration.score != sr._score_kind(plane_scales(sr, scales, spacing)):
        raise ValueError(
            f"The calibration is for scale {_shown(calibration.scales)}. It cannot tell how sure a "
            f"result of scale {_shown(scales)} is: set that scale and call calibrate."
        )
    if calibration.scales != scales:
        warnings.warn(
            f"the std was calibrated for scale {_shown(calibration.scales)}: for "
            f"{_shown(scales)} it is only a hint",
            UserWarning,
            stacklevel=6,
        )
    stds = []
    for one, large in zip(channels(sr, low, scales), channels(sr, high, scales), strict=True):
        scores = score_map(sr, one, large, scales, spacing)
        stds.append(calibration.curve.std(scores, contrast(one)))
    return stds[0] if len(stds) == 1 else np.stack(stds, axis=-1)


def novelty_of(
    sr: Prediction, low: Float32, scales: tuple[float, ...], spacing: Spacing
) -> Novelty:
    """How unlike `low`, of any intensity scale, is to the images of the calibration."""
    known, volume = calibration_of(sr).known, len(scales) == 3
    arrays = channels(sr, low, scales)
    slices = planes(sr, arrays[0], scales, spacing) if volume else arrays
    score, limit, map_ = known.novelty(slices)
    if volume:
        map_ = np.moveaxis(map_, 0, plan_volume(scales, spacing, sr.plane).along)
    else:
        map_ = map_[0] if len(map_) == 1 else np.moveaxis(map_, 0, -1)
    return Novelty(score, limit, map_)


def tell_novelty(novelty: Novelty, record: dict[str, Any] | None) -> None:
    """Record a novelty, and warn of one beyond those of the calibration."""
    if record is not None:
        record["novelty"] = {"score": novelty.score, "limit": novelty.limit}
    if novelty.score > novelty.limit:
        warnings.warn(
            "the input is unlike the images that the model was calibrated on (novelty "
            f"{novelty.score:.2f}, usually up to {novelty.limit:.2f}): errors may be larger",
            UserWarning,
            stacklevel=5,
        )


def channels(sr: Prediction, array: Float32, scales: tuple[float, ...]) -> list[Float32]:
    """What a method enlarges itself: the luma of colours, every independent channel, a volume."""
    if array.ndim == len(scales):
        return [array]
    if sr.channel_mode == "independent":
        return [np.ascontiguousarray(array[..., c]) for c in range(array.shape[-1])]
    if array.shape[-1] >= 3:
        return [np.ascontiguousarray(rgb_to_ycbcr(array[..., :3], peak=1.0)[..., 0])]
    return [np.ascontiguousarray(array[..., 0])]


def planes(
    sr: Prediction, array: Float32, scales: tuple[float, ...], spacing: Spacing
) -> list[Float32]:
    """An image, or the slices of a volume."""
    if array.ndim == 2:
        return [array]
    return list(np.moveaxis(array, plan_volume(scales, spacing, sr.plane).along, 0))


def unknown_pixels(result: NDArray[Any], n_axes: int) -> NDArray[np.bool_]:
    """Where a result has no value: of each entry, or of any channel for maps without channels."""
    known = np.isfinite(result)
    return np.logical_not(known.all(axis=-1) if n_axes < result.ndim else known)


def _shown(scales: tuple[float, ...]) -> str:
    return "x".join(f"{scale:g}" for scale in scales)
