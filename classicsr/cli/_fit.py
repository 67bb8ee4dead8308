"""``classicsr fit``: training images in, a model file out."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classicsr.cli._common import (
    UsageError,
    add_jobs_option,
    check_target,
    one_line,
    whole_factors,
)

if TYPE_CHECKING:
    from classicsr.super_resolution import SuperResolver
    from classicsr.zoo import Method

EPILOG = """\
examples:
  classicsr fit natural/T91 --method aplus --scale 3 -o aplus-x3.safetensors
  classicsr fit photos/ --method anr --scale 2 -o anr-x2.safetensors --set n_anchors=512 --seed 1
  classicsr fit photos/ --method tv --scale 2 -o tv-x2.safetensors --calibrate
  classicsr fit t1-of-others/ --method mixed --scale 1x1x3 -o t1-x3.safetensors

The names of data sets are those below the folder that the variable CLASSICSR_DATA gives.
"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "fit",
        help="learn a model from images",
        description="Learn a model from high-resolution images.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "data", nargs="+", metavar="TRAIN", help="image files, folders of images or data sets"
    )
    parser.add_argument("--method", required=True, metavar="NAME", help="see 'classicsr methods'")
    parser.add_argument("--scale", required=True, type=whole_factors, metavar="S")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="MODEL")
    parser.add_argument(
        "--set", action="append", default=[], type=_assignment, metavar="KEY=VALUE",
        help="set a parameter of the method (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--calibrate", nargs="*", metavar="DATA",
        help="images other than TRAIN that tell how large errors are (for upscale --std); for "
        "methods that need no training they are TRAIN, and more if given",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(default: 0)")
    add_jobs_option(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Fit one model and write it."""
    from classicsr._progress import compilation_notice, progress_bar
    from classicsr.cli._data import load_images

    if args.output.suffix != ".safetensors":
        raise UsageError(f"{args.output}: the name of a model must end in .safetensors")
    check_target(args.output, overwrite=args.overwrite)
    method = _find_method(args.method)
    training, calibration = _sources(method, args.data, args.calibrate)
    estimator = _configure(method, dict(args.set), args)
    start = time.perf_counter()
    images, others = load_images(training), load_images(calibration)
    if len(others) == 1:
        raise UsageError("--calibrate needs two images or more")
    with compilation_notice(), progress_bar(f"fitting {args.method}"):
        estimator.fit([image for _, image in images])
        if others:
            estimator.calibrate([image for _, image in others], random_state=args.seed)
    names = [name for name, _ in images]
    provenance = {
        "training_data": training,
        "n_images": len(names),
        "names_sha256": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "seed": args.seed,
        **({"calibration_data": calibration} if others else {}),
        "seconds": round(time.perf_counter() - start, 1),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    estimator.save(args.output, info={"provenance": provenance})
    return 0


def _find_method(name: str) -> Method:
    from classicsr.zoo import find_method

    try:
        return find_method(name)
    except ValueError as error:
        raise UsageError(one_line(error)) from error


def _sources(
    method: Method, data: list[str], calibrate: list[str] | None
) -> tuple[list[str], list[str]]:
    """What to learn from, and what to calibrate on."""
    if method.fits:
        if calibrate == []:
            raise UsageError("--calibrate needs images other than those of the training")
        return data, calibrate or []
    if calibrate is None:
        raise UsageError(
            f"method {method.name!r} needs no training: use it with --model, or --calibrate it"
        )
    return [], [*data, *calibrate]


def _configure(method: Method, chosen: dict[str, Any], args: argparse.Namespace) -> SuperResolver:
    from classicsr.zoo import make_method

    valid = make_method(method.name).get_params().keys()
    if isinstance(args.scale, tuple) and "thickness" not in valid:
        raise UsageError(
            f"a --scale per axis is for methods that learn from volumes, such as 'mixed' and "
            f"'volume-forest': {method.name!r} takes one number"
        )
    given = {"scale": args.scale, "n_jobs": args.jobs, "random_state": args.seed}
    given = {name: value for name, value in given.items() if name in valid}
    tunable = sorted(valid - given.keys() - method.parameters.keys())
    if unknown := sorted(chosen.keys() - tunable):
        raise UsageError(
            f"--set {unknown[0]}: not a parameter of {method.name!r}; valid: {', '.join(tunable)}"
        )
    return make_method(method.name, **given, **chosen)


def _assignment(text: str) -> tuple[str, Any]:
    """Parse ``key=value``; values are JSON literals, anything else is a string."""
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise argparse.ArgumentTypeError(f"{text!r} must have the form key=value")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
