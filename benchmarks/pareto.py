"""PSNR against time of all methods in one run, and the floors of the kernels of some.

Usage: CLASSICSR_DATA=... python benchmarks/pareto.py --scales 3 --models fitted
Run it with nothing else on the machine. Methods take turns, round after round, so that a busy
moment hits all of them. Models are the bundled ones and every NAME-xS.safetensors in the folders of
--models; networks without one can be timed with untrained weights. Quality is taken from the
records of `quality.py` where an image that is measured again agrees with them. What is measured
is kept at once; --only-missing goes on after an interruption. Draws docs/images/pareto-xS.svg.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import fmean, median
from typing import Any

import _record
import numpy as np
from _kernels import kernel_works, machine_rates
from _pareto_report import Row, picture, report
from _timing import THREADS, photographs, seconds_of

from classicsr import evaluate, load_model
from classicsr.datasets import load_dataset
from classicsr.super_resolution import SuperResolver
from classicsr.zoo import METHODS, bundled_models, make_method, method_name

OURS = ("fast", "cascade", "equivariant")  # the methods that should be ahead of all others
CUTS = {"cascade": ("n_stages", "stages_"), "fast": ("n_trees", "trees_")}
"""The parameter by which a fitted model of a method uses its first parts only, and the parts."""
WATCHED = (*OURS, "raisr", "aplus")  # methods whose kernels are measured
WHOLE, SMALL, TRIAL = (720, 1280), (240, 320), (48, 64)
SLOW = 5.0  # seconds per megapixel beyond which the smaller image is used
LONG = 10.0  # seconds: what takes longer is timed once
AGREES = 1e-3  # dB
PICTURES = Path(__file__).parents[1] / "docs" / "images"


@dataclass
class Entry:
    """A method, a model, or a model cut to fewer stages or without its ensemble."""

    name: str
    sr: SuperResolver
    source: str = ""  # hash of the model file
    trained: bool = True

    def row(self, scale: int) -> Row:
        """What is recorded before anything is measured."""
        return {
            "method": self.name,
            "scale": scale,
            "source": self.source,
            "trained": self.trained,
            "ours": method_name(self.sr) in OURS,
            "psnr": {},
        }


def entries(scale: int, args: argparse.Namespace) -> dict[str, Entry]:
    """All that there is to measure at a scale, by name."""
    found: dict[str, Entry] = {}
    for one in chain(_without_training(args), _of_files(scale, args), _untrained(scale, args)):
        found.setdefault(one.name, one)
    return found


def _is_asked_for(name: str, args: argparse.Namespace) -> bool:
    return args.methods is None or name.partition("/")[0] in args.methods


def _without_training(args: argparse.Namespace) -> Iterator[Entry]:
    for name, method in METHODS.items():
        is_of_images = "Volume" not in method.estimator
        if not method.fits and is_of_images and _is_asked_for(name, args):
            yield Entry(name, make_method(name))


def _of_files(scale: int, args: argparse.Namespace) -> Iterator[Entry]:
    """The bundled models and those of the folders; some also in a faster form."""
    fitted = chain.from_iterable(sorted(folder.iterdir()) for folder in args.models)
    for path in chain(bundled_models().values(), fitted):
        match = re.fullmatch(rf"(.+)-x{scale}\.safetensors", path.name)
        if match is None or not _is_asked_for(match[1], args):
            continue
        source = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        sr: Any = load_model(path)
        parameter, fitted_parts = CUTS.get(method_name(sr), ("", ""))
        for k in range(1, len(getattr(sr, fitted_parts, ()))):
            yield Entry(f"{match[1]}/{k}", load_model(path).set_params(**{parameter: k}), source)
        if getattr(sr, "self_ensemble", False):
            half: Any = load_model(path)
            yield Entry(f"{match[1]}/half", half.set_params(self_ensemble=False), source)
        yield Entry(match[1], sr, source)


def _untrained(scale: int, args: argparse.Namespace) -> Iterator[Entry]:
    """Networks with the weights that they begin with: as fast as with others."""
    for name in args.untrained:
        from classicsr.deep._weights import weights_of

        sr: Any = make_method(name, scale=scale)
        sr.weights_ = weights_of(sr._architecture.build(sr._variant, scale))
        sr.native_scale_ = scale
        yield Entry(f"{name} (untrained)", sr, trained=False)


def time_all(found: dict[str, Entry], scale: int, args: argparse.Namespace) -> dict[str, Row]:
    """Shape of the image and median seconds per megapixel for each number of threads."""
    timed: dict[str, Row] = {name: {"seconds": {}} for name in found}
    images = {shape: photographs(*shape).astype(np.uint8) for shape in (WHOLE, SMALL, TRIAL)}
    for threads in args.threads:
        works = {}
        for name, one in found.items():
            one.sr.set_params(n_jobs=threads)
            trial = partial(one.sr.predict, images[TRIAL], scale=scale)
            trial()  # compiles
            pace = seconds_of(trial) / images[TRIAL].size * 1e6
            is_cut = pace > SLOW and one.trained  # what is only timed is timed on the whole image
            shape = timed[name].setdefault("shape", list(SMALL if is_cut else WHOLE))
            works[name] = partial(one.sr.predict, images[tuple(shape)], scale=scale)
        for name, seconds in _in_turn(works, args.rounds).items():
            pixels = timed[name]["shape"][0] * timed[name]["shape"][1]
            timed[name]["seconds"][str(threads)] = seconds / pixels * 1e6
            print(f"{name} x{scale}: {seconds / pixels * 1e6:.3f} s/MP, {threads} thr.", flush=True)
    return timed


def _in_turn(works: dict[str, Any], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            if not times[name] or times[name][0] < LONG:
                times[name].append(seconds_of(work))
    return {name: median(values) for name, values in times.items()}


def quality(one: Entry, test_set: str, scale: int) -> float:
    """Mean PSNR of a set: recorded if its smallest image still gives the same, else measured."""
    dataset = load_dataset(f"natural/{test_set}")
    images = dict(zip(dataset.names, dataset, strict=True))
    smallest = min(images, key=lambda name: images[name].size)
    one.sr.set_params(n_jobs=-1)
    (again,) = evaluate(one.sr, [(smallest, images[smallest])], scale)
    for recorded in _recorded(one.name, test_set, scale):
        if abs(recorded.get(smallest, np.inf) - again["psnr"]) < AGREES:
            return fmean(recorded.values())
    others = [(name, image) for name, image in images.items() if name != smallest]
    return fmean(row["psnr"] for row in [again, *evaluate(one.sr, others, scale)])


def _recorded(method: str, test_set: str, scale: int) -> Iterator[dict[str, float]]:
    """PSNR by image, from the records of `quality.py`."""
    for path in sorted(_record.RESULTS.glob("quality*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for row in document["rows"] if document["lr"] == "float" else ():
            if (row["method"], row["set"], row["scale"]) == (method, test_set, scale):
                yield {image["name"]: image["psnr"] for image in row["images"]}


def measure(scale: int, document: dict[str, Any], args: argparse.Namespace) -> None:
    """Add the rows of a scale to the document, and keep what is done."""
    found = entries(scale, args)
    rows = _rows_to_keep(scale, document, found, args)
    document["rows"] = [row for row in document["rows"] if row["scale"] != scale]
    missing = {name: one for name, one in found.items() if not _is_timed(rows.get(name), args)}
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    for name, timed in time_all(missing, scale, args).items():
        rows[name] = found[name].row(scale) | rows.get(name, {}) | timed | {"timed": moment}
    document["rows"] += rows.values()
    _keep(document, args)
    for name, one in found.items():
        known = rows[name]["psnr"]
        for test_set in args.sets if one.trained else ():
            if test_set not in known:
                known[test_set] = quality(one, test_set, scale)
                print(f"{name} x{scale} {test_set}: {known[test_set]:.2f} dB", flush=True)
                _keep(document, args)
    low = photographs(*WHOLE).astype(np.uint8)
    document["kernels"][str(scale)] = {
        "pixels": low.size,
        "rates": machine_rates(runs=9),
        "models": {
            name: kernel_works(one.sr, low, scale, args.rounds)
            for name, one in found.items()
            if "/" not in name and method_name(one.sr) in WATCHED
        },
    }


def _rows_to_keep(
    scale: int, document: dict[str, Any], found: dict[str, Entry], args: argparse.Namespace
) -> dict[str, Row]:
    """Of what was recorded before: that of the same models, and what this run leaves out."""
    rows = {row["method"]: row for row in document["rows"] if row["scale"] == scale}
    return {
        name: row
        for name, row in rows.items()
        if (name in found and found[name].source == row["source"]) or not _is_asked_for(name, args)
    }


def _is_timed(row: Row | None, args: argparse.Namespace) -> bool:
    return row is not None and {str(n) for n in args.threads} <= row["seconds"].keys()


def _keep(document: dict[str, Any], args: argparse.Namespace) -> None:
    args.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def command_of(args: argparse.Namespace) -> str:
    """The command line that makes the same record."""
    methods = f" --methods {','.join(args.methods)}" if args.methods else ""
    models = " --models fitted" if args.models else ""
    return (
        f"python benchmarks/pareto.py --scales {','.join(map(str, args.scales))} "
        f"--sets {','.join(args.sets)}{methods}{models} --rounds {args.rounds}"
    )


def main() -> None:
    """Measure, write the record, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scales", type=_record.numbers, default=[3])
    parser.add_argument("--sets", type=_names, default=["Set5", "Set14", "BSD100"])
    parser.add_argument("--methods", type=_names, metavar="A,B", help="default: all there are")
    parser.add_argument("--untrained", type=_names, default=["vdsr"], help="networks to time")
    parser.add_argument("--threads", type=_record.numbers, default=list(THREADS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", type=Path, nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--only-missing", action="store_true", help="add to the record")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "pareto.json")
    parser.add_argument("--pictures", type=Path, default=PICTURES, metavar="FOLDER")
    args = parser.parse_args()
    document: dict[str, Any] = {"rows": [], "kernels": {}}
    if args.only_missing and args.json.exists():
        document = json.loads(args.json.read_text(encoding="utf-8"))
    document |= {"date": _record.today(), "machine": _record.machine(), "command": command_of(args)}
    document |= {"sets": args.sets, "threads": args.threads}
    for scale in args.scales:
        measure(scale, document, args)
        drawing = picture(document, scale, args.sets[0])
        if drawing:
            (args.pictures / f"pareto-x{scale}.svg").write_text(drawing, encoding="utf-8")
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
