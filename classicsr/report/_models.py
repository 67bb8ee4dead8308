"""From the name of a method to the model that stands for it: bundled, given, or fitted once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classicsr._model_file import read_model
from classicsr._threads import n_threads
from classicsr.report._children import run_child
from classicsr.report._forward import Forward, Scale
from classicsr.report._journal import digest, file_digest, software
from classicsr.report._plan import Plan
from classicsr.zoo import METHODS, bundled_models, find_model


@dataclass(frozen=True)
class Model:
    """What upscales the images of one row.

    Attributes
    ----------
    origin : str
        Where it comes from, in words.
    path : Path or None
        Its file; None for a method without.
    key : str
        What identifies it in the cache.
    fit_seconds : float or None
    n_bytes : int or None
    """

    origin: str
    path: Path | None = None
    key: str = ""
    fit_seconds: float | None = None
    n_bytes: int | None = None


def model_of(name: str, scale: Scale, forward: Forward, plan: Plan, cache: Path) -> Model:
    """The model of a method for a factor and a degradation; it is fitted if there is none.

    Raises
    ------
    OSError, ValueError
        There is no model and nothing to learn from, or fitting failed.
    """
    if name not in METHODS:
        return _stored(find_model(name), "model file")
    if not METHODS[name].fits:
        return Model("no training", key=digest(name))
    native = max(2, math.ceil(np.max(scale)))
    bundled = f"{name}-x{native}"
    if bundled in bundled_models() and (forward.text == "bicubic" or not plan.train):
        return _stored(bundled_models()[bundled], f"bundled {bundled}")
    if not plan.train:
        raise ValueError(f"has no bundled model for x{native}, and no training images were given")
    return _fitted(name, native, forward, plan, cache)


def _stored(path: Path, origin: str) -> Model:
    stored = read_model(path)
    trained_for = (stored.degradation or {}).get("name", "bicubic")
    seconds = stored.provenance.get("seconds")
    return Model(
        f"{origin}, trained for {trained_for}",
        path,
        file_digest(path),
        float(seconds) if isinstance(seconds, int | float) else None,
        path.stat().st_size,
    )


def _fitted(name: str, native: int, forward: Forward, plan: Plan, cache: Path) -> Model:
    task: dict[str, Any] = {
        "work": "fit",
        "method": name,
        "native_scale": native,
        "degradation": forward.text,
        "seed": plan.seed,
    }
    key = digest([software(), task, [file_digest(path) for path in plan.train]])
    path = cache / f"{name}-x{native}-{key[:16]}.safetensors"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        task |= {"train": [str(one) for one in plan.train], "model": str(path)}
        for record in run_child(task | {"threads": n_threads(plan.n_jobs)}):
            if "error" in record:
                raise ValueError(f"fitting failed: {record['error']}")
    noise = f" with {forward.noise:g} % noise" if forward.noise else ""
    return _stored(path, f"fitted on {len(plan.train)} images{noise}")
