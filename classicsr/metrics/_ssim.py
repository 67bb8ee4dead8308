"""Structural similarity."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from classicsr.metrics._protocol import compare

SIGMA = 1.5
RADIUS = 5  # 11 samples wide


def ssim(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    data_range: float | None = None,
    crop: int | Sequence[int] = 0,
    mask: ArrayLike | None = None,
) -> float:
    """Mean structural similarity with the settings of the original paper.

    Gaussian window of 11 samples per axis (sigma 1.5), K1 = 0.01, K2 = 0.03, averaged over the
    positions where the window lies inside the (cropped) image: 5 samples more are left out on
    each side. Volumes use a 3-D window.

    Parameters
    ----------
    reference, image : (H, W) or (X, Y, Z) arrays of one shape, any real dtype
        At least 11 samples along each axis after the crop. Compare colour images on `luma`.
    data_range : float, optional
        Integer references default to their type's range; floats have no default.
    crop : int or sequence of int
        Samples left out on each side, on every axis or per axis.
    mask : bool array of the shape of the images, optional
        Window centres to average over.

    Returns
    -------
    float
        1.0 for identical images.

    Raises
    ------
    ValueError
        As for `psnr`; too small an image; or a window in the mask holds a non-finite value.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error
    visibility to structural similarity", 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import ssim
    >>> image = np.random.default_rng(0).uniform(size=(16, 16))
    >>> ssim(image, image, data_range=1.0)
    1.0
    """
    from skimage.metrics import structural_similarity

    pair = compare("ssim", reference, image, data_range=data_range, crop=crop, mask=mask)
    if min(pair.reference.shape) <= 2 * RADIUS:
        raise ValueError(
            f"The images given to ssim must have at least {2 * RADIUS + 1} samples along each "
            f"axis after the crop. Got shape {pair.reference.shape} instead."
        )
    _, similarity = structural_similarity(
        pair.reference,
        pair.image,
        data_range=pair.data_range,
        gaussian_weights=True,
        sigma=SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    valid = (slice(RADIUS, -RADIUS),) * similarity.ndim
    values = similarity[valid] if pair.mask is None else similarity[valid][pair.mask[valid]]
    if values.size == 0:
        raise ValueError(
            f"The 'mask' parameter of ssim must select something {RADIUS} samples inside the crop."
        )
    mean = float(np.mean(values))
    if not math.isfinite(mean):
        raise ValueError(
            "The images given to ssim must be finite in every window whose centre is compared, "
            f"that is up to {RADIUS} samples around the mask."
        )
    return mean
