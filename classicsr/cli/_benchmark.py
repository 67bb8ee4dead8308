"""``classicsr benchmark``: methods compared on images or volumes, on one page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classicsr.cli._common import UsageError, add_jobs_option, factors, one_line, print_table

if TYPE_CHECKING:
    from classicsr.report import Results

EPILOG = """\
examples:
  classicsr benchmark --methods bicubic,aplus,raisr,tv --data natural/Set5 --scale 2,3,4 -o out/
  classicsr benchmark --methods bicubic,map,nlm --data scans/ --scale 1x1x3 -o out/ \\
      --degradation slice,slice:gaussian:1.2+noise:2 --masks brain-masks/
  classicsr benchmark --methods anr,forest,my-x2.safetensors --data photos/ --scale 2 -o out/ \\
      --train natural/T91

Writes report.html, results.csv and results.json. Fitted models and records are kept in the
folder's cache/: the same command again goes on where it stopped.
"""


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _scales(text: str) -> list[Any]:
    return [factors(part) for part in text.split(",")]


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "benchmark",
        help="compare methods and write a report",
        description="Compare methods: images or volumes are made smaller, upscaled and compared.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--methods", required=True, type=_names, metavar="A,B",
        help="methods (see 'classicsr methods'), bundled models or model files",
    )  # fmt: skip
    parser.add_argument(
        "--data", required=True, nargs="+", metavar="DATA",
        help="files, folders of images or volumes, or data sets such as natural/Set5",
    )  # fmt: skip
    parser.add_argument(
        "--scale", required=True, type=_scales, metavar="S,S", help="2,3,4 or 1x1x3"
    )
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--train", nargs="+", default=[], metavar="DATA",
        help="images that methods without a bundled model learn from",
    )  # fmt: skip
    parser.add_argument(
        "--degradation", type=_names, default=["bicubic"], metavar="A,B",
        help="bicubic (default), gaussian[:WIDTH], slice[:box|gaussian[:THICKNESS]], k-space, "
        "each with +noise:PERCENT if wanted",
    )  # fmt: skip
    parser.add_argument("--masks", type=Path, metavar="DIR", help="a mask for each image")
    parser.add_argument("--labels", type=Path, metavar="DIR", help="a label image for each image")
    parser.add_argument(
        "--metrics",
        type=_names,
        metavar="A,B",
        help="see docs/benchmark.md; the first one is tested",
    )
    parser.add_argument(
        "--lr", choices=("float", "uint8"), default="float",
        help="whether the small images are rounded to 8 bits (default: float)",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", type=int, default=5, metavar="N", help="timed runs; 0: none (default: 5)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of fitting (default: 0)")
    add_jobs_option(parser)
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Run the comparison, write the files and print the means."""
    from classicsr._progress import progress_bar
    from classicsr.cli._data import find_files, find_sets
    from classicsr.report import NEEDS_JINJA, Plan, benchmark, can_render, write_report

    for folder in filter(None, (args.masks, args.labels)):
        if not folder.is_dir():
            raise UsageError(f"{folder}: is not a folder")
    data = find_sets(args.data)
    plan = _or_usage_error(
        lambda: Plan(
            methods=args.methods,
            data=data,
            scales=args.scale,
            degradations=args.degradation,
            train=[path for name in args.train for path in find_files(name)],
            masks=args.masks,
            labels=args.labels,
            metrics=args.metrics,
            lr=args.lr,
            repeats=args.repeats,
            seed=args.seed,
            n_jobs=args.jobs,
        )
    )
    with progress_bar("benchmark") as progress:
        results = benchmark(plan, args.output, progress)
    files = write_report(results, args.output)
    _print_means(results)
    if not can_render():
        print(f"classicsr: {NEEDS_JINJA}", file=sys.stderr)
    print("written:", ", ".join(map(str, files)))
    return _tell_failures(results)


def _or_usage_error(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ValueError as error:
        raise UsageError(one_line(error)) from error


def _print_means(results: Results) -> None:
    from classicsr.report import quality_table

    table = quality_table(results)
    headings: Sequence[str] = [column.label for column in table.columns]
    print_table(headings, [[cell.text for cell in line] for line in table.lines])


def _tell_failures(results: Results) -> int:
    """Each reason once on stderr; the exit status."""
    from classicsr.report import failures

    reasons = failures(results)
    for text in reasons:
        print(f"classicsr: {text}", file=sys.stderr)
    return 1 if reasons else 0
