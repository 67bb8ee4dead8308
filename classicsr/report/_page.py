"""The page: everything that was measured in one file that needs no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from classicsr._atomic import atomic_path
from classicsr.report._metrics import METRICS
from classicsr.report._pictures import decode
from classicsr.report._plots import BoxPlot, Scatter, box_plot, scatter
from classicsr.report._results import Results, Summary
from classicsr.report._tables import (
    NONE,
    cost_table,
    difference_table,
    failures,
    image_table,
    notes,
    quality_table,
)

PAGE = Path(__file__).parent / "page"
MAX_LINES = 4000
"""Of the table of every image; longer ones are left to the CSV file."""

NEEDS_JINJA = "report.html needs jinja2: pip install 'classicsr[report]'"


def write_report(results: Results, folder: Path) -> list[Path]:
    """Write ``results.csv``, ``results.json`` and ``report.html``; each is whole or absent.

    Without jinja2 the page is left out.

    Returns
    -------
    list of Path
        The files that were written.
    """
    texts = {"results.csv": results.to_csv(), "results.json": results.to_json()}
    if can_render():
        texts["report.html"] = render_page(results)
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    return [folder / name for name in texts]


def can_render() -> bool:
    """Whether jinja2 is installed."""
    from importlib.util import find_spec

    return find_spec("jinja2") is not None


def render_page(results: Results) -> str:
    """The text of ``report.html``.

    Raises
    ------
    ModuleNotFoundError
        jinja2 is missing; the message names the extra that brings it.
    """
    tables = [quality_table(results), difference_table(results), cost_table(results)]
    return _template("report.html.jinja").render(
        results=results,
        ranked=METRICS[results.metrics[0]],
        tables=tables,
        dash=NONE,
        metric_of=METRICS,
        rows=image_table(results) if len(results.rows) <= MAX_LINES else None,
        scatters=list(_scatters(results)),
        box_plots=list(_box_plots(results)),
        largest_error=_largest_error(results),
        failures=failures(results),
        notes=notes(results),
        style=_text("report.css"),
        script=_text("report.js"),
    )


def scatter_picture(plot: Scatter) -> str:
    """A plot of the page as the text of an SVG file.

    Raises
    ------
    ModuleNotFoundError
        jinja2 is missing.
    """
    drawing: str = _template("scatter.svg.jinja").module.scatter_plot(
        plot, "plot", _text("report.css")
    )
    return drawing


def _template(name: str) -> Any:
    if not can_render():
        raise ModuleNotFoundError(NEEDS_JINJA)
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)


def _text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def _sets(results: Results) -> Iterator[tuple[str, list[Summary]]]:
    """The summaries of each set, scale and degradation under their title."""
    sets: dict[str, list[Summary]] = {}
    for one in results.summaries:
        sets.setdefault(f"{one.data}, x{one.scale}, {one.degradation}", []).append(one)
    yield from sets.items()


def _scatters(results: Results) -> Iterator[Scatter]:
    name = results.metrics[0]
    metric = METRICS[name]
    for title, summaries in _sets(results):
        points = {
            one.method: (one.seconds_per_megapixel, quality)
            for one in summaries
            if one.seconds_per_megapixel and (quality := one.metrics.get(name)) is not None
        }
        if len(points) > 1:
            yield scatter(title, points, "seconds per megapixel", _label(metric))


def _box_plots(results: Results) -> Iterator[BoxPlot]:
    name = results.metrics[0]
    for title, summaries in _sets(results):
        values = {
            one.method: [
                value
                for row in results.rows
                if (row.method, row.data, row.scale, row.degradation)
                == (one.method, one.data, one.scale, one.degradation)
                and (value := row.metrics.get(name)) is not None
            ]
            for one in summaries
        }
        values = {method: sample for method, sample in values.items() if sample}
        if values:
            yield box_plot(title, values, _label(METRICS[name]))


def _label(metric: Any) -> str:
    return f"{metric.label} ({metric.unit})" if metric.unit else metric.label


def _largest_error(results: Results) -> int:
    """Grey levels of the display at which the colours of error maps end, for the whole page."""
    largest = 8.0
    for showcase in results.showcases:
        reference, _, *methods = (decode(one.png).astype(float) for one in showcase.pictures)
        largest = max(largest, *(np.percentile(np.abs(m - reference), 99) for m in methods))
    return round(largest)
