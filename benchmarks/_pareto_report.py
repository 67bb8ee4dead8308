"""The page and the picture of `pareto.py`, made from its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import _record
from _kernels import COPIES, Work

from classicsr.report._page import scatter_picture
from classicsr.report._plots import scatter

Row = dict[str, Any]
Places = Mapping[str, tuple[float, float]]  # seconds per megapixel and PSNR by method
COVERED = 0.005  # dB that are no difference: figures are given to two decimals
PLOTTED = ("bicubic", "lanczos", "ibp", "tv", "nlm", "raisr", "anr", "aplus", "krr", "scsr",
           "zeyde", "forest", "nbsrf", "espcn", "fsrcnn", "srcnn")  # fmt: skip


def cover(place: tuple[float, float], ours: Places) -> str | None:
    """The fastest of ours that is at least as good as this place, and not slower; or None."""
    seconds, quality = place
    there = {
        name: time for name, (time, q) in ours.items() if time <= seconds and q >= quality - COVERED
    }
    return min(there, key=lambda name: there[name], default=None)


def lead(place: tuple[float, float], ours: Places) -> float | None:
    """How much better this place is than the best of ours that is not slower; None: none is."""
    seconds, quality = place
    return min((quality - q for time, q in ours.values() if time <= seconds), default=None)


def beaten(place: tuple[float, float], ours: Places) -> list[str]:
    """Those of ours that this place is better than in less time."""
    seconds, quality = place
    return [name for name, (time, q) in ours.items() if seconds < time and quality > q + COVERED]


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    scales = sorted({row["scale"] for row in document["rows"]})
    n_runs = len({row["timed"] for row in document["rows"]})
    parts = [
        "# Quality against time",
        f"{document['date']}; {_record.described(document['machine'])}.",
        f"`{document['command']}`",
        "PSNR of the luma in dB as in [quality](quality.md). Time: seconds per megapixel of the "
        "8-bit luma before it is enlarged, median of rounds in which methods take turns"
        f"{f' (from {n_runs} runs)' if n_runs > 1 else ''}; slow ones on a smaller image, once. "
        "A name with /k is the model cut to its first k stages or trees, /half without the "
        "negative of the image. The last columns name the fastest "
        "of ours (bold) that is at least as good on every set and not slower; or the sets on which "
        "there is none, with the lead over the best of ours that is not slower; faster: all of "
        "ours are slower.",
        "Kernels run on one thread. Their floors: operations (a multiplication and an addition are "
        "two) at the speed of a matrix product; bytes, each array once per call and tables once, "
        "at that of a copy of a tile's size; of both the best of some runs.",
        *(part for scale in scales for part in _of_scale(document, scale)),
    ]
    return "\n\n".join(parts) + "\n"


def _of_scale(document: dict[str, Any], scale: int) -> Iterator[str]:
    rows = [row for row in document["rows"] if row["scale"] == scale]
    sets, threads = document["sets"], [str(n) for n in document["threads"]]
    lines, offenders = [], []
    for row in sorted(rows, key=lambda row: _mean(row, sets)):
        cells = [f"{row['psnr'][name]:.2f}" if name in row["psnr"] else "" for name in sets]
        cells += [f"{row['seconds'][n]:.3f}" if n in row["seconds"] else "" for n in threads]
        verdicts = [] if row["ours"] else [_verdict(row, rows, sets, n) for n in threads]
        name = f"**{row['method']}**" if row["ours"] else row["method"]
        lines.append([name, *cells, *(verdicts or [""] * len(threads))])
        offenders += [] if row["ours"] else list(_offences(row, rows, sets, threads))
    yield f"## x{scale}"
    headings = [*sets, *(f"s/MP, {n} thr." for n in threads)]
    yield _record.table(["method", *headings, *(f"ours, {n} thr." for n in threads)], lines)
    yield "More PSNR in less time than one of ours: " + ("; ".join(offenders) or "none") + "."
    yield from _ratios(rows, threads[-1])
    if str(scale) in document["kernels"]:
        yield from _kernels(document["kernels"][str(scale)])


def _mean(row: Row, sets: Sequence[str]) -> float:
    return fmean(row["psnr"].get(name, float("inf")) for name in sets)


def places(rows: Sequence[Row], test_set: str, threads: str) -> dict[str, tuple[float, float]]:
    """Seconds per megapixel and PSNR of the rows that have both."""
    return {
        row["method"]: (row["seconds"][threads], row["psnr"][test_set])
        for row in rows
        if threads in row["seconds"] and test_set in row["psnr"]
    }


def _ours(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["ours"]]


def _verdict(row: Row, rows: Sequence[Row], sets: Sequence[str], threads: str) -> str:
    """The names that cover a method on the sets, or where none does."""
    names, gaps = [], []
    for test_set in sets:
        place = places([row], test_set, threads).get(row["method"])
        if place is None:
            continue
        ours = places(_ours(rows), test_set, threads)
        name, gap = cover(place, ours), lead(place, ours)
        if gap is None:
            return "faster"
        if name is None:
            gaps.append(f"{test_set} {gap:+.2f} dB")
        else:
            names.append(name)
    return f"no: {', '.join(gaps)}" if gaps else ", ".join(dict.fromkeys(names))


def _offences(
    row: Row, rows: Sequence[Row], sets: Sequence[str], threads: Sequence[str]
) -> Iterator[str]:
    for test_set in sets:
        for n in threads:
            for place in places([row], test_set, n).values():
                for name in beaten(place, places(_ours(rows), test_set, n)):
                    yield f"{row['method']} than {name} ({test_set}, {n} thr.)"


def _ratios(rows: Sequence[Row], threads: str) -> Iterator[str]:
    """How much longer the networks without trained weights take than ours."""
    times = {row["method"]: row["seconds"][threads] for row in rows if threads in row["seconds"]}
    ours = [row["method"] for row in _ours(rows) if row["method"] in times]
    for row in rows:
        if not row["trained"] and ours:
            ratios = ", ".join(
                f"{times[row['method']] / times[name]:.1f} x {name}" for name in ours
            )
            shape = " x ".join(map(str, row["shape"][::-1]))
            yield f"Time of {row['method']} ({shape} pixels, {threads} threads): {ratios}."


def _kernels(measured: Mapping[str, Any]) -> Iterator[str]:
    """What kernels take beside what they could take."""
    rates, pixels, lines = measured["rates"], measured["pixels"], []
    for model, one in measured["models"].items():
        rest = one["seconds"]
        for kernel, figures in one["kernels"].items():
            work = Work(**figures)
            rest -= work.seconds
            floors = work.floors(rates)
            cells = [f"{count / pixels:.0f}" for count in (work.operations, work.bytes)]
            cells += [f"{s / pixels * 1e9:.1f}" for s in (*floors, work.seconds)]
            lines.append([f"{model} {kernel}", *cells, f"{work.seconds / max(floors):.1f}"])
        lines.append([f"{model}, the rest", *[""] * 4, f"{rest / pixels * 1e9:.1f}", ""])
    shown = ", ".join(
        f"{rates[name] / 1e9:.1f} GB/s of {size / 2**20:.0f} MiB" for name, size in COPIES.items()
    )
    yield (
        f"Kernels, milliseconds per megapixel; matrix product {rates['gemm'] / 1e9:.0f} GFLOP/s, "
        f"copies {shown}:"
    )
    headings = ["operations / pixel", "bytes / pixel", "arithmetic ms", "traffic ms", "measured ms"]
    yield _record.table(["kernel", *headings, "measured / floor"], lines)


def picture(document: dict[str, Any], scale: int, test_set: str) -> str | None:
    """An SVG of quality over time with all threads; None where there is too little to draw."""
    threads = str(document["threads"][-1])
    rows = [
        row
        for row in document["rows"]
        if row["scale"] == scale and (row["ours"] or row["method"] in PLOTTED)
    ]
    values = places(rows, test_set, threads)
    if len(values) < 2:
        return None
    title = f"{test_set}, x{scale}, {threads} threads"
    label = "seconds per megapixel before enlarging"
    return scatter_picture(scatter(title, values, label, "PSNR (dB)"))
