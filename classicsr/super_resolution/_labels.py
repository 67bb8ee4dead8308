"""Label maps on a finer grid: shapes are interpolated, classes are never mixed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation import contributions, resized_shape
from classicsr.degradation._resize import apply_bands
from classicsr.degradation._shape import per_axis

_SLAB_VOXELS = 2**24
_REACH = 2.0  # of the longest step: distances beyond it do not move a boundary
_PASSES = 4
_GAIN = 0.5  # of the longest step, per relative error of a volume
_VOLUME_ERROR = 0.01
_TIE = 1e-4  # of an output voxel: so near to a boundary the lower class wins, from either side

Region = tuple[slice, ...]


def upscale_labels(labels: ArrayLike, scale: float | Sequence[float]) -> NDArray[Any]:
    """Upscale a label map: shape-based interpolation of every class, then the nearest class.

    For each class, the signed distance to its boundary (positive inside, in output voxels) is
    interpolated by cubic convolution; a voxel gets the class that it lies deepest in. Between
    thick slices the outlines therefore move gradually, where nearest-neighbour interpolation
    makes steps. Boundaries are then moved a little, until the volumes of the classes are those
    of the input to about 1 %, or after four passes. No class is invented, at scale 1 nothing
    changes. Memory for the distances is bounded, whatever the size of the map.

    Parameters
    ----------
    labels : (H, W) or (X, Y, Z) array
        Whole numbers of any real dtype, one per class.
    scale : float or one per axis
        Output voxels per input voxel. Output voxels are taken to be of equal sides.

    Returns
    -------
    array of the dtype of `labels`, ``round(n * scale)`` voxels along each axis

    Raises
    ------
    ValueError
        `labels` is not 2-D or 3-D, is empty, or holds other numbers than whole ones.

    References
    ----------
    S. P. Raya, J. K. Udupa, "Shape-based interpolation of multidimensional objects", IEEE
    Transactions on Medical Imaging 9(1), 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import upscale_labels
    >>> upscale_labels(np.eye(3, dtype=np.uint8) * 7, 2)
    array([[7, 7, 0, 0, 0, 0],
           [7, 7, 0, 0, 0, 0],
           [0, 0, 7, 7, 0, 0],
           [0, 0, 7, 7, 0, 0],
           [0, 0, 0, 0, 7, 7],
           [0, 0, 0, 0, 7, 7]], dtype=uint8)
    """
    array = _checked(labels)
    steps = per_axis(scale, array.ndim, "scale", "upscale_labels")
    classes, counts = np.unique(array, return_counts=True)
    codes = np.empty(array.shape, np.min_scalar_type(len(classes)))
    for part, coded in zip(array, codes, strict=True):  # in parts, because indices are 64 bits wide
        coded[...] = np.searchsorted(classes, part)
    shapes = _Shapes(codes, steps)
    wanted = counts * math.prod(shapes.shape) / array.size
    shift = np.zeros(len(classes))
    for _ in range(_PASSES):
        result, volumes = shapes.deepest(shift)
        error = volumes / wanted - 1
        if np.abs(error[1:]).max(initial=0) <= _VOLUME_ERROR:
            break
        # boundaries move until the volumes fit, against those of the first class (background)
        shift[1:] -= _GAIN * max(steps) * error[1:].clip(-1, 1)
        shift = shift.clip(-shapes.limit / 4, shapes.limit / 4)
    return classes[result]


def _checked(labels: ArrayLike) -> NDArray[Any]:
    array = np.asarray(labels)
    is_whole = array.dtype.kind in "bui" or (
        array.dtype.kind == "f" and bool((np.isfinite(array) & (array == np.rint(array))).all())
    )
    if array.ndim not in (2, 3) or not array.size or not is_whole:
        raise ValueError(
            "The 'labels' parameter of upscale_labels must be whole numbers of shape (H, W) or "
            f"(X, Y, Z). Got {array.dtype} of shape {array.shape} instead."
        )
    return array


class _Shapes:
    """Distances to the boundaries of every class, at output voxels."""

    def __init__(self, codes: NDArray[Any], steps: Sequence[float]) -> None:
        from scipy.ndimage import find_objects

        self.codes = codes
        self.steps = steps
        self.shape = resized_shape(codes.shape, steps)
        self.limit = _REACH * max(*steps, 1.0)
        self._boxes = find_objects(codes.astype(np.int32) + 1)
        sizes = zip(codes.shape, self.shape, steps, strict=True)
        self._bands = [contributions(*one) for one in sizes]

    def deepest(self, shift: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The class that each voxel lies deepest in, `shift` added, and the volumes."""
        result = np.empty(self.shape, self.codes.dtype)
        volumes = np.zeros(len(shift), np.int64)
        for slab in self._slabs():
            most = np.full([one.stop - one.start for one in slab], -np.inf, np.float32)
            for code, box in enumerate(self._boxes):
                rows = self._rows_near(box, slab)
                if any(one.stop <= one.start for one in rows):
                    continue
                depth = self._depth(code, rows) + np.float32(shift[code])
                inside = _relative(rows, slab)
                is_deeper = depth > most[inside] + _TIE
                most[inside][is_deeper] = depth[is_deeper]
                result[rows][is_deeper] = code
            volumes += np.bincount(result[slab].ravel(), minlength=len(shift))
        return result, volumes

    def _slabs(self) -> Iterator[Region]:
        """Parts of the output, cut across its longest axis."""
        axis = int(np.argmax(self.shape))
        thickness = max(1, _SLAB_VOXELS * self.shape[axis] // math.prod(self.shape))
        for start in range(0, self.shape[axis], thickness):
            region = [slice(0, n) for n in self.shape]
            region[axis] = slice(start, min(start + thickness, self.shape[axis]))
            yield tuple(region)

    def _rows_near(self, box: Region, slab: Region) -> Region:
        """Output voxels of a slab in the box of a class, and as far around as it may grow."""
        return tuple(
            slice(
                max(part.start, math.floor(one.start * step - self.limit)),
                min(part.stop, math.ceil(one.stop * step + self.limit)),
            )
            for one, part, step in zip(box, slab, self.steps, strict=True)
        )

    def _depth(self, code: int, rows: Region) -> NDArray[np.float32]:
        """Signed distance to the boundary of one class at some output voxels."""
        from scipy.ndimage import distance_transform_edt

        bands = [
            (indices[one], weights[one])
            for (indices, weights), one in zip(self._bands, rows, strict=True)
        ]
        known = tuple(slice(int(taps.min()), int(taps.max()) + 1) for taps, _ in bands)
        around = tuple(
            slice(
                max(0, one.start - math.ceil(self.limit / step)),
                one.stop + math.ceil(self.limit / step),
            )
            for one, step in zip(known, self.steps, strict=True)
        )
        mask = self.codes[around] == code
        if mask.all():
            distance = np.full(mask.shape, self.limit)
        else:
            distance = distance_transform_edt(mask, sampling=self.steps)
            distance -= (
                distance_transform_edt(~mask, sampling=self.steps) if mask.any() else self.limit
            )
        depth = distance.clip(-self.limit, self.limit)[_relative(known, around)]
        depth = np.ascontiguousarray(depth, dtype=np.float32)
        for axis, ((taps, weights), one) in enumerate(zip(bands, known, strict=True)):
            depth = apply_bands(depth, (taps - one.start, weights), axis)
        return depth


def _relative(region: Region, within: Region) -> Region:
    """The same region, counted from the start of another one."""
    return tuple(
        slice(one.start - other.start, one.stop - other.start)
        for one, other in zip(region, within, strict=True)
    )
