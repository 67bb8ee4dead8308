"""Published PSNR of each method beside ours, on the public test sets; time and size of its model.

Usage: CLASSICSR_DATA=... python benchmarks/quality.py --sets Set5,Set14,BSD100 --scales 2,3,4
Protocol: `classicsr.evaluate`. Methods learn from natural/T91 with seed 0 and are measured as their
model files give them; methods with bundled models are not fitted unless --fit is given. With
--models FOLDER fitted models are kept, and a run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

import _record
import numpy as np
from _published import PUBLISHED, SOURCES, published
from _timing import photographs, seconds_of
from _trained import trained

from classicsr import evaluate
from classicsr.datasets import load_dataset
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import METHODS, bundled_models, find_method, make_method

TIMED_SHAPE = (480, 640)
LONG = 2.0  # seconds: what takes longer is timed once


def estimator(
    method: str, scale: int, args: argparse.Namespace
) -> tuple[SuperResolver, dict[str, Any]]:
    """A fitted estimator of the method, and where it comes from (see `trained`)."""
    if not find_method(method).fits:
        return make_method(method, n_jobs=-1), {}
    bundled = bundled_models().get(f"{method}-x{scale}")
    folder = args.models if bundled is None or args.fit else bundled.parent
    takes_samples = "n_samples" in make_method(method).get_params()
    limit = {"n_samples": args.samples} if args.samples and takes_samples else {}
    return trained(folder, method, scale, **limit)


def seconds_per_megapixel(sr: SuperResolver, scale: int) -> float:
    """Seconds to upscale a megapixel, from the median of some runs on one luma."""
    sr.predict(np.zeros((16, 16), np.uint8), scale=scale)  # compiles
    low = photographs(*TIMED_SHAPE).astype(np.uint8)
    upscale = partial(sr.predict, low, scale=scale)
    first = seconds_of(upscale)
    times = [first, *(seconds_of(upscale) for _ in range(4 if first < LONG else 0))]
    return median(times) / low.size * 1e6


def measure(method: str, scale: int, args: argparse.Namespace) -> list[dict[str, Any]]:
    """One row per test set."""
    sr, record = estimator(method, scale, args)
    pace = seconds_per_megapixel(sr, scale)
    rows = []
    for name in args.sets:
        dataset = load_dataset(f"natural/{name}")
        images = evaluate(sr, zip(dataset.names, dataset, strict=True), scale, lr=args.lr)
        figure, source = published(method, name, scale)
        row = {"method": method, "scale": scale, "set": name, "published": figure}
        row |= {"source": source, "fit": record, "images": images}
        row |= {key: fmean(one[key] for one in images) for key in ("psnr", "ssim")}
        row["seconds per megapixel"] = pace
        print(f"{method} x{scale} {name}: {row['psnr']:.2f} dB (published {_published(row)})")
        rows.append(row)
    return rows


def _published(row: dict[str, Any]) -> str:
    return f"{row['published']:.2f} ({row['source']})" if row["source"] else "-"


def _difference(row: dict[str, Any]) -> str:
    if row["source"] in ("c", ""):
        return ""
    return f"{round(row['psnr'] - row['published'], 2) + 0.0:+.2f}"


def overview(document: dict[str, Any]) -> str:
    """A line per method: quality at every scale, and what it costs at one of them."""
    rows: list[dict[str, Any]] = document["rows"]
    scales = sorted({row["scale"] for row in rows})
    sets = sorted({row["set"] for row in rows}, reverse=True)
    typical = 3 if 3 in scales else scales[0]
    cells = {(row["method"], row["set"], row["scale"]): row for row in rows}
    lines = []
    for method in dict.fromkeys(row["method"] for row in rows):
        figures = [" / ".join(f"{cells[method, s, k]['psnr']:.2f}" for k in scales) for s in sets]
        row = cells[method, sets[-1], typical]
        fit = row["fit"]
        cost = [f"{fit['seconds']:.0f}" if fit else "", f"{row['seconds per megapixel']:.2f}"]
        lines.append([method, *figures, *cost, f"{fit['bytes'] / 1e6:.2f}" if fit else ""])
    shown = "/".join(f"x{scale}" for scale in scales)
    headings = [f"{name} {shown} dB" for name in sets]
    headings += [f"fit x{typical} s", f"upscale x{typical} s/MP", f"model x{typical} MB"]
    return _record.table(["method", *headings], lines)


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    rows = [
        [
            row["set"],
            f"x{row['scale']}",
            row["method"],
            _published(row),
            f"{row['psnr']:.2f}",
            _difference(row),
            f"{row['ssim']:.4f}",
        ]
        for row in sorted(document["rows"], key=lambda row: (row["set"], row["scale"]))
    ]
    headings = ["set", "scale", "method", "published dB", "ours dB", "difference", "SSIM"]
    sources = "; ".join(f"({key}) {meaning}" for key, meaning in SOURCES.items())
    return (
        f"# Quality: published figures and ours\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n\n"
        f"`{document['command']}`\n\n"
        f"Luma (BT.601), {document['lr']} low-resolution images, output rounded to 8 bits, as many "
        "pixels as the scale cropped from each side, peak 255, mean over the images of a set. "
        f"Upscaling: seconds per megapixel of a {TIMED_SHAPE[1]} x {TIMED_SHAPE[0]} luma (before "
        "it is enlarged), all cores. Fitting: all cores, as recorded in the model file.\n\n"
        f"{overview(document)}\n\n"
        f"Published: {sources}.\n\n{_record.table(headings, rows)}\n"
    )


def command_of(args: argparse.Namespace) -> str:
    """The command line that makes the same record."""
    return (
        f"python benchmarks/quality.py --sets {','.join(args.sets)} "
        f"--scales {','.join(map(str, args.scales))} --methods {','.join(args.methods)} "
        f"--lr {args.lr}{' --fit' if args.fit else ''}"
        f"{f' --samples {args.samples}' if args.samples else ''}"
    )


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=lambda text: text.split(","), default=["Set5"])
    parser.add_argument("--scales", type=_record.numbers, default=[3])
    parser.add_argument(
        "--methods", type=lambda text: text.split(","), metavar="A,B",
        default=[name for name in METHODS if name in PUBLISHED],
    )  # fmt: skip
    parser.add_argument("--lr", choices=("float", "uint8"), default="float")
    parser.add_argument("--fit", action="store_true", help="fit even what has a bundled model")
    parser.add_argument("--samples", type=int, help="training patches (default: the method's own)")
    parser.add_argument(
        "--models", type=Path, metavar="FOLDER",
        help="keep fitted models here as METHOD-xS.safetensors, and use those that are here",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "quality.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        args.models = args.models or Path(scratch)
        rows = [
            row
            for scale in args.scales
            for method in args.methods
            for row in measure(method, scale, args)
        ]
    document = {
        "date": _record.today(),
        "machine": _record.machine(),
        "command": command_of(args),
        "lr": args.lr,
        "rows": rows,
    }
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
