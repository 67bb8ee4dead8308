"""How far each method's result is from its input, degraded again, as it is and when consistent.

Usage: CLASSICSR_DATA=... python benchmarks/consistency.py --sets Set5 --scale 3 --models FOLDER
Methods learn from natural/T91 with seed 0; with --models FOLDER fitted models are kept, and those
that are there are used. The low-resolution images are made by each method's own forward model,
without noise, as floats.
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

from classicsr.datasets import load_dataset
from classicsr.degradation import Degradation, degradation_from_dict
from classicsr.metrics import luma, modcrop, psnr
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import METHODS, find_method, make_method

PEAK = 255.0


def estimator(method: str, args: argparse.Namespace) -> SuperResolver:
    """The method, fitted if it needs that."""
    if find_method(method).fits:
        return trained(args.models, method, args.scale)[0]
    return make_method(method, scale=args.scale, n_jobs=-1)


def forward_model(sr: SuperResolver) -> Degradation:
    """What a result of the method is made consistent with."""
    record: dict[str, Any] = {}
    sr.predict(np.zeros((16, 16)), consistent=True, record=record)
    return degradation_from_dict(record["consistency"]["forward_model"])


def figures(sr: SuperResolver, model: Degradation, high: np.ndarray, crop: int) -> dict[str, float]:
    """PSNR and largest deviation from the input, before and after; deviation after rounding."""
    low = model.forward(high)
    found = {}
    results = {
        "before": sr.predict(low, data_range=(0, PEAK)),
        "after": sr.predict(low, data_range=(0, PEAK), consistent=True),
    }
    for name, result in results.items():
        clipped = np.clip(result, 0, PEAK)
        found[f"psnr {name}"] = psnr(high, clipped, data_range=PEAK, crop=crop)
        found[f"deviation {name}"] = _deviation(model, result, low)
    eight_bits = np.clip(np.rint(low), 0, PEAK).astype(np.uint8)
    rounded = sr.predict(eight_bits, consistent=True)
    return found | {"deviation rounded": _deviation(model, rounded, eight_bits)}


def _deviation(model: Degradation, result: np.ndarray, low: np.ndarray) -> float:
    return float(np.abs(model.forward(result.astype(np.float64)) - low).max())


def measure(method: str, args: argparse.Namespace) -> dict[str, Any]:
    """Mean PSNR and largest deviation over all images."""
    sr = estimator(method, args)
    model = forward_model(sr)
    images = [
        figures(sr, model, modcrop(luma(image, rounded=True), args.scale).astype(np.float32),
                args.scale)
        for name in args.sets
        for image in load_dataset(f"natural/{name}")
    ]  # fmt: skip
    row: dict[str, Any] = {"method": method, "forward model": model.to_dict(), "images": images}
    for key in images[0]:
        row[key] = (fmean if "psnr" in key else max)(image[key] for image in images)
    row["smallest gain"] = min(image["psnr after"] - image["psnr before"] for image in images)
    print({key: row[key] for key in row if key not in ("images", "forward model")}, flush=True)
    return row


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    headings = [
        "method", "forward model", "dB", "dB consistent", "smallest gain dB", "deviation",
        "consistent", "consistent, 8 bits",
    ]  # fmt: skip
    rows = [
        [
            row["method"],
            row["forward model"]["name"],
            f"{row['psnr before']:.3f}",
            f"{row['psnr after']:.3f}",
            f"{row['smallest gain'] + 0.0:+.3f}",
            f"{row['deviation before']:.2f}",
            f"{row['deviation after']:.1e}",
            f"{row['deviation rounded']:.2f}",
        ]
        for row in document["rows"]
    ]
    return (
        f"# Agreement with the input\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n\n"
        f"`python benchmarks/consistency.py --sets {','.join(document['sets'])} "
        f"--scale {document['scale']}`\n\n"
        f"Luma, x{document['scale']}, low-resolution images by each method's own forward model, "
        "noise-free floats; PSNR before rounding, mean over the images. Deviation: largest "
        "|H x - y| of any image, in grey levels of 255. Smallest gain: PSNR of a consistent result "
        "minus that of the plain one, of the image that gains least. Last column: input and "
        "result rounded to 8 bits.\n\n"
        f"{_record.table(headings, rows)}\n"
    )


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=lambda text: text.split(","), default=["Set5"])
    parser.add_argument("--scale", type=int, default=3)
    parser.add_argument(
        "--methods", type=lambda text: text.split(","), metavar="A,B",
        default=[name for name, one in METHODS.items() if "classicsr.deep" not in one.estimator],
    )  # fmt: skip
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="where fitted models are")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "consistency.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        args.models = args.models or Path(scratch)
        rows = [measure(method, args) for method in args.methods]
    document = {
        "date": _record.today(),
        "machine": _record.machine(),
        "sets": args.sets,
        "scale": args.scale,
        "rows": rows,
    }
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
