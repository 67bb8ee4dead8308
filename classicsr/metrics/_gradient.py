"""How far the edges of two images differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from classicsr.metrics._protocol import compare


def gradient_error(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    crop: int | Sequence[int] = 0,
    mask: ArrayLike | None = None,
) -> float:
    """Mean absolute difference of the Sobel gradients, over all axes.

    The Sobel filters are normalised: a ramp that rises by 1 per sample has the gradient 1. One
    sample more is left out on each side, so that every filter lies inside the cropped image.

    Parameters
    ----------
    reference, image : (H, W) or (X, Y, Z) arrays of one shape, any real dtype
        At least 3 samples along each axis after the crop. Compare colour images on `luma`.
    crop, mask
        As for `psnr`.

    Returns
    -------
    float
        In intensity per sample; 0 for images that differ by a constant.

    Raises
    ------
    ValueError
        Shapes differ, too small an image, an empty mask, or a value that is not finite in a
        filter whose centre is compared.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import gradient_error
    >>> ramp = np.tile(np.arange(6.0), (6, 1))
    >>> gradient_error(ramp, 3 * ramp)  # 2 along one axis, 0 along the other
    1.0
    """
    from scipy.ndimage import sobel

    pair = compare("gradient_error", reference, image, data_range=1.0, crop=crop, mask=mask)
    if min(pair.reference.shape) < 3:
        raise ValueError(
            "The images given to gradient_error must have at least 3 samples along each axis "
            f"after the crop. Got shape {pair.reference.shape} instead."
        )
    difference = pair.image - pair.reference
    inner = (slice(1, -1),) * difference.ndim
    where = True if pair.mask is None else pair.mask[inner]
    if not np.any(where):
        raise ValueError(
            "The 'mask' parameter of gradient_error must select something 1 sample inside the crop."
        )
    norm = 2 * 4 ** (difference.ndim - 1)
    per_axis = [
        float(np.mean(np.abs(sobel(difference, axis)[inner]), where=where)) / norm
        for axis in range(difference.ndim)
    ]
    mean = float(np.mean(per_axis))
    if not np.isfinite(mean):
        raise ValueError(
            "The images given to gradient_error must be finite up to 1 sample around the mask."
        )
    return mean
