"""Forward models y = S B x + n: how a low-resolution image arises from a high-resolution one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.degradation._back_projection import back_project
    from classicsr.degradation._blur import estimate_blur
    from classicsr.degradation._contributions import contributions
    from classicsr.degradation._models import (
        BicubicDegradation,
        Degradation,
        GaussianDegradation,
        KSpaceTruncation,
        SliceProfileDegradation,
        degradation_from_dict,
    )
    from classicsr.degradation._noise import add_noise
    from classicsr.degradation._projection import project
    from classicsr.degradation._resize import resize
    from classicsr.degradation._shape import resized_shape

__all__ = [
    "BicubicDegradation",
    "Degradation",
    "GaussianDegradation",
    "KSpaceTruncation",
    "SliceProfileDegradation",
    "add_noise",
    "back_project",
    "contributions",
    "degradation_from_dict",
    "estimate_blur",
    "project",
    "resize",
    "resized_shape",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "BicubicDegradation": "classicsr.degradation._models",
        "Degradation": "classicsr.degradation._models",
        "GaussianDegradation": "classicsr.degradation._models",
        "KSpaceTruncation": "classicsr.degradation._models",
        "SliceProfileDegradation": "classicsr.degradation._models",
        "add_noise": "classicsr.degradation._noise",
        "back_project": "classicsr.degradation._back_projection",
        "contributions": "classicsr.degradation._contributions",
        "degradation_from_dict": "classicsr.degradation._models",
        "estimate_blur": "classicsr.degradation._blur",
        "project": "classicsr.degradation._projection",
        "resize": "classicsr.degradation._resize",
        "resized_shape": "classicsr.degradation._shape",
    },
)
