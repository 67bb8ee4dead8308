"""The figures of one result: each metric with its unit, its direction and its definition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr import metrics
from classicsr.report._case import Case
from classicsr.report._text import one_line
from classicsr.super_resolution import SuperResolver

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Result:
    """What metrics may look at.

    Attributes
    ----------
    case : Case
    raw : array
        The method's result.
    image : array
        As it is compared: of images rounded to 8 bits.
    sr : SuperResolver
        The method, to upscale labels with.
    mask, labels : functions without parameters
        Read the companion of the image, or say why there is none.
    """

    case: Case
    raw: Array
    image: Array
    sr: SuperResolver
    mask: Callable[[], NDArray[Any]]
    labels: Callable[[], NDArray[Any]]


@dataclass(frozen=True)
class Metric:
    """One column of a report.

    Attributes
    ----------
    label, unit : str
    higher_is_better : bool or None
        None: neither is better.
    definition : str
    measure : function of a `Result`
    needs : {"", "mask", "labels"}
        The folder without which it cannot be measured.
    is_default : bool
        Whether it is measured without being named.
    digits : int
        Decimals to show.
    """

    label: str
    unit: str
    higher_is_better: bool | None
    definition: str
    measure: Callable[[Result], float]
    needs: str = ""
    digits: int = 4
    is_default: bool = True


def _paired(function: Callable[..., float], *, ranged: bool = False) -> Callable[[Result], float]:
    def measure(result: Result) -> float:
        case = result.case
        options = {"data_range": case.peak} if ranged else {}
        return function(case.reference, result.image, crop=case.crop, **options)

    return measure


def _roi_psnr(result: Result) -> float:
    case = result.case
    return metrics.psnr(
        case.reference, result.image, data_range=case.peak, crop=case.crop, mask=result.mask() != 0
    )


def _cnr(result: Result) -> float:
    region = result.mask() != 0
    return metrics.cnr(result.image, region, ~region)


def _enl(result: Result) -> float:
    return metrics.enl(result.image, result.mask() != 0)


def _resolution(result: Result) -> float:
    inner = tuple(
        slice(side, n - side) for side, n in zip(result.case.crop, result.image.shape, strict=True)
    )
    return metrics.fourier_ring_correlation(
        result.case.reference[inner], result.image[inner]
    ).resolution


def _edge_width(result: Result) -> float:
    """In the bounding box of the mask."""
    inside = np.nonzero(result.mask())
    if not inside[0].size:
        raise ValueError("the mask selects nothing")
    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in inside)
    return metrics.edge_width(result.image[box]).fwhm


def _consistency(result: Result) -> float:
    case = result.case
    low = case.forward.model(case.scales).forward(result.raw)
    return float(np.abs(low - case.low).max())


def _dice(result: Result) -> float:
    """Every label is reduced and upscaled as an image of its own; the largest one wins."""
    case, labels = result.case, result.labels()
    if labels.shape != case.reference.shape:
        raise ValueError(f"labels of shape {labels.shape}, image of {case.reference.shape}")
    present = np.unique(labels)
    model = case.forward.model(case.scales)
    best, winner = np.full(labels.shape, -np.inf), np.zeros(labels.shape, labels.dtype)
    for label in present:
        low = model.forward((labels == label).astype(np.float32) * 255)
        likely = case.upscale(result.sr, low)
        winner[likely > best] = label
        best = np.maximum(best, likely)
    return metrics.dice(labels, winner)


METRICS: Mapping[str, Metric] = {
    "psnr": Metric(
        "PSNR", "dB", True, "10 log10(peak^2 / MSE)", _paired(metrics.psnr, ranged=True), digits=2
    ),
    "ssim": Metric(
        "SSIM", "", True, "Gaussian window of 11 samples per axis, sigma 1.5, inside the image",
        _paired(metrics.ssim, ranged=True),
    ),
    "ms_ssim": Metric(
        "MS-SSIM", "", True, "five scales; of images with 176 samples or more along each axis",
        _paired(metrics.ms_ssim, ranged=True),
    ),
    "rmse": Metric(
        "RMSE", "units", False, "root mean square error, in units of the image",
        _paired(metrics.rmse), digits=3,
    ),
    "nrmse": Metric(
        "NRMSE", "", False, "RMSE divided by max - min of the reference", _paired(metrics.nrmse)
    ),
    "mae": Metric(
        "MAE", "units", False, "mean absolute error", _paired(metrics.mae), digits=3
    ),
    "gradient_error": Metric(
        "Gradient error", "units/sample", False,
        "mean absolute difference of the Sobel gradients, over all axes",
        _paired(metrics.gradient_error), digits=3,
    ),
    "consistency": Metric(
        "Consistency", "units", False,
        "largest |H x - y|: the result, not rounded, reduced again, against the input",
        _consistency, digits=3,
    ),
    "roi_psnr": Metric(
        "PSNR in mask", "dB", True, "PSNR where the mask is not 0, same peak", _roi_psnr, "mask", 2
    ),
    "cnr": Metric(
        "CNR", "", None, "|m_roi - m_out| / sqrt((s_roi^2 + s_out^2) / 2), mask against the rest",
        _cnr, "mask", 3,
    ),
    "enl": Metric("ENL", "", None, "mean^2 / variance inside the mask", _enl, "mask", 2),
    "edge_width": Metric(
        "Edge width", "samples", None,
        "full width at half maximum of the one edge in the bounding box of the mask",
        _edge_width, "mask", 2, is_default=False,
    ),
    "frc": Metric(
        "FRC resolution", "samples", False,
        "period down to which the Fourier ring (shell) correlation with the reference stays above "
        "the half-bit curve", _resolution, digits=2, is_default=False,
    ),
    "dice": Metric(
        "Dice", "", True,
        "labels reduced and upscaled by the method, one by one; mean over the labels",
        _dice, "labels",
    ),
}  # fmt: skip
"""Every metric by its name."""


def measure(result: Result, names: Iterable[str]) -> tuple[dict[str, float | None], dict[str, str]]:
    """Values by name, None where there is none, and the reason why."""
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for name in names:
        try:
            value = METRICS[name].measure(result)
            values[name] = value if math.isfinite(value) else None
            if not math.isfinite(value):
                reasons[name] = "infinite" if math.isinf(value) else "not a number"
        except (OSError, ValueError) as error:
            values[name], reasons[name] = None, one_line(error)
    return values, reasons
