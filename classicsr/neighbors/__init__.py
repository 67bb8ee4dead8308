"""Nearest-neighbour search over patches."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.neighbors._index import NeighborIndex as NeighborIndex

__all__ = ["NeighborIndex"]
__getattr__, __dir__ = lazy_attributes(__name__, {"NeighborIndex": "classicsr.neighbors._index"})
