"""Derived DICOM series: slices of the finer grid with the patient and study of the original."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from classicsr._version import __version__
from classicsr.io._dicom_slice import Slice, quiet_pydicom
from classicsr.io._dicom_stack import Vector
from classicsr.io._errors import FileError, reading, writing
from classicsr.io._formats import is_dicom
from classicsr.io._geometry import upscaled_affine

if TYPE_CHECKING:
    from pydicom import Dataset

    from classicsr.io._dicom import DicomSeries
    from classicsr.io._volume import Volume

Voxels = np.ndarray[Any, Any]

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_LARGEST = 2**15 - 1
# what described the stored pixels or the acquired grid and is no longer true
_OUTDATED = [
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "PixelPaddingRangeLimit",
    "IconImageSequence",
    "PixelData",
    "PixelAspectRatio",
    "DataSetTrailingPadding",
    "DigitalSignaturesSequence",
    "MACParametersSequence",
    "ReferencedImageSequence",
    "OriginalAttributesSequence",
    "ImagesInAcquisition",
    "TemporalPositionIdentifier",
    "NumberOfSlices",
]
_OVERLAYS = range(0x6000, 0x6020)


def write_series(
    path: Path,
    voxels: Voxels,
    like: Volume,
    factors: Voxels,
    description: str,
    *,
    overwrite: bool,
) -> None:
    """Write voxels as a folder of single-frame files, one a slice, whole or not at all.

    Integers go out as they are, with the rescale of the input; floats as 16 bits over their range.
    Unique identifiers are made from the voxels and the input's, so that the same work gives the
    same files. Private attributes are left out: many repeat the acquired geometry.

    Parameters
    ----------
    path : path
        The new folder.
    voxels : (columns, rows, slices) array
    like : Volume
        What they were made from, read from DICOM.
    factors : 3 floats
        Output voxels per input voxel.
    description : str
        What was done.
    overwrite : bool
        Replace an existing folder, if it holds nothing but DICOM files.
    """
    slices = cast("DicomSeries", like.source).slices
    if slices[0].is_enhanced:
        raise FileError(f"{path}: multi-frame DICOM is written as NIfTI only (.nii.gz)")
    if path.is_dir() and not all(map(is_dicom, path.iterdir())):
        raise FileError(f"{path}: holds other files than DICOM, it is not replaced")
    stored, rescale = _stored(voxels, like.slope, like.inter)
    pixels = np.ascontiguousarray(stored.T)
    digest = hashlib.sha256(pixels.data).hexdigest()
    text = f"classicsr {__version__}: {description}".rstrip(": ")
    seed = [digest, slices[0].series, text]
    affine = _RAS_TO_LPS @ upscaled_affine(like.affine, factors)
    n_digits = len(str(len(pixels)))
    with writing(path, overwrite=overwrite, folder=True) as temporary, quiet_pydicom():
        for index in range(len(pixels)):
            nearest = int((index + 0.5) / factors[2])
            source = slices[min(nearest, len(slices) - 1)]
            data = _template(source)
            _set_identity(data, source, index, text, seed)
            _set_grid(data, source, affine, index, factors)
            _set_pixels(data, pixels[index], rescale)
            name = temporary / f"IM{index + 1:0{n_digits}}.dcm"
            data.save_as(name, implicit_vr=False, little_endian=True, enforce_file_format=True)


def _stored(
    voxels: Voxels, slope: float, inter: float
) -> tuple[Voxels, tuple[float, float] | None]:
    """Integers, and their slope and intercept where they are new."""
    if voxels.dtype.kind in "ui":
        return voxels, None
    real = np.nan_to_num(voxels * slope + inter, posinf=0, neginf=0)
    low, high = float(real.min()), float(real.max())
    # positive numbers keep intercept 0, as PET demands
    intercept = 0.0 if low >= 0 else _decimal((low + high) / 2)
    slope = _decimal(max(high - intercept, intercept - low) / _LARGEST * (1 + 1e-9)) or 1.0
    stored = np.clip(np.rint((real - intercept) / slope), -_LARGEST, _LARGEST).astype(np.int16)
    return stored, (slope, intercept)


def _decimal(number: float) -> float:
    """The nearest number that fits into the 16 characters of a decimal string."""
    return float(f"{number:.9g}")


def _text(number: float) -> str:
    from pydicom.valuerep import format_number_as_ds

    return str(format_number_as_ds(float(number)))


def _template(source: Slice) -> Dataset:
    """The attributes of an input slice that are still true."""
    from pydicom import dcmread

    with reading(source.path):
        data = dcmread(source.path, stop_before_pixels=True)
        data.remove_private_tags()
        for keyword in _OUTDATED:
            if keyword in data:
                delattr(data, keyword)
        for tag in [tag for tag in data if tag.tag.group in _OVERLAYS or tag.tag.element == 0]:
            del data[tag.tag]
    return data


def _set_identity(data: Dataset, source: Slice, index: int, text: str, seed: list[str]) -> None:
    from pydicom import Dataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    data.SOPInstanceUID = generate_uid(entropy_srcs=[*seed, str(index)])
    data.SeriesInstanceUID = generate_uid(entropy_srcs=seed)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.ImageType = ["DERIVED", "SECONDARY", *list(data.get("ImageType") or [])[2:]]
    data.DerivationDescription = text[:1024]
    data.SeriesDescription = f"{data.get('SeriesDescription') or ''} classicsr".strip()[-64:]
    data.InstanceNumber = index + 1
    origin = Dataset()
    origin.ReferencedSOPClassUID = data.SOPClassUID
    origin.ReferencedSOPInstanceUID = source.instance
    data.SourceImageSequence = [origin]


def _set_grid(data: Dataset, source: Slice, affine: Vector, index: int, factors: Voxels) -> None:
    position = affine[:3, 3] + index * affine[:3, 2]
    normal = np.cross(source.orientation[:3], source.orientation[3:])
    rows, columns = source.pixel_spacing
    data.PixelSpacing = [_text(rows / factors[1]), _text(columns / factors[0])]
    data.SpacingBetweenSlices = _text(abs(float(affine[:3, 2] @ normal)))
    if source.thickness:
        data.SliceThickness = _text(source.thickness / factors[2])
    data.ImagePositionPatient = [_text(one) for one in position]
    data.SliceLocation = _text(float(position @ normal))


def _set_pixels(data: Dataset, pixels: Voxels, rescale: tuple[float, float] | None) -> None:
    if rescale is not None:
        data.RescaleSlope, data.RescaleIntercept = map(_text, rescale)
        data.pop("PixelPaddingValue", None)  # in numbers that are no longer stored
    data.Rows, data.Columns = pixels.shape
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()
    data.PixelData = little + bytes(len(little) % 2)
    data["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
