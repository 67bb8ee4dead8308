"""``classicsr evaluate``: how close models come to known high-resolution images."""

from __future__ import annotations

import argparse
import math
from statistics import fmean
from typing import Any

from classicsr.cli._common import (
    add_jobs_option,
    check_json_target,
    open_model,
    print_table,
    whole_scale,
    write_json,
)

EPILOG = """\
examples:
  classicsr evaluate natural/Set5 --model aplus-x3 --model bicubic --scale 3
  classicsr evaluate photos/ --model my-x2.safetensors --scale 2 --lr uint8 --json figures.json
"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure PSNR and SSIM of models",
        description="Measure PSNR and SSIM: images are made smaller, upscaled and compared.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "data", nargs="+", metavar="DATA", help="image files, folders of images or data sets"
    )
    parser.add_argument(
        "--model", action="append", required=True, dest="models", metavar="NAME|FILE",
        help="a bundled model, a model file, or a method that needs no fitting (repeatable)",
    )  # fmt: skip
    parser.add_argument("--scale", required=True, type=whole_scale, metavar="S")
    parser.add_argument(
        "--lr", choices=("float", "uint8"), default="float",
        help="whether the small images are rounded to 8 bits (default: float)",
    )  # fmt: skip
    add_jobs_option(parser)
    parser.add_argument("--json", metavar="FILE", help="write the figures; - is stdout")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Measure every model on every image and print the table."""
    from classicsr._progress import compilation_notice
    from classicsr.cli._data import load_images
    from classicsr.super_resolution import evaluate

    check_json_target(args.json, overwrite=args.overwrite)
    estimators = {name: open_model(name, args.jobs) for name in args.models}
    images = load_images(args.data)
    with compilation_notice():
        results = {
            name: evaluate(estimator, images, args.scale, lr=args.lr)
            for name, estimator in estimators.items()
        }
    protocol = (
        f"luma (BT.601), x{args.scale} bicubic, {args.lr} low resolution, output rounded to "
        f"8 bits, {args.scale} pixels cropped per side, peak 255"
    )
    if args.json != "-":
        print(protocol)
        _print_results(results)
    if args.json is not None:
        means = {name: _finite(_means(rows)) for name, rows in results.items()}
        figures = {name: [_finite(row) for row in rows] for name, rows in results.items()}
        document = {"protocol": protocol, "scale": args.scale, "results": figures, "mean": means}
        write_json(args.json, document)
    return 0


def _print_results(results: dict[str, list[dict[str, Any]]]) -> None:
    headings = ["image"]
    for name in results:
        headings += [f"{name} PSNR", "SSIM", "seconds"]
    per_image = zip(*results.values(), strict=True)
    lines = [[rows[0]["name"], *_cells(rows)] for rows in per_image]
    lines.append(["mean", *_cells([_means(rows) for rows in results.values()])])
    print_table(headings, lines)


def _cells(rows: Any) -> list[str]:
    cells = []
    for row in rows:
        cells += [f"{row['psnr']:.2f}", f"{row['ssim']:.4f}", f"{row['seconds']:.3f}"]
    return cells


def _means(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {key: fmean(row[key] for row in rows) for key in ("psnr", "ssim", "seconds")}


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity, the PSNR of equal images: it becomes null."""
    return {key: None if value == math.inf else value for key, value in row.items()}
