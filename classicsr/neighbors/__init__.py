"""Nearest-neighbour search over patches."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.neighbors._columns import Cells as Cells
    from classicsr.neighbors._columns import ColumnIndex as ColumnIndex
    from classicsr.neighbors._index import NeighborIndex as NeighborIndex

_ORIGINS = {
    "Cells": "classicsr.neighbors._columns",
    "ColumnIndex": "classicsr.neighbors._columns",
    "NeighborIndex": "classicsr.neighbors._index",
}
__all__ = list(_ORIGINS)
__getattr__, __dir__ = lazy_attributes(__name__, _ORIGINS)
