"""The frozen medical benchmark: volumes made thick along one axis, and how well methods undo it.

Usage: CLASSICSR_DATA=... python benchmarks/medical.py --only-missing
       CLASSICSR_DATA=... python benchmarks/medical.py --volumes saganon --methods self --factors 3
The record keeps what was measured; a run that was stopped goes on with --only-missing. Several
may run side by side on different volumes, profiles or factors. Protocol: docs/medical-benchmark.md.
"""

from __future__ import annotations

import argparse
import functools
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import _medical_figures
import _record
import labels
import numpy as np
from _medical_cases import AXIS, PROFILES, Case, cases
from _medical_record import Record
from _medical_report import METHODS, TRUTH, report
from volumes import spline

from classicsr.datasets import load_dataset, sample_volume
from classicsr.degradation import SliceProfileDegradation
from classicsr.io import read_volume
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import find_method, make_method

PROTOCOL = 2  # raise it whenever figures change for a reason other than the methods
FACTORS = (2, 3, 4, 6)
TRAINING = "medical/mri_t1/train"  # of volume-forest, mixed and their like: two adults
LABELS = {
    "hippocampus": labels.DATA["hippocampus, test"],
    "organs, CT": labels.DATA["organs, CT"],
    "tumour, CT": "ct/test/pyradiomics_lung1_5mm_label.nii.gz",
    "tumours, PET": "pet/test/qin_hn0024_tumour_labels.nii.gz",
}
KEY = ("volume", "profile", "factor", "method")
TRIAL = (slice(30, 66), slice(40, 76), slice(0, 30))

Volume = np.ndarray


def upscaled(name: str, low: Volume, model: SliceProfileDegradation, shape: Any) -> Volume:
    """The result of a method that knows the forward model, one thread."""
    if name == "spline":
        return spline(low, shape)
    if find_method(name).fits:
        return fitted(name, model).predict(low)
    known: dict[str, Any] = {"degradation": model}
    if name == "self":
        known = {"profile": model.profile}
    return make_method(name, scale=model.scale, n_jobs=1, **known).predict(low)


@functools.cache
def fitted(name: str, model: SliceProfileDegradation) -> SuperResolver:
    """A method that learns from other volumes; the seconds of its first result hold the fit."""
    method = make_method(name, scale=model.scale, profile=model.profile, n_jobs=1)
    return method.fit(list(load_dataset(TRAINING)))


def forward(factor: int, profile: str) -> SliceProfileDegradation:
    """Slices as thick as they are apart."""
    return SliceProfileDegradation(
        tuple(float(factor) if axis == AXIS else 1.0 for axis in range(3)), profile
    )


def trial(name: str) -> float:
    """A fingerprint of a method and its settings: its error on a small piece of a volume."""
    if name == TRUTH:
        return 0.0
    high = read_volume(sample_volume()).frame(0)[TRIAL].astype(np.float32)
    model = forward(2, "box")
    result = upscaled(name, model.forward(high), model, high.shape)
    return float(np.sqrt(np.mean((result - high.astype(np.float64)) ** 2)))


def measure(case: Case, factor: int, name: str) -> dict[str, Any]:
    """Mean figures of a method over the volumes of a case."""
    model = forward(factor, case.profile)
    rows = []
    for number, high in enumerate(case.trimmed(factor)):
        low = model.forward(high)
        start = time.perf_counter()
        result = high if name == TRUTH else upscaled(name, low, model, high.shape)
        row = {"seconds": time.perf_counter() - start}
        row |= _medical_figures.sharpness(high, result)
        if name != TRUTH:
            row |= _medical_figures.quality(high, result, low, model)
        if case.labels:
            row |= _medical_figures.segmentation(result, case.labels[number])
        rows.append(row)
    return {key: fmean(row[key] for row in rows) for key in rows[0]}


def measure_labels() -> list[dict[str, Any]]:
    """Label maps made thick along one axis and upscaled again (see labels.py)."""
    rows = [
        labels.measure(data, files, (1, 1, factor))
        for data, files in LABELS.items()
        for factor in FACTORS
    ]
    return [row for row in rows if np.isfinite(row["nearest"])]  # else no class was left


def main() -> None:
    """Measure and write the page after every volume, profile and factor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--volumes", default="", help="only names that hold one of these parts")
    parser.add_argument(
        "--methods", default=",".join((TRUTH, *METHODS)), help="truth, spline and registry names"
    )
    parser.add_argument("--factors", default=",".join(map(str, FACTORS)))
    parser.add_argument("--profiles", default=",".join(PROFILES))
    parser.add_argument("--only-missing", action="store_true", help="keep what is up to date")
    parser.add_argument("--labels", action="store_true", help="label maps alone")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "medical.json")
    args = parser.parse_args()
    record = Record(args.json, PROTOCOL, KEY, trial, report)
    if args.labels:
        record.write([], labels=measure_labels())
        return
    for case in cases():
        wanted = any(part in case.name for part in args.volumes.split(","))
        if not wanted or case.profile not in args.profiles.split(","):
            continue
        for factor in _record.numbers(args.factors):
            new = _measure_missing(record, case, factor, args)
            if new:
                record.write(new)


def _measure_missing(
    record: Record, case: Case, factor: int, args: argparse.Namespace
) -> list[dict[str, Any]]:
    """Rows of the methods, but those that are there."""
    if not case.trimmed(factor):
        return []
    new = []
    for name in args.methods.split(","):
        key = (case.name, case.profile, factor, name)
        if not (args.only_missing and record.has(*key)):
            new.append(dict(zip(KEY, key, strict=True)) | measure(case, factor, name))
            print(new[-1], flush=True)
    return new


if __name__ == "__main__":
    main()
