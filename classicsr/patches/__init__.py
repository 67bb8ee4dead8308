"""Patches of images: grids, windows, tiles, training samples."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.patches._grid import Tile as Tile
    from classicsr.patches._grid import mirrored as mirrored
    from classicsr.patches._grid import tiles as tiles
    from classicsr.patches._grid import windows as windows
    from classicsr.patches._samples import EstimatePair as EstimatePair
    from classicsr.patches._samples import PatchSamples as PatchSamples
    from classicsr.patches._samples import TrainingPair as TrainingPair

_ORIGINS = {
    "EstimatePair": "classicsr.patches._samples",
    "PatchSamples": "classicsr.patches._samples",
    "Tile": "classicsr.patches._grid",
    "TrainingPair": "classicsr.patches._samples",
    "mirrored": "classicsr.patches._grid",
    "tiles": "classicsr.patches._grid",
    "windows": "classicsr.patches._grid",
}
__all__ = list(_ORIGINS)
__getattr__, __dir__ = lazy_attributes(__name__, _ORIGINS)
