"""Volumes, NIfTI or DICOM: the geometry at once, the voxels when asked for."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from classicsr.io._errors import FileError, reading
from classicsr.io._formats import format_of, kind_of
from classicsr.io._orientation import GRID_TOLERANCE, best_affine, grid_distance, spatial_unit
from classicsr.io._voxel_file import VoxelFile, open_maybe_gzip

if TYPE_CHECKING:
    from classicsr.io._dicom import DicomSeries

_HEADER_BYTES = {1: 348, 2: 540}  # by NIfTI version
_MAX_HEADER_BYTES = 2**26  # header and extensions


@dataclass(frozen=True, eq=False)
class Volume:
    """A NIfTI file or a DICOM series, opened: geometry and frames of stored numbers.

    Attributes
    ----------
    path : Path
        The file, or the folder of the series.
    shape : (int, int, int)
        Voxels per axis; a single slice has the shape ``(X, Y, 1)``.
    spacing : (float, float, float)
        Voxel sizes in mm.
    affine : ndarray of shape (4, 4)
        Voxel indices to world coordinates (x to the right, y to the front, z up), in the file's
        unit (mm in nearly all files).
    n_frames : int
        Time points, times colour channels for RGB files.
    dtype : dtype
        Of the stored numbers, in native byte order.
    slope, inter : float
        Real units are ``slope * stored + inter``. They are kept on writing, so upscaling the
        stored numbers loses nothing.
    thickness : float or None
        Of a slice along the last axis in mm, where the file tells it (DICOM): below the spacing
        there are gaps, above it slices overlap. None also where what it tells cannot be true: 0
        or less, more than five times the spacing, or another one in every slice.
    """

    path: Path
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    affine: npt.NDArray[np.float64]
    n_frames: int
    dtype: np.dtype[Any]
    slope: float
    inter: float
    header: Any = field(repr=False)
    channels: tuple[str, ...] = field(repr=False)
    source: VoxelFile | DicomSeries = field(repr=False)
    thickness: float | None = None

    def frame(self, index: int) -> np.ndarray[Any, Any]:
        """Read one frame: stored numbers, shape `shape`, C-contiguous, native byte order.

        Raises
        ------
        FileError
            The file is truncated, corrupt, or gone.
        """
        if not 0 <= index < self.n_frames:
            raise IndexError(f"{self.path}: frame {index} of {self.n_frames}")
        stored, channel = divmod(index, len(self.channels) or 1)
        with reading(self.path):
            array = self.source.read(stored, is_last=index == self.n_frames - 1)
            if self.channels:
                array = array[self.channels[channel]]
            return np.ascontiguousarray(array, dtype=self.dtype)

    def has_grid_of(self, other: Volume) -> bool:
        """Whether the voxels of both volumes lie at the same places, to a tenth of a voxel."""
        return (
            self.shape == other.shape
            and grid_distance(self.affine, other.affine, self.shape) <= GRID_TOLERANCE
        )


def read_volume(path: str | PathLike[str]) -> Volume:
    """Open a NIfTI file or a DICOM series; only headers are read, voxels by `Volume.frame`.

    NIfTI-1 and NIfTI-2: ``.nii``, ``.nii.gz``, or ``.hdr`` beside its ``.img``. A fourth dimension
    (time), and a fifth, become frames; so do the channels of RGB and RGBA files. The sform gives
    the affine, else the qform, else the voxel sizes alone, with a warning where they disagree or
    are missing.

    DICOM: a folder with one series, or a single (multi-frame) file. Axes are columns, rows, slices;
    slices are sorted by position, which alone gives their spacing. Where slope and intercept
    differ between slices, voxels are real values, float32. Needs the extra ``dicom``.

    Parameters
    ----------
    path : path
        The file or folder.

    Returns
    -------
    Volume

    Raises
    ------
    FileError
        The file is missing, unreadable, empty, truncated, corrupt, of another format, or holds
        complex numbers; the DICOM slices are of several series, missing, doubled or not parallel.

    Examples
    --------
    >>> from classicsr.datasets import sample_volume
    >>> from classicsr.io import read_volume
    >>> volume = read_volume(sample_volume())
    >>> volume.frame(0).shape == volume.shape
    True
    """
    path = Path(path)
    if kind_of(path) != "volume":
        raise FileError(f"{path}: is an image, not a volume")
    if path.is_dir() or format_of(path) == "DICOM":
        return _read_series(path)
    with reading(path):
        header, is_single = _read_header(path)
        shape = header.get_data_shape()
        if not 2 <= len(shape) <= 7 or min(shape) < 1:
            raise FileError(f"{path}: has no voxels or too few axes (shape {tuple(shape)})")
        stored = header.get_data_dtype()
        channels = stored.names or ()
        if not channels and stored.kind not in "uif":
            raise FileError(f"{path}: {stored} voxels are not supported")
        x, y, z = (*map(int, shape[:3]), 1)[:3]
        n_stored = int(np.prod(shape[3:], dtype=object))
        data_path = path if is_single else path.with_suffix(".img")
        voxels = VoxelFile(data_path, int(header.get_data_offset()), stored, (x, y, z))
        voxels.check_holds(n_stored)
        slope, inter = header.get_slope_inter()
        affine = best_affine(path, header)
    return Volume(
        path=path,
        shape=(x, y, z),
        spacing=_spacing(header, affine),
        affine=affine,
        n_frames=n_stored * (len(channels) or 1),
        dtype=np.dtype(np.uint8) if channels else stored.newbyteorder("="),
        slope=1.0 if slope is None else float(slope),
        inter=0.0 if inter is None else float(inter),
        header=header,
        channels=channels,
        source=voxels,
    )


def _read_series(path: Path) -> Volume:
    from classicsr.io._dicom import nifti_header, open_series
    from classicsr.io._dicom_stack import slice_thickness

    series, affine = open_series(path)
    header = nifti_header(series, affine)
    return Volume(
        path=path,
        shape=series.shape,
        spacing=(*np.linalg.norm(affine[:3, :3], axis=0).tolist(),),
        affine=affine,
        n_frames=1,
        dtype=series.dtype,
        slope=series.rescale[0],
        inter=series.rescale[1],
        header=header,
        channels=(),
        source=series,
        thickness=slice_thickness(series.slices, affine),
    )


def _read_header(path: Path) -> tuple[Any, bool]:
    """The header with its extensions, and whether the voxels follow in the same file."""
    from nibabel.nifti1 import Nifti1Header, Nifti1PairHeader
    from nibabel.nifti2 import Nifti2Header, Nifti2PairHeader

    classes = {b"n+1": Nifti1Header, b"ni1": Nifti1PairHeader}
    classes |= {b"n+2": Nifti2Header, b"ni2": Nifti2PairHeader}
    with open_maybe_gzip(path) as file:
        head = file.read(_HEADER_BYTES[2])
        magic = head[4:7] if head[4:7] in (b"n+2", b"ni2") else head[344:347]
        is_single = magic[1:2] == b"+"
        # a single file declares where its voxels start; up to there are extensions
        end = _vox_offset(head, version=int(magic[2:])) if is_single else _MAX_HEADER_BYTES
        if end > _MAX_HEADER_BYTES:
            raise FileError(f"{path}: truncated or corrupt (header of {end} bytes)")
        head += file.read(max(0, end - len(head)))
    return classes[magic].from_fileobj(io.BytesIO(head)), is_single


def _vox_offset(head: bytes, version: int) -> int:
    order = "<" if struct.unpack_from("<i", head)[0] == _HEADER_BYTES[version] else ">"
    layout, position = {1: ("f", 108), 2: ("q", 168)}[version]
    return int(struct.unpack_from(order + layout, head, position)[0])


def _spacing(header: Any, affine: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Voxel sizes in mm: pixdim, or the affine's where pixdim is not set."""
    sizes = np.abs(np.asarray(header["pixdim"][1:4], dtype=np.float64))
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        sizes = np.linalg.norm(affine[:3, :3], axis=0)
    x, y, z = (sizes * spatial_unit(header)).tolist()
    return x, y, z
