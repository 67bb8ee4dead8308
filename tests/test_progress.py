"""What is said while one waits: on stderr, and nothing in pipes but the reason of a cold start."""

from __future__ import annotations

import os
import subprocess
import sys

from classicsr._progress import progress_bar

KERNEL = """
import numba

@numba.njit(cache=True)
def add(a, b):
    return a + b

@numba.njit(cache=True)
def twice(a):
    return add(a, a)
"""
SCRIPT = """
from classicsr._progress import compilation_notice
import kernel

with compilation_notice():
    assert kernel.twice(2) == 4
    assert kernel.twice(2.0) == 4
assert kernel.twice(1j) == 2j
"""


def run_script(folder):
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(folder / "cache")}
    environment.pop("NUMBA_DISABLE_JIT", None)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == ""
    return done.stderr


def test_only_a_cold_start_is_explained(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)
    cold = run_script(tmp_path)
    assert cold.startswith("compiling kernels for this machine, once")
    assert cold.count("\n") == 1
    assert run_script(tmp_path) == ""


def test_bar_is_silent_in_pipes(capsys):
    with progress_bar("work") as progress:
        progress(1, 2)
        progress(2, 2)
    assert capsys.readouterr() == ("", "")


def test_bar_is_drawn_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("scan[/a].png") as progress:
        progress(1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "scan[/a].png" in captured.err
