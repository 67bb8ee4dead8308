"""Work in processes of their own, so that a crash or a lack of memory costs one row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

Record = dict[str, Any]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def run_child(task: Record) -> Iterator[Record]:
    """Yield the records of a task as they come.

    Raises
    ------
    ChildProcessError
        The process ended before its work was done; the message tells how.
    """
    environment = os.environ | dict.fromkeys(_THREADS, str(task["threads"]))
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [sys.executable, "-m", "classicsr.report._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment,
            text=True,
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            with suppress(BrokenPipeError):  # it ended at once: the reason follows
                child.stdin.write(json.dumps(task))
                child.stdin.close()
            # a line without an end was cut off by the end of the process
            yield from (json.loads(line) for line in child.stdout if line.endswith("\n"))
        except BaseException:
            child.kill()
            raise
        if child.wait():
            complaints.seek(0)
            raise ChildProcessError(_reason(child.returncode, complaints.read()))


def _reason(status: int, complaints: bytes) -> str:
    if status == -getattr(signal, "SIGKILL", 9):
        return "the process was killed (not enough memory?)"
    if status < 0:
        return f"the process ended with {signal.Signals(-status).name}"
    lines = complaints.decode(errors="replace").strip().splitlines()
    return f"the process ended with status {status}: {lines[-1] if lines else ''}"
