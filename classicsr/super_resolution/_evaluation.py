"""The evaluation protocol of the super-resolution literature, on 2-D images."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation import resize
from classicsr.metrics import luma, modcrop, psnr, ssim
from classicsr.super_resolution._base import Images, SuperResolver

_PEAK = 255.0


def luma_255(image: ArrayLike) -> NDArray[np.float64]:
    """Luma rounded to 8 bits; grey images as they are; 16-bit images brought to 255 first."""
    array = np.asarray(image)
    if array.dtype == np.uint16:
        array = array / 257.0
    if array.ndim == 3 and array.shape[-1] >= 3:
        return luma(array[..., :3], rounded=True)
    grey = array[..., 0] if array.ndim == 3 else array
    return np.rint(grey.astype(np.float64))


def evaluate(
    sr: SuperResolver, images: Iterable[tuple[str, ArrayLike]], scale: int, *, lr: str = "float"
) -> list[dict[str, Any]]:
    """PSNR and SSIM of a method on images that are first made smaller.

    Luma (BT.601, rounded), cropped to a multiple of `scale`, reduced by MATLAB's bicubic,
    upscaled, rounded to 8 bits; `scale` pixels are shaved off each side; peak 255.

    Parameters
    ----------
    sr : SuperResolver
        A fitted estimator.
    images : iterable of (name, array)
        High-resolution 8- or 16-bit images, grey or colour.
    scale : int
    lr : {"float", "uint8"}
        Whether the low-resolution image is rounded to 8 bits first.

    Returns
    -------
    list of dict
        name, psnr (dB), ssim, seconds (of the upscaling alone).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import BicubicSR
    >>> from classicsr.super_resolution import evaluate
    >>> flat = np.full((40, 40), 7, np.uint8)
    >>> evaluate(BicubicSR(), [("flat", flat)], 2)[0]["psnr"]
    inf
    """
    if lr not in ("float", "uint8"):
        raise ValueError(
            f"The 'lr' parameter of evaluate must be 'float' or 'uint8'. Got {lr!r} instead."
        )
    rows = []
    for name, image in images:
        reference = modcrop(luma_255(image), scale)
        low = resize(reference, 1 / scale).astype(np.float32)
        if lr == "uint8":
            low = np.clip(np.rint(low), 0, _PEAK).astype(np.uint8)
        start = time.perf_counter()
        result = sr.predict(low, scale=scale, data_range=(0.0, _PEAK))
        seconds = time.perf_counter() - start
        result = np.clip(np.rint(result.astype(np.float64)), 0, _PEAK)
        rows.append(
            {
                "name": name,
                "psnr": psnr(reference, result, data_range=_PEAK, crop=scale),
                "ssim": ssim(reference, result, data_range=_PEAK, crop=scale),
                "seconds": seconds,
            }
        )
    return rows


def mean_psnr(sr: SuperResolver, low: Images, high: Images) -> float:
    """Mean PSNR of predictions against high-resolution images (see `SuperResolver.score`)."""
    from classicsr.super_resolution._fixed_scale import _as_list

    lows, highs = _as_list(low), _as_list(high)
    if len(lows) != len(highs):
        raise ValueError(
            f"There must be one high-resolution image per low-resolution one. "
            f"Got {len(highs)} and {len(lows)}."
        )
    figures = []
    for one, reference in zip(lows, highs, strict=True):
        result = sr.predict(np.asarray(one))
        crop = int(np.max(np.ceil(sr.scale)))
        figures.append(_psnr_of(np.asarray(reference), result, crop, sr.data_range))
    return float(np.mean(figures))


def _psnr_of(
    reference: NDArray, result: NDArray, crop: int, data_range: tuple[float, float] | None
) -> float:
    if reference.shape != result.shape:
        raise ValueError(
            f"The prediction has shape {result.shape}, its high-resolution image "
            f"{reference.shape}: they must be equal."
        )
    if reference.dtype == np.uint8:
        a, b = luma_255(reference), luma_255(result)
        return psnr(a, b, data_range=_PEAK, crop=crop)
    if reference.dtype.kind == "f":
        low, high = data_range or (float(np.nanmin(reference)), float(np.nanmax(reference)))
        return psnr(reference, result, data_range=high - low or 1.0, crop=crop)
    return psnr(reference, result, crop=crop)
