"""The outcome of a comparison as plain data, and its two files for other programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from classicsr.report._metrics import METRICS

FORMAT = "classicsr-benchmark"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Row:
    """One method on one image.

    Attributes
    ----------
    method, model : str
        Name, and where its model comes from.
    data, image : str
        Set and image.
    scale, degradation : str
    metrics : dict of str to float or None
        None where a metric does not apply.
    notes : dict of str to str
        Why a metric has no value.
    plan : str
        What the method did, such as "A+ x3".
    samples : int or None
        Pixels or voxels of the result.
    fit_seconds, upscale_seconds : float or None
    threads : int
        Of the timed runs.
    peak_bytes, model_bytes : int or None
    error : str or None
        Why there is no result.
    """

    method: str
    model: str
    data: str
    image: str
    scale: str
    degradation: str
    metrics: dict[str, float | None] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    plan: str = ""
    samples: int | None = None
    fit_seconds: float | None = None
    upscale_seconds: float | None = None
    threads: int = 1
    peak_bytes: int | None = None
    model_bytes: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Summary:
    """One method on all images of a set.

    Attributes
    ----------
    method, model, data, scale, degradation : str
        As in `Row`.
    n_images, n_failed : int
    metrics : dict of str to float or None
        Means over the images that have a value.
    plan : str
        As in `Row`; several, where images are of different kinds.
    interval : (float, float) or None
        95 % bootstrap confidence interval of the mean of the first metric.
    difference : float or None
        Mean difference of the first metric to the best method of the set; 0 for that one.
    p_value : float or None
        Paired Wilcoxon signed-rank test against it, two-sided, with Holm's correction.
    wins : int
        Images on which the method is the best one.
    fit_seconds, seconds_per_megapixel : float or None
        The latter of the result, in millions of samples.
    peak_bytes, model_bytes : int or None
    """

    method: str
    model: str
    data: str
    scale: str
    degradation: str
    n_images: int
    n_failed: int
    metrics: dict[str, float | None]
    plan: str
    interval: tuple[float, float] | None
    difference: float | None
    p_value: float | None
    wins: int
    fit_seconds: float | None
    seconds_per_megapixel: float | None
    peak_bytes: int | None
    model_bytes: int | None


@dataclass(frozen=True)
class Picture:
    """A named strip of slices: a PNG file in base64."""

    name: str
    png: str


@dataclass(frozen=True)
class Showcase:
    """One part of one image as every method gives it.

    Attributes
    ----------
    title : str
    n_slices : int
        Slices below each other in each picture.
    aspect : float
        Height of a pixel over its width.
    pictures : list of Picture
        The reference first, then the input, then the methods.
    """

    title: str
    n_slices: int
    aspect: float
    pictures: list[Picture]


@dataclass(frozen=True)
class Results:
    """All of a comparison.

    Attributes
    ----------
    date : str
    protocol : dict of str to str
        Topic -> how it was done.
    machine : dict
    metrics : list of str
        Names in `METRICS`; the first one is tested and ranked.
    rows : list of Row
    summaries : list of Summary
    showcases : list of Showcase
    """

    date: str
    protocol: dict[str, str]
    machine: dict[str, Any]
    metrics: list[str]
    rows: list[Row]
    summaries: list[Summary]
    showcases: list[Showcase]

    def to_json(self) -> str:
        """The text of ``results.json``; pictures are left out."""
        columns = {
            name: {
                key: getattr(METRICS[name], key)
                for key in ("label", "unit", "higher_is_better", "definition")
            }
            for name in self.metrics
        }
        document = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "date": self.date,
            "protocol": self.protocol,
            "machine": self.machine,
            "metrics": columns,
            "rows": [asdict(row) for row in self.rows],
            "summaries": [asdict(summary) for summary in self.summaries],
        }
        return json.dumps(document, indent=1, allow_nan=False) + "\n"

    def to_csv(self) -> str:
        """The text of ``results.csv``: a line per row, an empty cell where there is no value."""
        plain = [name for name in Row.__dataclass_fields__ if name not in ("metrics", "notes")]
        place = plain.index("plan")
        buffer = io.StringIO()
        table = csv.writer(buffer, lineterminator="\n")
        table.writerow([*plain[:place], *self.metrics, *plain[place:]])
        for row in self.rows:
            values = [getattr(row, name) for name in plain]
            figures = [row.metrics.get(name) for name in self.metrics]
            table.writerow([*values[:place], *figures, *values[place:]])
        return buffer.getvalue()
