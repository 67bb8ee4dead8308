"""Volumes in thick slices with a reference in another contrast, and with wrong references.

Usage: CLASSICSR_DATA=... python benchmarks/references.py
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import _record
import nibabel
import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from classicsr.datasets import data_root
from classicsr.degradation import SliceProfileDegradation
from classicsr.io import upscaled_affine
from classicsr.metrics import psnr
from classicsr.zoo import make_method

TRAIN, TEST = "train/cstar_stroke_{}.nii.gz", "test/adi_{}.nii.gz"
CASES = (  # file names, target, reference, thick axis, factor
    (TRAIN, "flair", "t1", 2, 4),
    (TRAIN, "t2", "t1", 2, 4),
    (TEST, "t1_memprage", "t2_fse", 0, 4),
    (TEST, "t2_fse", "t1_memprage", 2, 2),
    (TEST, "t2_fse", "t1_memprage", 2, 4),
)
WRONG = (TRAIN, "t2", "t1", 2, 4)
THRESHOLD = 0.1  # of the maximum: the mask


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Voxels and affine."""
    image = nibabel.load(data_root() / "medical" / "mri_multicontrast" / name)
    return image.get_fdata(dtype=np.float32), image.affine


class Case:
    """One volume made thick, and its reference."""

    def __init__(self, names: str, target: str, reference: str, axis: int, factor: int) -> None:
        voxels, affine = load(names.format(target))
        n = voxels.shape[axis] // factor * factor
        self.truth = np.ascontiguousarray(voxels.take(range(n), axis))
        self.factors = tuple(factor if a == axis else 1 for a in range(3))
        self.low = SliceProfileDegradation(self.factors).forward(self.truth)
        self.truth_affine = affine
        self.affine = upscaled_affine(affine, [1 / one for one in self.factors])
        self.reference, self.reference_affine = load(names.format(reference))

    def covered(self) -> np.ndarray:
        """Where voxels of the truth lie within the reference."""
        matrix = np.linalg.inv(self.reference_affine) @ self.truth_affine
        places = np.tensordot(matrix[:3, :3], np.indices(self.truth.shape), 1)
        places += matrix[:3, 3, None, None, None]
        ends = np.array(self.reference.shape)[:, None, None, None] - 1
        return np.all((places >= 0) & (places <= ends), axis=0)

    def psnr(self, result: np.ndarray, where: np.ndarray | bool = True) -> float:
        """Within the mask, of its maximum."""
        mask = (self.truth > THRESHOLD * self.truth.max()) & where
        return float(psnr(self.truth, result, data_range=float(self.truth.max()), mask=mask))

    def predicted(self, method: str, reference: np.ndarray | None = None) -> dict[str, Any]:
        """PSNR and seconds."""
        guide = {}
        if reference is not None:
            guide = {"affine": self.affine, "reference_affine": self.reference_affine}
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sr = make_method(method, scale=self.factors, n_jobs=1)
            result = sr.predict(self.low, reference=reference, **guide)
        seconds = time.perf_counter() - start
        known = self.psnr(result, self.covered())
        return {"psnr": self.psnr(result), "covered": known, "seconds": seconds}


def wrong_references(image: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """References that show something else, or the same elsewhere."""
    for axis, name in ((0, "x"), (2, "z")):
        yield f"moved by 3 voxels along {name}", np.roll(image, 3, axis)
    yield "flipped along x", np.flip(image, 0)
    noise = np.random.default_rng(0).standard_normal(image.shape)
    yield "blobs of noise", gaussian_filter(noise, 1.5).astype(np.float32)


def measure(names: str, target: str, reference: str, axis: int, factor: int) -> dict[str, Any]:
    """Every method with and without the reference."""
    case = Case(names, target, reference, axis, factor)
    row: dict[str, Any] = {"part": names.split("/")[0], "target": target, "reference": reference}
    row |= {"factors": "x".join(map(str, case.factors))}
    spline = zoom(case.low, case.factors, order=3, mode="reflect", grid_mode=True)
    row["spline"] = {"psnr": case.psnr(spline)}
    for method in ("nlm", "self"):
        row[method] = case.predicted(method)
        row[f"{method}, guided"] = case.predicted(method, case.reference)
    print(row, flush=True)
    return row


def measure_wrong() -> dict[str, float]:
    """PSNR of `self` with references that mislead."""
    case = Case(*WRONG)
    found = {"none": case.predicted("self")["psnr"]}
    for name, reference in wrong_references(case.reference):
        found[name] = case.predicted("self", reference)["psnr"]
        print(name, found[name], flush=True)
    return found


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    columns = ("spline", "nlm", "nlm, guided", "self", "self, guided")
    rows = [
        [row["part"], row["target"], row["reference"], row["factors"]]
        + [f"{row[name]['psnr']:.2f}" for name in columns]
        + [f"{row['self, guided'][name] - row['self'][name]:+.2f}" for name in ("psnr", "covered")]
        + [f"{row[name]['seconds']:.0f}" for name in ("self", "self, guided")]
        for row in document["rows"]
    ]
    gains = ["gain", "covered", "s", "s, guided"]
    headings = ["part", "volume", "reference", "factors", *columns, *gains]
    seconds = (
        "gain: of `self`; covered: the same where the reference lies; s: its wall time, n_jobs=1, "
        "on a machine shared with other work.\n\n"
    )
    alone = document["wrong"]["none"]
    wrong = [[name, f"{one:.2f}", f"{one - alone:+.2f}"] for name, one in document["wrong"].items()]
    return (
        "# Volumes with a reference in another contrast\n\n"
        "Made by `python benchmarks/references.py`. Volumes of `medical/mri_multicontrast`, "
        "averaged over thick slices; dB within the mask of voxels above "
        f"{THRESHOLD:.0%} of the maximum, which is the peak. Settings were chosen on FLAIR of the "
        "training part. The training volumes share one grid of 1 mm; those of the test part are of "
        "one session, each on its own grid (T1 1.0 x 1.15 x 1.15 mm sagittal, T2 0.43 x 0.43 x 2.5 "
        "mm axial), and lie where their affines say: the T2 covers 46 % of the T1, the T1 "
        "66 % of the T2.\n\n"
        f"{_record.table(headings, rows)}\n\n"
        f"{seconds}"
        "`self` of the training T2 at 1x1x4 with references that are wrong:\n\n"
        f"{_record.table(['T1', 'dB', 'change'], wrong)}\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n"
    )


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "references.json")
    args = parser.parse_args()
    document: dict[str, Any] = {"date": _record.today(), "machine": _record.machine()}
    document |= {"rows": [measure(*case) for case in CASES], "wrong": measure_wrong()}
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
