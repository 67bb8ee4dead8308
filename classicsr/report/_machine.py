"""Where a figure was measured: processor, versions, and the memory of this process."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from classicsr._version import __version__

_PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "faiss-cpu", "torch")  # where installed
_STATUS = Path("/proc/self/status")


def machine() -> dict[str, Any]:
    """Processor, usable cores, and the versions that decide speed; nothing that names the host."""
    usable = getattr(os, "sched_getaffinity", None)
    return {
        "cpu": _cpu(),
        "cores": len(usable(0)) if usable else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {"classicsr": __version__, **dict(_installed())},
    }


def _installed() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            yield name, importlib.metadata.version(name)


def _cpu() -> str:
    """Model name, and the widest vector instructions, which the name does not always tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    pairs = [line.partition(":") for line in text.splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    flags = fields.get("flags", "").split()
    widest = next((name for name in ("avx512f", "avx2") if name in flags), "")
    return " ".join(filter(None, (fields.get("model name", platform.machine()), widest)))


def peak_bytes() -> int:
    """Largest resident size of this process since its start, or since `restart_peak`.

    Linux hands the peak of the parent on to `getrusage`, so its own record comes first.
    """
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def restart_peak() -> None:
    """Let `peak_bytes` start from the present size, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
