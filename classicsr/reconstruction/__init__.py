"""Reconstruction: images and volumes that explain their measurement under a forward model."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.reconstruction._back_projection import BackProjectionSR as BackProjectionSR
    from classicsr.reconstruction._base import ReconstructionSR as ReconstructionSR

__all__ = ["BackProjectionSR", "ReconstructionSR"]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "BackProjectionSR": "classicsr.reconstruction._back_projection",
        "ReconstructionSR": "classicsr.reconstruction._base",
    },
)
