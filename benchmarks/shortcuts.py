"""What each shortcut of A+ x3 costs or gains, on held-out training images (every fifth of BSDS200).

Usage: CLASSICSR_DATA=... python benchmarks/shortcuts.py
Fits A+ once per way of choosing neighbours (some minutes); test sets are not touched.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np

from classicsr import AnchoredRegressionSR, evaluate
from classicsr.datasets import load_dataset
from classicsr.neighbors import NeighborIndex
from classicsr.regressors import NearestAnchor, PiecewiseLinearMap, _anchored

SCALE = 3


def fitted(n_samples: int | None) -> AnchoredRegressionSR:
    """A+ on T91."""
    sr = AnchoredRegressionSR(SCALE, n_samples=n_samples, random_state=0, n_jobs=-1)
    return sr.fit(list(load_dataset("natural/T91")))


def same_side_only(index: NeighborIndex, anchors: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Neighbours of largest correlation, as in the paper: negatives do not count."""
    return index.search(anchors, n_neighbors)[1]


def with_map(sr: AnchoredRegressionSR, partition: Any, maps: np.ndarray) -> AnchoredRegressionSR:
    """The same estimator with another search or other maps."""
    other = AnchoredRegressionSR(SCALE, n_jobs=-1)
    other.filters_, other.native_scale_ = sr.filters_, SCALE
    other.map_ = PiecewiseLinearMap(partition, maps)
    return other


def variants(n_samples: int | None) -> dict[str, AnchoredRegressionSR]:
    """Name -> estimator; each differs from the first in one thing."""
    sr = fitted(n_samples)
    partition, maps = sr.map_.partition, sr.map_.maps
    found = {
        "A+ as built": sr,
        "exact anchor search": with_map(sr, NearestAnchor(partition.anchors), maps),
        "maps in float16": with_map(sr, partition, maps.astype(np.float16).astype(np.float32)),
    }
    up_to_sign = _anchored._nearest_up_to_sign
    _anchored._nearest_up_to_sign = same_side_only
    try:
        found["neighbours on one side only"] = fitted(n_samples)
    finally:
        _anchored._nearest_up_to_sign = up_to_sign
    return found


def main() -> None:
    """Fit, measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=None, help="training patches")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "shortcuts.json")
    args = parser.parse_args()
    held_out = load_dataset("natural/BSDS200")
    images = [(held_out.names[i], held_out[i]) for i in range(0, len(held_out), 5)]
    figures = {
        name: fmean(row["psnr"] for row in evaluate(sr, images, SCALE))
        for name, sr in variants(args.samples).items()
    }
    base = next(iter(figures.values()))
    where = _record.machine()
    rows = [[name, f"{db:.4f}", f"{db - base:+.4f}"] for name, db in figures.items()]
    markdown = (
        f"# What the shortcuts of A+ x{SCALE} cost\n\nMade by `python benchmarks/shortcuts.py`. "
        f"Mean PSNR of {len(images)} held-out training images (every fifth of BSDS200).\n\n"
        + _record.table(["variant", "dB", "difference"], rows)
        + f"\n\n{_record.today()}; {_record.described(where)}.\n"
    )
    _record.write(
        args.json, {"date": _record.today(), "machine": where, "figures": figures}, markdown
    )


if __name__ == "__main__":
    main()
