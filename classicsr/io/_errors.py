"""One kind of error for files: one line that names the file and says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classicsr._atomic import atomic_folder, atomic_path


class FileError(OSError, ValueError):
    """A file that cannot be read or written; the message is one line and names it.

    Examples
    --------
    >>> from classicsr.io import FileError, read_image
    >>> try:
    ...     read_image("nowhere.png")
    ... except FileError as error:
    ...     print(error)
    nowhere.png: no such file
    """


def _one_line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())[:200]


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises on a missing, damaged or hostile file into `FileError`."""
    try:
        yield
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{error.filename or path}: no such file") from error
    except PermissionError as error:
        raise FileError(f"{path}: cannot be read (permission denied)") from error
    except MemoryError as error:
        raise FileError(f"{path}: does not fit into memory") from error
    except Exception as error:  # decoders raise SyntaxError, struct.error, zlib.error, KeyError...
        raise FileError(f"{path}: truncated or corrupt ({_one_line(error)})") from error


@contextmanager
def writing(path: Path, *, overwrite: bool, folder: bool = False) -> Iterator[Path]:
    """Yield a temporary file (or folder) that becomes `path`; failures become `FileError`."""
    try:
        with (atomic_folder if folder else atomic_path)(path, overwrite=overwrite) as temporary:
            yield temporary
    except (FileError, FileExistsError):
        raise
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({_reason(error, path)})") from error


def _reason(error: OSError, path: Path) -> str:
    return _one_line(error).removeprefix(f"{path}: ")
