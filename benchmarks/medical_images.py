"""Medical images made smaller: how well each method restores them, by modality.

Usage: CLASSICSR_DATA=... python benchmarks/medical_images.py --scales 2,3,4 --only-missing
Protocol: `classicsr.evaluate`, on the middle part of every image. Models are the bundled ones;
aplus-own is A+ fitted to the training images of the modality.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np
from _medical_cases import middle
from _medical_record import Record

from classicsr import evaluate, load_model
from classicsr.datasets import load_dataset, sample_image
from classicsr.io import read_image
from classicsr.metrics import luma
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import make_method

PROTOCOL = 1  # raise it whenever figures change for a reason other than the methods
MODALITIES = ("fundus", "oct", "ultrasound", "xray", "histology", "pet")
METHODS = ("bicubic", "ibp", "tv", "map", "pnp", "nlm", "raisr", "aplus", "aplus-own")
LEARNED = ("raisr", "aplus")
OWN = "aplus-own"
SIDE = 512
SLICES = 10  # of a volume, at equal steps
SAMPLES = 200_000  # patches that aplus-own learns from
TRIAL_SIDE = 96
TRIAL_SAMPLES = 5_000
KEY = ("modality", "scale", "method")

Image = np.ndarray


@cache
def images(modality: str, part: str) -> list[tuple[str, Image]]:
    """Names and middle parts, grey, 8 bits."""
    data = load_dataset(f"medical/{modality}/{part}")
    found = []
    for name, array in zip(data.names, data, strict=True):
        if any(word in name for word in ("label", "vessels", "noisy")):
            continue
        if modality == "pet":
            found += [(f"{name} {z}", one) for z, one in _slices(array)]
        else:
            found.append((name, _grey(array)))
    return [(name, middle(image, SIDE)) for name, image in found]


def _slices(volume: Image) -> list[tuple[int, Image]]:
    """Some axial slices."""
    places = np.linspace(0, volume.shape[2] - 1, SLICES + 2)[1:-1].astype(int)
    return [(int(z), _stretched(volume[..., z])) for z in places]


def _grey(array: Image) -> Image:
    """Luma of colour images; images of more than 8 bits stretched to 0...255."""
    if array.ndim == 3:
        return luma(array[..., :3], rounded=True).astype(np.uint8)
    return array if array.dtype == np.uint8 else _stretched(array)


def _stretched(array: Image) -> Image:
    low, high = float(array.min()), float(array.max())
    return np.ascontiguousarray(np.rint(255 * (array - low) / (high - low)), dtype=np.uint8)


def estimator(method: str, training: list[Image], scale: int, samples: int) -> SuperResolver:
    """The method, ready to predict; A+ of the modality is fitted to `training`."""
    if method == OWN:
        sr = make_method("aplus", scale=scale, n_samples=samples, random_state=0, n_jobs=1)
        return sr.fit(training)
    if method in LEARNED:
        return load_model(f"{method}-x{scale}").set_params(n_jobs=1)
    return make_method(method, scale=scale, n_jobs=1)


def trial(method: str) -> float:
    """A fingerprint of a method and its settings: its quality on a small piece of an image."""
    image = middle(_grey(read_image(sample_image()).array), TRIAL_SIDE)
    sr = estimator(method, [image], 2, TRIAL_SAMPLES)
    return float(evaluate(sr, [("", image)], 2)[0]["psnr"])


def measure(modality: str, scale: int, method: str) -> dict[str, Any]:
    """Mean figures over the test images of a modality."""
    training = [image for _, image in images(modality, "train")] if method == OWN else []
    sr = estimator(method, training, scale, SAMPLES)
    rows = evaluate(sr, images(modality, "test"), scale)
    row = {"modality": modality, "scale": scale, "method": method, "images": len(rows)}
    return row | {key: fmean(one[key] for one in rows) for key in ("psnr", "ssim", "seconds")}


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    found: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for row in document["rows"]:
        found.setdefault((row["modality"], row["scale"]), {})[row["method"]] = row

    def table(text: Callable[[dict[str, Any], dict[str, Any]], str]) -> str:
        lines = [
            [
                *(modality, f"x{scale}", str(by["bicubic"]["images"])),
                *(text(by[name], by["bicubic"]) if name in by else "" for name in METHODS),
            ]
            for (modality, scale), by in sorted(found.items())
            if "bicubic" in by
        ]
        return _record.table(["modality", "scale", "images", *METHODS], lines)

    def gain(row: dict[str, Any], base: dict[str, Any]) -> str:
        return f"{row['psnr']:.2f}" if row is base else f"{row['psnr'] - base['psnr']:+.2f}"

    return (
        "# Medical images\n\n"
        "`python benchmarks/medical_images.py --scales 2,3,4 --only-missing`; protocol: "
        "[docs/medical-benchmark.md](../../docs/medical-benchmark.md).\n\n"
        f"## PSNR\n\nBicubic: dB; others: dB above it.\n\n{table(gain)}\n\n"
        f"## SSIM\n\n{table(lambda row, _: format(row['ssim'], '.4f'))}\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n"
    )


def main() -> None:
    """Measure and write the page after every modality and scale."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modalities", default=",".join(MODALITIES))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--scales", default="2,3,4")
    parser.add_argument("--only-missing", action="store_true", help="keep what was measured")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "medical-images.json")
    args = parser.parse_args()
    record = Record(args.json, PROTOCOL, KEY, trial, report)
    for scale in _record.numbers(args.scales):
        for modality in args.modalities.split(","):
            new = []
            for method in args.methods.split(","):
                if not (args.only_missing and record.has(modality, scale, method)):
                    new.append(measure(modality, scale, method))
                    print(new[-1], flush=True)
            if new:
                record.write(new)


if __name__ == "__main__":
    main()
