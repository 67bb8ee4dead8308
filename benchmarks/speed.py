"""Time and memory: prediction against its arithmetic floor, fitting, start-up, sparse coding.

Usage: CLASSICSR_DATA=... python benchmarks/speed.py --only predict,memory
Sections: predict, fit, memory, startup, coding, forest, raisr (default: all). Sections that are not
run keep their record. Without CLASSICSR_DATA, `predict` and `raisr` use the bundled photograph;
`fit` and `forest` cannot run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np
from _coding import measure_coding, report_coding
from _plain_aplus import MatrixProducts, PlainAplus
from _timing import THREADS, Figures, photographs, seconds_of, side_by_side
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.ensemble import RandomForestRegressor

from classicsr import load_model
from classicsr._threads import thread_budget
from classicsr.datasets import load_dataset, sample_image
from classicsr.degradation import resize
from classicsr.metrics import psnr

SCALE = 3
CHUNKS = (256, 2048)
FOREST_ROWS = 100_000  # patches that trees are compared on
BORDER = 8  # low-resolution pixels where the plain implementation treats the edge differently
RAISR_SHAPE = (1080, 1920)
RAISR_TAPS = 11 * 11  # of the paper's filters
SGEMM_COLUMNS = 1024  # large enough for full speed
FAST_SCALES = (2, 3, 4)
FAST_BESIDE = ("fast", "raisr", "aplus")


def measure_predict(args: argparse.Namespace) -> Figures:
    """A+ x3 of a whole luma, beside bare matrix products and a plain implementation."""
    height, width = (int(n) for n in args.shape.split("x"))
    reference = photographs(height * SCALE, width * SCALE)
    low = np.clip(np.rint(resize(reference, 1 / SCALE)), 0, 255).astype(np.uint8)
    unit = low.astype(np.float32) / np.float32(255)
    sr = _record.aplus_model(args.models, SCALE)
    plain = PlainAplus(sr)
    groups = sr.map_.partition.groups
    compared = round(len(groups.centers) + np.diff(groups.starts).mean())
    shape = (low.size, len(sr.filters_), sr.map_.n_outputs)

    def products(n_anchors: int, threads: int) -> dict[str, Callable[[], None]]:
        return {
            f"sgemm {n_anchors}, {chunk} rows": partial(
                MatrixProducts(*shape, n_anchors, chunk).run, threads
            )
            for chunk in CHUNKS
        }

    figures: Figures = {"shape": list(low.shape), "n_features": shape[1], "compared": compared}
    for threads in THREADS:
        sr.set_params(n_jobs=threads)
        times = side_by_side(
            {
                "ours": partial(sr.predict, low),
                "plain": partial(plain.predict, unit, threads),
                **products(sr.map_.partition.n_leaves, threads),
                **products(compared, threads),
            },
            args.runs,
        )
        figures[f"seconds, {threads} threads"] = times
    figures |= _agreement(reference, sr.predict(low), plain.predict(unit, THREADS[-1]))
    return figures


def _agreement(reference: np.ndarray, ours: np.ndarray, plain: np.ndarray) -> Figures:
    """PSNR of both in the interior, where they should give the same picture."""
    rounded = np.clip(np.rint(plain * np.float32(255)), 0, 255).astype(np.uint8)
    crop = BORDER * SCALE
    figures = {
        "psnr ours": psnr(reference, ours, data_range=255, crop=crop),
        "psnr plain": psnr(reference, rounded, data_range=255, crop=crop),
    }
    if abs(figures["psnr ours"] - figures["psnr plain"]) > 0.01:
        raise SystemExit(f"the plain implementation gives another picture: {figures}")
    return figures


def report_predict(figures: Figures) -> str:
    rows = []
    for threads in THREADS:
        times = figures[f"seconds, {threads} threads"]
        exact, ours_floor = (
            min(value for name, value in times.items() if name.startswith(f"sgemm {n},"))
            for n in (1024, figures["compared"])
        )
        cells = [times["ours"], exact, ours_floor, times["plain"]]
        ratios = [times["ours"] / exact, times["ours"] / ours_floor, times["plain"] / times["ours"]]
        rows.append(
            [str(threads), *(f"{cell:.3f}" for cell in cells), *(f"{one:.2f}" for one in ratios)]
        )
    height, width = figures["shape"]
    return (
        f"A+ x{SCALE} of a {width} x {height} uint8 luma, seconds (median). Floor: NumPy sgemm for "
        "the method's own products (features, anchor search, regression) and nothing else; exact: "
        "every patch against all 1024 anchors; grouped: against as many as the hierarchical search "
        f"compares with ({figures['compared']}). Plain: NumPy and FAISS.\n\n"
        + _record.table(
            ["threads", "ours s", "floor exact s", "floor grouped s", "plain s",
             "ours / exact", "ours / grouped", "plain / ours"],
            rows,
        )
        + f"\n\nPSNR in the interior: ours {figures['psnr ours']:.3f} dB, plain "
        f"{figures['psnr plain']:.3f} dB."
    )  # fmt: skip


def _worker(*arguments: object) -> Figures:
    """Figures of a fresh process."""
    command = [sys.executable, str(Path(__file__).with_name("_worker.py")), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure_fit(args: argparse.Namespace) -> Figures:
    """Fit A+ on T91, all cores."""
    return _worker("fit", SCALE, args.samples)


def report_fit(figures: Figures) -> str:
    return (
        f"A+ x{SCALE} from T91, at most {figures['n_samples']:,} patches, all cores: "
        f"{figures['seconds']:.0f} s, peak memory {figures['peak_bytes'] / 2**30:.2f} GiB."
    )


def measure_memory(args: argparse.Namespace) -> Figures:
    """Upscale a large square image with one and with several threads."""
    model = _record.model_path(args.models, 2)
    return {
        "side": args.side,
        "threads": {str(n): _worker("predict", model, args.side, n) for n in THREADS},
    }


def report_memory(figures: Figures) -> str:
    side = figures["side"]
    rows = [
        [threads, f"{one['seconds']:.1f}"]
        + [f"{one[f'{key}_bytes'] / 2**20:.0f}" for key in ("peak", "images", "other", "program")]
        for threads, one in figures["threads"].items()
    ]
    headings = ["threads", "s", "peak MiB", "input + output MiB", "rest MiB", "of it program MiB"]
    return f"A+ x2 of a {side} x {side} uint8 image.\n\n" + _record.table(headings, rows)


def measure_startup(args: argparse.Namespace) -> Figures:
    """Seconds of short commands, each a new process."""
    program = [sys.executable, "-m", "classicsr"]
    with tempfile.TemporaryDirectory() as scratch:
        output = str(Path(scratch) / "out.png")
        model = str(_record.model_path(args.models, SCALE))
        upscale = [*program, "upscale", str(sample_image()), "-o", output]
        upscale += ["--model", model, "--overwrite"]
        works = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import classicsr": [sys.executable, "-c", "import classicsr"],
            "classicsr --help": [*program, "--help"],
            "classicsr upscale, 256 x 256 RGB, x3": upscale,
        }
        times = side_by_side(
            {name: partial(_run, command) for name, command in works.items()}, args.runs
        )
        empty = {"NUMBA_CACHE_DIR": str(Path(scratch) / "cache")}
        cold = seconds_of(lambda: _run(upscale, empty))
    return times | {"the same, kernels not compiled yet": cold}


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, **(environment or {})}
    )


def report_startup(figures: Figures) -> str:
    rows = [[name, f"{seconds:.2f}"] for name, seconds in figures.items()]
    return "Seconds of a new process (median; the last one once).\n\n" + _record.table(
        ["command", "s"], rows
    )


def measure_forest(args: argparse.Namespace) -> Figures:
    """A forest x3 of a whole luma, beside its own leaf products and scikit-learn's trees."""
    from classicsr import RandomForestSR
    from classicsr.regressors._trees import extend

    height, width = (int(n) for n in args.shape.split("x"))
    low = photographs(height, width).astype(np.uint8)
    images = list(load_dataset("natural/T91"))
    sr = RandomForestSR(
        SCALE,
        n_trees=args.forest_trees,
        n_samples=args.forest_samples,
        random_state=0,
        n_jobs=-1,
    )
    figures: Figures = {"shape": [height, width], "n_samples": args.forest_samples}
    figures["seconds of fit"] = seconds_of(partial(sr.fit, images))
    sr.set_params(n_jobs=1)
    members = sr.map_.members
    n, d = min(low.size, FOREST_ROWS), len(sr.filters_)
    features = (
        sliding_window_view(low / np.float32(255), (9, 9)).reshape(-1, 81)[:n] @ sr.filters_.T
    )
    rows, everything = extend(features, np.arange(n), d), np.arange(n)
    trees = _sklearn_forest(features, members)
    with thread_budget(1):
        times = side_by_side(
            {
                "predict": partial(sr.predict, low),
                "sgemm": partial(_leaf_products, low.size, members),
                "walk": lambda: [one.partition.leaves(rows, everything) for one in members],
                "scikit-learn apply": partial(trees.apply, features),
            },
            args.runs,
        )
    return figures | {
        "seconds": times,
        "rows walked": n,
        "leaves": [one.partition.n_leaves for one in members],
        "leaves of scikit-learn": [int(one.get_n_leaves()) for one in trees.estimators_],
    }


