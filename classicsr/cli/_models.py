"""``classicsr models``: the models that come with the package."""

from __future__ import annotations

import argparse
from typing import Any

from classicsr.cli._common import print_table


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "models",
        help="list the bundled models",
        description="List the bundled models: name, method, scale, size, measured figures.",
        epilog="examples:\n  classicsr models\n  classicsr info aplus-x3",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Print the table of bundled models."""
    from classicsr._model_file import read_model
    from classicsr.zoo import bundled_models

    rows = []
    for name, path in bundled_models().items():
        model = read_model(path)
        figures = ", ".join(f"{data} {value}" for data, value in model.measured.items())
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        scale = f"x{model.parameters.get('native_scale', '?')}"
        rows.append((name, model.method, scale, size, figures))
    print_table(("name", "method", "scale", "size", "measured"), rows)
    return 0
