"""What every benchmark writes: a JSON record with date and machine, and Markdown tables of it."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classicsr import AnchoredRegressionSR, __version__, load_model
from classicsr.zoo import bundled_models

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "faiss-cpu")


def today() -> str:
    """Date in ISO form (UTC)."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def machine() -> dict[str, Any]:
    """Processor, usable cores, memory, and the versions that decide speed."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {"classicsr": __version__}
        | {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _cpu() -> str:
    """Model name, and the widest vector instructions, which the name does not always tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    pairs = [line.partition(":") for line in text.splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    flags = fields.get("flags", "").split()
    widest = next((name for name in ("avx512f", "avx2") if name in flags), "")
    return " ".join(filter(None, (fields.get("model name", platform.machine()), widest)))


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
