"""Seconds that SPAMS takes to code signals: OMP and LARS, one thread.

Run by `speed.py --spams PYTHON` in another Python: SPAMS is licensed under the GPL, so nothing of
this package is in the same process. Usage: PYTHON _spams_worker.py signals.npy atoms.npy RUNS
N_NONZERO PENALTY; prints JSON.
"""

import json
import statistics
import sys
import time

import numpy as np
import spams


def main() -> None:
    """Code the signals, time it, and print the medians."""
    signals, atoms = (np.asfortranarray(np.load(path).T) for path in sys.argv[1:3])
    runs, n_nonzero, penalty = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    works = {
        "OMP": lambda: spams.omp(signals, atoms, L=n_nonzero, return_reg_path=False, numThreads=1),
        "L1": lambda: spams.lasso(signals, atoms, lambda1=penalty, mode=2, numThreads=1),
    }
    seconds = {}
    for name, work in works.items():
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        seconds[name] = statistics.median(times)
    codes = works["L1"]()
    residual = signals - atoms @ codes
    objective = 0.5 * (residual**2).sum(0) + penalty * np.asarray(abs(codes).sum(0)).ravel()
    print(json.dumps({"seconds": seconds, "objective": float(objective.mean())}))


if __name__ == "__main__":
    main()
