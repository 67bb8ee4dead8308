"""Reconstruction of MRI volumes from their block means, beside cubic splines.

Usage: CLASSICSR_DATA=... python benchmarks/volumes.py --methods nlm,lrtv
       CLASSICSR_DATA=... python benchmarks/volumes.py --stacks
Methods that are not measured keep their record; --stacks measures orthogonal stacks alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _record
import numpy as np
from scipy.ndimage import zoom

from classicsr.datasets import load_dataset
from classicsr.degradation import SliceProfileDegradation
from classicsr.io import upscaled_affine
from classicsr.metrics import psnr
from classicsr.zoo import make_method

STACK = 4  # voxels per thick slice, along each axis in turn
STACK_NOISE = 0.01  # of the range
STACK_SIDE = 64  # of the middle block that is measured
FACTORS = ((2, 2, 2), (3, 3, 3), (5, 5, 5), (1, 1, 4))
METHODS = ("bicubic", "ibp", "tv", "lrtv", "nlm")
THRESHOLD = 0.1  # of the maximum: the mask
# Over the spline at 2, 3 and 5, by a port of the original on a 7 T block.
PUBLISHED_NLM = {"2x2x2": 1.54, "3x3x3": 0.54, "5x5x5": 0.21}


def spline(low: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Cubic B-spline through the block means, placed at the block centres."""
    factors = [n / m for n, m in zip(shape, low.shape, strict=True)]
    return zoom(low, factors, order=3, mode="reflect", grid_mode=True)


def predictor(name: str, factors: tuple[int, ...], n_jobs: int) -> Callable[..., np.ndarray]:
    """The method `name` with the true forward model."""
    if name == "bicubic":
        return make_method(name, scale=factors, n_jobs=n_jobs).predict
    model = SliceProfileDegradation(factors)
    return make_method(name, scale=factors, degradation=model, n_jobs=n_jobs).predict


