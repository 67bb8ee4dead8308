"""A cache that survives being killed: one JSON record per line, flushed to disk one by one."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from classicsr._version import __version__

Record = dict[str, Any]


def digest(value: Any) -> str:
    """SHA-256 of JSON data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def software() -> str:
    """Version and digest of the code that decides the numbers.

    A changed copy of the source tree must not reuse what another one measured.
    """
    root = Path(__file__).parents[1]
    sources = [
        (path.relative_to(root).as_posix(), file_digest(path))
        for path in sorted(root.rglob("*.py"))
        if "cli" not in path.relative_to(root).parts  # decides no number
    ]
    return f"{__version__}+{digest(sources)[:16]}"


class Journal:
    """Records by their key, kept in a file.

    A line that was cut off when the process was killed is dropped.

    Parameters
    ----------
    path : path
        Of the ``.jsonl`` file, made if it is missing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Journal(Path(folder) / "rows.jsonl").add("key", {"psnr": 30.0})
    ...     Journal(Path(folder) / "rows.jsonl").get("key")
    {'psnr': 30.0}
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._records: dict[str, Record] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes() if path.exists() else b""
        for line in content.splitlines():
            try:
                key, record = json.loads(line)
                self._records[key] = record
            except (ValueError, TypeError):
                continue
        if content and not content.endswith(b"\n"):
            self._append("\n")

    def get(self, key: str) -> Record | None:
        """The newest record of a key."""
        return self._records.get(key)

    def add(self, key: str, record: Record) -> None:
        """Store a record; it is on disk when this returns. May be called by several threads."""
        with self._lock:
            self._append(json.dumps([key, record]) + "\n")
            self._records[key] = record

    def _append(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
