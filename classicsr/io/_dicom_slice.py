"""What the header of one DICOM file says about the slices in it."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from classicsr.io._errors import FileError
from classicsr.io._picture import check_size

if TYPE_CHECKING:
    from pydicom import Dataset

Default = TypeVar("Default", float, None)

_KEYWORDS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "SeriesDescription",
    "Modality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "PixelRepresentation",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "RescaleSlope",
    "RescaleIntercept",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
_GREY = ("MONOCHROME1", "MONOCHROME2")
_NO_SCAN = ("SEG", "RTDOSE")  # frames with positions that are not of a scan
# A constant slice compresses without bound, so that no ratio is false for certain; this one
# keeps what is allocated near the size of the file.
_MAX_RATIO = 2**15
_LARGEST = 1e9  # of any length, direction or scale


class NotASliceError(FileError):
    """A file of the folder that holds no slice; the message says what it is instead."""


@dataclass(frozen=True)
class Slice:
    """One slice: where its pixels are, what they mean, and where they lie in the patient (LPS)."""

    path: Path
    frame: int
    series: str
    description: str
    instance: str
    shape: tuple[int, int]
    """Columns and rows."""
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    """In mm from row to row, and from column to column."""
    dtype: str
    photometric: str
    rescale: tuple[float, float]
    thickness: float | None
    spacing: float
    """In mm as the attributes say; None and 0 where they do not."""
    is_enhanced: bool


def require_pydicom() -> None:
    """Say which extra to install where pydicom is missing."""
    if importlib.util.find_spec("pydicom") is None:
        raise FileError("DICOM files need pydicom: pip install 'classicsr[dicom]'")


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom's remarks on bent rules (lengths, characters) away from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def slices_of(path: Path) -> list[Slice]:
    """Every slice of one file, from its header alone.

    Raises
    ------
    NotASliceError
        The file holds something else than slices of a scan.
    FileError
        It holds slices that cannot be used.
    """
    from pydicom import dcmread

    with quiet_pydicom():
        header = dcmread(path, stop_before_pixels=True, specific_tags=[*_KEYWORDS])
        _check_content(header)
        _check_pixels(path, header)
        return [_slice(path, header, frame) for frame in range(_n_frames(header))]


def _n_frames(header: Dataset) -> int:
    return int(header.get("NumberOfFrames") or 1)


def _check_content(header: Dataset) -> None:
    if "Rows" not in header or header.get("Modality") in _NO_SCAN:
        kind = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
        raise NotASliceError(getattr(kind, "name", None) or "no pixels")
    if "PerFrameFunctionalGroupsSequence" not in header:
        if _n_frames(header) > 1:
            raise NotASliceError(f"{_n_frames(header)} frames without positions")
        if not header.get("ImagePositionPatient"):
            raise NotASliceError("an image without a position")
    elif len(header.PerFrameFunctionalGroupsSequence) != _n_frames(header):
        raise NotASliceError("its number of frames is not that of their positions")


def _check_pixels(path: Path, header: Dataset) -> None:
    """Refuse kinds of pixels that are not handled, and sizes that the file cannot hold."""
    check_size(path, int(header.get("Rows") or 0), int(header.get("Columns") or 0), 1)
    kind = header.get("PhotometricInterpretation")
    if header.get("SamplesPerPixel") != 1 or kind not in _GREY:
        raise FileError(f"{path}: holds colours ({kind}), which are not supported in DICOM")
    bits, signed = header.get("BitsAllocated"), header.get("PixelRepresentation")
    if bits not in (8, 16, 32) or signed not in (0, 1):
        raise FileError(f"{path}: {bits}-bit pixels are not supported in DICOM")
    _check_syntax(path, header)
    needed = header.Rows * header.Columns * _n_frames(header) * bits // 8
    is_packed = header.file_meta.TransferSyntaxUID.is_compressed
    if needed > path.stat().st_size * (_MAX_RATIO if is_packed else 1):
        raise FileError(f"{path}: truncated or corrupt (pixels are missing)")


def _check_syntax(path: Path, header: Dataset) -> None:
    from pydicom.pixels import get_decoder

    syntax = header.file_meta.TransferSyntaxUID
    try:
        is_readable = get_decoder(syntax).is_available
    except NotImplementedError as error:
        raise FileError(f"{path}: {syntax.name} pixels are not supported") from error
    if not is_readable:
        raise FileError(f"{path}: {syntax.name} pixels need pip install 'classicsr[dicom]'")


def _slice(path: Path, header: Dataset, frame: int) -> Slice:
    attributes = _Attributes(path, header, frame)
    rescale = attributes.number("RescaleSlope", 1), attributes.number("RescaleIntercept", 0)
    if rescale[0] == 0:
        raise FileError(f"{path}: RescaleSlope is 0")
    return Slice(
        path=path,
        frame=frame,
        series=str(header.get("SeriesInstanceUID", "")),
        description=str(header.get("SeriesDescription", "")),
        instance=str(header.get("SOPInstanceUID", "")),
        shape=(int(header.Columns), int(header.Rows)),
        position=attributes.numbers("ImagePositionPatient", 3),
        orientation=attributes.numbers("ImageOrientationPatient", 6),
        pixel_spacing=attributes.numbers("PixelSpacing", 2),
        dtype=f"{'ui'[header.PixelRepresentation]}{header.BitsAllocated // 8}",
        photometric=str(header.PhotometricInterpretation),
        rescale=rescale,
        thickness=attributes.number("SliceThickness", None),
        spacing=abs(attributes.number("SpacingBetweenSlices", 0)),
        is_enhanced="PerFrameFunctionalGroupsSequence" in header,
    )


class _Attributes:
    """Numbers of one frame, checked."""

    def __init__(self, path: Path, header: Dataset, frame: int) -> None:
        self._path = path
        self._levels = list(_levels(header, frame))

    def _value(self, keyword: str) -> Any:
        values = (level.get(keyword) for level in self._levels)
        return next((value for value in values if value is not None and value != ""), None)

    def numbers(self, keyword: str, count: int) -> tuple[float, ...]:
        value = self._value(keyword)
        if value is None:
            raise FileError(f"{self._path}: {keyword} is missing")
        floats = tuple(float(one) for one in np.atleast_1d(value))
        if len(floats) != count or not all(abs(one) <= _LARGEST for one in floats):
            raise FileError(f"{self._path}: {keyword} is not {count} number(s) but {value}")
        return floats

    def number(self, keyword: str, default: Default) -> float | Default:
        return default if self._value(keyword) is None else self.numbers(keyword, 1)[0]


def _levels(header: Dataset, frame: int) -> Iterator[Any]:
    """Data sets that may hold an attribute of a frame: its own groups, shared ones, the file's."""
    groups = chain(
        header.get("PerFrameFunctionalGroupsSequence", [])[frame : frame + 1],
        header.get("SharedFunctionalGroupsSequence", []),
    )
    for group in groups:
        for element in group:
            if element.VR == "SQ" and len(element.value):
                yield element.value[0]
    yield header
