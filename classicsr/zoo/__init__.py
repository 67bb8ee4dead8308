"""The methods by name and the models that come with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.zoo._models import bundled_models, default_model, find_model, load_model
    from classicsr.zoo._registry import METHODS, Method, find_method, make_method, method_name

__all__ = [
    "METHODS",
    "Method",
    "bundled_models",
    "default_model",
    "find_method",
    "find_model",
    "load_model",
    "make_method",
    "method_name",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "METHODS": "classicsr.zoo._registry",
        "Method": "classicsr.zoo._registry",
        "bundled_models": "classicsr.zoo._models",
        "default_model": "classicsr.zoo._models",
        "find_method": "classicsr.zoo._registry",
        "find_model": "classicsr.zoo._models",
        "load_model": "classicsr.zoo._models",
        "make_method": "classicsr.zoo._registry",
        "method_name": "classicsr.zoo._registry",
    },
)
