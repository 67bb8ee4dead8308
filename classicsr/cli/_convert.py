"""``classicsr convert``: published network weights in, a model file out."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

from classicsr.cli._common import UsageError, check_target, whole_scale

EPILOG = """\
example:
  classicsr convert RRDB_ESRGAN_x4.pth --method esrgan --scale 4 -o esrgan-x4.safetensors

Weights are .safetensors files or state dicts of PyTorch, with the names of the authors' code or
of BasicSR. No code in them is run. Needs the extra 'torch'.
"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "convert",
        help="make a model of published network weights",
        description="Make a model file of published weights of a network.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", type=Path, metavar="FILE", help=".safetensors, .pth or .pt")
    parser.add_argument("--method", required=True, metavar="NAME", help="such as esrgan, edsr")
    parser.add_argument("--scale", required=True, type=whole_scale, metavar="S")
    parser.add_argument("--variant", metavar="NAME", help="size of the network, such as full")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="MODEL")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Convert one file."""
    from classicsr.deep import convert_weights

    if args.output.suffix != ".safetensors":
        raise UsageError(f"{args.output}: the name of a model must end in .safetensors")
    check_target(args.output, overwrite=args.overwrite)
    sr = convert_weights(args.weights, args.method, args.scale, args.variant)
    digest = hashlib.sha256(args.weights.read_bytes()).hexdigest()
    provenance = {"converted_from": args.weights.name, "weights_sha256": digest}
    sr.save(args.output, info={"provenance": provenance})
    return 0
