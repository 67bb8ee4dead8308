"""Writing upscaled volumes: the input's header with a finer grid, frames streamed to disk."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from classicsr._version import __version__
from classicsr.io._errors import FileError, writing
from classicsr.io._formats import is_folder_name, suffix_of
from classicsr.io._geometry import axis_scales, upscaled_affine
from classicsr.io._orientation import stored_affine
from classicsr.io._volume import Volume
from classicsr.io._voxel_file import VoxelFile

Voxels = np.ndarray[Any, Any]

_GZIP_LEVEL = 1  # voxels hold noise: higher levels cost much time and save little
_SLAB_BYTES = 2**24
_MARK = b"classicsr"
_DESCRIP_BYTES = 80


def write_volume(
    path: str | PathLike[str],
    frames: Iterable[Voxels],
    like: Volume,
    scale: float | Sequence[float],
    *,
    description: str = "",
    overwrite: bool = False,
) -> None:
    """Write frames with the header of `like` as a NIfTI file or a DICOM series, or nothing.

    Voxel sizes, sform and qform are those of the finer grid (`upscaled_affine`); codes, dtype,
    byte order, slope and intercept, time step, units, intent, display range and extensions are
    kept. Slice timing, which is about acquired slices, is cleared. Frames are written as they come.

    A DICOM series is derived from the series that `like` was read from: attributes of patient,
    study and acquisition from the nearest slice, new series and instances. Private attributes
    and overlays are left out. Real values become 16-bit integers over their range.

    Parameters
    ----------
    path : path
        ``.nii`` or ``.nii.gz``; where `like` is DICOM also a folder (a name without a suffix).
    frames : iterable of ndarray
        ``like.n_frames`` arrays of one 3-D shape and of ``like.dtype``: stored numbers, as
        `Volume.frame` gives them.
    like : Volume
        The volume that the frames were made from.
    scale : float or sequence of 3 floats
        Output voxels per input voxel along each axis.
    description : str
        What was done, such as the method; goes into `descrip` as far as there is place, or into
        DerivationDescription.
    overwrite : bool
        Replace an existing file, or an existing folder that holds nothing but DICOM files.

    Raises
    ------
    FileError
        The suffix is not NIfTI's, the place cannot be written, or the shape does not fit.
    FileExistsError
        The file exists and `overwrite` is false.
    ValueError
        The number of frames, a shape or a dtype does not match.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from classicsr.datasets import sample_volume
    >>> from classicsr.io import read_volume, write_volume
    >>> volume = read_volume(sample_volume())
    >>> doubled = volume.frame(0).repeat(2, axis=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "doubled.nii.gz")
    ...     write_volume(path, [doubled], volume, (1, 1, 2))
    ...     read_volume(path).spacing[2] == volume.spacing[2] / 2
    True
    """
    path = Path(path)
    as_series = not isinstance(like.source, VoxelFile) and is_folder_name(path)
    if not as_series and suffix_of(path) not in (".nii", ".nii.gz"):
        raise FileError(f"{path}: volumes are written as .nii or .nii.gz, DICOM also as a folder")
    factors = axis_scales(scale, 3)
    stored = _stored_frames(frames, like)
    if as_series:
        from classicsr.io._dicom_writer import write_series

        (voxels,) = stored
        write_series(path, voxels, like, factors, description, overwrite=overwrite)
        return
    first = next(stored)
    header = _upscaled_header(path, like, factors, first.shape)
    _describe(header, description)
    with writing(path, overwrite=overwrite) as temporary, _open(temporary) as file:
        header.write_to(file)
        file.write(bytes(header.get_data_offset() - file.tell()))
        for frame in chain([first], stored):
            for slab in _slabs(frame):
                file.write(slab)


def _stored_frames(frames: Iterable[Voxels], like: Volume) -> Iterator[Voxels]:
    """Check each frame and give it the file's dtype; channels are woven back together."""
    dtype = like.header.get_data_dtype()
    shape: tuple[int, ...] | None = None
    count = 0
    for count, frame in enumerate(frames, start=1):
        shape = shape or frame.shape
        if frame.ndim != 3 or frame.shape != shape or frame.dtype != like.dtype:
            raise ValueError(
                f"The 'frames' parameter of write_volume must be 3-D {like.dtype} arrays of one "
                f"shape. Got {frame.dtype} of shape {frame.shape} instead."
            )
        if not like.channels:
            yield frame.astype(dtype, copy=False)
            continue
        channel = (count - 1) % len(like.channels)
        if channel == 0:
            woven = np.empty(shape, dtype=dtype)
        woven[like.channels[channel]] = frame
        if channel == len(like.channels) - 1:
            yield woven
    if count != like.n_frames:
        raise ValueError(
            f"The 'frames' parameter of write_volume must be {like.n_frames} arrays, as many as "
            f"{like.path} has frames. Got {count} instead."
        )


def _upscaled_header(path: Path, like: Volume, factors: Voxels, shape: tuple[int, ...]) -> Any:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header
    from nibabel.spatialimages import HeaderDataError

    source = like.header
    single = Nifti2Header if source["sizeof_hdr"] == 540 else Nifti1Header
    # rebuilt from the bytes, because the header of an .hdr file has another class
    header = single(
        source.binaryblock, source.endianness, check=False, extensions=source.extensions
    )
    header["magic"] = single.single_magic
    header["vox_offset"] = 0  # set on writing
    is_slice = len(source.get_data_shape()) == 2 and shape[2] == 1
    try:
        header.set_data_shape(shape[:2] if is_slice else (*shape, *source.get_data_shape()[3:]))
    except HeaderDataError as error:
        raise FileError(f"{path}: cannot be written (NIfTI-1 does not hold {shape})") from error
    header["pixdim"][1:4] = source["pixdim"][1:4] / factors
    _set_forms(header, source, factors)
    for slice_timing in ("slice_start", "slice_end", "slice_duration", "slice_code"):
        header[slice_timing] = 0
    return header


def _describe(header: Any, description: str) -> None:
    """Say in `descrip`, behind what it says already, what was done, as far as there is place."""
    kept = header["descrip"].item().partition(_MARK)[0].strip()
    name = f"{_MARK.decode()} {__version__}"
    for mark in (f"{name}: {description}" if description else name, name):
        text = b" ".join(filter(None, (kept, mark.encode("ascii", "replace"))))
        if len(text) < _DESCRIP_BYTES:
            header["descrip"] = text
            return


def _set_forms(header: Any, source: Any, factors: Voxels) -> None:
    """Move both forms; the qform's rotation is kept to the bit, its voxel sizes are in pixdim."""
    sform, qform = stored_affine(source, "sform"), stored_affine(source, "qform")
    if sform is not None:
        header["srow_x"], header["srow_y"], header["srow_z"] = upscaled_affine(sform, factors)[:3]
    if qform is not None:
        offsets = upscaled_affine(qform, factors)[:3, 3]
        header["qoffset_x"], header["qoffset_y"], header["qoffset_z"] = offsets


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    with open(path, "wb") as raw:
        if path.suffix.lower() != ".gz":
            yield raw
            return
        # without name and time, so that equal volumes give equal files
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as file:
            yield cast(BinaryIO, file)


def _slabs(frame: Voxels) -> Iterator[bytes]:
    """Bytes with the first axis fastest, a few slices at a time."""
    thickness = max(1, _SLAB_BYTES // max(1, frame[:, :, 0].nbytes))
    for start in range(0, frame.shape[2], thickness):
        yield frame[:, :, start : start + thickness].tobytes(order="F")
