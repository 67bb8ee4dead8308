"""Tables as plain cells: the page shows and sorts them and knows nothing of methods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from classicsr.report._metrics import METRICS
from classicsr.report._results import Results, Row, Summary

NONE = "–"  # noqa: RUF001
BEST, SECOND = "best", "second best"


@dataclass(frozen=True)
class Cell:
    """What is shown, what is sorted by (a number where there is one), and its place."""

    text: str
    key: float | str | None = None
    rank: str = ""


@dataclass(frozen=True)
class Column:
    """A heading with its unit and what it means."""

    label: str
    unit: str = ""
    definition: str = ""


@dataclass(frozen=True)
class Table:
    """The first cell of each line is its heading."""

    name: str
    caption: str
    columns: list[Column]
    lines: list[list[Cell]]


def number(value: float | None, digits: int) -> Cell:
    """A number, or a dash."""
    return Cell(NONE) if value is None else Cell(f"{value:.{digits}f}", value)


def significant(value: float | None, digits: int = 3) -> Cell:
    """A number with so many significant digits, or a dash."""
    if value is None:
        return Cell(NONE)
    decimals = max(0, digits - len(str(int(abs(value))))) if abs(value) >= 1 else digits
    return Cell(f"{value:.{decimals}f}", value)


def _megabytes(n_bytes: int | None) -> Cell:
    return significant(None if n_bytes is None else n_bytes / 1e6)


_PLACES: dict[str, Callable[[Summary | Row], str]] = {
    "Data": lambda one: one.data,
    "Scale": lambda one: f"x{one.scale}",
    "Degradation": lambda one: one.degradation,
}


def _places(ones: Sequence[Summary | Row]) -> tuple[list[str], str]:
    """Columns in which lines differ, and what is the same for all of them."""
    differ = [name for name, of in _PLACES.items() if len({of(one) for one in ones}) > 1]
    same = [of(ones[0]) for name, of in _PLACES.items() if name not in differ]
    return differ, ", ".join(same)


def _headed(differ: Sequence[str], one: Summary | Row) -> list[Cell]:
    return [Cell(one.method), *(Cell(_PLACES[name](one)) for name in differ)]


def _table(
    name: str,
    ones: Sequence[Summary | Row],
    columns: Sequence[Column],
    cells: Callable[[int], list[Cell]],
    caption: str = "",
) -> Table:
    differ, same = _places(ones)
    headings = [Column("Method"), *map(Column, differ), *columns]
    lines = [[*_headed(differ, one), *cells(k)] for k, one in enumerate(ones)]
    return Table(name, ". ".join(filter(None, (same, caption))), headings, lines)


def _metric_columns(names: Sequence[str]) -> list[Column]:
    chosen = [METRICS[name] for name in names]
    return [Column(one.label, one.unit, one.definition) for one in chosen]


def quality_table(results: Results) -> Table:
    """Means of every metric; the best two of each set are marked."""
    ranks = {name: _ranks(results.summaries, name) for name in results.metrics}

    def cells(k: int) -> list[Cell]:
        summary = results.summaries[k]
        shown = [
            (number(summary.metrics.get(name), METRICS[name].digits), ranks[name].get(k, ""))
            for name in results.metrics
        ]
        used = summary.n_images - summary.n_failed
        images = f"{used}" if not summary.n_failed else f"{used} of {summary.n_images}"
        return [*(Cell(cell.text, cell.key, rank) for cell, rank in shown), Cell(images, used)]

    columns = [*_metric_columns(results.metrics), Column("Images")]
    return _table("Quality", results.summaries, columns, cells, "Means over the images")


def _ranks(summaries: Sequence[Summary], metric: str) -> dict[int, str]:
    """Index of a summary -> its place in its set; incomplete ones have none.

    Those that are shown with the same figure share a place.
    """
    higher, digits = METRICS[metric].higher_is_better, METRICS[metric].digits
    if higher is None:
        return {}
    sets: dict[tuple[str, str, str], list[int]] = {}
    for k, one in enumerate(summaries):
        sets.setdefault((one.data, one.scale, one.degradation), []).append(k)
    ranks: dict[int, str] = {}
    for members in sets.values():
        fewest = min(summaries[k].n_failed for k in members)
        values = {
            k: round(value, digits)
            for k in members
            if summaries[k].n_failed == fewest
            and (value := summaries[k].metrics.get(metric)) is not None
        }
        places = dict(
            zip(sorted(set(values.values()), reverse=higher), (BEST, SECOND), strict=False)
        )
        if len(values) > 1:
            ranks |= {k: places[value] for k, value in values.items() if value in places}
    return ranks


def difference_table(results: Results) -> Table:
    """Is a difference more than chance, for the first metric."""
    metric = METRICS[results.metrics[0]]

    def cells(k: int) -> list[Cell]:
        one = results.summaries[k]
        interval = (
            NONE if one.interval is None
            else " to ".join(f"{bound:.{metric.digits}f}" for bound in one.interval)
        )  # fmt: skip
        mean = one.metrics.get(results.metrics[0])
        return [
            number(mean, metric.digits),
            Cell(interval, one.interval[0] if one.interval else None),
            number(one.difference, metric.digits),
            number(one.p_value, 4),
            Cell(str(one.wins), one.wins),
        ]

    columns = [
        Column(metric.label, metric.unit, metric.definition),
        Column("95 % interval", metric.unit, "bootstrap interval of the mean"),
        Column("To the best", metric.unit, "mean difference to the best method"),
        Column("p", "", "paired Wilcoxon test against the best method, Holm's correction"),
        Column("Wins", "images", "images on which the method is the best one"),
    ]
    return _table("Differences", results.summaries, columns, cells)


def cost_table(results: Results) -> Table:
    """Time, memory and size."""

    def cells(k: int) -> list[Cell]:
        one = results.summaries[k]
        return [
            significant(one.seconds_per_megapixel),
            _megabytes(one.peak_bytes),
            significant(one.fit_seconds),
            _megabytes(one.model_bytes),
            Cell(one.model),
            Cell(one.plan),
        ]

    columns = [
        Column("Upscale", "s/megapixel", "seconds per million samples of the result"),
        Column("Peak memory", "MB", "largest resident size of the process, libraries included"),
        Column("Fit", "s", "seconds to fit, as the model file tells"),
        Column("Model", "MB", "size of the model file"),
        Column("Origin", "", "where the model comes from"),
        Column("Done", "", "what the method did"),
    ]
    count = results.rows[0].threads
    threads = f"{count} threads" if count > 1 else "1 thread"
    return _table("Cost", results.summaries, columns, cells, threads)


def image_table(results: Results) -> Table:
    """Every row."""

    def cells(k: int) -> list[Cell]:
        row = results.rows[k]
        figures = [number(row.metrics.get(name), METRICS[name].digits) for name in results.metrics]
        return [Cell(row.image), *figures, significant(row.upscale_seconds), Cell(row.error or "")]

    columns = [Column("Image"), *_metric_columns(results.metrics)]
    columns += [Column("Upscale", "s"), Column("Error")]
    return _table("Every image", results.rows, columns, cells)


def failures(results: Results) -> list[str]:
    """Each reason once, with the rows that it holds for."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in results.rows:
        if row.error is not None:
            place = f"{row.image} ({row.data}, x{row.scale}, {row.degradation})"
            reasons.setdefault((row.method, row.error), []).append(place)
    return [f"{method}: {error} {_some(places)}" for (method, error), places in reasons.items()]


def _some(places: list[str]) -> str:
    shown = ", ".join(places[:3])
    return f"[{shown}]" if len(places) <= 3 else f"[{shown} and {len(places) - 3} more]"


def notes(results: Results) -> list[str]:
    """Why metrics have no value, the most frequent reasons first."""
    counts = Counter(
        f"{METRICS[name].label}: {reason.partition(' Got ')[0]}"
        for row in results.rows
        for name, reason in row.notes.items()
    )
    return [f"{text} ({count} rows)" for text, count in counts.most_common(12)]
