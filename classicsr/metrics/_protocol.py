"""The one rule for borders, intensity range and masks that every metric goes through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation import resized_shape


@dataclass(frozen=True)
class Comparison:
    """Two float64 images of one shape, cropped; what counts in them; and their range."""

    reference: NDArray[np.float64]
    image: NDArray[np.float64]
    mask: NDArray[np.bool_] | None
    data_range: float


def compare(
    owner: str,
    reference: ArrayLike,
    image: ArrayLike,
    *,
    data_range: float | None,
    crop: int | Sequence[int],
    mask: ArrayLike | None,
) -> Comparison:
    """Check and crop the arguments of the metric called `owner`.

    Raises
    ------
    ValueError
        Shapes differ; no range is known; nothing is left to compare; or a compared value is
        not finite.
    """
    reference, image = np.asarray(reference), np.asarray(image)
    if reference.shape != image.shape:
        raise ValueError(
            f"The images given to {owner} must have one shape. "
            f"Got {reference.shape} and {image.shape} instead."
        )
    peak = _data_range(owner, data_range, reference.dtype)
    inner = _inner(owner, crop, reference.shape)
    compared = Comparison(
        reference[inner].astype(np.float64, copy=False),
        image[inner].astype(np.float64, copy=False),
        None if mask is None else _mask(owner, mask, reference.shape)[inner],
        peak,
    )
    if compared.mask is not None and not compared.mask.any():
        raise ValueError(f"The 'mask' parameter of {owner} must select something inside the crop.")
    where = True if compared.mask is None else compared.mask
    for name, values in (("reference", compared.reference), ("image", compared.image)):
        if not np.isfinite(values).all(where=where):
            raise ValueError(
                f"The {name!r} given to {owner} must be finite where it is compared "
                "(a mask can leave out the rest)."
            )
    return compared


def _data_range(owner: str, data_range: float | None, dtype: np.dtype[Any]) -> float:
    if data_range is None and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return float(limits.max) - float(limits.min)
    if data_range is None or not (data_range > 0 and math.isfinite(data_range)):
        raise ValueError(
            f"The 'data_range' parameter of {owner} must be a positive number "
            f"(integer images have a default, their type's range). Got {data_range!r} instead."
        )
    return float(data_range)


def _inner(owner: str, crop: int | Sequence[int], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Slices that leave out `crop` samples on each side."""
    sides = per_image_axis(crop, shape, 0)
    if len(sides) != len(shape) or any(side < 0 or side != int(side) for side in sides):
        raise ValueError(
            f"The 'crop' parameter of {owner} must be an integer of at least 0, or one for each "
            f"of the {len(shape)} axes. Got {crop!r} instead."
        )
    if any(2 * side >= n for side, n in zip(sides, shape, strict=True)):
        raise ValueError(
            f"The 'crop' parameter of {owner} must leave something of an image of shape {shape}. "
            f"Got {crop!r} instead."
        )
    return tuple(slice(int(side), n - int(side)) for side, n in zip(sides, shape, strict=True))


def _mask(owner: str, mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    array = np.asarray(mask)
    if array.shape != shape:
        raise ValueError(
            f"The 'mask' parameter of {owner} must have the shape of the images, {shape}. "
            f"Got shape {array.shape} instead."
        )
    return array.astype(bool, copy=False)


def per_image_axis(
    value: float | Sequence[float], shape: Sequence[int], for_channels: float
) -> tuple[float, ...]:
    """`value` for each axis; a single number is not meant for the channels of a colour image.

    As everywhere, the last axis of a 3-D array holds channels if its length is 2, 3 or 4.
    """
    if isinstance(value, Sequence):
        return tuple(value)
    has_channels = len(shape) == 3 and 2 <= shape[-1] <= 4
    return (value,) * (len(shape) - has_channels) + (for_channels,) * has_channels


def modcrop(image: ArrayLike, scale: float | Sequence[float]) -> NDArray[Any]:
    """The largest top-left part of `image` whose shape survives shrinking and enlarging.

    For an integer scale that is the largest multiple of it.

    Parameters
    ----------
    image : (H, W), (H, W, C) or (X, Y, Z) array
        A last axis of length 2, 3 or 4 of a 3-D array holds channels.
    scale : float of at least 1, or one per axis

    Returns
    -------
    view of `image`

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import modcrop
    >>> modcrop(np.ones((10, 11, 3)), 4).shape
    (8, 8, 3)
    """
    array = np.asarray(image)
    scales = per_image_axis(scale, array.shape, 1.0)
    if len(scales) != array.ndim or not all(s >= 1 for s in scales):
        raise ValueError(
            "The 'scale' parameter of modcrop must be a number of at least 1, or one for each "
            f"of the {array.ndim} axes. Got {scale!r} instead."
        )
    lengths = tuple(
        next((m for m in range(n, 0, -1) if _survives(m, s)), 0)
        for n, s in zip(array.shape, scales, strict=True)
    )
    if 0 in lengths:
        raise ValueError(f"An image of shape {array.shape} is too small for scale {scale!r}.")
    return array[tuple(map(slice, lengths))]


def _survives(length: int, scale: float) -> bool:
    return resized_shape(resized_shape((length,), 1 / scale), scale) == (length,)
