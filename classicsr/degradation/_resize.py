"""Separable resampling of n-D arrays along any of their axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from classicsr.degradation._contributions import Bands, contributions
from classicsr.degradation._shape import per_axis, resized_shape
from classicsr.kernels.resample import apply_banded


def as_floating(image: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """C-contiguous native array of `dtype`; by default float32 stays and the rest is float64."""
    array = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"Images must be arrays of real numbers. Got dtype {array.dtype} instead.")
    if dtype is None:
        dtype = np.float32 if array.dtype.kind + str(array.dtype.itemsize) == "f4" else np.float64
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(
            f"The 'dtype' parameter of resize must be float32, float64 or None. Got {dtype!r} "
            "instead."
        )
    if array.size == 0:
        raise ValueError(f"Images must have at least one sample. Got shape {array.shape} instead.")
    return np.ascontiguousarray(array, dtype=np.dtype(dtype))


def apply_bands(array: NDArray[Any], bands: Bands, axis: int) -> NDArray[Any]:
    """Multiply a C-contiguous float array by a banded matrix along `axis`."""
    indices, weights = bands
    n_out, n_in = len(weights), array.shape[axis]
    if n_out == n_in and np.array_equal(indices, np.arange(n_in)[:, None]) and (weights == 1).all():
        return array
    n_outer = math.prod(array.shape[:axis])
    out = np.empty((*array.shape[:axis], n_out, *array.shape[axis + 1 :]), array.dtype)
    apply_banded(
        array.reshape(n_outer, n_in, -1),
        indices,
        weights.astype(array.dtype, copy=False),
        out.reshape(n_outer, n_out, -1),
    )
    return out


def resize(
    image: ArrayLike,
    scale: float | Sequence[float],
    *,
    output_shape: Sequence[int] | None = None,
    kernel: str = "cubic",
    antialias: bool = True,
    axes: Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> NDArray[Any]:
    """Resample an array along some or all axes, exactly as MATLAB's ``imresize`` for images.

    Parameters
    ----------
    image : array of any shape
        For example ``(H, W)``, ``(H, W, C)`` with ``axes=(0, 1)``, or ``(X, Y, Z)``.
    scale : float or sequence of float, one per axis in `axes`
        Output samples per input sample: 3 enlarges, 1/3 shrinks.
    output_shape : sequence of int, one per axis in `axes`, optional
        Default ``round(n * scale)``, half up. It does not move the sample grid.
    kernel : {"linear", "cubic", "lanczos3", "box", "gaussian"}
        See `contributions`; box and Gaussian have width 1.
    antialias : bool
        Stretch the kernel when shrinking.
    axes : sequence of int, optional
        Axes to resample; default all. They are taken in order of growing scale, the first
        axis first among equals (the order of MATLAB).
    dtype : float32 or float64, optional
        Type to compute in and to return. By default float32 and float64 stay as they are and
        every other type is computed and returned in float64, neither rounded nor clipped.

    Returns
    -------
    array of float32 or float64, a new one or `image` itself where nothing changes

    Raises
    ------
    ValueError
        For an empty image or a parameter out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import resize
    >>> resize(np.ones((4, 4, 9), np.float32), (1, 1, 1 / 3)).shape
    (4, 4, 3)
    """
    array = as_floating(image, dtype)
    axes = tuple(range(array.ndim)) if axes is None else tuple(a % array.ndim for a in axes)
    scales = per_axis(scale, len(axes), "scale", "resize")
    shape = [array.shape[axis] for axis in axes]
    lengths = resized_shape(shape, scales) if output_shape is None else tuple(output_shape)
    if len(lengths) != len(axes):
        raise ValueError(
            f"The 'output_shape' parameter of resize must be {len(axes)} integers, one per axis. "
            f"Got {output_shape!r} instead."
        )
    for axis, factor, n_out in sorted(zip(axes, scales, lengths, strict=True), key=lambda t: t[1]):
        bands = contributions(array.shape[axis], n_out, factor, kernel, antialias=antialias)
        array = apply_bands(array, bands, axis)
    return array
