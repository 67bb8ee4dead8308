"""How well 90 % intervals cover, on natural and medical images, and what counts as unfamiliar.

Usage: CLASSICSR_DATA=... python benchmarks/uncertainty.py [--methods aplus,raisr,bicubic]
[--scales 2,3,4]. The first method is the one of the tables of medical images and CT slices.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np
from numpy.typing import NDArray

from classicsr.datasets import load_dataset
from classicsr.degradation import BicubicDegradation
from classicsr.metrics import luma, modcrop
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import bundled_models, load_model, make_method

Float32 = NDArray[np.float32]
INTERVAL = 1.645
MODALITIES = (
    "ct", "mri_t1", "mri_multicontrast", "mri_hippocampus", "pet", "oct", "ultrasound",
    "fundus", "histology", "xray",
)  # fmt: skip
SLICES = 8  # of a volume, evenly spaced; pictures of a folder
SIDE = 256  # of larger images the middle is taken


def natural(name: str) -> list[Float32]:
    """Luma of a data set of pictures."""
    return [plane for array in load_dataset(f"natural/{name}") for plane in planes(array)]


def medical(name: str) -> list[Float32]:
    """Slices and pictures of a modality, without label maps; at least two pieces."""
    folder = f"medical/{name}/images" if "hippocampus" in name else f"medical/{name}"
    dataset = load_dataset(folder)
    kept = [
        k
        for k, file in enumerate(dataset.names)
        if not file.endswith(("label", "labels", "vessels"))
    ]
    found = [plane for k in kept[:SLICES] for plane in planes(dataset[k])]
    if len(found) == 1:
        found = [np.ascontiguousarray(half) for half in np.array_split(found[0], 2)]
    return found


def planes(array: NDArray[Any]) -> Iterable[Float32]:
    """What is upscaled of a picture or a volume: float32, no larger than `SIDE`."""
    if array.ndim == 3 and array.shape[2] in (3, 4):
        array = luma(array[..., :3], rounded=True)
    slices = [array]
    if array.ndim == 3:
        at = np.linspace(0, array.shape[2] - 1, SLICES + 2)[1:-1].astype(int)
        slices = [array[:, :, k] for k in np.unique(at)]
    for plane in slices:
        middle = tuple(
            slice(max(0, (n - SIDE) // 2), max(0, (n - SIDE) // 2) + SIDE) for n in plane.shape
        )
        if np.ptp(plane) > 0:
            yield np.ascontiguousarray(plane[middle], dtype=np.float32)


def calibrated(method: str, scale: int) -> SuperResolver:
    """The bundled model; or a method that needs no training, calibrated on the same images."""
    name = f"{method}-x{scale}"
    if name in bundled_models():
        return load_model(name).set_params(n_jobs=-1)
    return make_method(method, scale=scale, n_jobs=-1).calibrate(natural("BSDS200"))


def coverage(
    sr: SuperResolver, images: Sequence[Float32], scale: int, *, consistent: bool = False
) -> dict[str, float]:
    """Share of pixels within the 90 % interval; its width; the worst image; the novelty."""
    shares, widths, scores = [], [], []
    for image in images:
        high = modcrop(image, scale)
        low = BicubicDegradation(scale).forward(high)
        span = (float(high.min()), float(high.max()))
        result, std = sr.predict(low, data_range=span, return_std=True, consistent=consistent)
        inside = (slice(scale, -scale),) * 2
        shares.append(float((np.abs(high - result) <= INTERVAL * std)[inside].mean()))
        widths.append(float(2 * INTERVAL * std[inside].mean()) / (span[1] - span[0]))
        scores.append(sr.novelty(low).score)
    return {
        "coverage": fmean(shares),
        "lowest_coverage": min(shares),
        "width": fmean(widths),
        "novelty": float(np.median(scores)),
    }


def separation(known: Sequence[float], other: Sequence[float]) -> float:
    """Area under the ROC curve."""
    below = [[a < b for b in other] for a in known]
    return float(np.mean(below))


def measure(methods: Sequence[str], scales: Sequence[int]) -> dict[str, Any]:
    """Every figure of the page."""
    pictures = {name: natural(name) for name in ("BSD100", "Set14")}
    found: dict[str, Any] = {"natural": {}, "medical": {}, "separation": {}}
    for method in methods:
        for scale in scales:
            name, sr = f"{method}-x{scale}", calibrated(method, scale)
            row = coverage(sr, pictures["BSD100"], scale)
            projected = coverage(sr, pictures["BSD100"], scale, consistent=True)
            found["natural"][name] = {**row, "consistent": projected["coverage"]}
            print(name, f"{row['coverage']:.3f} {projected['coverage']:.3f}", flush=True)
    for scale in scales:
        sr = load_model(f"{methods[0]}-x{scale}")
        forward = BicubicDegradation(scale).forward
        known = [
            sr.novelty(forward(modcrop(p, scale))).score for n in pictures for p in pictures[n]
        ]
        slices = medical("ct/test")
        found["separation"][str(scale)] = {
            "as it is": separation(known, [sr.novelty(one).score for one in slices]),
            "reduced": separation(
                known, [sr.novelty(forward(modcrop(one, scale))).score for one in slices]
            ),
        }
        print("AUC", scale, found["separation"][str(scale)], flush=True)
    scale = scales[0]
    for modality in MODALITIES:
        sr = load_model(f"{methods[0]}-x{scale}").set_params(n_jobs=-1)
        test = medical(f"{modality}/test")
        before = coverage(sr, test, scale)
        after = coverage(sr.calibrate(medical(f"{modality}/train")), test, scale)
        found["medical"][modality] = {"n_images": len(test), "bundled": before, "own": after}
        print(modality, f"{before['coverage']:.3f} {after['coverage']:.3f}", flush=True)
    return found


def page(document: dict[str, Any]) -> str:
    """The figures in Markdown."""
    first = document["methods"][0]
    natural_rows = [
        [name, f"{100 * row['coverage']:.1f}", f"{100 * row['consistent']:.1f}",
         f"{100 * row['lowest_coverage']:.0f}", f"{100 * row['width']:.1f}"]
        for name, row in document["natural"].items()
    ]  # fmt: skip
    medical_rows = [
        [name, str(row["n_images"]), f"{100 * row['bundled']['coverage']:.1f}",
         f"{100 * row['own']['coverage']:.1f}", f"{row['bundled']['novelty']:.2f}"]
        for name, row in document["medical"].items()
    ]  # fmt: skip
    separation_rows = [
        [f"x{scale}", f"{row['as it is']:.3f}", f"{row['reduced']:.3f}"]
        for scale, row in document["separation"].items()
    ]
    natural_table = _record.table(
        ["model", "covered %", "consistent: covered %", "worst image %", "mean width, % of range"],
        natural_rows,
    )
    medical_table = _record.table(
        ["test images", "number", "bundled: covered %", "own: covered %", "novelty"], medical_rows
    )
    separation_table = _record.table(["scale", "slices as they are", "reduced"], separation_rows)
    return f"""# How sure, how familiar

