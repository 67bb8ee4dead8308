"""Which file is what: by content first, because suffixes lie."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Literal

from classicsr.io._errors import FileError, reading

Kind = Literal["image", "volume"]

IMAGE_SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
    ".bmp": "BMP",
}
VOLUME_SUFFIXES = (".nii", ".nii.gz", ".hdr")
_DICOM_SUFFIX = ".dcm"  # many DICOM files have none
READABLE = (
    f"images: {' '.join(IMAGE_SUFFIXES)}; volumes: {' '.join(VOLUME_SUFFIXES)} and DICOM folders"
)

_IMAGE_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",  # BigTIFF
    b"MM\x00+": "TIFF",
    b"BM": "BMP",
}
_GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 540  # a NIfTI-2 header


def suffix_of(path: Path) -> str:
    """Suffix in lower case; ``.nii.gz`` counts as one."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def is_gzip(path: Path) -> bool:
    """Whether the content is gzip-compressed, whatever the name says."""
    with open(path, "rb") as file:
        return file.read(2) == _GZIP_MAGIC


def format_of(path: Path) -> str | None:
    """``"PNG"``, ``"JPEG"``, ``"NIfTI"``, ``"DICOM"`` and so on; None where it is unknown."""
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_GZIP_MAGIC):
        head = _gunzip_head(path)
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0"):
        return "NIfTI"
    if head[128:132] == b"DICM":
        return "DICOM"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in _IMAGE_MAGIC.items() if head.startswith(magic)), None)


def holds_dicom(folder: Path) -> bool:
    """Whether a folder has a DICOM file in it, whatever its name; False where it is locked.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    bool

    Examples
    --------
    >>> from classicsr.datasets import sample_image
    >>> from classicsr.io import holds_dicom
    >>> holds_dicom(sample_image().parent)
    False
    """
    try:
        return any(
            suffix_of(path) not in (*IMAGE_SUFFIXES, *VOLUME_SUFFIXES) and is_dicom(path)
            for path in folder.iterdir()
            if not path.name.startswith(".")
        )
    except OSError:
        return False


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its content."""
    try:
        return path.is_file() and format_of(path) == "DICOM"
    except OSError:  # locked, or damaged
        return False


def _gunzip_head(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(_HEAD_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileError(f"{path}: truncated or corrupt ({error})") from error


def kind_of(path: str | PathLike[str]) -> Kind:
    """Tell whether a file is an image or a volume, from its content and its suffix.

    Parameters
    ----------
    path : path
        A file. The content decides: a PNG file named ``.jpg`` is an image all the same. A folder
        with DICOM files is a volume.

    Returns
    -------
    {"image", "volume"}

    Raises
    ------
    FileError
        The file is missing, unreadable, empty, of an unknown format, or an image named like a
        volume (or the reverse).

    Examples
    --------
    >>> from classicsr.datasets import sample_image
    >>> from classicsr.io import kind_of
    >>> kind_of(sample_image())
    'image'
    """
    path = Path(path)
    suffix = suffix_of(path)
    with reading(path):
        if path.is_dir():
            if holds_dicom(path):
                return "volume"
            next(path.iterdir(), None)  # a locked folder says so
            raise FileError(f"{path}: a folder without readable files ({READABLE})")
        if path.stat().st_size == 0:
            raise FileError(f"{path}: is empty (0 bytes)")
        found = format_of(path)
    kind: Kind = "volume" if found in ("NIfTI", "DICOM") else "image"
    by_name = _kind_by_name(suffix)
    if found is None and by_name is None:
        raise FileError(f"{path}: unknown format ({READABLE})")
    if found is None or by_name not in (None, kind):
        content = f"it holds {found}" if found else "its content is something else"
        raise FileError(f"{path}: not a {suffix} file ({content})")
    return kind


def _kind_by_name(suffix: str) -> Kind | None:
    if suffix in (*VOLUME_SUFFIXES, _DICOM_SUFFIX):
        return "volume"
    return "image" if suffix in IMAGE_SUFFIXES else None


def expand_inputs(paths: Iterable[str | PathLike[str]]) -> list[Path]:
    """Replace each folder by the readable files and DICOM folders in it, sorted by name.

    A folder with DICOM files in it is one input itself. Hidden files, other formats and other
    subfolders are left out. A missing file and a folder that is locked or has no readable file
    stay in the list: opening them gives an error that names them, and the rest of a batch goes on.

    Parameters
    ----------
    paths : iterable of paths
        Files and folders.

    Returns
    -------
    list of Path

    Examples
    --------
    >>> from classicsr.io import expand_inputs
    >>> [path.name for path in expand_inputs(["scan.nii.gz"])]
    ['scan.nii.gz']
    """
    files: list[Path] = []
    for path in map(Path, paths):
        files += _readable_inside(path) or [path]
    return files


def _readable_inside(folder: Path) -> list[Path]:
    try:
        if holds_dicom(folder):
            return [folder]
        return sorted(
            path
            for path in folder.iterdir()
            if not path.name.startswith(".") and _is_readable(path)
        )
    except OSError:  # not a folder, missing or locked
        return []


def _is_readable(path: Path) -> bool:
    if path.is_dir():
        return holds_dicom(path)
    return _kind_by_name(suffix_of(path)) is not None and path.is_file()


def is_folder_name(path: Path) -> bool:
    """Whether an output of that name must be a folder: no file format has that suffix."""
    return _kind_by_name(suffix_of(path)) is None and path.suffix.lower() != ".gz"


def output_path_for(path: str | PathLike[str], out: str | PathLike[str], n_inputs: int = 1) -> Path:
    """Where the result of one input goes: `out` itself, or the same name inside the folder `out`.

    Parameters
    ----------
    path : path
        The input file.
    out : path
        A file for one input; a folder (made by the caller if missing) for several. An existing
        folder takes a single input too.
    n_inputs : int
        How many inputs there are.

    Returns
    -------
    Path

    Raises
    ------
    FileError
        There are several inputs and `out` is, or is named like, a file.

    Examples
    --------
    >>> from classicsr.io import output_path_for
    >>> output_path_for("scans/t1.nii.gz", "done", n_inputs=2).as_posix()
    'done/t1.nii.gz'
    """
    path, out = Path(path), Path(out)
    if n_inputs == 1 and not out.is_dir():
        return out
    if not out.is_dir() and (out.exists() or _kind_by_name(suffix_of(out)) is not None):
        raise FileError(f"{out}: several inputs need a folder as output, this is a file name")
    # pairs (.hdr, .img) are read, single files are written; DICOM is written as a folder
    written = {".hdr": ".nii", _DICOM_SUFFIX: ""}.get(suffix_of(path))
    return out / (path.absolute().name if written is None else path.with_suffix(written).name)