def _leaf_products(n_patches: int, members: list[Any]) -> None:
    """As many multiplications as the leaves do, as matrix products in cache-sized pieces."""
    _, depth, n_outputs = members[0].maps.shape
    rows, out = np.ones((CHUNKS[-1], depth), np.float32), np.empty((CHUNKS[-1], n_outputs), "f4")
    maps = [np.ascontiguousarray(member.maps[0], dtype=np.float32) for member in members]
    for _ in range(0, n_patches, CHUNKS[-1]):
        for one in maps:
            np.matmul(rows, one, out=out)


def _sklearn_forest(features: np.ndarray, members: list[Any]) -> RandomForestRegressor:
    """scikit-learn's trees with as many leaves, on the same data."""
    leaves = round(np.mean([one.partition.n_leaves for one in members]))
    forest = RandomForestRegressor(
        len(members), max_leaf_nodes=leaves, max_features="sqrt", random_state=0
    )
    return forest.fit(features, np.abs(features[:, :3]).sum(axis=1))


def report_forest(figures: Figures) -> str:
    height, width = figures["shape"]
    times = figures["seconds"]
    cells = [*times.values(), times["predict"] / times["sgemm"]]
    cells.append(times["scikit-learn apply"] / times["walk"])
    return (
        f"Forest x{SCALE} of {len(figures['leaves'])} trees with {fmean(figures['leaves']):.0f} "
        f"leaves each, from T91 ({figures['n_samples']:,} patches, all cores: "
        f"{figures['seconds of fit']:.0f} s). Seconds (median), one thread: predict a "
        f"{width} x {height} uint8 luma; NumPy sgemm of its leaves' own products and nothing "
        f"else; send {figures['rows walked']:,} patches down all trees; the same by scikit-learn's "
        f"RandomForestRegressor.apply ({fmean(figures['leaves of scikit-learn']):.0f} leaves each)."
        "\n\n"
        + _record.table(
            ["predict s", "sgemm s", "walk s", "scikit-learn s",
             "predict / sgemm", "scikit-learn / walk"],
            [[f"{cell:.3f}" for cell in cells]],
        )
    )  # fmt: skip


