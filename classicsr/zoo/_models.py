"""Bundled models: found by name, loaded through the audit of model files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from classicsr._model_file import read_model
from classicsr.zoo._registry import METHODS, make_method, unknown_name

if TYPE_CHECKING:
    from classicsr.super_resolution import SuperResolver

MODELS_FOLDER = Path(__file__).parent / "models"


def bundled_models() -> dict[str, Path]:
    """Return the name and the file of each model that comes with the package."""
    return {path.stem: path for path in sorted(MODELS_FOLDER.glob("*.safetensors"))}


def load_model(name: str | os.PathLike[str]) -> SuperResolver:
    """Return a fitted estimator.

    Parameters
    ----------
    name : str or path-like
        A bundled model (``"aplus-x3"``), a method that needs no fitting (``"bicubic"``), or the
        path of a model file.

    Raises
    ------
    ModelFileError
        The file is damaged, hostile, or made by a newer version.
    ValueError
        No model has this name; the message lists those that exist.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import load_model
    >>> load_model("bicubic").predict(np.zeros((4, 5), np.uint8), scale=2).shape
    (8, 10)
    """
    from classicsr.super_resolution._calibration import split_model

    if name in METHODS and not METHODS[str(name)].fits:
        return make_method(str(name))
    model = read_model(find_model(name))
    if model.method not in METHODS:
        raise model.error("method", f"is an {unknown_name('method', model.method[:40], METHODS)}")
    own, calibration = split_model(model)
    estimator = METHODS[model.method].load_class()._from_model(own)
    estimator.calibration_ = calibration
    return estimator


def find_model(name: str | os.PathLike[str]) -> Path:
    """Return the file of a bundled model, or `name` itself where it is the path of a file.

    Raises
    ------
    ValueError
        No bundled model has this name and it does not look like a path.
    """
    bundled = bundled_models()
    if name in bundled:
        return bundled[str(name)]
    path = Path(name)
    if isinstance(name, os.PathLike) or path.suffix == ".safetensors" or path.exists():
        return path
    fileless = ", ".join(method.name for method in METHODS.values() if not method.fits)
    raise ValueError(
        f"{unknown_name('model', str(name), bundled)}, or the path of a .safetensors file; "
        f"{fileless} need no file"
    )


def default_model(scale: float | Sequence[float]) -> str:
    """Return the best bundled model for the `scale` of images, the method "self" for volumes.

    The model is the smallest one that reaches the scale on every axis.

    Parameters
    ----------
    scale : float or sequence of float
        Wanted scale, or one per axis; three for a volume.

    Raises
    ------
    ValueError
        No bundled model is large enough; the message lists the scales there are.
    """
    factors = tuple(scale) if isinstance(scale, Sequence) else (scale,)
    if len(factors) == 3:
        return "self"
    needed = max(factors)
    by_scale = {
        int(match[1]): name
        for name in bundled_models()
        if (match := re.fullmatch(r"best-x(\d+)", name))
    }
    large_enough = [available for available in sorted(by_scale) if available >= needed]
    if not large_enough:
        available = ", ".join(f"x{one}" for one in sorted(by_scale)) or "none"
        raise ValueError(
            f"no bundled model reaches scale {needed:g} (available: {available}); "
            "use the model 'bicubic' or 'lanczos', or fit one for this scale"
        )
    return by_scale[large_enough[0]]
