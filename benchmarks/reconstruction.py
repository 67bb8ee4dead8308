"""Reconstruction with priors: photographs, thick-voxel MRI, several frames, and the solver.

Usage: CLASSICSR_DATA=... python benchmarks/reconstruction.py --parts images,volumes,frames,solver
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np
from _timing import seconds_of
from scipy.ndimage import map_coordinates

from classicsr import evaluate, load_model
from classicsr.datasets import load_dataset
from classicsr.degradation import BicubicDegradation, SliceProfileDegradation, resize
from classicsr.kernels.variation import primal_dual
from classicsr.metrics import luma, modcrop, psnr
from classicsr.reconstruction import DataTerm
from classicsr.reconstruction._frames import ShiftedDegradation
from classicsr.reconstruction._generalized_variation import GeneralizedVariation
from classicsr.reconstruction._total_variation_solver import TotalVariation
from classicsr.zoo import make_method

METHODS = ("ibp", "pocs", "tv", "map")
PRIORS = ("tikhonov", "wavelet", "pnp")
SHIFTS = [(0.0, 0.0), (0.0, 0.5), (0.5, 0.0), (0.5, 0.5)]
FRAME_NOISE = 2.0
PRIORS_OF_ORDER = (TotalVariation, GeneralizedVariation)
PARTS = ("images", "volumes", "frames", "solver")


def images() -> dict[str, Any]:
    """Mean PSNR on the public test sets."""
    found: dict[str, Any] = {}
    for name in ("Set5", "Set14"):
        dataset = load_dataset(f"natural/{name}")
        for scale in (2, 3, 4):
            for method in ("bicubic", *METHODS, *PRIORS, f"aplus-x{scale}"):
                rows = evaluate(load_model(method), zip(dataset.names, dataset, strict=True), scale)
                key = method.partition("-")[0]
                found.setdefault(key, {})[f"{name} x{scale}"] = fmean(r["psnr"] for r in rows)
                found[key][f"{name} x{scale} s"] = fmean(r["seconds"] for r in rows)
                print(name, scale, key, found[key][f"{name} x{scale}"], flush=True)
    return found


def _spline(low: np.ndarray, scale: int) -> np.ndarray:
    """Cubic spline at the block centres."""
    axes = [(np.arange(n * scale) + 0.5) / scale - 0.5 for n in low.shape]
    return map_coordinates(low, np.meshgrid(*axes, indexing="ij"), order=3, mode="reflect")


def volumes() -> dict[str, Any]:
    """PSNR on T1 volumes reduced by block means, inside a mask and everywhere."""
    found: dict[str, Any] = {}
    model = SliceProfileDegradation((2.0, 2.0, 2.0))
    dataset = load_dataset("medical/mri_t1/test")
    for name, volume in zip(dataset.names, dataset, strict=True):
        high = modcrop(volume.astype(np.float32), 2)
        high = high[..., : high.shape[2] // 2 * 2]
        low, peak = model.forward(high), float(high.max())
        results = {"spline": _spline(low, 2), "cubic": resize(low, 2)}
        for method in METHODS:
            sr = make_method(method, scale=(2, 2, 2), degradation=model)
            results[method] = sr.predict(low, data_range=(0, peak))
        for method, result in results.items():
            square = (result - high) ** 2
            figures = {
                "masked": 10 * np.log10(peak**2 / np.mean(square[high > 0.1 * peak])),
                "all": 10 * np.log10(peak**2 / np.mean(square)),
            }
            found.setdefault(method, {})[name] = {k: float(v) for k, v in figures.items()}
            print(name, method, figures, flush=True)
    return found


def frames() -> dict[str, Any]:
    """PSNR of one frame and of four, on Set5 at x2, with noise."""
    found: dict[str, list[float]] = {}
    model, peak = BicubicDegradation((2.0, 2.0)), {"data_range": (0.0, 255.0)}
    for number, image in enumerate(load_dataset("natural/Set5")):
        high, rng = modcrop(luma(image), 2), np.random.default_rng(number)
        clean = [ShiftedDegradation(model, shift).forward(high) for shift in SHIFTS]
        noisy = [frame + rng.normal(0, FRAME_NOISE, frame.shape) for frame in clean]
        noisy = [frame.astype(np.float32) for frame in noisy]
        results = {"bicubic": resize(noisy[0], 2)}
        results["aplus"] = load_model("aplus-x2").predict(noisy[0], **peak)
        for method, options in (("tv", {"weight": 1e-3}), ("map", {})):
            sr = make_method(method, scale=2, **options)
            results[method] = sr.predict(noisy[0], **peak)
            results[f"{method}, 4 frames"] = sr.reconstruct(noisy, SHIFTS, **peak)
            results[f"{method}, 4 frames, shifts found"] = sr.reconstruct(noisy, **peak)
        for name, result in results.items():
            clipped = np.clip(result, 0, 255)
            found.setdefault(name, []).append(psnr(high, clipped, data_range=255, crop=6))
    return {name: fmean(values) for name, values in found.items()}


def solver() -> dict[str, Any]:
    """Time of an iteration against its bytes; iterations to a long run; memory."""
    found: dict[str, Any] = {"iterations": _iterations(), "pace": {}}
    for shape in ((2000, 2000), (160, 160, 160)):
        found["pace"]["x".join(map(str, shape))] = _pace(shape)
    command = [sys.executable, __file__, "--memory"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found["memory GB"] = float(output.split()[-1])
    return found


def _iterations() -> dict[str, Any]:
    """Relative distance of the objective from its minimum, on a held-out photograph at x3."""
    high = modcrop(luma(load_dataset("natural/BSDS200")[0]), 3)[:180, :180].astype(np.float32) / 255
    model = BicubicDegradation((3.0, 3.0))
    low = model.forward(high)
    data = DataTerm([low], [model], high.shape)
    found = {}
    for order, prior in enumerate(PRIORS_OF_ORDER, 1):
        for weight in (2e-4, 1e-3, 5e-3):
            run = prior(weight).solver(data, resize(low, 3))
            values = []
            for step in (100, 200, 200, 500, 5000):
                run.run(step)
                values.append(run.objective())
            found[f"{order}, {weight:g}"] = [value / values[-1] - 1 for value in values[:-1]]
    return found


def _pace(shape: tuple[int, ...]) -> dict[str, float]:
    rng, axes = np.random.default_rng(0), len(shape)
    image = rng.random(shape, dtype=np.float32)
    volume = shape if axes == 3 else (shape[0], 1, shape[1])
    scene, force = image.reshape(volume).copy(), np.zeros(volume, np.float32)
    dual = np.zeros((3, *volume), np.float32)
    steps, radius = np.array([1, 1, 1, 0.01, 1], np.float32), np.float32(1e-3)
    model = SliceProfileDegradation((2.0,) * axes)
    data = DataTerm([model.forward(image)], [model], shape)
    first, second = (prior(1e-3).solver(data, image) for prior in PRIORS_OF_ORDER)
    source, target = np.ones_like(dual), np.empty_like(dual)
    times: dict[str, float] = {}
    works = {
        "copy": lambda: np.copyto(target, source),
        "step": lambda: primal_dual(scene, force, dual, steps, radius, True),
        "order 1": lambda: first.run(1),
        "order 2": lambda: second.run(1),
    }
    for _ in range(9):
        for name, work in works.items():
            times[name] = min(times.get(name, np.inf), seconds_of(work))
    bandwidth = 2 * dual.nbytes / times["copy"]
    per_array = bandwidth / image.nbytes
    return {
        "copy GB/s": bandwidth / 1e9,
        "step ms": times["step"] * 1e3,
        "step / bytes moved": times["step"] * per_array / 9,  # image, dual in and out, force in
        "iteration ms": times["order 1"] * 1e3,
        "iteration / bytes moved": times["order 1"] * per_array / 9,
        "order 2 ms": times["order 2"] * 1e3,
        "order 2 / bytes moved": times["order 2"] * per_array / 27,  # also slopes and matrices
    }


def _memory() -> None:
    """Peak memory of a 256^3 volume at x2; the iterations do not change it."""
    volume = np.random.default_rng(0).random((256, 256, 256), dtype=np.float32)
    make_method("tv", scale=(2, 2, 2), n_iter=1).predict(volume)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    parts = ["# Reconstruction with priors\n"]
    parts.append(f"{document['date']}; {_record.described(document['machine'])}.\n")
    parts.append(
        "`python benchmarks/reconstruction.py`; its parts may come from several runs, which the "
        "machine shared with other work.\n"
    )
    if found := document.get("images"):
        columns = [key for key in next(iter(found.values())) if not key.endswith(" s")]
        rows = [[name, *(f"{row[key]:.2f}" for key in columns)] for name, row in found.items()]
        rows = [[*row, f"{found[row[0]]['Set5 x3 s']:.2f}"] for row in rows]
        parts.append(
            "## Photographs\n\nProtocol of `classicsr.evaluate`; nothing is learned, except by A+. "
            "Settings were chosen on BSDS200.\n\n"
            + _record.table(["method", *columns, "s per image, Set5 x3"], rows)
            + "\n"
        )
    if found := document.get("volumes"):
        names = list(next(iter(found.values())))
        rows = [
            [method, *(f"{row[name][k]:.2f}" for name in names for k in ("masked", "all"))]
            for method, row in found.items()
        ]
        headings = [f"{name} {k}" for name in names for k in ("masked dB", "all dB")]
        parts.append(
            "## T1 volumes, block means of 2 x 2 x 2\n\nPeak: largest value of the volume; mask: "
            "above a tenth of it. Spline: cubic, at the block centres.\n\n"
            + _record.table(["method", *headings], rows)
            + "\n"
        )
    if found := document.get("frames"):
        rows = [[name, f"{value:.2f}"] for name, value in found.items()]
        parts.append(
            f"## Four frames at half-pixel shifts\n\nSet5, x2, bicubic, noise of {FRAME_NOISE:g} "
            "grey levels, 6 pixels cropped.\n\n" + _record.table(["method", "dB"], rows) + "\n"
        )
    if found := document.get("solver"):
        parts.append(_solver_report(found))
    return "\n".join(parts)


def _solver_report(found: dict[str, Any]) -> str:
    rows = [[w, *(f"{v:.1e}" for v in values)] for w, values in found["iterations"].items()]
    pace = found["pace"]
    keys = list(next(iter(pace.values())))
    speeds = [[shape, *(f"{row[key]:.1f}" for key in keys)] for shape, row in pace.items()]
    return (
        "## Total-variation solver\n\nObjective above that of 6000 iterations, relative, after a "
        "number of iterations (a photograph of BSDS200, x3, 180 x 180).\n\n"
        + _record.table(["order, weight", "100", "300", "500", "1000"], rows)
        + "\n\nTime, one thread: of the fused primal-dual step, over that of copying the bytes it "
        "moves; and of whole iterations of both orders with their forward model (block means).\n\n"
        + _record.table(["shape", *keys], speeds)
        + f"\n\nPeak memory, 256 x 256 x 256 at x2: {found['memory GB']:.2f} GB.\n"
    )


def main() -> None:
    """Measure the parts that are asked for and write the page; the others keep their record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "reconstruction.json")
    args = parser.parse_args()
    if args.memory:
        _memory()
        return
    document: dict[str, Any] = json.loads(args.json.read_text()) if args.json.exists() else {}
    document |= {"date": _record.today(), "machine": _record.machine()}
    for part in args.parts.split(","):
        document[part] = {"images": images, "volumes": volumes, "frames": frames, "solver": solver}[
            part
        ]()
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
