"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from classicsr.metrics._protocol import compare


def psnr(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    data_range: float | None = None,
    crop: int | Sequence[int] = 0,
    mask: ArrayLike | None = None,
) -> float:
    """Peak signal-to-noise ratio ``10 log10(data_range**2 / MSE)`` in dB.

    Parameters
    ----------
    reference, image : arrays of one shape, any real dtype
    data_range : float, optional
        The peak. Integer references default to their type's range (255 for uint8); floats
        have no default.
    crop : int or sequence of int
        Samples left out on each side, on every axis but the channels, or per axis.
    mask : bool array of the shape of the images, optional
        Where to compare.

    Returns
    -------
    float
        ``inf`` for identical images.

    Raises
    ------
    ValueError
        Shapes differ, no range is known, the mask is empty, or a compared value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import psnr
    >>> round(psnr(np.zeros((4, 4)), np.full((4, 4), 0.1), data_range=1.0), 6)
    20.0
    """
    pair = compare("psnr", reference, image, data_range=data_range, crop=crop, mask=mask)
    difference = pair.reference - pair.image
    if pair.mask is not None:
        difference = difference[pair.mask]
    mean_square = float(np.mean(np.square(difference)))
    return math.inf if mean_square == 0 else 10 * math.log10(pair.data_range**2 / mean_square)
