"""Does a result agree with the measurement, and making it agree."""

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

    `noise` is in units of the image; `record` receives the deviation before and after.
    """
    tolerance = _TOLERANCE * float(np.ptp(low)) or _TOLERANCE
    projected = project(high, low, model, noise=noise / intensity.span, tolerance=tolerance)
    if record is not None:
        record["consistency"] = {
            "forward_model": model.to_dict(),
            "before": deviation(high, low, model, intensity),
            "after": deviation(projected, low, model, intensity),
        }
    return projected
