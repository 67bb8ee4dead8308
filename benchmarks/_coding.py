"""Sparse coding beside scikit-learn and SPAMS: signals a second, and the L1 objective."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import _record
import numpy as np
from _timing import Figures, side_by_side
from sklearn.decomposition import sparse_encode

from classicsr._threads import thread_budget
from classicsr.regressors._coupled import LassoCoder, PursuitCoder, code_rows

N_SIGNALS, N_FEATURES, N_ATOMS = 100_000, 30, 1024
N_NONZERO, PENALTY = 3, 0.15
NAMES = {
    "omp": "scikit-learn, orthogonal_mp_gram",
    "lasso_lars": "scikit-learn, lasso_lars",
    "lasso_cd": "scikit-learn, lasso_cd",
}
FEW = {"OMP": 2000, "L1": 100}  # signals that scikit-learn codes: it would take minutes for all


def measure_coding(args: argparse.Namespace) -> Figures:
    """Batch OMP and L1 codes of random unit signals, one thread."""
    rng = np.random.default_rng(0)
    atoms = _unit_rows(rng.standard_normal((N_ATOMS, N_FEATURES), dtype=np.float32))
    signals = _unit_rows(rng.standard_normal((N_SIGNALS, N_FEATURES), dtype=np.float32))
    coders = {"OMP": PursuitCoder(atoms, N_NONZERO), "L1": LassoCoder(atoms, PENALTY)}
    settings = {  # "omp" is orthogonal_mp_gram on a Gram matrix
        "OMP": {"omp": {"n_nonzero_coefs": N_NONZERO}},
        "L1": {"lasso_lars": {"alpha": PENALTY}, "lasso_cd": {"alpha": PENALTY}},
    }
    figures: Figures = {}
    with thread_budget(1):
        for problem, coder in coders.items():
            works = {"ours": partial(code_rows, coder, signals, n_jobs=1)}
            for name, setting in settings[problem].items():
                few = signals[: FEW[problem]].astype(float)
                works[name] = partial(
                    sparse_encode, few, atoms.astype(float), algorithm=name, **setting
                )
            seconds = side_by_side(works, args.runs)
            figures[problem] = {
                name: (N_SIGNALS if name == "ours" else FEW[problem]) / taken
                for name, taken in seconds.items()
            }
    figures["gap"] = _objective_gap(coders["L1"], signals[: FEW["L1"]], atoms)
    if args.spams:
        for problem, speed in _spams(args, signals, atoms).items():
            figures[problem]["SPAMS"] = speed
    return figures


def _unit_rows(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _objective_gap(coder: LassoCoder, signals: np.ndarray, atoms: np.ndarray) -> float:
    """Largest relative difference of our objective from scikit-learn's, over signals."""
    indices, weights = coder.codes(signals, np.arange(len(signals)))
    ours = np.zeros((len(signals), len(atoms)))
    np.add.at(ours, (np.arange(len(signals))[:, None], indices), weights)
    theirs = sparse_encode(
        signals.astype(float), atoms.astype(float), algorithm="lasso_lars", alpha=PENALTY
    )

    def objective(codes: np.ndarray) -> np.ndarray:
        residual = signals - codes @ atoms
        return 0.5 * (residual**2).sum(axis=1) + PENALTY * np.abs(codes).sum(axis=1)

    return float((objective(ours) / objective(theirs) - 1).max())


def _spams(args: argparse.Namespace, signals: np.ndarray, atoms: np.ndarray) -> dict[str, float]:
    """Signals per second of SPAMS, in a process of its own (see `_spams_worker`)."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = [str(Path(scratch) / name) for name in ("signals.npy", "atoms.npy")]
        np.save(paths[0], signals)
        np.save(paths[1], atoms)
        worker = str(Path(__file__).with_name("_spams_worker.py"))
        numbers = [str(n) for n in (args.runs, N_NONZERO, PENALTY)]
        command = [args.spams, worker, *paths, *numbers]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = json.loads(done.stdout.splitlines()[-1])["seconds"]
    return {problem: len(signals) / taken for problem, taken in seconds.items()}


def report_coding(figures: Figures) -> str:
    rows = []
    for problem in ("OMP", "L1"):
        speeds = figures[problem]
        for name, speed in speeds.items():
            ratio = "" if name == "ours" else f"{speeds['ours'] / speed:.1f}"
            rows.append([problem, NAMES.get(name, name), f"{speed:,.0f}", ratio])
    return (
        f"{N_SIGNALS:,} random signals of {N_FEATURES} features over {N_ATOMS} atoms, one thread: "
        f"OMP with {N_NONZERO} non-zeros, L1 with penalty {PENALTY} for signals of unit norm. "
        f"scikit-learn's `sparse_encode` codes {FEW['OMP']:,} (OMP) and {FEW['L1']} (L1) of them. "
        f"Our L1 objective is at most {figures['gap']:.1e} (relative) above scikit-learn's. SPAMS "
        "(a process of its own, right after) picks atoms by another rule in OMP.\n\n"
        + _record.table(["codes", "by", "signals / s", "ours / theirs"], rows)
    )
