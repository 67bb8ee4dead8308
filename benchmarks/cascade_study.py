"""What each setting of the cascade gives on training images that are held out; never on test sets.

Usage: CLASSICSR_DATA=... python benchmarks/cascade_study.py --every 3
Each variant differs from the defaults in what its name says. They learn from T91 and BSDS200 but
for its last 20 images, of which every third is taken with --every 3, and are measured on those 20.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import _record

from classicsr import CascadeSR, evaluate, load_model
from classicsr.datasets import load_dataset

N_KEPT = 20
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "one fold": {"n_folds": 1},
    "four folds": {"n_folds": 4},
    "one part": {"n_parts": 1},
    "two parts": {"n_parts": 2},
    "one part of as many cells": {"n_parts": 1, "n_cells": 1024},
    "half the cells": {"n_cells": 128},
    "twice the cells": {"n_cells": 512},
    "32 features": {"n_features": 32},
    "72 features": {"n_features": 72},
    "no average patches": {"prior_samples": 1.0},
    "1000 average patches": {"prior_samples": 1000.0},
    "three sizes of each image": {"n_levels": 3},
}


def measure(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """PSNR after each stage, seconds of fitting (two threads), megabytes."""
    held = load_dataset("natural/BSDS200")
    images = [*list(held)[:-N_KEPT], *load_dataset("natural/T91")][:: args.every]
    kept = list(zip(held.names, held, strict=True))[-N_KEPT:]
    sr = CascadeSR(args.scale, n_jobs=-1, random_state=0, **VARIANTS[name])
    start = time.perf_counter()
    sr.fit(images)
    seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        sr.save(path)
        size, stored = os.path.getsize(path), load_model(path).set_params(n_jobs=-1)
    stages = [
        fmean(row["psnr"] for row in evaluate(stored.set_params(n_stages=k), kept, args.scale))
        for k in range(1, sr.n_stages + 1)
    ]
    exact = fmean(row["psnr"] for row in evaluate(sr, kept, args.scale))
    print(f"{name}: {' '.join(f'{one:.3f}' for one in stages)} dB, {seconds:.0f} s")
    return {"name": name, "stages": stages, "exact": exact, "seconds": seconds, "bytes": size}


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    rows = [
        [
            row["name"],
            *(f"{one:.3f}" for one in row["stages"]),
            f"{row['exact']:.3f}",
            f"{row['seconds']:.0f}",
            f"{row['bytes'] / 1e6:.1f}",
        ]
        for row in document["rows"]
    ]
    n_stages = max(len(row["stages"]) for row in document["rows"])
    headings = ["variant", *(f"stage {k + 1}" for k in range(n_stages)), "32 bits", "fit s", "MB"]
    return (
        "# Settings of the cascade\n\nMean PSNR in dB on the last 20 images of BSDS200, after each "
        "stage of the model as it is stored, with 4 bits a number; and before it is stored.\n\n"
        + _record.table(headings, rows)
        + "\n\n"
        + f"{document['date']}, {_record.described(document['machine'])}. One of "
        f"{document['every']} training images, x{document['scale']}, two threads.\n"
    )


def main() -> None:
    """Fit and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, default=3)
    parser.add_argument("--every", type=int, default=3, help="take every so manieth image")
    parser.add_argument(
        "--variants", type=lambda text: text.split(","), default=list(VARIANTS), metavar="A,B"
    )
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "cascade-study.json")
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    document = {
        "date": _record.today(),
        "machine": _record.machine(),
        "scale": args.scale,
        "every": args.every,
        "rows": rows,
    }
    for name in args.variants:
        rows.append(measure(name, args))
        _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
