"""``classicsr info``: what a model file says about itself."""

from __future__ import annotations

import argparse
import json
from typing import Any

from classicsr.cli._common import UsageError, one_line


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "info",
        help="show what a model is and where it comes from",
        description="Check a model file and show its method, parameters, origin and figures.",
        epilog="examples:\n  classicsr info aplus-x3\n  classicsr info my.safetensors --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="a bundled model or a model file")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Print the description of one model."""
    from classicsr._model_file import read_model
    from classicsr.zoo import find_model

    try:
        path = find_model(args.model)
    except ValueError as error:
        raise UsageError(one_line(error)) from error
    model = read_model(path)
    description = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "method": model.method,
        "parameters": model.parameters,
        "degradation": model.degradation,
        "provenance": model.provenance,
        "versions": model.versions,
        "measured": model.measured,
        "tensors": {
            name: f"{array.dtype} {'x'.join(map(str, array.shape)) or 'scalar'}"
            for name, array in sorted(model.tensors.items())
        },
    }
    if args.json:
        print(json.dumps(description, indent=2))
        return 0
    for name, value in description.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, inner in value.items():
                print(f"  {_text(key)}: {_text(inner)}")
        else:
            print(f"{name}: {_text(value)}")
    return 0


def _text(value: Any) -> str:
    """Plain form of a value; a file may hold control characters, which JSON escapes."""
    return value if isinstance(value, str) and value.isprintable() else json.dumps(value)
