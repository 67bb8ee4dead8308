"""Train networks on photographs, measure and calibrate them, write their model files.

Usage: CLASSICSR_DATA=... python benchmarks/deep_training.py --methods espcn,fsrcnn --seconds 1200
The best models: --methods equivariant --scales 3 --steps 90000 --levels 3 --self-ensemble
--mixed-precision; for scales 2 and 4 with --steps 33000 and 24000, --learning-rate 1e-3 and
--initial the model of scale 3.
Trains on T91 and BSDS200 without its last 20 images, with which it calibrates. With --checkpoints
an interrupted run goes on where it was. With a limit of time the result depends on the machine:
the card of the model states steps, seconds and processor.
"""

from __future__ import annotations

import argparse
import logging
import resource
from pathlib import Path
from typing import Any

import _record
from train_bundled import MODELS, SEED, cards, measure, model_path

from classicsr.datasets import load_dataset
from classicsr.deep import NetworkSR

TRAINING_SETS = ("natural/T91", "natural/BSDS200")
N_CALIBRATION = 20
LICENCE = (
    "T91 (Yang et al. 2010), research use; no licence stated. BSDS200 (Martin et al. 2001), "
    "non-commercial research and education. The model holds weights, not the images"
)

PUBLISHED = {
    ("espcn", 3): "Set5 33.13, Set14 29.49, trained on ImageNet; Set5 32.55 from 91 images",
    ("fsrcnn", 3): "Set5 33.16, Set14 29.43, BSD100 28.53, trained on T91 and 100 more images",
}
"""dB, of the papers; quoted, not checked."""


def train(
    method: str, scale: int, folder: Path, checkpoints: Path | None, settings: dict[str, Any]
) -> None:
    """Train one network and write its model file; what is measured is the model as stored."""
    images = [image for name in TRAINING_SETS for image in load_dataset(name)]
    training, others = images[:-N_CALIBRATION], images[-N_CALIBRATION:]
    path = model_path(folder, method, scale)
    checkpoint = checkpoints and checkpoints / path.name
    sr = NetworkSR(scale, method, checkpoint=checkpoint, random_state=SEED, **settings)
    sr.fit(training).calibrate(others, random_state=SEED)
    end = sr.history_[-1]
    provenance = {
        "training_data": list(TRAINING_SETS),
        "calibration_data": [f"the last {N_CALIBRATION} images of {TRAINING_SETS[-1]}"],
        "licence": LICENCE,
        "n_images": len(training),
        "n_steps": int(end["step"]),
        "settings": {key: _plain(value) for key, value in settings.items() if value is not None},
        "seed": SEED,
        "seconds": round(end["seconds"], 1),
        "machine": _record.machine()["cpu"],
        "published": PUBLISHED.get((method, scale)),
        "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "date": _record.today(),
    }
    sr.save(path, info={"provenance": provenance})
    sr.save(path, info={"provenance": provenance, "measured": measure(path, scale)})


def _plain(value: Any) -> Any:
    return value.stem if isinstance(value, Path) else value


def main() -> None:
    """Train what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--methods", type=lambda text: text.split(","), default=["espcn", "fsrcnn"], metavar="A,B"
    )
    parser.add_argument("--scales", type=_record.numbers, default=[3])
    parser.add_argument("--seconds", type=float, help="largest time of training")
    parser.add_argument("--steps", type=int, help="default the paper's")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--patch", type=int, help="low-resolution pixels of a side")
    parser.add_argument("--levels", type=int, default=1, help="sizes of each training image")
    parser.add_argument("--initial", type=Path, metavar="MODEL", help="weights to begin with")
    parser.add_argument("--self-ensemble", action="store_true", help="predict with negatives")
    parser.add_argument("--mixed-precision", action="store_true", help="bfloat16")
    parser.add_argument("--jobs", type=int, default=-1, help="threads")
    parser.add_argument("--checkpoints", type=Path, metavar="FOLDER", help="of unfinished runs")
    parser.add_argument("-o", "--output", type=Path, default=MODELS, metavar="FOLDER")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = {
        "max_seconds": args.seconds,
        "n_steps": args.steps,
        "learning_rate": args.learning_rate,
        "batch_size": args.batch,
        "patch_size": args.patch,
        "n_levels": args.levels,
        "level_ratio": 0.8,
        "initial_weights": args.initial,
        "self_ensemble": args.self_ensemble,
        "mixed_precision": args.mixed_precision,
        "n_jobs": args.jobs,
    }
    args.output.mkdir(parents=True, exist_ok=True)
    for method in args.methods:
        for scale in args.scales:
            train(method, scale, args.output, args.checkpoints, settings)
    (args.output / "README.md").write_text(cards(args.output), encoding="utf-8")


if __name__ == "__main__":
    main()