def measure_raisr(args: argparse.Namespace) -> Figures:
    """RAISR x2 of a whole luma, beside one matrix product of as many multiplications."""
    height, width = RAISR_SHAPE
    low = photographs(height, width).astype(np.uint8)
    sr = load_model("raisr-x2")
    rows = round(low.size * sr.native_scale_**2 / SGEMM_COLUMNS)
    left, right = np.ones((rows, RAISR_TAPS), "f4"), np.ones((RAISR_TAPS, SGEMM_COLUMNS), "f4")
    out = np.empty((rows, SGEMM_COLUMNS), np.float32)
    figures: Figures = {"shape": list(RAISR_SHAPE)}
    for threads in THREADS:
        sr.set_params(n_jobs=threads)
        with thread_budget(threads):
            figures[f"seconds, {threads} threads"] = side_by_side(
                {
                    "ours": partial(sr.predict, low),
                    "sgemm": partial(np.matmul, left, right, out=out),
                },
                args.runs,
            )
    return figures


def report_raisr(figures: Figures) -> str:
    height, width = figures["shape"]
    rows = []
    for threads in THREADS:
        times = figures[f"seconds, {threads} threads"]
        cells = [times["ours"], times["sgemm"], times["ours"] / times["sgemm"]]
        rows.append([str(threads), *(f"{cell:.3f}" for cell in cells)])
    return (
        f"RAISR x2 of a {width} x {height} uint8 luma, seconds (median), beside one NumPy sgemm "
        "with as many multiplications as the paper's 11 x 11 filters of the interpolated image "
        "need. (Ours cover 7 x 7 low-resolution pixels.)\n\n"
        + _record.table(["threads", "ours s", "sgemm s", "ours / sgemm"], rows)
    )


