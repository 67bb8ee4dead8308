"""What `self` costs on large volumes, and how well it keeps the Hounsfield units of tissues.

Usage: CLASSICSR_DATA=... python benchmarks/self_volume.py --only mri,ct,drift
Sections that are not measured keep their record. Each of mri and ct runs in processes of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import _record
import numpy as np
from scipy.ndimage import binary_erosion

from classicsr import load_model
from classicsr.datasets import data_root
from classicsr.degradation import SliceProfileDegradation
from classicsr.io import read_volume
from classicsr.report._machine import peak_bytes
from classicsr.zoo import make_method

# training volumes, mirrored beyond their borders to the shape; factor; methods in turn
COSTS = {
    "mri": ("mri_t1/train/studyforrest02_t1_0p67mm.nii.gz", (256, 256, 60), 3, ("aplus", "self")),
    "ct": ("ct/train/lidc0314_chest_1mm.nii.gz", (512, 512, 300), 2, ("self",)),
}
CT, ORGANS = "ct/test/totalseg_abdomen_3mm.nii.gz", "ct/test/totalseg_abdomen_3mm_labels.nii.gz"
FACTORS = (2, 3)
FEWEST = 200  # voxels inside a tissue
SIZES = ("peak_bytes", "result_bytes")
RANGES = {"air": (-1100, -900), "fat": (-150, -50), "soft tissue": (0, 100), "bone": (250, 2000)}


def load(name: str) -> np.ndarray:
    """Stored voxels."""
    return read_volume(data_root() / "medical" / name).frame(0)


def cost(section: str, method: str) -> dict[str, float]:
    """Processor seconds and peak memory of this process; A+ enlarges the slices, too."""
    name, shape, factor, _ = COSTS[section]
    volume = load(name)
    sizes = (*shape[:2], shape[2] * (factor if section == "mri" else 1))
    ends = [(0, max(0, n - m)) for n, m in zip(sizes, volume.shape, strict=True)]
    volume = np.pad(volume, ends, mode="symmetric")[tuple(slice(n) for n in sizes)]
    if section == "mri":
        low = SliceProfileDegradation((1, 1, factor)).forward(volume.astype(np.float32))
        volume = np.rint(low).astype(volume.dtype)
    sr = load_model(f"aplus-x{factor}") if method == "aplus" else make_method(method)
    sr.set_params(n_jobs=1)
    scale = factor if method == "aplus" else (1, 1, factor)
    sr.predict(volume[:24, :24, :24], scale=scale)  # loads libraries and kernels
    start = time.process_time()
    result = sr.predict(volume, scale=scale)
    seconds = time.process_time() - start
    return {"seconds": seconds, "peak_bytes": peak_bytes(), "result_bytes": result.nbytes}


def measure_cost(section: str) -> dict[str, Any]:
    """By method."""
    found = {}
    for method in COSTS[section][-1]:
        command = [sys.executable, __file__, "--child", section, method]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found[method] = json.loads(output)
        print(section, method, found[method], flush=True)
    return found


def measure_drift() -> list[dict[str, Any]]:
    """Mean change of the Hounsfield units of each tissue, all of it and its inside."""
    volume, labels = load(CT), load(ORGANS)
    rows = []
    for factor in FACTORS:
        length = volume.shape[2] // factor * factor
        truth = volume[..., :length].astype(np.float32)
        low = SliceProfileDegradation((1, 1, factor)).forward(truth)
        change = make_method("self", n_jobs=1).predict(low, scale=(1, 1, factor)) - truth
        organs = labels[..., :length]
        tissues = {f"label {one}": organs == one for one in np.unique(organs[organs > 0])}
        tissues |= {name: (truth >= a) & (truth <= b) for name, (a, b) in RANGES.items()}
        for name, mask in tissues.items():
            inside = binary_erosion(mask, np.ones((3, 3, 3)))
            if inside.sum() >= FEWEST:
                drift = [float(change[part].mean(dtype=np.float64)) for part in (mask, inside)]
                rows.append({"factor": factor, "tissue": name, "all": drift[0], "inside": drift[1]})
                print(rows[-1], int(mask.sum()), int(inside.sum()), flush=True)
    return rows


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    costs = [
        [
            "x".join(map(str, COSTS[section][1])),
            section.upper(),
            f"1x1x{COSTS[section][2]}",
            method,
            f"{row['seconds']:.1f}",
            *(f"{row[key] / 2**30:.2f}" for key in SIZES),
        ]
        for section in COSTS
        for method, row in document.get(section, {}).items()
    ]
    drift = [
        [row["tissue"], str(row["factor"]), f"{row['inside']:+.2f}", f"{row['all']:+.2f}"]
        for row in document.get("drift", [])
    ]
    headings = ["voxels", "scan", "factor", "method", "s", "peak GiB", "result GiB"]
    return (
        "# self on large volumes, and Hounsfield units\n\n"
        "Made by `python benchmarks/self_volume.py`.\n\n## Time and memory\n\n"
        "Training volumes, mirrored beyond their borders to the shape, int16; a process for each "
        "method, n_jobs=1. s: processor time, reading left out; peak: of the whole process; aplus: "
        "the bundled A+ x3, which makes the slices larger, too (768 x 768 x 180).\n\n"
        f"{_record.table(headings, costs)}\n\n## Hounsfield units\n\n"
        f"`{CT}` in slices that are thicker by the factor (box): mean change from the truth by "
        "`self`, in HU. inside: voxels whose neighbours all are of the tissue; all: with its "
        "borders, where the mean over thick slices has mixed tissues. Ranges are of the truth: "
        f"{', '.join(f'{name} {a} to {b}' for name, (a, b) in RANGES.items())} HU; labels are "
        f"those of TotalSegmentator (of {FEWEST} voxels inside or more).\n\n"
        f"{_record.table(['tissue', 'factor', 'inside', 'all'], drift)}\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n"
    )


def main() -> None:
    """Measure and write the page after every section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="mri,ct,drift", help="sections")
    parser.add_argument("--child", nargs=2, metavar=("SECTION", "METHOD"), help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "self-volume.json")
    args = parser.parse_args()
    if args.child:
        print(json.dumps(cost(*args.child)))
        return
    for section in args.only.split(","):
        found = measure_drift() if section == "drift" else measure_cost(section)
        document = json.loads(args.json.read_text("utf-8")) if args.json.exists() else {}
        document |= {"date": _record.today(), "machine": _record.machine(), section: found}
        _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
