"""A record that keeps what was measured and refuses what methods no longer give."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import _record

PRECISION = 1e-4  # of a trial's figure: rounding differs between processors

Row = dict[str, Any]


class Record:
    """The rows of a JSON file and their page. Others may write to it at the same time.

    Parameters
    ----------
    path : Path
    protocol : int
        Rows of another one are refused.
    key : sequence of str
        What tells rows apart; holds "method".
    trial : callable
        From the name of a method to a figure that changes when its results do.
    report : callable
        From the document to its page.
    """

    def __init__(
        self,
        path: Path,
        protocol: int,
        key: Sequence[str],
        trial: Callable[[str], float],
        report: Callable[[dict[str, Any]], str],
    ) -> None:
        self._path = path
        self._protocol = protocol
        self._key = key
        self._trial = cache(trial)
        self._report = report

    def has(self, *key: Any) -> bool:
        """Whether this was measured, and the method still is what it was."""
        row = self._rows(self._document()).get(key)
        return row is not None and self._is_current(row)

    def write(self, new: Sequence[Row], **other: Any) -> None:
        """Add rows, in the place of older ones of their key, and leave out stale ones."""
        document = self._document()
        new = [{**row, "trial": self._trial(row["method"])} for row in new]
        rows = self._rows(document) | self._rows({"rows": new})
        document |= other | {
            "protocol": self._protocol,
            "date": _record.today(),
            "machine": _record.machine(),
            "rows": [rows[key] for key in sorted(rows) if self._is_current(rows[key])],
        }
        _record.write(self._path, document, self._report(document))

    def _document(self) -> dict[str, Any]:
        if not self._path.exists():
            return {}
        document: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        return document if document.get("protocol") == self._protocol else {}

    def _rows(self, document: dict[str, Any]) -> dict[tuple[Any, ...], Row]:
        return {tuple(row[key] for key in self._key): row for row in document.get("rows", [])}

    def _is_current(self, row: Row) -> bool:
        now = self._trial(row["method"])
        return abs(row["trial"] - now) <= PRECISION * now
