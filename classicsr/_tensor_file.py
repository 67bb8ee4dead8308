"""Audited reading of ``.safetensors`` files: every claim of the header is checked first.

Layout: an 8-byte little-endian length, a JSON header of that length, the tensors' bytes.
"""

from __future__ import annotations

import json
import math
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

MAX_HEADER_BYTES = 16 * 2**20
MAX_FILE_BYTES = 2**30
MAX_DIMENSIONS = 8

# booleans are left out on purpose: a byte that is neither 0 nor 1 is undefined behaviour
DTYPES = {
    name: np.dtype(code)
    for name, code in {
        "F16": "<f2", "F32": "<f4", "F64": "<f8",
        "I8": "<i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
        "U8": "<u1", "U16": "<u2", "U32": "<u4", "U64": "<u8",
    }.items()
}  # fmt: skip
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class ModelFileError(ValueError):
    """A model file that cannot be read or trusted; one line: file, field, what is wrong."""

    def __init__(self, path: Path, field: str, problem: str) -> None:
        # a hostile file may hold names of any length
        super().__init__(f"{path}: {field[:120]} {problem}")


@dataclass(frozen=True)
class TensorTable:
    """What the header of a file says, after the audit.

    Attributes
    ----------
    metadata : dict
        The header's free metadata (not audited).
    entries : dict
        Tensor name -> ``{"dtype": name, "shape": [sizes]}``.
    spans : dict
        Tensor name -> first and last-plus-one byte within the data; the spans tile the data.
    data_bytes : int
        Number of bytes after the header.
    """

    metadata: dict[str, Any]
    entries: dict[str, dict[str, Any]]
    spans: dict[str, tuple[int, int]]
    data_bytes: int


def open_regular(path: Path) -> BinaryIO:
    """Open `path` for reading; anything but a regular file is refused without waiting on it."""

    def without_waiting(name: str, flags: int) -> int:
        # opening a named pipe would otherwise wait for a writer for ever
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    try:
        file = open(path, "rb", opener=without_waiting)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise ModelFileError(path, "file", f"cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ModelFileError(path, "file", "is not a regular file")
    return file


def read_table(path: Path, file: BinaryIO) -> TensorTable:
    """Read and audit the header; `file` is left at the first byte of the data."""
    file_bytes = os.fstat(file.fileno()).st_size
    if not 8 <= file_bytes <= MAX_FILE_BYTES:
        limits = f"between 8 and {MAX_FILE_BYTES} bytes"
        raise ModelFileError(path, "file", f"must hold {limits}, not {file_bytes}")
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(MAX_HEADER_BYTES, file_bytes - 8):
        raise ModelFileError(path, "header length", f"of {length} bytes is not possible here")
    header = parse_json(path, "header", file.read(length))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise ModelFileError(path, "metadata", "must be a JSON object")
    spans = {name: _span(path, name, entry) for name, entry in header.items()}
    data_bytes = file_bytes - 8 - length
    _check_tiling(path, spans, data_bytes)
    entries = {
        name: {"dtype": entry["dtype"], "shape": entry["shape"]} for name, entry in header.items()
    }
    return TensorTable(metadata, entries, spans, data_bytes)


def load_tensors(path: Path, file: BinaryIO, table: TensorTable) -> dict[str, np.ndarray]:
    """Read the data in one piece and return writable views of it."""
    data = np.fromfile(file, dtype=np.uint8, count=table.data_bytes)
    if data.size != table.data_bytes:
        raise ModelFileError(path, "file", "changed while it was read")
    return {
        name: data[begin:end]
        .view(DTYPES[table.entries[name]["dtype"]])
        .reshape(table.entries[name]["shape"])
        for name, (begin, end) in table.spans.items()
    }


def parse_json(path: Path, field: str, text: str | bytes) -> dict[str, Any]:
    """Parse a JSON object strictly: no repeated name, no NaN, no infinity."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            raise ValueError("a name appears twice")
        return value

    def finite(number: str) -> float:
        value = float(number)
        if not math.isfinite(value):
            raise ValueError(f"{number} is out of range")
        return value

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a JSON number")

    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        parsed = json.loads(
            text, object_pairs_hook=unique, parse_float=finite, parse_constant=refuse
        )
    except (ValueError, RecursionError) as error:
        raise ModelFileError(path, field, "is not well-formed JSON") from error
    if not isinstance(parsed, dict):
        raise ModelFileError(path, field, "must be a JSON object")
    return parsed


def _span(path: Path, name: str, entry: Any) -> tuple[int, int]:
    field = f"tensor {name!r}"
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ModelFileError(path, field, "must have a dtype, a shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ModelFileError(path, field, f"must have a dtype among {', '.join(DTYPES)}")
    if not _are_sizes(shape, least=1) or len(shape) > MAX_DIMENSIONS:
        raise ModelFileError(path, field, f"must have a shape of 0 to {MAX_DIMENSIONS} sizes")
    if not _are_sizes(offsets, least=0) or len(offsets) != 2:
        raise ModelFileError(path, field, "must have two data_offsets")
    begin, end = offsets
    itemsize = DTYPES[dtype].itemsize
    # Python integers: a product of huge sizes cannot overflow
    if end - begin != math.prod(shape) * itemsize or begin % itemsize:
        raise ModelFileError(path, field, "has data_offsets that do not fit its dtype and shape")
    return begin, end


def _are_sizes(value: Any, *, least: int) -> bool:
    # the exact type, because bool is an int in Python
    return isinstance(value, list) and all(type(size) is int and size >= least for size in value)


def _check_tiling(path: Path, spans: dict[str, tuple[int, int]], data_bytes: int) -> None:
    position = 0
    for name, (begin, end) in sorted(spans.items(), key=lambda item: item[1]):
        if begin != position:
            raise ModelFileError(path, f"tensor {name!r}", "overlaps another or leaves a gap")
        position = end
    if position != data_bytes:
        problem = f"hold {data_bytes} bytes where the header declares {position}"
        raise ModelFileError(path, "tensors", problem)
