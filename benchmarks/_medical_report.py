"""The page of the medical benchmark, made from its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import _record
from _medical_cases import AXIS
from _medical_figures import EDGES, ONE_WAY, REACH, THRESHOLD

TRUTH = "truth"
METHODS = ("spline", "ibp", "tv", "lrtv", "nlm", "self")
RIVALS = ("spline", "ibp", "tv", "lrtv", "nlm")  # of self
TOLERANCE = 0.1  # dB from the best

Case = tuple[str, str, int]
Rows = dict[Case, dict[str, dict[str, Any]]]


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    found: Rows = {}
    for row in document["rows"]:
        found.setdefault((row["volume"], row["profile"], row["factor"]), {})[row["method"]] = row
    extra = sorted({row["method"] for row in document["rows"]} - {TRUTH, *METHODS})
    methods = [*METHODS, *extra]
    return "\n\n".join([
        "# Medical volumes in thick slices",
        "`python benchmarks/medical.py --only-missing`, `--labels`; protocol: "
        "[docs/medical-benchmark.md](../../docs/medical-benchmark.md). Empty or absent: not "
        "measured yet.",
        _standing(found),
        _psnr(found, methods),
        _ssim(found, methods),
        _edges(found, methods),
        _deviation(found, methods),
        _seconds(found, methods),
        _segmentation(found, methods),
        _labels(document.get("labels", [])),
        f"{document['date']}; {_record.described(document['machine'])}.",
    ]) + "\n"  # fmt: skip


def _table(found: Rows, methods: list[str], text: Callable[[dict[str, Any]], str]) -> str:
    """One line per case, one column per method."""
    lines = [
        [*map(str, case), *(text(by[name]) if name in by else "" for name in methods)]
        for case, by in sorted(found.items())
    ]
    return _record.table(["volume", "profile", "factor", *methods], lines)


def _standing(found: Rows) -> str:
    """Where `self` is neither the best nor within the tolerance, or below the spline."""
    complete = {
        case: by for case, by in found.items() if all(name in by for name in (*RIVALS, "self"))
    }
    gaps = []
    for case, by in sorted(complete.items()):
        best = max(RIVALS, key=lambda name: by[name]["psnr"])
        gaps.append((case, best, by["self"]["psnr"] - by[best]["psnr"]))
    misses = [
        f"- {case[0]}, {case[1]}, {case[2]}: {gap:+.2f} dB against {best}"
        for case, best, gap in gaps
        if gap < -TOLERANCE
    ]
    below = sum(
        by["self"]["psnr"] < by["spline"]["psnr"]
        for by in found.values()
        if "self" in by and "spline" in by
    )
    return "\n".join([
        "## self against the others",
        "",
        f"{len(gaps)} cases are measured with every method ({', '.join(RIVALS)}): `self` is the "
        f"best in {sum(gap >= 0 for *_, gap in gaps)}, and in "
        f"{sum(-TOLERANCE <= gap < 0 for *_, gap in gaps)} more within {TOLERANCE:g} dB of the "
        f"best; below the spline in {below}.{' Farther from the best:' if misses else ''}",
        *(["", *misses] if misses else []),
    ])  # fmt: skip


def _psnr(found: Rows, methods: list[str]) -> str:
    lines = []
    for case, by in sorted(found.items()):
        if "spline" in by:
            base = by["spline"]["psnr"]
            gains = [f"{by[m]['psnr'] - base:+.2f}" if m in by else "" for m in methods[1:]]
            lines.append([*map(str, case), f"{by['spline']['mask']:.0%}", f"{base:.2f}", *gains])
    headings = ["volume", "profile", "factor", "mask", "spline, dB", *methods[1:]]
    return (
        "## PSNR\n\nWithin the mask (voxels that exceed the minimum by more than "
        f"{THRESHOLD:.0%} of the range; its share is given); the peak is the range. Methods: dB "
        f"above the spline.\n\n{_record.table(headings, lines)}"
    )


def _ssim(found: Rows, methods: list[str]) -> str:
    table = _table(found, methods, lambda row: f"{row['ssim']:.4f}")
    return f"## SSIM\n\n3-D Gaussian window, centres within the mask.\n\n{table}"


def _edges(found: Rows, methods: list[str]) -> str:
    table = _table(found, [TRUTH, *methods], lambda row: f"{row['edge']:.2f}")
    return (
        f"## Width of edges\n\nFull width at half maximum of edges across the slices, in thin "
        f"slices: median over the {EDGES} strongest of the truth (profiles of {2 * REACH + 1} "
        f"samples along axis {AXIS} that change one way by {ONE_WAY:.0%} of their ups and downs; "
        f"every other column).\n\n{table}"
    )


def _deviation(found: Rows, methods: list[str]) -> str:
    largest: dict[str, float] = {}
    for by in found.values():
        for name in by.keys() & set(methods):
            row = by[name]
            largest[name] = max(row["deviation"], largest.get(name, 0.0))
    values = [f"{largest[name]:.0e}" if name in largest else "" for name in methods]
    return (
        "## Agreement with the measured slices\n\nLargest difference between the slices of a "
        "result, made thick again, and the input, as a share of the input's range; the worst of "
        f"all cases.\n\n{_record.table(['', *methods], [['deviation', *values]])}"
    )


def _seconds(found: Rows, methods: list[str]) -> str:
    table = _table(found, methods, lambda row: f"{row['seconds']:.1f}")
    return (
        "## Seconds\n\nOne thread, per volume, on a machine shared with other work: orders of "
        f"magnitude only.\n\n{table}"
    )


def _segmentation(found: Rows, methods: list[str]) -> str:
    rows = {case: by for case, by in found.items() if "dice" in next(iter(by.values()))}
    table = _table(
        rows,
        [TRUTH, *methods],
        lambda row: f"{row['dice']:.3f} ({100 * row['label_volume']:+.0f} %)",
    )
    return (
        "## Hippocampus found by a fixed segmenter\n\nMean Dice with the experts' labels of its "
        "two parts, and the change of their volumes, of the segmenter applied to the results. "
        f"The segmenter was fitted to sharp training volumes.\n\n{table}"
    )


def _labels(rows: list[dict[str, Any]]) -> str:
    lines = [
        [row["data"], str(row["scale"][2])]
        + [f"{row[name]:.3f} ({100 * row[f'{name} volume']:+.1f} %)" for name in _UPSCALERS]
        for row in rows
    ]
    return (
        "## Label maps\n\nMean Dice (change of volumes) after making whole maps thick along axis "
        f"{AXIS} (commonest class of each block) and upscaling them again.\n\n"
        f"{_record.table(['labels', 'factor', *_UPSCALERS], lines)}"
    )


_UPSCALERS = ("nearest", "upscale_labels")
