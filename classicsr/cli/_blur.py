"""The option --blur of ``classicsr upscale``: how blurred the input is."""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING, Any

from classicsr.cli._common import Scale

if TYPE_CHECKING:
    import numpy as np

    from classicsr.super_resolution import SuperResolver

ESTIMATE = "estimate"
_TOO_WIDE = 1.2, 0.1
"""A width beyond so many estimates and samples is doubted: on photographs that finds 9 of 10 widths
that are half too large, and blames 1 of 30 right ones."""


def blur(text: str) -> float | str:
    """Parse ``estimate`` or a width; the type of the option."""
    if text == ESTIMATE:
        return text
    try:
        width = float(text)
    except ValueError:
        width = -1.0
    if not 0 < width <= 16:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be {ESTIMATE!r} or a width above 0, up to 16"
        )
    return width


def set_blur(
    estimator: SuperResolver,
    wanted: float | str,
    data: np.ndarray,
    scale: Scale,
    record: dict[str, Any],
) -> None:
    """Give `estimator` a Gaussian forward model of the width that is wanted, in input samples.

    Raises
    ------
    ValueError
        The estimator has no forward model, or the input is not enlarged.
    """
    import numpy as np

    from classicsr.degradation import GaussianDegradation

    if "degradation" not in estimator.get_params(deep=False):
        raise ValueError("--blur is for methods with a forward model (tv, map, ibp, aplus ...)")
    n_axes = len(scale) if isinstance(scale, tuple) else 2
    scales = np.broadcast_to(np.array(scale, float), n_axes)
    if scales.min() < 1 or scales.max() == 1:
        raise ValueError("--blur is for inputs that are enlarged")
    estimates = _estimated(data, scales)
    widths = estimates if wanted == ESTIMATE else float(wanted) * (scales > 1)
    model = GaussianDegradation(tuple(scales), tuple(widths * scales))
    native = estimator.native_scale_
    estimator.set_params(degradation=model.at_scale((native, native)) if native else model)
    record["blur"] = {"fwhm": widths.tolist(), "estimated_fwhm": estimates.tolist()}
    if (widths > _TOO_WIDE[0] * estimates + _TOO_WIDE[1]).any():
        warnings.warn(
            f"the input looks sharper (about {estimates.max():.2g} pixels) than --blur {wanted} "
            "says: expect halos at edges",
            UserWarning,
            stacklevel=2,
        )


def _estimated(data: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Estimated width per axis, in samples of the input."""
    import numpy as np

    from classicsr.degradation import estimate_blur
    from classicsr.metrics import luma

    if data.ndim > len(scales):
        data = luma(data[..., :3]) if data.shape[-1] >= 3 else data[..., 0]
    return np.array(estimate_blur(data, tuple(scales))) / scales