def measure_fast(args: argparse.Namespace) -> Figures:
    """The fast path of a whole luma, beside RAISR and A+."""
    height, width = (int(n) for n in args.shape.split("x"))
    low = photographs(height, width).astype(np.uint8)
    figures: Figures = {"shape": [height, width], "seconds": {}}
    for scale in FAST_SCALES:
        models = {name: load_model(f"{name}-x{scale}") for name in FAST_BESIDE}
        for threads in THREADS:
            for sr in models.values():
                sr.set_params(n_jobs=threads)
            works = {name: partial(sr.predict, low) for name, sr in models.items()}
            figures["seconds"][f"x{scale}, {threads}"] = side_by_side(works, args.runs)
    return figures


def report_fast(figures: Figures) -> str:
    height, width = figures["shape"]
    rows = []
    for where, times in figures["seconds"].items():
        ratios = times["fast"] / times["raisr"], times["aplus"] / times["fast"]
        cells = [*(f"{times[name]:.3f}" for name in FAST_BESIDE), *(f"{r:.2f}" for r in ratios)]
        rows.append([where, *cells])
    return (
        f"The fast path, RAISR and A+ on a {width} x {height} uint8 luma in one run, seconds "
        "(median).\n\n"
        + _record.table(
            ["scale, threads", "fast s", "raisr s", "aplus s", "fast / raisr", "aplus / fast"], rows
        )
    )


SECTIONS: dict[str, tuple[str, Callable, Callable]] = {
    "predict": ("Prediction", measure_predict, report_predict),
    "fit": ("Fitting", measure_fit, report_fit),
    "memory": ("Memory", measure_memory, report_memory),
    "startup": ("Start-up", measure_startup, report_startup),
    "coding": ("Sparse coding", measure_coding, report_coding),
    "forest": ("Forest", measure_forest, report_forest),
    "raisr": ("RAISR", measure_raisr, report_raisr),
    "fast": ("The fast path", measure_fast, report_fast),
}


def report(document: Mapping[str, Figures]) -> str:
    """The record as a Markdown page."""
    parts = ["# Speed and memory\n\nMade by `python benchmarks/speed.py`."]
    for name, (title, _, describe) in SECTIONS.items():
        if name in document:
            one = document[name]
            where = f"{one['date']}; {_record.described(one['machine'])}."
            parts.append(f"## {title}\n\n{describe(one['figures'])}\n\n{where}")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Measure the sections asked for and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SECTIONS))
    parser.add_argument("--runs", type=int, default=5, help="runs of each, the median counts")
    parser.add_argument("--shape", default="720x1280", help="rows x columns of predict's input")
    parser.add_argument("--samples", type=int, default=5_000_000, help="patches of fit")
    parser.add_argument("--forest-samples", type=int, default=1_000_000, help="patches of forest")
    parser.add_argument("--forest-trees", type=int, default=10, help="trees of forest")
    parser.add_argument("--spams", help="a Python that has SPAMS, to compare coding with")
    parser.add_argument("--side", type=int, default=8192, help="side of memory's input")
    _record.add_models_option(parser)
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "speed.json")
    args = parser.parse_args()
    document = json.loads(args.json.read_text(encoding="utf-8")) if args.json.exists() else {}
    for name in args.only:
        figures = SECTIONS[name][1](args)
        document[name] = {"date": _record.today(), "machine": _record.machine(), "figures": figures}
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
