"""Does a result agree with the measurement, making it agree, and what it adds to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation, project
from classicsr.super_resolution._pixels import Intensity

Float32 = NDArray[np.float32]
_TOLERANCE = 2e-6  # share of the input's range: half a thousandth of a grey level of 8 bits


def deviation(high: Float32, low: Float32, model: Degradation, intensity: Intensity) -> dict:
    """How far the degraded result lies from the input, in units of the image.

    Returns
    -------
    dict
        "max": largest absolute deviation; "bias": mean deviation, positive where the
        result is too bright.
    """
    difference = model.forward(high) - low
    return {
        "max": float(np.abs(difference).max()) * intensity.span,
        "bias": float(difference.mean(dtype=np.float64)) * intensity.span,
    }


def made_consistent(
    high: Float32,
    low: Float32,
    model: Degradation,
    intensity: Intensity,
    noise: float,
    record: dict[str, Any] | None,
) -> Float32:
    """`high` projected onto the images that `model` turns into `low`; both on the unit scale.

    Of integer types it keeps to their range, or clipping would undo it where an image is
    saturated. `noise` is in units of the image; `record` receives the deviation before and after.
    """
    projected = project(
        high,
        low,
        model,
        noise=noise / intensity.span,
        tolerance=_tolerance(low),
        bounds=intensity.bounds,
    )
    if record is not None:
        record["consistency"] = {
            "forward_model": model.to_dict(),
            "before": deviation(high, low, model, intensity),
            "after": deviation(projected, low, model, intensity),
        }
    return projected


def added_detail(
    high: Float32, low: Float32, model: Degradation, record: dict[str, Any] | None
) -> Float32:
    """What `high` has beyond the measurement: the difference to the smallest image that agrees.

    That image is ``H^+ y``, the minimum-norm solution, about the mean of `low`. Of a consistent
    result the difference is its null-space part, ``(I - H^+ H) x``: what no measurement shows. Of
    any other it also holds deviations from the input; `record` receives the share of each in
    the energy of the result about that mean.
    """
    tolerance, mean = _tolerance(low), low.mean(dtype=np.float64)
    level = np.full(high.shape, mean, np.float32)
    detail: Float32 = (high - project(level, low, model, tolerance=tolerance)).astype(
        np.float32, copy=False
    )
    if record is not None:
        hidden = project(detail, np.zeros_like(low), model, tolerance=tolerance)
        energy = _energy(high - level) or 1.0
        record["detail"] = {
            "null_space_share": _energy(hidden) / energy,
            "deviation_share": _energy(detail - hidden) / energy,
        }
    return detail


def _energy(image: NDArray[np.floating]) -> float:
    return float(np.square(image).sum(dtype=np.float64))


def _tolerance(low: Float32) -> float:
    return _TOLERANCE * float(np.ptp(low)) or _TOLERANCE
