"""Slices of one DICOM series in order: one grid, no gap, none twice."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classicsr.io._dicom_slice import Slice
from classicsr.io._errors import FileError

Vector = npt.NDArray[np.float64]

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SAME_DIRECTION = 1e-3
_SAME_STEP = 0.05  # of the step: positions are often rounded to 0.1 mm
_SAME_SPACING = 0.01
_TILT_DEGREES = 0.5  # less is rounding of the positions
_THICKEST = 5.0  # times the distance of slices: what is said beyond it is a mistake


def stacked(folder: Path, slices: Sequence[Slice]) -> tuple[list[Slice], Vector]:
    """Slices sorted along their normal, and the affine from (column, row, slice) to RAS in mm.

    The positions alone decide on order and spacing. Warns where SpacingBetweenSlices says something
    else, where SliceThickness cannot be true, and where the slices are sheared (gantry tilt).

    Raises
    ------
    FileError
        The slices are not the samples of one regular grid.
    """
    _check_alike(folder, slices)
    row, column = _directions(slices[0])
    normal = np.cross(row, column)
    ordered = sorted(slices, key=lambda one: float(np.dot(one.position, normal)))
    step = _step(folder, ordered, normal)
    first = ordered[0]
    affine = np.eye(4)
    affine[:3, 0] = row * first.pixel_spacing[1]
    affine[:3, 1] = column * first.pixel_spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = first.position
    return ordered, _LPS_TO_RAS @ affine


def slice_thickness(slices: Sequence[Slice], affine: Vector) -> float | None:
    """Extent of a slice along the last axis in mm, by SliceThickness.

    None where slices do not say it, differ, or say what cannot be true.
    """
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    step = affine[:3, 2]
    distance = abs(float(step @ normal)) / float(np.linalg.norm(normal))
    stated = _stated_thickness(slices)
    if not stated or not _is_plausible(stated, distance):
        return None
    return stated[0] * float(np.linalg.norm(step)) / distance


def is_sheared(affine: Vector) -> bool:
    """Whether the slices are shifted against each other within their plane."""
    return _tilt(affine[:3, 2], np.cross(affine[:3, 0], affine[:3, 1])) > _TILT_DEGREES


def _check_alike(folder: Path, slices: Sequence[Slice]) -> None:
    first = slices[0]
    for name in ("shape", "pixel_spacing", "orientation", "dtype", "photometric"):
        for one in slices:
            mine, its = getattr(first, name), getattr(one, name)
            tolerance = _SAME_DIRECTION * (first.pixel_spacing[0] if name == "pixel_spacing" else 1)
            is_number = name in ("pixel_spacing", "orientation")
            if mine != its and not (is_number and np.allclose(mine, its, rtol=0, atol=tolerance)):
                raise FileError(
                    f"{folder}: the slices are not of one grid, {name} is {_text(mine)} in "
                    f"{first.path.name} and {_text(its)} in {one.path.name}"
                )


def _text(value: object) -> str:
    return " x ".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)


def _directions(one: Slice) -> tuple[Vector, Vector]:
    row, column = np.array(one.orientation[:3]), np.array(one.orientation[3:])
    lengths = [np.linalg.norm(row), np.linalg.norm(column)]
    if not np.allclose(lengths, 1, atol=1e-2) or abs(row @ column) > 1e-2:
        raise FileError(f"{one.path}: ImageOrientationPatient is not two directions")
    if min(one.pixel_spacing) <= 0:
        raise FileError(f"{one.path}: PixelSpacing is not positive")
    return row, column


def _step(folder: Path, ordered: Sequence[Slice], normal: Vector) -> Vector:
    """From one slice to the next in mm, once it is sure that all steps are alike."""
    first = ordered[0]
    if len(ordered) == 1:
        size = first.spacing or max(first.thickness or 0.0, 0.0) or 1.0
        _warn(folder, f"is a single slice, taken as {size:g} mm thick")
        return normal * size
    positions = np.array([one.position for one in ordered])
    steps = np.diff(positions, axis=0)
    along = steps @ normal
    size = float(np.median(along))
    _check_steps(folder, ordered, along, size)
    step: Vector = (positions[-1] - positions[0]) / (len(ordered) - 1)
    if np.abs(steps - step).max() > _SAME_STEP * size:
        raise FileError(f"{folder}: the slices are shifted unevenly within their plane")
    tilt = _tilt(step, normal)
    if tilt > _TILT_DEGREES:
        _warn(folder, f"the slices are sheared by {tilt:.1f} degrees (gantry tilt), kept so")
    _tell_differences(folder, ordered, size)
    return step


def _check_steps(folder: Path, ordered: Sequence[Slice], along: Vector, size: float) -> None:
    narrow = int(along.argmin())
    if along[narrow] < max(1e-3, _SAME_STEP * size):
        pair = sorted(one.path.name for one in ordered[narrow : narrow + 2])
        raise FileError(
            f"{folder}: {pair[0]} and {pair[1]} lie at the same position; a series of several "
            "time points or contrasts must be split into folders"
        )
    if np.abs(along - size).max() <= _SAME_STEP * size:
        return
    wide = int(along.argmax())
    names = " and ".join(one.path.name for one in ordered[wide : wide + 2])
    n_missing = round(float(along[wide] / size)) - 1
    what = f"{n_missing} slice(s) missing" if n_missing > 0 else "uneven spacing"
    raise FileError(
        f"{folder}: {what}, {names} are {along[wide]:.4g} mm apart and others {size:.4g} mm"
    )


def _tell_differences(folder: Path, ordered: Sequence[Slice], size: float) -> None:
    different, spacing, stated = [], ordered[0].spacing, _stated_thickness(ordered)
    if stated and not _is_plausible(stated, size):
        said = " to ".join(f"{value:g}" for value in stated)
        different.append(f"SliceThickness says {said}, which is ignored")
    if spacing and abs(spacing - size) > _SAME_SPACING * size:
        different.append(f"SpacingBetweenSlices says {spacing:g}")
    if different:
        _warn(folder, f"slices are {size:.4g} mm apart by their positions ({', '.join(different)})")


def _stated_thickness(slices: Sequence[Slice]) -> list[float]:
    """The least and the greatest SliceThickness, or the only one, if any."""
    stated = [one.thickness for one in slices if one.thickness is not None]
    return sorted({min(stated), max(stated)}) if stated else []


def _is_plausible(stated: Sequence[float], distance: float) -> bool:
    """Whether all slices may be of one thickness, the stated one."""
    alike = stated[-1] - stated[0] <= _SAME_SPACING * distance
    return alike and 0 < stated[0] <= _THICKEST * distance


def _tilt(step: Vector, normal: Vector) -> float:
    """Angle between two directions in degrees."""
    cosine = abs(step @ normal) / (np.linalg.norm(step) * np.linalg.norm(normal))
    return math.degrees(math.acos(min(1.0, float(cosine))))


def _warn(folder: Path, text: str) -> None:
    warnings.warn(f"{folder}: {text}", UserWarning, stacklevel=5)
