"""Fitted models of every method, kept as files, so that a long run can go on where it stopped."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any

import _record
import numpy as np

from classicsr import load_model
from classicsr._model_file import read_model
from classicsr.datasets import load_dataset
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import make_method

SEED = 0
TRAINING_SETS = ("natural/T91",)


@cache
def training_images() -> list[np.ndarray]:
    """The images of the training sets, read once."""
    return [image for name in TRAINING_SETS for image in load_dataset(name)]


def trained(
    folder: Path, method: str, scale: int, **params: Any
) -> tuple[SuperResolver, dict[str, Any]]:
    """The model of a method as its file gives it, fitted first if there is no file.

    Returns
    -------
    sr : SuperResolver
        All cores.
    record : dict
        training_data, seconds (of fitting, all cores), bytes (of the file).
    """
    path = folder / f"{method}-x{scale}.safetensors"
    if not path.exists():
        _fit(path, method, scale, params)
    provenance = read_model(path).provenance
    record = {key: provenance[key] for key in ("training_data", "seconds")}
    return load_model(path).set_params(n_jobs=-1), record | {"bytes": path.stat().st_size}


def _fit(path: Path, method: str, scale: int, params: dict[str, Any]) -> None:
    images = training_images()
    sr = make_method(method, scale=scale, random_state=SEED, n_jobs=-1, **params)
    start = time.perf_counter()
    sr.fit(images)
    provenance = {
        "training_data": list(TRAINING_SETS),
        "n_images": len(images),
        "seed": SEED,
        "seconds": round(time.perf_counter() - start, 1),
        "date": _record.today(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    sr.save(path, {"provenance": provenance})
