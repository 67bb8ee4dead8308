"""Geometry of the plots; the page draws them as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 42
BOX_LABEL, BOX_STEP = 120, 24
_CHARACTER, _LINE = 6.4, 13  # of a label, in the units of the drawing

Tick = tuple[float, str]
Label = tuple[float, float, str]


@dataclass(frozen=True)
class Point:
    """A method in a scatter plot; `label` places its name: x, y and the anchor of the text."""

    x: float
    y: float
    name: str
    is_best: bool
    label: Label


@dataclass(frozen=True)
class Scatter:
    """Quality over time: `front` links the methods that no other one beats in both."""

    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    points: list[Point]
    front: str
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Box:
    """Minimum, quartiles and maximum of one method, and all of its values."""

    name: str
    y: float
    minimum: float
    first: float
    median: float
    third: float
    maximum: float
    dots: list[float]


@dataclass(frozen=True)
class BoxPlot:
    """Values of each image, one row per method."""

    title: str
    description: str
    x_label: str
    x_ticks: list[Tick]
    boxes: list[Box]
    height: float
    width: float = WIDTH
    left: float = BOX_LABEL
    right: float = WIDTH - RIGHT
    step: float = BOX_STEP


def scatter(
    title: str, values: Mapping[str, tuple[float, float]], x_label: str, y_label: str
) -> Scatter:
    """A plot of (time, quality) per method: time on a logarithmic axis, more quality is higher."""
    times = np.array([time for time, _ in values.values()])
    qualities = np.array([quality for _, quality in values.values()])
    x_low, x_high = times.min() / 1.6, times.max() * 1.6
    y_low, y_high = _padded(qualities)
    span = WIDTH - LEFT - RIGHT

    def x_of(time: float) -> float:
        return LEFT + span * math.log(time / x_low) / math.log(x_high / x_low)

    def y_of(quality: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (quality - y_low) / (y_high - y_low)

    front = _front(values)
    places = {name: (x_of(time), y_of(quality)) for name, (time, quality) in values.items()}
    labels = _labels(places)
    points = [Point(*places[name], name, name in front, labels[name]) for name in values]
    described = "; ".join(f"{name}: {time:.3g}, {q:.4g}" for name, (time, q) in values.items())
    return Scatter(
        title,
        f"{x_label} and {y_label} of each method. {described}",
        x_label,
        y_label,
        [(x_of(tick), f"{tick:g}") for tick in log_ticks(x_low, x_high)],
        [(y_of(tick), f"{tick:g}") for tick in nice_ticks(y_low, y_high)],
        points,
        " ".join(f"{places[name][0]:.1f},{places[name][1]:.1f}" for name in front),
    )


def box_plot(title: str, values: Mapping[str, Sequence[float]], x_label: str) -> BoxPlot:
    """A row per method, in the order given."""
    low, high = _padded(np.concatenate([np.asarray(v, float) for v in values.values()]))
    span = WIDTH - BOX_LABEL - RIGHT

    def x_of(value: float) -> float:
        return BOX_LABEL + span * (value - low) / (high - low)

    boxes = []
    for k, (name, sample) in enumerate(values.items()):
        low_end, first, median, third, high_end = map(
            x_of, np.percentile(sample, (0, 25, 50, 75, 100))
        )
        dots = [x_of(one) for one in sample]
        y = (k + 0.5) * BOX_STEP
        boxes.append(Box(name, y, low_end, first, median, third, high_end, dots))
    described = "; ".join(f"{name}: median {np.median(v):.4g}" for name, v in values.items())
    ticks = [(x_of(tick), f"{tick:g}") for tick in nice_ticks(low, high)]
    height = len(values) * BOX_STEP + BOTTOM
    return BoxPlot(title, f"{x_label} of every image. {described}", x_label, ticks, boxes, height)


def nice_ticks(low: float, high: float, n_ticks: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten inside [low, high].

    Examples
    --------
    >>> from classicsr.report._plots import nice_ticks
    >>> nice_ticks(28.3, 32.9)
    [29.0, 30.0, 31.0, 32.0]
    """
    rough = (high - low) / n_ticks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step)
    return [round(k * step, 10) for k in range(first, math.floor(high / step) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten inside [low, high], with twos and fives where those are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    tens = [10.0**e for e in exponents]
    few = [factor * ten for ten in tens for factor in (1, 2, 5)]
    ticks = [tick for tick in tens if low <= tick <= high]
    return ticks if len(ticks) >= 3 else [tick for tick in few if low <= tick <= high]


def _padded(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 0.05 * abs(high) or 0.5
    return low - margin, high + margin


def _front(values: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names of the methods that no other one beats in both, the fastest first."""
    front: list[str] = []
    best = -math.inf
    for name in sorted(values, key=lambda name: (values[name][0], -values[name][1])):
        if values[name][1] > best:
            best = values[name][1]
            front.append(name)
    return front


def _labels(places: Mapping[str, tuple[float, float]]) -> dict[str, Label]:
    """A free place for each name: right, left, above or below its point."""
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in places.values()]
    labels = {}
    for name, (x, y) in places.items():
        width = _CHARACTER * len(name)
        tries = [(x + 8, y + 4, "start"), (x - 8, y + 4, "end")]
        for up in (-10, 18, -23, 31):
            tries += [(x, y + up, "middle"), (x + 8, y + up, "start"), (x - 8, y + up, "end")]
        free = (one for one in tries if not _hits(_box(one, width), taken))
        labels[name] = next(free, tries[0])
        taken.append(_box(labels[name], width))
    return labels


def _box(label: Label, width: float) -> tuple[float, float, float, float]:
    x, y, anchor = label
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return left, y - _LINE + 3, left + width, y + 3


def _hits(
    box: tuple[float, float, float, float], taken: Sequence[tuple[float, float, float, float]]
) -> bool:
    left, top, right, bottom = box
    if left < LEFT or right > WIDTH or top < 0 or bottom > HEIGHT - BOTTOM:
        return True
    return any(left < r and right > x and top < b and bottom > y for x, y, r, b in taken)
