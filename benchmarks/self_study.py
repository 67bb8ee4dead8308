"""Problems made of the training volumes, to choose the settings of `self` by.

Usage: CLASSICSR_DATA=... python benchmarks/self_study.py [--only PET]
Volumes as they are, blurred like PET, and with slices that are thick to begin with, so that they
are rougher than the plane they lie in. What is measured already is kept (--again: measured anew).
"""

from __future__ import annotations

import argparse
import json
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import _medical_figures
import _record
import numpy as np
from _medical_cases import AXIS, middle
from medical import forward, upscaled
from scipy.ndimage import gaussian_filter

from classicsr.datasets import load_dataset
from classicsr.degradation import SliceProfileDegradation

RIVALS = ("tv", "nlm")
FWHM = 2.3548  # standard deviations
SOURCES = {
    "t1": ("mri_t1", "s1"),
    "t1-noisy": ("mri_t1", "studyforrest"),
    "t2": ("mri_multicontrast", "t2"),
    "flair": ("mri_multicontrast", "flair"),
    "ct": ("ct", "lidc"),
    "pet": ("pet", "lower"),
}


class Problem(NamedTuple):
    """A part of a training volume, and how thick its slices are made."""

    group: str
    source: str
    factor: int
    profile: str
    reduced: tuple[int, int, int] = (1, 1, 1)  # times, beforehand
    blurred: tuple[float, float, float] = (0, 0, 0)  # full widths at half maximum, voxels
    axis: int = 2  # the thick one
    side: int = 80
    start: int | None = None  # of the slices; default their middle

    @property
    def title(self) -> str:
        """What tells it apart."""
        what = [self.source, f"x{self.factor} {self.profile}", f"axis {self.axis}"]
        if max(self.reduced) > 1:
            what.append("reduced " + "x".join(map(str, self.reduced)))
        if max(self.blurred) > 0:
            what.append("blurred " + "x".join(map(str, self.blurred)))
        if self.side != Problem._field_defaults["side"]:
            what.append(f"side {self.side}")
        return ", ".join([*what, *([] if self.start is None else [f"from {self.start}"])])

    def truth(self) -> np.ndarray:
        """The volume, its thick axis last."""
        volume = np.moveaxis(source(self.source), self.axis, AXIS)
        if max(self.reduced) > 1:
            lengths = np.array(volume.shape) // self.reduced * self.reduced
            whole = np.ascontiguousarray(volume[tuple(map(slice, lengths))])
            volume = SliceProfileDegradation(self.reduced).forward(whole)
        if max(self.blurred) > 0:
            volume = gaussian_filter(volume, np.divide(self.blurred, FWHM))
        if self.start is not None:
            volume = volume[..., self.start : self.start + self.side]
        part = middle(volume, self.side)
        return np.ascontiguousarray(part[..., : part.shape[AXIS] // self.factor * self.factor])


def _problems() -> list[Problem]:
    plain, smooth, rough, pet = "as they are", "blurred", "rough slices", "PET"
    two, three, mild = (2, 2, 2), (3, 3, 3), (2.0, 2.0, 2.0)
    strong, flat = (3.0, 3.0, 3.0), (2.0, 2.0, 0.0)
    return [
        *(Problem(plain, "t1", f, p) for f, p in ((2, "box"), (3, "box"), (6, "gaussian"))),
        Problem(plain, "t1", 4, "box", axis=0),
        Problem(plain, "t1-noisy", 3, "gaussian"),
        Problem(plain, "t1-noisy", 4, "gaussian"),
        Problem(plain, "t2", 4, "box"),
        Problem(plain, "flair", 3, "box"),
        *(Problem(plain, "ct", f, p) for f, p in ((2, "box"), (4, "box"), (6, "gaussian"))),
        Problem(smooth, "t1", 6, "gaussian", blurred=mild),
        Problem(smooth, "t1", 6, "gaussian", two, mild),
        Problem(smooth, "t1", 6, "gaussian", two, (4.0, 4.0, 4.0)),
        Problem(smooth, "t1", 4, "box", three, strong),
        Problem(smooth, "t1-noisy", 4, "box", two, mild),
        Problem(smooth, "t2", 6, "gaussian", three, strong),
        Problem(smooth, "flair", 4, "gaussian", three, strong),
        Problem(smooth, "ct", 6, "gaussian", three, strong),
        Problem(smooth, "ct", 4, "box", three, strong),
        Problem(smooth, "ct", 6, "box", two),
        Problem(smooth, "ct", 6, "box", blurred=flat),
        Problem(smooth, "ct", 4, "gaussian", blurred=(3.0, 3.0, 0.0)),
        Problem(rough, "ct", 2, "box", (1, 1, 5)),
        Problem(rough, "ct", 3, "box", (1, 1, 5)),
        Problem(rough, "ct", 4, "gaussian", (1, 1, 2), flat),
        Problem(rough, "ct", 6, "box", (1, 1, 2), flat),
        Problem(rough, "t1", 3, "box", (1, 1, 4)),
        Problem(rough, "t1", 4, "box", (1, 1, 2), flat),
        Problem(rough, "t1", 6, "gaussian", (1, 1, 2), (3.0, 3.0, 0.0)),
        Problem(rough, "t1-noisy", 4, "gaussian", (1, 1, 2), flat),
        Problem(pet, "pet", 3, "box", start=70),
        Problem(pet, "pet", 4, "gaussian", start=70),
        Problem(pet, "pet", 6, "gaussian", start=70),
        Problem(pet, "pet", 4, "box", start=0),
        Problem(pet, "pet", 6, "gaussian", start=0),
        Problem(pet, "pet", 3, "gaussian", side=128),
        Problem(pet, "pet", 4, "box", side=128),
        Problem(pet, "pet", 6, "gaussian", side=128),
        Problem(pet, "pet", 6, "gaussian", axis=0, side=128),
        Problem(pet, "pet", 4, "box", axis=1, side=128),
        Problem(pet, "pet", 6, "box", axis=1),
    ]


@cache
def source(name: str) -> np.ndarray:
    """A training volume, float32."""
    folder, part = SOURCES[name]
    data = load_dataset(f"medical/{folder}/train")
    found = next(volume for one, volume in zip(data.names, data, strict=True) if part in one)
    return np.asarray(found, np.float32)


def measure(problem: Problem) -> dict[str, Any]:
    """PSNR of every method within the mask."""
    truth, model = problem.truth(), forward(problem.factor, problem.profile)
    low = model.forward(truth)
    figures = {
        name: _medical_figures.quality(truth, upscaled(name, low, model, truth.shape), low, model)
        for name in (*RIVALS, "self")
    }
    return {"group": problem.group, "problem": problem.title} | {
        name: figure["psnr"] for name, figure in figures.items()
    }


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    rows = document["rows"]
    gains = {row["problem"]: row["self"] - max(row[name] for name in RIVALS) for row in rows}
    groups = dict.fromkeys(row["group"] for row in rows)
    summary = []
    for group in groups:
        members = [row for row in rows if row["group"] == group]
        over = [gains[row["problem"]] for row in members]
        means = [fmean(row["self"] - row[name] for row in members) for name in RIVALS]
        figures = [*means, fmean(over), min(over)]
        summary.append([group, str(len(members)), *(f"{one:+.2f}" for one in figures)])
    lines = [
        [row["group"], row["problem"], *(f"{row[name]:.2f}" for name in (*RIVALS, "self")),
         f"{gains[row['problem']]:+.2f}"]
        for row in rows
    ]  # fmt: skip
    return (
        "# self on problems made of the training volumes\n\n"
        "`python benchmarks/self_study.py`. Settings of `self` are chosen here. PSNR within the "
        "mask (voxels that exceed the minimum by more than 10 % of the range, which is the peak); "
        "gains of `self` in dB.\n\n"
        + _record.table(
            ["group", "problems", "over tv", "over nlm", "over the better", "least"], summary
        )
        + "\n\n"
        + _record.table(["group", "problem", *RIVALS, "self", "gain"], lines)
        + f"\n\n{document['date']}; {_record.described(document['machine'])}.\n"
    )


def main() -> None:
    """Measure and write the page after every problem."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="groups and problems that hold this text")
    parser.add_argument("--again", action="store_true", help="also what is measured already")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "self-study.json")
    args = parser.parse_args()
    document = json.loads(args.json.read_text()) if args.json.exists() else {"rows": []}
    for problem in _problems():
        known = {row["problem"]: row for row in document["rows"]}
        wanted = args.only in f"{problem.group}: {problem.title}"
        if not wanted or (problem.title in known and not args.again):
            continue
        known[problem.title] = measure(problem)
        document = {"date": _record.today(), "machine": _record.machine()}
        order = [one.title for one in _problems() if one.title in known]
        document["rows"] = [known[title] for title in order]
        _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
