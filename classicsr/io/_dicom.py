"""DICOM series: a folder of slices read as one volume."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classicsr.io._dicom_slice import (
    NotASliceError,
    Slice,
    quiet_pydicom,
    require_pydicom,
    slices_of,
)
from classicsr.io._dicom_stack import Vector, is_sheared, stacked
from classicsr.io._errors import FileError, reading
from classicsr.io._formats import format_of

Voxels = np.ndarray[Any, Any]

_MAX_NAMED = 4


class DicomSeries:
    """Slices in order, read when asked for: the DICOM side of `VoxelFile`.

    Slices of one slope and intercept stay stored numbers; where these differ from slice to slice,
    voxels are real values, float32.
    """

    def __init__(self, slices: Sequence[Slice]) -> None:
        self.slices = slices
        self.shape = (*slices[0].shape, len(slices))
        self._is_mixed = len({one.rescale for one in slices}) > 1
        self.dtype = np.dtype(np.float32 if self._is_mixed else slices[0].dtype)
        self.rescale = (1.0, 0.0) if self._is_mixed else slices[0].rescale

    def read(self, frame: int, *, is_last: bool) -> Voxels:
        """The only frame: columns, rows, slices."""
        from pydicom import dcmread
        from pydicom.pixels import iter_pixels

        volume = np.empty(self.shape, dtype=self.dtype, order="F")
        places = defaultdict(list)
        for index, one in enumerate(self.slices):
            places[one.path].append(index)
        for path, indices in places.items():
            frames = [self.slices[index].frame for index in indices]
            with reading(path), quiet_pydicom():
                decoded = iter_pixels(dcmread(path), raw=True, indices=frames)
                for index, pixels in zip(indices, decoded, strict=True):
                    volume[:, :, index] = self._values(self.slices[index], pixels).T
        return volume

    def _values(self, one: Slice, pixels: Voxels) -> Voxels:
        if pixels.shape != one.shape[::-1] or pixels.dtype.newbyteorder("=") != one.dtype:
            raise FileError(f"{one.path}: truncated or corrupt (pixels of another size or type)")
        if not self._is_mixed:
            return pixels
        slope, intercept = one.rescale
        return (pixels * slope + intercept).astype(np.float32)


def open_series(path: Path) -> tuple[DicomSeries, Vector]:
    """The series in a folder (or in one file) and its affine to RAS in mm.

    Raises
    ------
    FileError
        There is no slice, more than one series, or a series that is not one regular grid.
    """
    require_pydicom()
    with reading(path):
        files = sorted(path.iterdir()) if path.is_dir() else [path]
    slices = _all_slices(path, [one for one in files if not one.name.startswith(".")])
    _check_one_series(path, slices)
    ordered, affine = stacked(path, slices)
    return DicomSeries(ordered), affine


def nifti_header(series: DicomSeries, affine: Vector) -> Any:
    """A NIfTI header that says the same as the series."""
    from nibabel.nifti1 import Nifti1Header

    header = Nifti1Header()
    header.set_data_dtype(series.dtype)
    header.set_data_shape(series.shape)
    header.set_zooms(np.linalg.norm(affine[:3, :3], axis=0))
    header.set_xyzt_units("mm")
    header.set_slope_inter(*series.rescale)
    header.set_sform(affine, 1)
    if not is_sheared(affine):  # a qform is a rotation
        header.set_qform(affine, 1)
    return header


def _all_slices(folder: Path, files: Iterable[Path]) -> list[Slice]:
    slices: list[Slice] = []
    skipped: list[str] = []
    for path in files:
        try:
            if path.is_dir():
                raise NotASliceError("a folder")
            with reading(path):
                if format_of(path) != "DICOM":
                    raise NotASliceError("empty" if not path.stat().st_size else "not DICOM")
                slices += slices_of(path)
        except NotASliceError as reason:
            skipped.append(f"{path.name} ({reason})")
    more = f" and {len(skipped) - _MAX_NAMED} more" if len(skipped) > _MAX_NAMED else ""
    named = ", ".join(skipped[:_MAX_NAMED]) + more
    if not slices:
        raise FileError(f"{folder}: no slice of a DICOM series here: {named}")
    if skipped:
        warnings.warn(f"{folder}: skipped {named}", UserWarning, stacklevel=4)
    return slices


def _check_one_series(folder: Path, slices: Iterable[Slice]) -> None:
    series: dict[str, list[Slice]] = defaultdict(list)
    for one in slices:
        series[one.series].append(one)
    if len(series) > 1:
        named = ", ".join(
            f"{ones[0].description or uid!r} ({len(ones)} slices, such as {ones[0].path.name})"
            for uid, ones in list(series.items())[:_MAX_NAMED]
        )
        raise FileError(f"{folder}: holds {len(series)} series, give a folder of one: {named}")