Made by `python benchmarks/uncertainty.py` on {document["date"]}.
{_record.described(document["machine"])}

## 90 % intervals on BSD100

Luma, MATLAB-bicubic low-resolution images kept as floats. The models are fitted on T91, where they
learn at all, and calibrated on BSDS200; BSD100 had no part in either. "consistent": of the results
of `consistent=True`, by the same calibration.

{natural_table}

## Medical images

{first} x{document["scales"][0]}, slices of volumes and pictures. "bundled": the calibration on
natural images, which does not hold for other kinds; "own": after `calibrate` with the training
images of the modality (from other people and devices, often one or two volumes, which say little
about the next device). Novelty: median; 1 is a typical natural image, and it does not tell all
images on which the bundled calibration fails.

{medical_table}

## Natural images against CT slices

Area under the ROC curve of `novelty`, BSD100 and Set14 (reduced) against slices of the CT test
volumes, as they are and reduced as the natural images are.

{separation_table}
"""


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--methods", type=lambda text: text.split(","), default=["aplus", "raisr", "bicubic"]
    )
    parser.add_argument("--scales", type=_record.numbers, default=[2, 3, 4])
    parser.add_argument("-o", "--output", type=Path, default=_record.RESULTS / "uncertainty.json")
    args = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = measure(args.methods, args.scales)
    document = {
        "date": _record.today(),
        "machine": _record.machine(),
        "methods": args.methods,
        "scales": args.scales,
        **found,
    }
    _record.write(args.output, document, page(document))


if __name__ == "__main__":
    main()