def measure(volume: np.ndarray, factors: tuple[int, ...], args: argparse.Namespace) -> list[dict]:
    """PSNR and seconds of the spline and of every method."""
    sizes = [n // s * s for n, s in zip(volume.shape, factors, strict=True)]
    high = np.ascontiguousarray(volume[tuple(slice(n) for n in sizes)], dtype=np.float32)
    model = SliceProfileDegradation(factors)
    low = model.forward(high)
    mask = high > THRESHOLD * high.max()
    works = {"spline": lambda low: spline(low, high.shape)}
    works |= {name: predictor(name, factors, args.jobs) for name in args.methods.split(",")}
    rows = []
    for name, work in works.items():
        start = time.perf_counter()
        result = work(low)
        rows.append({
            "factors": "x".join(map(str, factors)),
            "method": name,
            "seconds": time.perf_counter() - start,
            "psnr": psnr(high, result, data_range=float(high[mask].max()), mask=mask),
            "deviation": float(np.abs(model.forward(result) - low).max() / np.ptp(low)),
        })  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def stacks(volume: np.ndarray) -> dict[str, float]:
    """PSNR of one stack of thick slices, by each method, and of three orthogonal ones."""
    middle = tuple(slice((n - STACK_SIDE) // 2, (n + STACK_SIDE) // 2) for n in volume.shape)
    high = np.ascontiguousarray(volume[middle], dtype=np.float32)
    mask, rng = high > THRESHOLD * high.max(), np.random.default_rng(0)
    frames, affines = [], []
    for axis in (2, 1, 0):
        factors = np.where(np.arange(3) == axis, STACK, 1)
        low = SliceProfileDegradation(tuple(factors)).forward(high)
        noise = rng.normal(0, STACK_NOISE * np.ptp(high), low.shape)
        frames.append((low + noise).astype(np.float32))
        affines.append(upscaled_affine(np.eye(4), 1 / factors))
    results = {"spline, 1 stack": spline(frames[0], high.shape)}
    for name in ("ibp", "tv", "map", "nlm"):
        factors = (1, 1, STACK)
        sr = make_method(name, scale=factors, degradation=SliceProfileDegradation(factors))
        results[f"{name}, 1 stack"] = sr.predict(frames[0])
        if name in ("tv", "map"):
            results[f"{name}, 3 stacks"] = sr.reconstruct(frames, affines=affines)
    peak = float(high[mask].max())
    return {name: psnr(high, one, data_range=peak, mask=mask) for name, one in results.items()}


def stacks_report(found: dict[str, dict[str, float]]) -> str:
    """The table of orthogonal stacks."""
    names = sorted(next(iter(found.values())), key=lambda name: next(iter(found.values()))[name])
    rows = [[name, *(f"{found[volume][name]:.2f}" for volume in found)] for name in names]
    return (
        "## Three orthogonal stacks of thick slices\n\n"
        f"Made by `python benchmarks/volumes.py --stacks`. The middle {STACK_SIDE}^3 voxels of the "
        f"volumes of `medical/mri_t1/train`, averaged over {STACK} along each axis in turn, with "
        f"noise of {STACK_NOISE:.0%} of the range; places known. dB within the mask as above; one "
        "stack: the one that is thick along the last axis.\n\n"
        f"{_record.table(['method', *(f'{volume} dB' for volume in found)], rows)}\n\n"
    )


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    splines = {
        (row["volume"], row["factors"]): row["psnr"]
        for row in document["rows"]
        if row["method"] == "spline"
    }
    rows = []
    for row in document["rows"]:
        gain = row["psnr"] - splines[row["volume"], row["factors"]]
        published = PUBLISHED_NLM.get(row["factors"]) if row["method"] == "nlm" else None
        rows.append([
            row["volume"],
            row["factors"],
            row["method"],
            f"{row['psnr']:.2f}",
            f"{gain:+.2f}",
            "" if published is None else f"{published:+.2f}",
            f"{row['deviation']:.1e}",
            f"{row['seconds']:.1f}",
        ])  # fmt: skip
    headings = ["volume", "factors", "method", "dB", "over spline", "published", "deviation", "s"]
    return (
        "# T1-weighted MRI from block means\n\n"
        f"Made by `python benchmarks/volumes.py`. Volumes of `medical/{document['data']}`, trimmed "
        "at the end of each axis to a multiple of the factor; the input is the mean of each block, "
        "not rounded, without noise. Methods know this forward model (bicubic does not use it). "
        f"Error and peak (the maximum) within the mask of voxels above {THRESHOLD:.0%} of the "
        "maximum. Sample i lies at the centre of its block. spline: cubic B-spline (SciPy).\n\n"
        "published: gain of non-local upsampling over the spline that a port of the original "
        "reaches on a block of a 7 T volume; other data, so that it is a scale, not a rival. "
        "deviation: largest difference between the block means of the result and the input, as a "
        f"share of the input's range. s: wall time with n_jobs={document['jobs']}, first call, "
        "on a machine shared with other work; methods were measured in several runs.\n\n"
        f"{_record.table(headings, rows)}\n\n"
        f"{stacks_report(document['stacks']) if 'stacks' in document else ''}"
        f"{document['date']}; {_record.described(document['machine'])}.\n"
    )


def _kept(args: argparse.Namespace) -> dict[str, Any]:
    """The last record without the rows of methods that are measured now."""
    if not args.json.exists():
        return {"rows": []}
    document = json.loads(args.json.read_text(encoding="utf-8"))
    measured = () if args.stacks else ("spline", *args.methods.split(","))
    rows = [row for row in document["rows"] if row["method"] not in measured]
    return {**document, "rows": rows}


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mri_t1/test", help="folder of volumes below medical/")
    parser.add_argument("--methods", default=",".join(METHODS), help="registry names")
    parser.add_argument("--stacks", action="store_true", help="orthogonal stacks alone")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "volumes.json")
    args = parser.parse_args()
    document = _kept(args)
    if args.stacks:
        data = load_dataset("medical/mri_t1/train")
        document["stacks"] = {name: stacks(one) for name, one in zip(data.names, data, strict=True)}
        print(document["stacks"])
    else:
        document |= {"date": _record.today(), "machine": _record.machine()}
        document |= {"data": args.data, "jobs": args.jobs}
        data = load_dataset(f"medical/{args.data}")
        document["rows"] += [
            {"volume": name, **row}
            for name, volume in zip(data.names, data, strict=True)
            for factors in FACTORS
            for row in measure(volume, factors, args)
        ]
        document["rows"].sort(key=lambda row: (row["volume"], row["factors"], row["psnr"]))
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
