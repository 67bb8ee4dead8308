"""Attributes that are imported when first used (PEP 562).

`import classicsr` and `classicsr --help` must not pay for scikit-learn, Numba or FAISS.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any


def lazy_attributes(
    module_name: str, origins: dict[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a module whose names live elsewhere.

    Parameters
    ----------
    module_name : str
        ``__name__`` of the module that re-exports.
    origins : dict
        Public name -> absolute name of the module that defines it.
    """

    def __getattr__(name: str) -> Any:
        if name not in origins:
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(origins[name]), name)
        setattr(sys.modules[module_name], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[module_name]), *origins})

    return __getattr__, __dir__
