"""Published PSNR of each method beside ours, on the public test sets.

Usage: CLASSICSR_DATA=... python benchmarks/quality.py --sets Set5,Set14,BSD100 --scales 2,3,4
Protocol: `classicsr.evaluate`. Fitted methods learn from natural/T91 with seed 0; A+ is the bundled
model unless --fit is given.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np

from classicsr import evaluate
from classicsr.datasets import load_dataset
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import make_method

SEEN = "seen in a public code repository"
UNCHECKED = "quoted, not checked against the paper"
OTHER_CROP = "other crop of BSD100 (bicubic reads 29.32/27.15 there): not comparable"
SOURCES = {"a": SEEN, "b": UNCHECKED, "c": OTHER_CROP}

NOT_PUBLISHED = (None, "")
# mean PSNR of the luma in dB by method and set, for x2, x3, x4; key of SOURCES for each
PUBLISHED: dict[str, dict[str, tuple[tuple[float | None, str], ...]]] = {
    "bicubic": {
        "Set5": ((33.66, "a"), (30.39, "a"), (28.42, "a")),
        "Set14": ((30.24, "a"), (27.55, "a"), (26.00, "a")),
        "BSD100": ((29.56, "a"), (27.21, "a"), (25.96, "a")),
    },
    "gr": {
        "Set5": ((35.13, "b"), (31.41, "b"), (29.34, "b")),
        "Set14": ((31.36, "b"), (28.31, "b"), (26.60, "b")),
        "BSD100": ((30.23, "c"), (27.70, "c"), (26.37, "b")),
    },
    "anr": {
        "Set5": ((35.83, "b"), (31.92, "b"), (29.70, "a")),
        "Set14": ((31.80, "b"), (28.65, "b"), (26.86, "a")),
        "BSD100": ((30.44, "c"), (27.89, "c"), (26.52, "a")),
    },
    "zeyde": {
        "Set5": ((35.78, "b"), (31.90, "b"), (29.69, "b")),
        "Set14": ((31.81, "b"), (28.67, "b"), (26.88, "a")),
        "BSD100": ((30.40, "c"), (27.87, "c"), (26.51, "a")),
    },
    "ne-ls": {
        "Set5": ((35.66, "b"), (31.78, "b"), (29.55, "b")),
        "Set14": ((31.69, "b"), (28.59, "b"), (26.81, "b")),
        "BSD100": ((30.36, "c"), (27.83, "c"), (26.45, "b")),
    },
    "ne-nnls": {
        "Set5": ((35.43, "b"), (31.60, "b"), (29.47, "b")),
        "Set14": ((31.55, "b"), (28.44, "b"), (26.72, "b")),
        "BSD100": ((30.27, "c"), (27.73, "c"), (26.41, "b")),
    },
    "ne-lle": {
        "Set5": ((35.77, "b"), (31.84, "b"), (29.62, "a")),
        "Set14": ((31.76, "b"), (28.60, "b"), (26.82, "a")),
        "BSD100": ((30.41, "c"), (27.85, "c"), (26.49, "a")),
    },
    "aplus": {
        "Set5": ((36.54, "a"), (32.58, "a"), (30.28, "a")),
        "Set14": ((32.28, "a"), (29.13, "a"), (27.32, "a")),
        "BSD100": ((31.21, "a"), (28.29, "a"), (26.82, "a")),
    },
    "raisr": {
        "Set5": ((35.91, "a"), (32.06, "a"), (29.69, "a")),
        "Set14": ((31.98, "a"), (28.76, "a"), (26.91, "a")),
        "BSD100": (NOT_PUBLISHED,) * 3,
    },
    "forest": {
        "Set5": ((36.54, "a"), (32.43, "a"), (30.14, "a")),
        "Set14": ((32.26, "b"), (29.05, "b"), (27.24, "b")),
        "BSD100": ((31.16, "b"), (28.22, "b"), (26.75, "b")),
    },
}
SCALES = (2, 3, 4)


@cache
def training_images() -> list[np.ndarray]:
    """The training set, read once."""
    return list(load_dataset("natural/T91"))


def estimator(method: str, scale: int, args: argparse.Namespace) -> SuperResolver:
    """A fitted estimator of the method."""
    if method == "bicubic":
        return make_method(method, n_jobs=-1)
    if method == "aplus" and not args.fit:
        return _record.aplus_model(args.models, scale).set_params(n_jobs=-1)
    takes_samples = args.samples is not None and method != "raisr"
    samples = {"n_samples": args.samples} if takes_samples else {}
    sr = make_method(method, scale=scale, random_state=0, n_jobs=-1, **samples)
    return sr.fit(training_images())


def measure(method: str, scale: int, args: argparse.Namespace) -> list[dict[str, Any]]:
    """One row per test set."""
    sr = estimator(method, scale, args)
    sr.predict(np.zeros((16, 16), np.uint8), scale=scale)  # compiles, so that no image pays for it
    rows = []
    for name in args.sets:
        dataset = load_dataset(f"natural/{name}")
        images = evaluate(sr, zip(dataset.names, dataset, strict=True), scale, lr=args.lr)
        published, source = PUBLISHED[method][name][SCALES.index(scale)]
        row = {"method": method, "scale": scale, "set": name, "published": published}
        row |= {"source": source, "images": images}
        row |= {key: fmean(one[key] for one in images) for key in ("psnr", "ssim", "seconds")}
        print(f"{method} x{scale} {name}: {row['psnr']:.2f} dB (published {_published(row)})")
        rows.append(row)
    return rows


def _published(row: dict[str, Any]) -> str:
    return f"{row['published']:.2f} ({row['source']})" if row["source"] else "-"


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    rows = [
        [
            row["set"],
            f"x{row['scale']}",
            row["method"],
            _published(row),
            f"{row['psnr']:.2f}",
            ""
            if row["source"] in ("c", "")
            else f"{round(row['psnr'] - row['published'], 2) + 0.0:+.2f}",
            f"{row['ssim']:.4f}",
            f"{row['seconds'] * 1000:.0f}",
        ]
        for row in sorted(document["rows"], key=lambda row: (row["set"], row["scale"]))
    ]
    headings = ["set", "scale", "method", "published dB", "ours dB", "difference", "SSIM", "ms"]
    sources = "; ".join(f"({key}) {meaning}" for key, meaning in SOURCES.items())
    return (
        f"# Quality: published figures and ours\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n\n"
        f"`{document['command']}`\n\n"
        f"Luma (BT.601), {document['lr']} low-resolution images, output rounded to 8 bits, as many "
        "pixels as the scale cropped from each side, peak 255, mean over the images of a set; ms "
        f"per image, all cores. Published: {sources}.\n\n{_record.table(headings, rows)}\n"
    )


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=lambda text: text.split(","), default=["Set5"])
    parser.add_argument("--scales", type=_record.numbers, default=[3])
    parser.add_argument(
        "--methods", type=lambda text: text.split(","), default=list(PUBLISHED), metavar="A,B"
    )
    parser.add_argument("--lr", choices=("float", "uint8"), default="float")
    parser.add_argument("--fit", action="store_true", help="fit A+ instead of the bundled model")
    parser.add_argument("--samples", type=int, help="training patches (default: the method's own)")
    _record.add_models_option(parser)
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "quality.json")
    args = parser.parse_args()
    rows = [
        row
        for scale in args.scales
        for method in args.methods
        for row in measure(method, scale, args)
    ]
    command = (
        f"python benchmarks/quality.py --sets {','.join(args.sets)} "
        f"--scales {','.join(map(str, args.scales))} --methods {','.join(args.methods)} "
        f"--lr {args.lr}{' --fit' if args.fit else ''}"
        f"{f' --samples {args.samples}' if args.samples else ''}"
        f"{' --models FOLDER' if args.models else ''}"
    )
    document = {
        "date": _record.today(),
        "machine": _record.machine(),
        "command": command,
        "lr": args.lr,
        "rows": rows,
    }
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
