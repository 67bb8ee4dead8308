"""Options and checks that several subcommands share."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classicsr._version import software_versions

if TYPE_CHECKING:
    from classicsr.super_resolution import SuperResolver

Scale = float | tuple[float, ...]


class UsageError(Exception):
    """A command that cannot be run as it was given; one line that says what to do."""


def one_line(error: BaseException | str) -> str:
    """Return the text of an error without line breaks."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    return " ".join(str(error).split())


def factors(text: str) -> Scale:
    """Parse ``3``, ``2.5``, ``2x2`` or ``1x1x3``; the type of the options --scale and --spacing."""
    try:
        numbers = tuple(float(part) for part in text.lower().split("x"))
    except ValueError:
        numbers = ()
    if not 1 <= len(numbers) <= 3 or not all(0 < one < math.inf for one in numbers):
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a positive number, or one per axis such as 2x2 or 1x1x3"
        )
    plain = tuple(int(one) if one.is_integer() else one for one in numbers)
    return plain if len(plain) > 1 else plain[0]


def whole_scale(text: str) -> int:
    """Parse an integer scale; the type of --scale where a model is fitted or measured."""
    try:
        scale = int(text)
    except ValueError:
        scale = 0
    if scale < 2:
        raise argparse.ArgumentTypeError(f"{text!r} must be an integer, 2 or more")
    return scale


def whole_factors(text: str) -> Scale:
    """Parse an integer scale, or one per axis of a volume: ``3``, ``1x1x3``."""
    parts = text.lower().split("x")
    if len(parts) != 3:
        return whole_scale(text)
    if not all(part.isdecimal() and int(part) for part in parts) or set(parts) == {"1"}:
        raise argparse.ArgumentTypeError(f"{text!r} must be three integers, one of them above 1")
    return tuple(int(part) for part in parts)


def jobs(text: str) -> int:
    """Parse a number of threads; the type of --jobs."""
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count == 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be a non-zero integer (-1: all cores)")
    return count


def add_jobs_option(parser: argparse.ArgumentParser) -> None:
    """Add --jobs, every core by default."""
    parser.add_argument(
        "--jobs", type=jobs, default=-1, metavar="N", help="threads (default: every core)"
    )


def open_model(name: str, n_jobs: int) -> SuperResolver:
    """Return the model `name`; every reason why it cannot be had is a usage error."""
    from classicsr.zoo import load_model

    try:
        return load_model(name).set_params(n_jobs=n_jobs)
    except ValueError as error:
        raise UsageError(one_line(error)) from error


def check_target(path: Path, *, overwrite: bool) -> None:
    """Refuse, before any work, a file that could not be written afterwards."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder, give the name of a file")
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: exists already; give --overwrite to replace it")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path}: the folder {path.parent} is not writable")


def check_json_target(target: str | None, *, overwrite: bool) -> None:
    """Apply `check_target` to the value of --json, where ``-`` is stdout."""
    if target is not None and target != "-":
        check_target(Path(target), overwrite=overwrite)


def write_json(target: str, document: dict[str, Any]) -> None:
    """Write `document` and the software's versions to the file `target`; ``-`` is stdout."""
    from classicsr._atomic import atomic_path

    text = json.dumps({"versions": software_versions(), **document}, indent=2) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout: ruled on a terminal, plain aligned columns in pipes."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        table = Table(*headings)
        for row in rows:
            table.add_row(*map(escape, row))
        Console().print(table)
        return
    lines = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
