"""Medical volumes made thick along one axis: how well each method makes them thin again.

Usage: CLASSICSR_DATA=... python benchmarks/medical.py --factors 2,3,4,6 --profiles box,gaussian
What is not measured keeps its record.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import _record
import numpy as np
from volumes import THRESHOLD, spline

from classicsr.datasets import load_dataset
from classicsr.degradation import SliceProfileDegradation
from classicsr.metrics import psnr
from classicsr.zoo import make_method

DATA = ("mri_t1/test", "ct/test")
METHODS = ("ibp", "tv", "lrtv", "nlm", "self")
AXIS = 2
KEY = ("volume", "profile", "factor", "method")


def predictor(name: str, model: SliceProfileDegradation, jobs: int) -> Any:
    """The method `name` with the true forward model."""
    if name == "self":
        return make_method(name, scale=model.scale, profile=model.profile, n_jobs=jobs)
    return make_method(name, scale=model.scale, degradation=model, n_jobs=jobs)


def measure(
    volume: np.ndarray, factor: int, profile: str, methods: list[str], jobs: int
) -> Iterator[dict[str, Any]]:
    """PSNR, deviation from the thick slices and seconds of the spline and of every method."""
    n = volume.shape[AXIS] // factor * factor
    high = np.ascontiguousarray(volume.take(range(n), AXIS), dtype=np.float32)
    model = SliceProfileDegradation(
        tuple(float(factor) if axis == AXIS else 1.0 for axis in range(3)), profile
    )
    low = model.forward(high)
    span = float(np.ptp(high))
    mask = high - high.min() > THRESHOLD * span
    for name in ("spline", *methods):
        start = time.perf_counter()
        if name == "spline":
            result = spline(low, high.shape)
        else:
            result = predictor(name, model, jobs).predict(low)
        yield {
            "profile": profile,
            "factor": factor,
            "method": name,
            "seconds": time.perf_counter() - start,
            "psnr": psnr(high, result, data_range=span, mask=mask),
            "deviation": float(np.abs(model.forward(result) - low).max() / np.ptp(low)),
        }


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page: a line per volume, profile and factor."""
    found: dict[tuple, dict[str, dict]] = {}
    for row in document["rows"]:
        key = (row["volume"], row["profile"], row["factor"])
        found.setdefault(key, {})[row["method"]] = row
    lines = []
    for key, by_method in sorted(found.items()):
        base = by_method["spline"]["psnr"]
        gains = [
            f"{by_method[name]['psnr'] - base:+.2f}" if name in by_method else ""
            for name in METHODS
        ]
        own = by_method.get("self")
        last = [f"{own['deviation']:.0e}", f"{own['seconds']:.0f}"] if own else ["", ""]
        lines.append([*map(str, key), f"{base:.2f}", *gains, *last])
    headings = ["volume", "profile", "factor", "spline, dB", *METHODS, "deviation", "s"]
    return (
        "# Medical volumes in thick slices\n\n"
        "Made by `python benchmarks/medical.py`. Each volume is trimmed to a multiple of the "
        f"factor along axis {AXIS} and made thick along it by the slice profile (box: the mean; "
        "gaussian: full width at half maximum of the slice distance), not rounded, without "
        "noise. Methods know this forward model. Error within the voxels that exceed the minimum "
        f"by more than {THRESHOLD:.0%} of the range; the peak is the range. spline: cubic "
        "B-spline at the slice centres, dB; methods: dB above it. deviation and seconds are "
        "those of `self`: largest difference between its thick slices and the input's, as a "
        f"share of their range; wall time with n_jobs={document['jobs']} on a machine shared "
        "with other work.\n\n"
        f"{_record.table(headings, lines)}\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n"
    )


def _merged(before: list[dict], now: list[dict]) -> list[dict]:
    rows = {tuple(row[key] for key in KEY): row for row in [*before, *now]}
    return [rows[key] for key in sorted(rows)]


def main() -> None:
    """Measure and write the page; every volume is written as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=",".join(DATA), help="folders of volumes below medical/")
    parser.add_argument("--volumes", default="", help="only names that hold one of these parts")
    parser.add_argument("--methods", default=",".join(METHODS), help="registry names")
    parser.add_argument("--factors", default="2,3,4,6")
    parser.add_argument("--profiles", default="box,gaussian")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "medical.json")
    args = parser.parse_args()
    where = {"date": _record.today(), "machine": _record.machine(), "jobs": args.jobs}
    rows = json.loads(args.json.read_text(encoding="utf-8"))["rows"] if args.json.exists() else []
    for folder in args.data.split(","):
        data = load_dataset(f"medical/{folder}")
        for number, name in enumerate(data.names):
            if "label" in name or not any(part in name for part in args.volumes.split(",")):
                continue
            for profile in args.profiles.split(","):
                for factor in _record.numbers(args.factors):
                    found = measure(
                        data[number], factor, profile, args.methods.split(","), args.jobs
                    )
                    for row in found:
                        rows = _merged(rows, [{"volume": name, **row}])
                        print(name, row, flush=True)
                    document = {**where, "rows": rows}
                    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
