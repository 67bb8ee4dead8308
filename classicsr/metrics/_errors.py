"""Errors in the units of the image: root mean square, its normalised form, mean absolute."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr._validation import require
from classicsr.metrics._protocol import Comparison, compare

NORMALIZATIONS = ("range", "mean", "norm")


def _values(pair: Comparison) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The compared values of the reference and of the image."""
    if pair.mask is None:
        return pair.reference, pair.image
    return pair.reference[pair.mask], pair.image[pair.mask]


def rmse(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    crop: int | Sequence[int] = 0,
    mask: ArrayLike | None = None,
) -> float:
    """Root mean square error, in the units of the images.

    Parameters
    ----------
    reference, image : arrays of one shape, any real dtype
    crop, mask
        As for `psnr`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Shapes differ, the mask is empty, or a compared value is not finite.

    Examples
    --------
    >>> from classicsr.metrics import rmse
    >>> rmse([0.0, 0.0], [3.0, -3.0])
    3.0
    """
    reference, image = _values(
        compare("rmse", reference, image, data_range=1.0, crop=crop, mask=mask)
    )
    return math.sqrt(float(np.mean(np.square(reference - image))))


def nrmse(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    normalization: str = "range",
    crop: int | Sequence[int] = 0,
    mask: ArrayLike | None = None,
) -> float:
    """Root mean square error divided by the size of the reference: a number without unit.

    Parameters
    ----------
    reference, image : arrays of one shape, any real dtype
    normalization : {"range", "mean", "norm"}
        Three conventions are in use: the error is divided by ``max - min`` of the compared
        reference, by its mean, or by its root mean square (``||x^ - x|| / ||x||``, also called
        RLNE). State which one a figure follows.
    crop, mask
        As for `psnr`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As for `rmse`; or the reference has no range, mean or norm to divide by.

    Examples
    --------
    >>> from classicsr.metrics import nrmse
    >>> nrmse([0.0, 2.0], [1.0, 3.0])
    0.5
    """
    known = ", ".join(NORMALIZATIONS)
    require(
        normalization in NORMALIZATIONS, "normalization", "nrmse", f"one of {known}", normalization
    )
    reference, image = _values(
        compare("nrmse", reference, image, data_range=1.0, crop=crop, mask=mask)
    )
    if normalization == "range":
        size = float(np.ptp(reference))
    elif normalization == "mean":
        size = abs(float(np.mean(reference)))
    else:
        size = math.sqrt(float(np.mean(np.square(reference))))
    if size == 0:
        raise ValueError(f"The {normalization} of the reference given to nrmse must not be 0.")
    return math.sqrt(float(np.mean(np.square(reference - image)))) / size


def mae(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    crop: int | Sequence[int] = 0,
    mask: ArrayLike | None = None,
) -> float:
    """Mean absolute error, in the units of the images.

    Parameters
    ----------
    reference, image : arrays of one shape, any real dtype
    crop, mask
        As for `psnr`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As for `rmse`.

    Examples
    --------
    >>> from classicsr.metrics import mae
    >>> mae([0.0, 0.0], [1.0, -3.0])
    2.0
    """
    reference, image = _values(
        compare("mae", reference, image, data_range=1.0, crop=crop, mask=mask)
    )
    return float(np.mean(np.abs(reference - image)))
