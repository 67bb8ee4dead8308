"""``classicsr methods``: what the registry holds."""

from __future__ import annotations

import argparse
from typing import Any

from classicsr.cli._common import print_table


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "methods",
        help="list the methods",
        description="List the methods: name, what each does, where it was published, its class.",
        epilog="example:\n  classicsr methods",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Print the table of methods."""
    from classicsr.zoo import METHODS

    rows = [
        (method.name, method.summary, method.paper, method.estimator.partition(":")[2])
        for method in METHODS.values()
    ]
    print_table(("name", "summary", "paper", "class"), rows)
    return 0
