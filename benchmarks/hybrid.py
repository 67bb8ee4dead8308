"""Hybrid reconstruction beside its prior alone and total variation alone, with and without noise.

Usage: CLASSICSR_DATA=... python benchmarks/hybrid.py --sets Set5,Set14 --scale 3
Methods learn from natural/T91 with seed 0. With --models FOLDER fitted models are kept, and a run
that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np
from _trained import trained

from classicsr import HybridSR, TotalVariationSR, evaluate
from classicsr.datasets import load_dataset
from classicsr.degradation import add_noise
from classicsr.super_resolution import SuperResolver

METHODS = ("hybrid-sparse", "hybrid-ne", "hybrid-regression")
SIGMA = 5.0  # of 255
TV_WEIGHTS = {0.0: 2e-4, SIGMA: 2e-3}
"""The best ones on held-out images of BSDS200."""


class Noisy:
    """A method whose input is made noisy first; the noise of an image is always the same."""

    def __init__(self, sr: SuperResolver, sigma: float) -> None:
        self._sr = sr
        self._sigma = sigma
        self._rng = np.random.default_rng(0)

    def predict(self, low: np.ndarray, **request: Any) -> np.ndarray:
        """The method's result."""
        noisy = add_noise(low, self._sigma, random_state=self._rng)
        return self._sr.predict(noisy.astype(low.dtype), **request)


def measure(name: str, sr: Any, scale: int, sigma: float, sets: list[str]) -> list[dict[str, Any]]:
    """One row per test set."""
    rows = []
    for one in sets:
        dataset = load_dataset(f"natural/{one}")
        images = evaluate(
            Noisy(sr, sigma), zip(dataset.names, dataset, strict=True), scale
        )  # fmt: skip
        row = {"method": name, "set": one, "sigma": sigma, "images": images}
        row |= {key: fmean(image[key] for image in images) for key in ("psnr", "seconds")}
        print(f"{name} {one} sigma {sigma:g}: {row['psnr']:.2f} dB, {row['seconds']:.2f} s")
        rows.append(row)
    return rows


def measure_method(method: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    """The prior alone and the hybrid, without noise, with it, and with its level estimated."""
    sr, _ = trained(args.models, method, args.scale)
    assert isinstance(sr, HybridSR)
    prior = sr.initial_.set_params(n_jobs=-1)
    rows = []
    for sigma in (0.0, SIGMA):
        rows += measure(f"{method}: prior", prior, args.scale, sigma, args.sets)
        sr.set_params(noise=sigma / 255)
        rows += measure(method, sr, args.scale, sigma, args.sets)
    sr.set_params(noise=None)
    rows += measure(f"{method}: noise estimated", sr, args.scale, SIGMA, args.sets)
    return rows


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    rows: list[dict[str, Any]] = document["rows"]
    psnr = {(row["method"], row["set"], row["sigma"]): row["psnr"] for row in rows}
    lines = []
    for row in rows:
        method, name, sigma = row["method"], row["set"], row["sigma"]
        owner = method.partition(":")[0]
        over = ["", ""]
        if ": prior" not in method and method != "tv":
            others = (f"{owner}: prior", "tv")
            over = [f"{row['psnr'] - psnr[other, name, sigma]:+.2f}" for other in others]
        seconds = f"{row['seconds']:.2f}"
        lines.append([name, f"{sigma:g}", method, f"{row['psnr']:.2f}", *over, seconds])
    lines.sort(key=lambda line: (line[0], line[1]))
    headings = ["set", "noise", "method", "dB", "over its prior", "over TV", "s per image"]
    return (
        f"# Hybrid reconstruction\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n\n"
        f"`{document['command']}`\n\n"
        f"x{document['scale']}, luma (BT.601), float low-resolution images, Gaussian noise of the "
        "given standard deviation (of 255) added to them, output rounded to 8 bits, as many pixels "
        "as the scale cropped from each side, peak 255, mean over the images of a set; all cores. "
        "The prior is the method that the hybrid starts from, on its own; TV is `tv` with the best "
        "weight on held-out images for either noise.\n\n"
        f"{_record.table(headings, lines)}\n"
    )


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=lambda text: text.split(","), default=["Set5"])
    parser.add_argument("--scale", type=int, default=3)
    parser.add_argument(
        "--methods", type=lambda text: text.split(","), metavar="A,B", default=list(METHODS)
    )
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="keep fitted models here")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "hybrid.json")
    args = parser.parse_args()
    rows = []
    for sigma, weight in TV_WEIGHTS.items():
        sr = TotalVariationSR(args.scale, weight=weight, n_jobs=-1)
        rows += measure("tv", sr, args.scale, sigma, args.sets)
    with tempfile.TemporaryDirectory() as scratch:
        args.models = args.models or Path(scratch)
        rows += [row for method in args.methods for row in measure_method(method, args)]
    document = {
        "date": _record.today(),
        "machine": _record.machine(),
        "command": f"python benchmarks/hybrid.py --sets {','.join(args.sets)} "
        f"--scale {args.scale} --methods {','.join(args.methods)}",
        "scale": args.scale,
        "rows": rows,
    }
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
