"""Files and folders that are whole or absent: written to a temporary name, then renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary path; on success it becomes `target`, on any error it is removed.

    The temporary file lies in the target's folder (a rename within one file system is atomic),
    is flushed to disk before the rename, and keeps the target's suffixes, which some
    libraries read the format from.

    Raises
    ------
    FileExistsError
        `target` exists and `overwrite` is false.
    OSError
        The folder is missing or not writable, or the disk is full; names `target`.
    """
    path = Path(target)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder, not a file to write")
    temporary = _temporary(path, "".join(path.suffixes[-2:]), overwrite)
    with _creating(path):
        temporary.touch(exist_ok=False)
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary folder; on success it becomes `target`, on any error it is removed.

    Raises
    ------
    FileExistsError
        `target` exists and `overwrite` is false.
    OSError
        `target` is a file, or its place is missing or not writable; names `target`.
    """
    path = Path(target)
    if path.is_file():
        raise NotADirectoryError(f"{path}: is a file, not a folder to write")
    temporary = _temporary(path, "", overwrite)
    with _creating(path):
        temporary.mkdir()
    replaced = temporary.with_name(f"{temporary.name}-replaced")
    try:
        yield temporary
        if path.exists():
            os.replace(path, replaced)
        os.replace(temporary, path)
    finally:
        for left in (temporary, replaced):
            shutil.rmtree(left, ignore_errors=True)


def _temporary(path: Path, suffixes: str, overwrite: bool) -> Path:
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path}: exists already (allow overwriting to replace it)")
    return path.with_name(f".classicsr-{secrets.token_hex(8)}{suffixes}")


@contextmanager
def _creating(path: Path) -> Iterator[None]:
    """Name `path` where its place cannot be written: before the work, not after it."""
    try:
        yield
    except OSError as error:
        raise type(error)(f"{path}: cannot write here ({error.strerror})") from error
