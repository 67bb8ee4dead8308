"""A child process that fits, upscales or times: a JSON task on stdin, JSON records on stdout."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from classicsr.metrics import modcrop
from classicsr.report._case import PEAK, Case, read_companion
from classicsr.report._forward import Forward
from classicsr.report._machine import peak_bytes, restart_peak
from classicsr.report._metrics import Result, measure
from classicsr.report._pictures import Window, encode
from classicsr.report._plan import is_volume
from classicsr.report._text import one_line
from classicsr.super_resolution import SuperResolver
from classicsr.super_resolution._evaluation import luma_255

Record = dict[str, Any]
LONG = 2.0
"""Seconds: what takes longer is timed once."""


def records_of(task: Record) -> Iterator[Record]:
    """The records of a task, one per image in their order; a failure is a record with "error".

    Parameters
    ----------
    task : dict
        "work" ("fit", "quality" or "time") and what that takes.
    """
    if task["work"] == "fit":
        yield _attempt(partial(_fit, task))
        return
    opened = _attempt(lambda: {"sr": _estimator(task)})
    work = _quality if task["work"] == "quality" else _time
    for image in task["images"]:
        yield opened if "error" in opened else _attempt(partial(work, task, image, opened["sr"]))


def _attempt(work: Callable[[], Record]) -> Record:
    try:
        return work()
    except MemoryError:
        return {"error": "not enough memory"}
    except Exception as error:  # whatever a method does wrong is the reason of its row
        text = one_line(error)
        known = isinstance(error, OSError | ValueError | TypeError)
        return {"error": text if known and text else f"{type(error).__name__}: {text}"}


def _estimator(task: Record) -> SuperResolver:
    from classicsr.zoo import load_model, make_method

    forward = Forward.parse(task["degradation"])
    if task["model"] is not None:
        return load_model(Path(task["model"])).set_params(n_jobs=task["threads"])
    sr = make_method(task["method"], n_jobs=task["threads"])
    if "degradation" in sr.get_params():
        sr.set_params(degradation=forward.model(2.0))  # predict takes it to the scales asked for
    return sr


def _case(task: Record, image: Record) -> Case:
    forward, scale = Forward.parse(task["degradation"]), task["scale"]
    factors = tuple(scale) if isinstance(scale, list) else scale
    return Case.read(Path(image["path"]), forward, factors, task["lr"])


def _companion(image: Record, folder: str | None, case: Case) -> np.ndarray:
    if folder is None:
        raise ValueError("no folder was given for it")
    return read_companion(Path(image["path"]), Path(folder), case.scales)


def _quality(task: Record, image: Record, sr: SuperResolver) -> Record:
    case = _case(task, image)
    raw = case.upscale(sr)
    companions = (partial(_companion, image, task[name], case) for name in ("masks", "labels"))
    result = Result(case, raw, case.compared(raw), sr, *companions)
    values, notes = measure(result, task["metrics"])
    plan = sr.plan(case.low.shape, case.scales, case.spacing)
    record = {"metrics": values, "notes": notes, "plan": plan, "samples": int(raw.size)}
    if image["pictured"]:
        record["picture"] = encode(Window.of(case).strip(result.image))
    return record


def _time(task: Record, image: Record, sr: SuperResolver) -> Record:
    """Median seconds, kernels compiled and libraries loaded, and the largest memory meanwhile."""
    case = _case(task, image)
    corner = case.low[(slice(0, 16),) * case.low.ndim]
    sr.predict(corner, scale=case.scales, data_range=(0.0, case.peak))
    restart_peak()
    seconds: list[float] = []
    while len(seconds) < (1 if seconds and seconds[0] > LONG else task["repeats"]):
        start = time.perf_counter()
        case.upscale(sr)
        seconds.append(time.perf_counter() - start)
    return {"seconds": median(seconds), "runs": len(seconds), "peak_bytes": peak_bytes()}


def _fit(task: Record) -> Record:
    """Fit a method and write its model file."""
    from classicsr.zoo import make_method

    forward = Forward.parse(task["degradation"])
    images, sharp = _training_images(task, forward)
    sr = make_method(
        task["method"],
        scale=task["native_scale"],
        degradation=forward.model(float(task["native_scale"])),
        random_state=task["seed"],
        n_jobs=task["threads"],
    )
    start = time.perf_counter()
    sr.fit(images, sharp)
    seconds = time.perf_counter() - start
    provenance = {"n_images": len(images), "seed": task["seed"], "seconds": round(seconds, 1)}
    sr.save(task["model"], {"provenance": provenance})
    return {"seconds": seconds}


def _training_images(task: Record, forward: Forward) -> tuple[list[Any], list[Any] | None]:
    """What a method is fitted on: images, or under noise noisy small ones and the sharp ones.

    Their noise is not that of the images that are compared.
    """
    from classicsr.datasets._dataset import read_array

    images = [read_array(Path(path)) for path in task["train"]]
    if not forward.noise:
        return images, None
    if any(is_volume(Path(path)) for path in task["train"]):
        raise ValueError("under noise, methods are fitted on images, not on volumes")
    scales = (float(task["native_scale"]),) * 2
    sharp = [modcrop(luma_255(image), scales).astype(np.uint8) for image in images]
    seeds = ((task["seed"], 1 + number) for number in range(len(sharp)))
    noisy = [
        forward.apply(image, scales, PEAK, one) for image, one in zip(sharp, seeds, strict=True)
    ]
    return noisy, sharp


def main() -> None:
    """Read a task and write its records; whatever else is printed goes to stderr."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    task = json.load(sys.stdin)
    for record in records_of(task):
        channel.write(json.dumps(record) + "\n")
        channel.flush()


if __name__ == "__main__":
    main()
