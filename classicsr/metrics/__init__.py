"""Quality figures: one crop, range and mask rule for all of them; and the colour space they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.metrics._color import luma, rgb_to_ycbcr, ycbcr_to_rgb
    from classicsr.metrics._protocol import modcrop
    from classicsr.metrics._psnr import psnr
    from classicsr.metrics._ssim import ssim

__all__ = ["luma", "modcrop", "psnr", "rgb_to_ycbcr", "ssim", "ycbcr_to_rgb"]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "luma": "classicsr.metrics._color",
        "modcrop": "classicsr.metrics._protocol",
        "psnr": "classicsr.metrics._psnr",
        "rgb_to_ycbcr": "classicsr.metrics._color",
        "ssim": "classicsr.metrics._ssim",
        "ycbcr_to_rgb": "classicsr.metrics._color",
    },
)
