"""Files that are whole or absent: write to a temporary name beside the target, then rename."""

from __future__ import annotations

import os
import secrets
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
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path}: exists already (allow overwriting to replace it)")
    suffixes = "".join(path.suffixes[-2:])
    temporary = path.with_name(f".classicsr-{secrets.token_hex(8)}{suffixes}")
    try:
        # created here, so that a place that cannot be written fails before the work
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise type(error)(f"{path}: cannot write here ({error.strerror})") from error
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
