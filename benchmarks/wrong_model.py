"""What each method loses when the blur it assumes is not that of the input.

Usage: CLASSICSR_DATA=... python benchmarks/wrong_model.py --set Set5 --scale 3 --width 1.25
The input is blurred by a Gaussian, reduced and rounded to 8 bits. Learned methods are small ones,
fitted to some of natural/T91 for the blur that they assume.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np

from classicsr.datasets import load_dataset
from classicsr.degradation import GaussianDegradation, estimate_blur
from classicsr.metrics import luma, modcrop, psnr
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import find_method, make_method

FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5)
"""Assumed width over the true one."""
METHODS = ("bicubic", "ibp", "tv", "map", "nlm", "raisr", "aplus", "hybrid-regression")
SIDE = 192  # of larger images the middle is taken
PEAK = 255.0
SMALL = {
    "raisr": {"n_levels": 1},
    "aplus": {"n_levels": 1, "n_anchors": 128, "n_neighbors": 1024, "n_samples": 200_000},
    "hybrid-regression": {"n_poses": 1, "n_refinements": 0},
}


@cache
def training(n_images: int) -> list[np.ndarray]:
    """Some images of T91."""
    dataset = load_dataset("natural/T91")
    return [dataset[k] for k in range(n_images)]


@cache
def fitted(method: str, model: GaussianDegradation, n_images: int) -> SuperResolver:
    """An estimator that assumes `model`."""
    params: dict[str, Any] = {"scale": int(model.scale), "n_jobs": -1}
    if method == "bicubic":
        return make_method(method, **params)
    params["degradation"] = model
    if find_method(method).fits:
        params |= SMALL[method] | {"random_state": 0}
    if method == "hybrid-regression":
        params["initial"] = fitted("aplus", model, n_images)
    return make_method(method, **params).fit(training(n_images))


def inputs(args: argparse.Namespace) -> list[tuple[np.ndarray, np.ndarray]]:
    """High- and low-resolution luma."""
    model = GaussianDegradation(args.scale, fwhm=args.width * args.scale)
    pairs = []
    for image in load_dataset(f"natural/{args.set}"):
        high = luma(image, rounded=True)
        starts = [max(0, n - SIDE) // 2 for n in high.shape]
        high = modcrop(high[tuple(slice(n, n + SIDE) for n in starts)], args.scale)
        pairs.append((high, np.clip(np.rint(model.forward(high)), 0, PEAK).astype(np.uint8)))
    return pairs


def score(sr: SuperResolver, high: np.ndarray, low: np.ndarray, **request: Any) -> float:
    """PSNR of one image."""
    result = sr.predict(low, **request)
    return psnr(high, result.astype(float), data_range=PEAK, crop=2 * int(sr.scale))


def measure(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Mean PSNR per method and assumed width, and with the width that is estimated."""
    pairs, found = inputs(args), {}
    truth = args.width * args.scale
    for method in args.methods:
        row: dict[str, float] = {}
        consistent: dict[str, float] = {}
        for factor in FACTORS:
            model = GaussianDegradation(args.scale, fwhm=factor * truth)
            sr = fitted(method, model, args.images)
            row[f"{factor:g}"] = fmean(score(sr, *pair) for pair in pairs)
            if method == "aplus":
                consistent[f"{factor:g}"] = fmean(
                    score(sr, *pair, consistent=True) for pair in pairs
                )
        if not find_method(method).fits and method != "bicubic":
            row["estimated"] = fmean(_with_estimate(sr, *pair) for pair in pairs)
        found[method] = row
        if consistent:
            found[f"{method}, consistent"] = consistent
        print(method, {key: round(value, 2) for key, value in row.items()}, flush=True)
    return found


def _with_estimate(sr: SuperResolver, high: np.ndarray, low: np.ndarray) -> float:
    fwhm = estimate_blur(low, int(sr.scale))
    sr.set_params(degradation=GaussianDegradation((sr.scale, sr.scale), fwhm=fwhm))
    return score(sr, high, low)


def errors(args: argparse.Namespace) -> dict[str, float]:
    """Relative error of the estimated width on photographs, as the median and its 90 % quantile."""
    found = []
    for k, image in enumerate(load_dataset("natural/BSD100")):
        high = luma(image, rounded=True)
        for ratio in (0.7, 1.0, 1.5, 2.0, 2.5)[k % 5 :: 2]:
            low = np.rint(GaussianDegradation(args.scale, fwhm=ratio * args.scale).forward(high))
            found.append(abs(estimate_blur(low, args.scale)[0] / (ratio * args.scale) - 1))
    return {"median": float(np.median(found)), "90 %": float(np.quantile(found, 0.9))}


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    columns = [f"{factor:g}" for factor in FACTORS] + ["estimated"]
    rows = [
        [method, *(f"{row[key]:.2f}" if key in row else "" for key in columns)]
        for method, row in document["psnr"].items()
    ]
    width, scale = document["width"], document["scale"]
    wrong = document["errors"]
    return (
        f"# A blur that is not the true one\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n\n"
        f"`python benchmarks/wrong_model.py --set {document['set']} --scale {scale} "
        f"--width {width:g}`\n\n"
        f"PSNR in dB on {document['set']} (the middle {SIDE} x {SIDE} pixels of each image), luma, "
        f"x{scale}. Inputs: Gaussian blur of {width:g} "
        "low-resolution pixels (full width at half maximum), reduced, rounded to 8 bits. "
        "Columns: the assumed width over the true one; and the width by `estimate_blur`. Learned "
        f"methods are small ones, fitted to {document['images']} images of T91 for the blur they "
        "assume.\n\n"
        f"{_record.table(['method', *columns], rows)}\n\n"
        f"`estimate_blur` on BSD100, x{scale}, widths of 0.7 to 2.5 low-resolution pixels: median "
        f"error {100 * wrong['median']:.1f} %, nine of ten below {100 * wrong['90 %']:.0f} %.\n"
    )


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", default="Set5")
    parser.add_argument("--scale", type=int, default=3)
    parser.add_argument("--width", type=float, default=1.25)
    parser.add_argument("--images", type=int, default=40, help="of natural/T91, for fitting")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=list(METHODS))
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "wrong-model.json")
    args = parser.parse_args()
    document = {
        "date": _record.today(),
        "machine": _record.machine(),
        **{key: getattr(args, key) for key in ("set", "scale", "width", "images")},
        "psnr": measure(args),
        "errors": errors(args),
    }
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
