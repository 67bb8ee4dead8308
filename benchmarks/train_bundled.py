"""Train the bundled models of A+, RAISR and the fast path, or a cascade; calibrate, describe them.

Usage: CLASSICSR_DATA=... python benchmarks/train_bundled.py --methods aplus,raisr,fast
With --calibrate-only the models stay as they are and only their calibration is made again.
Takes some minutes and 4 GB of memory a model of A+, some minutes and 1 GB one of the fast path,
some seconds one of RAISR. A cascade takes about ten minutes; with --checkpoint FOLDER its training
goes on after an interruption. The seed makes the tensors the same each time. The best models are
made by deep_training.py.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import _record

from classicsr import evaluate, load_model
from classicsr._model_file import ModelFile, read_model
from classicsr.datasets import load_dataset
from classicsr.super_resolution import SuperResolver
from classicsr.super_resolution._calibration import split_model
from classicsr.zoo import METHODS, make_method

TRAINING_SET = "natural/T91"
CALIBRATION_SET = "natural/BSDS200"
N_KEPT = 20
"""Last images of the calibration set that the methods of ALL_IMAGES do not learn from: their
settings were chosen by them, and they are calibrated on them."""
ALL_IMAGES = ("fast", "cascade")
"""Methods that learn from the training set and the calibration set."""
NAMES = {"equivariant": "best"}
"""Of the model files, where they are not those of the methods."""
CELLS = {2: 512, 3: 256, 4: 144}
"""Cells of a partition of a cascade, for files below 12 MB."""
TEST_SETS = ("Set5", "Set14", "BSD100")
SEED = 0
LICENCE = (
    "T91 (Yang et al. 2010), research use; no licence stated; the model holds statistics of "
    "those images, not the images"
)
LICENCE_BSDS = "BSDS200 (Martin et al. 2001), research and education"
MODELS = Path(__file__).parents[1] / "classicsr" / "zoo" / "models"


def settings(method: str, scale: int, args: argparse.Namespace) -> dict[str, Any]:
    """Parameters that differ from the defaults."""
    if method == "cascade":
        checkpoint = args.checkpoint and args.checkpoint / f"x{scale}"
        return {"n_cells": CELLS[scale], "n_levels": 3, "checkpoint": checkpoint}
    return {"n_samples": args.samples} if method == "aplus" else {}  # the others take every pixel


def train(
    method: str, scale: int, args: argparse.Namespace
) -> tuple[SuperResolver, dict[str, Any]]:
    """The fitted estimator and where it comes from."""
    images, names = list(load_dataset(TRAINING_SET)), [TRAINING_SET]
    licence = LICENCE
    if method in ALL_IMAGES:
        images += list(load_dataset(CALIBRATION_SET))[:-N_KEPT]
        names.append(f"{CALIBRATION_SET} without its last {N_KEPT}")
        licence = f"{LICENCE}; {LICENCE_BSDS}"
    params = settings(method, scale, args)
    sr: Any = make_method(method, scale=scale, random_state=SEED, n_jobs=-1, **params)
    start = time.perf_counter()
    sr.fit(images, progress=lambda done, total: print(f"{method} x{scale}: step {done} of {total}"))
    return sr, {
        "training_data": names,
        "licence": licence,
        "n_images": len(images),
        **{name: params[name] for name in ("n_samples",) if name in params},
        "seed": SEED,
        "seconds": round(time.perf_counter() - start, 1),
        "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "date": _record.today(),
    }


def measure(path: Path, scale: int) -> dict[str, float]:
    """Mean PSNR of a model file on each test set (float low-resolution images), in dB."""
    sr = load_model(path).set_params(n_jobs=-1)
    measured = {}
    for name in TEST_SETS:
        dataset = load_dataset(f"natural/{name}")
        rows = evaluate(sr, zip(dataset.names, dataset, strict=True), scale)
        measured[name] = round(fmean(row["psnr"] for row in rows), 2)
        print(f"{path.stem} x{scale} {name}: {measured[name]:.2f} dB")
    return measured


def make_model(method: str, scale: int, args: argparse.Namespace) -> None:
    """Train one model; what is measured is the model as it is stored."""
    sr, provenance = train(method, scale, args)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{method}.safetensors"
        sr.save(path)
        measured = measure(path, scale)
    target = model_path(args.output, method, scale)
    sr.save(target, info={"provenance": provenance, "measured": measured})
    calibrate(target)


def model_path(folder: Path, method: str, scale: int) -> Path:
    """The file of a bundled model."""
    return folder / f"{NAMES.get(method, method)}-x{scale}.safetensors"


def calibrate(path: Path) -> None:
    """Add to a model file what images that were not used for fitting tell about its errors."""
    model = read_model(path)
    sr = load_model(path).set_params(n_jobs=-1)
    images, name = list(load_dataset(CALIBRATION_SET)), CALIBRATION_SET
    if model.method in ALL_IMAGES:
        images, name = images[-N_KEPT:], f"the last {N_KEPT} of {CALIBRATION_SET}"
    sr.calibrate(images, random_state=SEED)
    provenance = {**model.provenance, "calibration_data": [name]}
    sr.save(path, info={"provenance": provenance, "measured": model.measured})
    print(f"{path.stem}: calibrated on {name}")


def cards(folder: Path) -> str:
    """Model cards of every model file in the folder."""
    models = {path: read_model(path) for path in sorted(folder.glob("*.safetensors"))}
    rows = [
        [path.stem, f"{path.stat().st_size / 1e6:.2f} MB"]
        + [f"{model.measured[name]:.2f}" for name in TEST_SETS]
        for path, model in models.items()
    ]
    intro = (
        "# Bundled models\n\n"
        "Made by `python benchmarks/train_bundled.py`, which also writes this page; networks "
        "by `python benchmarks/deep_training.py` (espcn and fsrcnn need the extra `torch`; best "
        "needs it for fitting only).\n\n"
        + _record.table(["model", "size", *(f"{name} dB" for name in TEST_SETS)], rows)
        + "\n\nMean PSNR of the luma, MATLAB-bicubic low-resolution images kept as floats, output "
        "rounded to 8 bits, as many pixels as the scale cropped from each side, peak 255.\n"
    )
    return "\n".join([intro, *(card(path.stem, model) for path, model in models.items())])


def card(name: str, model: ModelFile) -> str:
    """What one model is, where it comes from and what it is for."""
    made = model.provenance
    versions = ", ".join(f"{key} {value}" for key, value in model.versions.items())
    return (
        f"## {name}\n\n"
        f"- Method: {model.method}, {METHODS[model.method].summary} "
        f"({METHODS[model.method].paper})\n"
        f"- {_size(model)}\n"
        f"- Trained on {', '.join(made['training_data'])}: {made['n_images']} images, "
        f"{_samples(made)}, seed {made['seed']}, {_time(made)}, {made['date']}\n"
        f"{_published(made)}"
        f"- Standard deviations calibrated on {', '.join(made['calibration_data'])}\n"
        f"- Software: {versions}\n"
        f"- Licence note: {made['licence']}\n"
        "- Meant for: images that were reduced with an antialiasing filter, little noise. It "
        "sharpens noise and compression artefacts too, and was not trained on medical images.\n"
    )


def _size(model: ModelFile) -> str:
    """How large the tables of a model are."""
    scale = f"Scale: {model.parameters['native_scale']}"
    if model.method == "raisr":
        buckets, places, _ = model.tensors["filters"].shape
        size = f"filters for {8 * buckets} buckets and {places} places in a block, in float16"
    elif model.method == "fast":
        leaves, places, _ = model.tensors["filters"].shape
        trees = f"{model.parameters.get('n_trees', 1)} trees of at most {leaves} leaves"
        size = f"filters of {trees} for {places} places in a patch, in float16"
    elif model.method == "cascade":
        own = {key: model.parameters[key] for key in ("n_stages", "n_parts", "n_cells")}
        size = (
            "{n_stages} stages of {n_parts} partitions of {n_cells} cells, 4 bits a number".format(
                **own
            )
        )
    elif "n_anchors" in model.parameters:
        size = f"maps of {model.parameters['n_anchors']} anchors, in float16"
    else:
        own, _ = split_model(model)
        size = f"{sum(tensor.size for tensor in own.tensors.values()):,} parameters, in float32"
    return f"{scale}; {size}"


def _samples(made: dict[str, Any]) -> str:
    if "n_steps" in made:
        return f"{made['n_steps']:,} steps"
    return f"at most {made['n_samples']:,} patches" if "n_samples" in made else "every pixel"


def _published(made: dict[str, Any]) -> str:
    return f"- The paper's figures, dB: {made['published']}\n" if made.get("published") else ""


def _time(made: dict[str, Any]) -> str:
    where = f" on {made['machine']}" if "machine" in made else ""
    memory = f", at most {made['peak_bytes'] / 2**30:.1f} GiB" if "peak_bytes" in made else ""
    return f"{made['seconds']} s{memory}{where}"


def main() -> None:
    """Train, measure and describe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--methods",
        type=lambda text: text.split(","),
        default=["aplus", "raisr", "fast"],
        metavar="A,B",
    )
    parser.add_argument("--scales", type=_record.numbers, default=[2, 3, 4])
    parser.add_argument("--samples", type=int, default=5_000_000, help="training patches")
    parser.add_argument("--checkpoint", type=Path, metavar="FOLDER", help="of cascades")
    parser.add_argument("--calibrate-only", action="store_true", help="of the models there are")
    parser.add_argument("-o", "--output", type=Path, default=MODELS, metavar="FOLDER")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for method in args.methods:
        for scale in args.scales:
            if args.calibrate_only:
                calibrate(model_path(args.output, method, scale))
            else:
                make_model(method, scale, args)
    (args.output / "README.md").write_text(cards(args.output), encoding="utf-8")


if __name__ == "__main__":
    main()
