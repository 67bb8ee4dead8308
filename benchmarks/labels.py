"""Label maps made coarser and upscaled again: nearest neighbour, class indicators, shapes.

Usage: CLASSICSR_DATA=... python benchmarks/labels.py
A voxel of the coarse map has the commonest class of its block.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _record
import numpy as np

from classicsr import upscale_labels
from classicsr.degradation import resize
from classicsr.io import read_volume

DATA = {
    "hippocampus, test": "mri_hippocampus/test/labels/*.nii.gz",
    "hippocampus, train": "mri_hippocampus/train/labels/*.nii.gz",
    "organs, CT": "ct/test/totalseg_abdomen_3mm_labels.nii.gz",
}
SCALES = ((1, 1, 2), (1, 1, 3), (1, 1, 4), (1, 1, 6), (2, 2, 2), (2, 2, 4))

Labels = np.ndarray[Any, Any]
Scale = tuple[int, int, int]


def nearest(low: Labels, scale: Scale) -> Labels:
    """Every voxel repeated."""
    for axis, factor in enumerate(scale):
        low = low.repeat(factor, axis)
    return low


def indicators(low: Labels, scale: Scale) -> Labels:
    """The class whose indicator, interpolated by cubic convolution, is largest."""
    classes = np.unique(low)
    return classes[
        np.argmax([resize((low == one).astype(np.float32), scale) for one in classes], 0)
    ]


METHODS: dict[str, Callable[[Labels, Scale], Labels]] = {
    "nearest": nearest,
    "indicators": indicators,
    "upscale_labels": upscale_labels,
}


def coarse(labels: Labels, scale: Scale) -> tuple[Labels, Labels]:
    """The labels, cut to whole blocks, and the commonest class of each block."""
    counts = [n // factor for n, factor in zip(labels.shape, scale, strict=True)]
    whole = labels[tuple(slice(n * f) for n, f in zip(counts, scale, strict=True))]
    classes = np.unique(whole)
    blocks = [size for pair in zip(counts, scale, strict=True) for size in pair]
    shares = [(whole == one).reshape(blocks).mean(axis=(1, 3, 5)) for one in classes]
    return whole, classes[np.argmax(shares, axis=0)]


def figures(found: Labels, truth: Labels, low: Labels, scale: Scale) -> tuple[float, float]:
    """Mean Dice of the classes, and their mean change of volume against the coarse map."""
    dice, change = [], []
    for one in np.unique(low)[1:]:
        volume = int((found == one).sum())
        both = int(((found == one) & (truth == one)).sum())
        dice.append(2 * both / (volume + int((truth == one).sum())))
        change.append(volume / (np.prod(scale) * int((low == one).sum())) - 1)
    return float(np.mean(dice)), float(np.mean(change))


def measure(data: str, files: str, scale: Scale) -> dict[str, Any]:
    """Means over the maps of one set, whose files match a pattern below medical/."""
    root = Path(os.environ["CLASSICSR_DATA"], "medical")
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
    for path in sorted(root.glob(files)):
        truth, low = coarse(read_volume(path).frame(0), scale)
        for name, method in METHODS.items():
            found[name].append(figures(method(low, scale), truth, low, scale))
    row: dict[str, Any] = {"data": data, "maps": len(found["nearest"]), "scale": scale}
    for name, pairs in found.items():
        row[name], row[f"{name} volume"] = np.mean(pairs, axis=0).tolist()
    print(row, flush=True)
    return row


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    rows = [
        [
            row["data"],
            " x ".join(map(str, row["scale"])),
            *(f"{row[name]:.3f}" for name in METHODS),
            *(f"{100 * row[f'{name} volume']:+.1f} %" for name in METHODS),
        ]
        for row in document["rows"]
    ]
    headings = ["labels", "factors", *METHODS, *(f"volume, {name}" for name in METHODS)]
    counts = {row["data"]: row["maps"] for row in document["rows"]}
    return (
        f"# Label maps\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n\n"
        f"`python benchmarks/labels.py`\n\n"
        "Mean Dice of the classes after making the maps coarser (commonest class of each block) "
        "and upscaling them again; change of the volumes of the classes against the coarse map. "
        f"Maps: {', '.join(f'{name}: {count}' for name, count in counts.items())}.\n\n"
        f"{_record.table(headings, rows)}\n"
    )


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "labels.json")
    args = parser.parse_args()
    document = {
        "date": _record.today(),
        "machine": _record.machine(),
        "rows": [measure(*data, scale) for data in DATA.items() for scale in SCALES],
    }
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
