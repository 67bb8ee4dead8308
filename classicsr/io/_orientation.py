"""Where a NIfTI header says its voxels lie: sform, qform, or neither."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Affine = npt.NDArray[np.float64]

_MM = {1: 1000.0, 2: 1.0, 3: 0.001}  # mm per unit code; unknown units count as mm
GRID_TOLERANCE = 0.1
"""In voxels: positions that differ less are the same."""


def spatial_unit(header: Any) -> float:
    """Millimetres per spatial unit of the header."""
    return _MM.get(int(header["xyzt_units"]) % 8, 1.0)


def stored_affine(header: Any, form: str) -> Affine | None:
    """The ``"sform"`` or ``"qform"`` of the header; None where it is not set or not usable."""
    try:
        affine = getattr(header, f"get_{form}")(coded=True)[0]
    except (ValueError, np.linalg.LinAlgError):  # no rotation, or a negative voxel size
        return None
    if affine is None or not np.isfinite(affine).all() or np.linalg.det(affine) == 0:
        return None
    return np.asarray(affine, dtype=np.float64)


def best_affine(path: Path, header: Any) -> Affine:
    """The sform, else the qform, else voxel sizes alone; warns where the choice matters."""
    sform, qform = stored_affine(header, "sform"), stored_affine(header, "qform")
    for form, affine in (("sform", sform), ("qform", qform)):
        if affine is None and header[f"{form}_code"] > 0:
            _warn(path, f"the {form} is not a valid affine and is not used")
    if sform is not None and qform is not None:
        distance = grid_distance(sform, qform, header.get_data_shape())
        if distance > GRID_TOLERANCE:
            _warn(path, f"sform and qform disagree by up to {distance:.3g} voxels; sform is used")
    if sform is not None:
        return sform
    if qform is not None:
        return qform
    _warn(path, "no orientation is stored; it is made from the voxel sizes")
    return np.asarray(header.get_base_affine(), dtype=np.float64)


def grid_distance(first: Affine, second: Affine, shape: tuple[int, ...]) -> float:
    """Largest distance of the two positions of a corner voxel, in voxels."""
    last = [n - 1 for n in (*shape, 1, 1)[:3]]
    corners = np.array(np.meshgrid(*[(0, n) for n in last], [1])).reshape(4, -1)
    voxel = np.linalg.norm(first[:3, :3], axis=0).min()
    return float(np.linalg.norm((first - second) @ corners, axis=0).max() / voxel)


def _warn(path: Path, text: str) -> None:
    warnings.warn(f"{path}: {text}", UserWarning, stacklevel=4)
