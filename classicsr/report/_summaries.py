"""From rows to one line per method and set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np

from classicsr.report._metrics import METRICS
from classicsr.report._results import Row, Summary
from classicsr.report._statistics import bootstrap_interval, holm, wilcoxon_p, wins

Values = dict[str, float]


def summarise(rows: Sequence[Row], metrics: Sequence[str]) -> list[Summary]:
    """One summary per method, set, scale and degradation; ranked by the first metric."""
    groups: dict[tuple[str, str, str], dict[str, list[Row]]] = {}
    for row in rows:
        group = groups.setdefault((row.data, row.scale, row.degradation), {})
        group.setdefault(row.method, []).append(row)
    return [one for group in groups.values() for one in _summaries(group, metrics)]


def _summaries(group: dict[str, list[Row]], metrics: Sequence[str]) -> Iterable[Summary]:
    ranked = metrics[0]
    sign = -1.0 if METRICS[ranked].higher_is_better is False else 1.0
    values = {method: _values(rows, ranked) for method, rows in group.items()}
    most = max(map(len, values.values()))
    complete = {method: v for method, v in values.items() if v and len(v) == most}
    means = {method: sign * fmean(v.values()) for method, v in complete.items()}
    best = max(means, key=lambda method: means[method]) if means else None
    differences, p_values = _against(complete, best)
    images = list(complete[best]) if best is not None else []
    table = np.array([[sign * v[image] for image in images] for v in complete.values()])
    won = dict(zip(complete, wins(table), strict=True))
    for method, rows in group.items():
        yield _summary(
            rows, metrics, values[method], differences.get(method), p_values.get(method),
            won.get(method, 0),
        )  # fmt: skip


def _values(rows: Sequence[Row], metric: str) -> Values:
    return {row.image: value for row in rows if (value := row.metrics.get(metric)) is not None}


def _against(values: dict[str, Values], best: str | None) -> tuple[Values, Values]:
    """Mean difference of every method to the best one, and the corrected p-value of each."""
    if best is None:
        return {}, {}
    pairs = {
        method: [own[image] - values[best][image] for image in own if image in values[best]]
        for method, own in values.items()
    }
    differences = {method: fmean(pair) if pair else 0.0 for method, pair in pairs.items()}
    others = [method for method in values if method != best]
    corrected = holm([wilcoxon_p(pairs[method]) for method in others])
    return differences, dict(zip(others, corrected, strict=True))


def _summary(
    rows: Sequence[Row],
    metrics: Sequence[str],
    ranked: Values,
    difference: float | None,
    p_value: float | None,
    won: int,
) -> Summary:
    first = rows[0]
    timed = [row for row in rows if row.upscale_seconds is not None and row.samples]
    seconds = sum(row.upscale_seconds or 0.0 for row in timed)
    samples = sum(row.samples or 0 for row in timed)
    return Summary(
        method=first.method,
        model=first.model,
        data=first.data,
        scale=first.scale,
        degradation=first.degradation,
        n_images=len(rows),
        n_failed=sum(row.samples is None for row in rows),
        metrics={name: _mean(_values(rows, name)) for name in metrics},
        plan="; ".join(dict.fromkeys(row.plan for row in rows if row.plan)),
        interval=bootstrap_interval(list(ranked.values())),
        difference=difference,
        p_value=p_value,
        wins=won,
        fit_seconds=first.fit_seconds,
        seconds_per_megapixel=seconds / samples * 1e6 if samples else None,
        peak_bytes=max((row.peak_bytes for row in rows if row.peak_bytes), default=None),
        model_bytes=first.model_bytes,
    )


def _mean(values: Values) -> float | None:
    return fmean(values.values()) if values else None
