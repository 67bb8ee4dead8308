"""Quality figures: one crop, range and mask rule for all of them; and the colour space they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.metrics._color import luma, rgb_to_ycbcr, ycbcr_to_rgb
    from classicsr.metrics._edge_width import EdgeWidth, edge_width
    from classicsr.metrics._errors import mae, nrmse, rmse
    from classicsr.metrics._gradient import gradient_error
    from classicsr.metrics._ms_ssim import ms_ssim
    from classicsr.metrics._protocol import modcrop
    from classicsr.metrics._psnr import psnr
    from classicsr.metrics._regions import cnr, dice, enl
    from classicsr.metrics._ring_correlation import RingCorrelation, fourier_ring_correlation
    from classicsr.metrics._ssim import ssim

__all__ = [
    "EdgeWidth",
    "RingCorrelation",
    "cnr",
    "dice",
    "edge_width",
    "enl",
    "fourier_ring_correlation",
    "gradient_error",
    "luma",
    "mae",
    "modcrop",
    "ms_ssim",
    "nrmse",
    "psnr",
    "rgb_to_ycbcr",
    "rmse",
    "ssim",
    "ycbcr_to_rgb",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "EdgeWidth": "classicsr.metrics._edge_width",
        "RingCorrelation": "classicsr.metrics._ring_correlation",
        "cnr": "classicsr.metrics._regions",
        "dice": "classicsr.metrics._regions",
        "edge_width": "classicsr.metrics._edge_width",
        "enl": "classicsr.metrics._regions",
        "fourier_ring_correlation": "classicsr.metrics._ring_correlation",
        "gradient_error": "classicsr.metrics._gradient",
        "luma": "classicsr.metrics._color",
        "mae": "classicsr.metrics._errors",
        "modcrop": "classicsr.metrics._protocol",
        "ms_ssim": "classicsr.metrics._ms_ssim",
        "nrmse": "classicsr.metrics._errors",
        "psnr": "classicsr.metrics._psnr",
        "rgb_to_ycbcr": "classicsr.metrics._color",
        "rmse": "classicsr.metrics._errors",
        "ssim": "classicsr.metrics._ssim",
        "ycbcr_to_rgb": "classicsr.metrics._color",
    },
)
