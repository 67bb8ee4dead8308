"""The kernel tests once more as plain Python, where array bounds are checked."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

MODULES = (
    "bimodal", "columns", "convolve", "filtering", "fista", "gaussian", "hashing", "lanes",
    "lasso", "linear", "omp", "overlap", "search", "tree", "variation", "weights",
)  # fmt: skip


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="kernels are plain Python already")
def test_kernels_as_plain_python():
    here = Path(__file__).parent
    files = [str(here / f"test_{name}.py") for name in MODULES]
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=here.parents[1],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-3000:]
