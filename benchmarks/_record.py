"""What every benchmark writes: a JSON record with date and machine, and Markdown tables of it."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classicsr import AnchoredRegressionSR, load_model
from classicsr.report._machine import machine as machine
from classicsr.zoo import bundled_models

RESULTS = Path(__file__).parent / "results"


def today() -> str:
    """Date in ISO form (UTC)."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def described(where: dict[str, Any]) -> str:
    """One line about a machine."""
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    return (
        f"{where['cpu']}, {where['cores']} cores, {where['system']}; "
        f"Python {where['python']}, {versions}"
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    rule = ["---", *["--:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, rule, *rows))


def write(path: Path, document: dict[str, Any], markdown: str) -> None:
    """Write `document` to the JSON file `path` and `markdown` beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown, encoding="utf-8")
    print(f"\n{markdown}\nwritten: {path} and {path.with_suffix('.md').name}")


def add_models_option(parser: argparse.ArgumentParser) -> None:
    """Add --models, the folder that `model_path` looks in."""
    parser.add_argument(
        "--models", type=Path, metavar="FOLDER",
        help="folder of aplus-x3.safetensors and so on (default: the bundled models)",
    )  # fmt: skip


def model_path(folder: Path | None, scale: int) -> Path:
    """File of the A+ model of a scale."""
    name = f"aplus-x{scale}"
    return folder / f"{name}.safetensors" if folder is not None else bundled_models()[name]


def aplus_model(folder: Path | None, scale: int) -> AnchoredRegressionSR:
    """The A+ model of a scale."""
    sr = load_model(model_path(folder, scale))
    assert isinstance(sr, AnchoredRegressionSR)
    return sr


def numbers(text: str) -> list[int]:
    """Parse ``2,3,4``."""
    return [int(part) for part in text.split(",")]
