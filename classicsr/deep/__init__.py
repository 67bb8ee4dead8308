"""Networks behind the image-level contract; they need the extra ``torch``."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.deep._convert import convert_weights as convert_weights
    from classicsr.deep._network import NetworkSR as NetworkSR

_ORIGINS = {
    "NetworkSR": "classicsr.deep._network",
    "convert_weights": "classicsr.deep._convert",
}
__all__ = list(_ORIGINS)
__getattr__, __dir__ = lazy_attributes(__name__, _ORIGINS)
