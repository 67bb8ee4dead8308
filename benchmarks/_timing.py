"""How benchmarks measure time, and the image that they measure it on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numpy as np

from classicsr.datasets import data_root, load_dataset, sample_image
from classicsr.io import read_image
from classicsr.metrics import luma

Figures = dict[str, Any]
THREADS = (1, 2)


def seconds_of(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def side_by_side(works: Mapping[str, Callable[[], Any]], runs: int) -> dict[str, float]:
    """Median seconds of each, measured in turn so that a busy moment hits all of them."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            times[name].append(seconds_of(work))
    return {name: median(values) for name, values in times.items()}


def photographs(height: int, width: int) -> np.ndarray:
    """A luma (height, width) float64 of real photographs, as many as are needed."""
    if data_root() is None:
        image = luma(read_image(sample_image()).array)
        return np.pad(image, ((0, height), (0, width)), mode="symmetric")[:height, :width]
    rows: list[list[np.ndarray]] = [[]]
    for image in load_dataset("natural/BSD100"):
        plane = luma(image)
        plane = plane.T if plane.shape[0] > plane.shape[1] else plane
        if sum(part.shape[1] for part in rows[-1]) >= width:
            rows.append([])
        rows[-1].append(plane)
    whole = [row for row in rows if sum(part.shape[1] for part in row) >= width]
    return np.concatenate([np.concatenate(row, axis=1)[:, :width] for row in whole])[:height]
