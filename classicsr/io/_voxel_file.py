"""Voxels of one file, plain or gzip-compressed, read a frame at a time."""

from __future__ import annotations

import gzip
import threading
import weakref
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from classicsr.io._errors import FileError
from classicsr.io._formats import is_gzip

_PIECE = 2**24
_MAX_GZIP_RATIO = 1032  # deflate cannot do better, so a header that claims more is false


def open_maybe_gzip(path: Path) -> BinaryIO:
    """Open for reading; gzip is recognised by content."""
    return cast(BinaryIO, gzip.open(path, "rb") if is_gzip(path) else open(path, "rb"))


class VoxelFile:
    """Frames of equal size behind a header.

    The file stays open between calls, so that frames read in order cost one pass over a
    compressed file.
    """

    def __init__(self, path: Path, offset: int, dtype: np.dtype[Any], shape: tuple[int, int, int]):
        self.path = path
        self.offset = offset
        self.dtype = dtype
        self.shape = shape
        self._stream: BinaryIO | None = None
        self._lock = threading.Lock()

    def check_holds(self, n_frames: int) -> None:
        """Refuse a file that cannot hold that many frames, without reading them."""
        size = self.path.stat().st_size * (_MAX_GZIP_RATIO if is_gzip(self.path) else 1)
        needed = self.offset + n_frames * self._frame_bytes
        if size < needed:
            raise FileError(f"{self.path}: truncated or corrupt (voxels are missing)")

    @property
    def _frame_bytes(self) -> int:
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    def read(self, frame: int, *, is_last: bool) -> np.ndarray[Any, Any]:
        """One frame in the file's dtype, first axis fastest."""
        array = np.empty(self.shape, dtype=self.dtype, order="F")
        buffer = memoryview(array.reshape(-1, order="F").view(np.uint8).data)
        with self._lock:
            if self._stream is None:
                self._stream = open_maybe_gzip(self.path)
                weakref.finalize(self, self._stream.close)
            self._stream.seek(self.offset + frame * self._frame_bytes)
            done = 0
            while done < len(buffer):
                count = self._stream.readinto(buffer[done : done + _PIECE])  # type: ignore[attr-defined]
                if not count:
                    raise FileError(f"{self.path}: truncated or corrupt (voxels are missing)")
                done += count
            if is_last:
                self._stream.read(1)  # at its end a gzip file proves its check sum
        return array
