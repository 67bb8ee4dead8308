"""BT.601 studio-swing YCbCr, the colour space of the super-resolution literature."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Rows Y, Cb, Cr, as in MATLAB's rgb2ycbcr; the offset is for a peak of 1
_TO_YCBCR = (
    np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
    / 255
)
_TO_RGB = np.linalg.inv(_TO_YCBCR)
_OFFSET = np.array([16.0, 128.0, 128.0]) / 255


def _color(image: ArrayLike, owner: str) -> NDArray[Any]:
    array = np.asarray(image)
    if array.ndim < 1 or array.shape[-1] != 3:
        raise ValueError(
            f"The 'image' parameter of {owner} must be an array whose last axis has the "
            f"3 colour channels. Got shape {array.shape} instead."
        )
    return array


def _mix(image: NDArray[Any], row: NDArray[np.float64], offset: float) -> NDArray[Any]:
    """One linear combination of the channels, in the dtype of `image`.

    Not a matrix product: BLAS may round a pixel differently according to its place.
    """
    first, second, third = row.astype(image.dtype)
    mixed = np.asarray(image[..., 0] * first)
    mixed += image[..., 1] * second
    mixed += image[..., 2] * third
    mixed += image.dtype.type(offset)
    return mixed


def rgb_to_ycbcr(image: ArrayLike, *, peak: float = 255.0) -> NDArray[np.float32]:
    """Y, Cb, Cr of an RGB image, in float32 and unrounded.

    Parameters
    ----------
    image : (..., 3) array
        Intensities in [0, peak].
    peak : float
        White: 255 (the default), 65535, 1.0. The result has the same unit: Y lies in
        [16, 235] * peak / 255.

    Returns
    -------
    (..., 3) float32 array

    References
    ----------
    Recommendation ITU-R BT.601-7, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import rgb_to_ycbcr
    >>> rgb_to_ycbcr(np.array([255, 255, 255], np.uint8)).round(2).tolist()
    [235.0, 128.0, 128.0]
    """
    rgb = _color(image, "rgb_to_ycbcr").astype(np.float32, copy=False)
    return np.stack([_mix(rgb, _TO_YCBCR[k], _OFFSET[k] * peak) for k in range(3)], axis=-1)


def ycbcr_to_rgb(image: ArrayLike, *, peak: float = 255.0) -> NDArray[np.float32]:
    """Inverse of `rgb_to_ycbcr`: float32, neither rounded nor clipped.

    8-bit colours survive the round trip exactly, once rounded.

    Parameters
    ----------
    image : (..., 3) array
        Y, Cb, Cr in the unit of `peak`.
    peak : float
        White: 255 (the default), 65535, 1.0.

    Returns
    -------
    (..., 3) float32 array in [0, peak] for colours that exist

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import rgb_to_ycbcr, ycbcr_to_rgb
    >>> color = np.array([12, 200, 77], np.uint8)
    >>> ycbcr_to_rgb(rgb_to_ycbcr(color)).round().tolist()
    [12.0, 200.0, 77.0]
    """
    ycbcr = _color(image, "ycbcr_to_rgb").astype(np.float32, copy=False)
    offset = -_TO_RGB @ _OFFSET * peak
    return np.stack([_mix(ycbcr, _TO_RGB[k], offset[k]) for k in range(3)], axis=-1)


def luma(image: ArrayLike, *, peak: float = 255.0, rounded: bool = False) -> NDArray[Any]:
    """BT.601 studio-swing luma ``Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255``.

    Parameters
    ----------
    image : (..., 3) array, RGB in [0, peak]
    peak : float
        White: 255 (the default), 65535, 1.0.
    rounded : bool
        Round to integers (half up), as MATLAB's ``rgb2ycbcr`` does for uint8: the luma that
        published PSNR figures are taken on.

    Returns
    -------
    (...) float64 array

    References
    ----------
    Recommendation ITU-R BT.601-7, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import luma
    >>> luma(np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]], np.uint8), rounded=True).tolist()
    [16.0, 235.0, 81.0]
    """
    rgb = _color(image, "luma").astype(np.float64, copy=False)
    y = _mix(rgb, _TO_YCBCR[0], _OFFSET[0] * peak)
    return np.floor(y + 0.5) if rounded else y
