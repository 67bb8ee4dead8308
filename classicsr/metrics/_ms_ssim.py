"""Structural similarity over several scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.metrics._protocol import compare
from classicsr.metrics._ssim import RADIUS, SIGMA

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MIN_SIDE = (2 * RADIUS + 1) * 2 ** (len(WEIGHTS) - 1)
_K1, _K2 = 0.01, 0.03
_WINDOW = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
_WINDOW /= _WINDOW.sum()

Image = NDArray[np.float64]


def ms_ssim(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    data_range: float | None = None,
    crop: int | Sequence[int] = 0,
) -> float:
    """Multi-scale structural similarity, with the five weights of the paper.

    Contrast and structure at five scales, each half as fine as the one before (means of 2
    samples per axis), and luminance at the coarsest. The window is that of `ssim` and lies
    inside the (cropped) image.

    Parameters
    ----------
    reference, image : (H, W) or (X, Y, Z) arrays of one shape, any real dtype
        At least 176 samples along each axis after the crop. Compare colour images on `luma`.
    data_range : float, optional
        Integer references default to their type's range; floats have no default.
    crop : int or sequence of int
        Samples left out on each side, on every axis or per axis.

    Returns
    -------
    float
        1.0 for identical images. A negative mean at one scale, which has no real power, counts
        as 0.

    Raises
    ------
    ValueError
        As for `psnr`, or too small an image.

    References
    ----------
    Z. Wang, E. P. Simoncelli, A. C. Bovik, "Multiscale structural similarity for image quality
    assessment", Asilomar 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import ms_ssim
    >>> image = np.random.default_rng(0).uniform(size=(176, 176))
    >>> round(ms_ssim(image, image, data_range=1.0), 6)
    1.0
    """
    pair = compare("ms_ssim", reference, image, data_range=data_range, crop=crop, mask=None)
    if min(pair.reference.shape) < MIN_SIDE:
        raise ValueError(
            f"The images given to ms_ssim must have at least {MIN_SIDE} samples along each axis "
            f"after the crop. Got shape {pair.reference.shape} instead."
        )
    x, y = pair.reference, pair.image
    product = 1.0
    for level, weight in enumerate(WEIGHTS):
        similarity, contrast_structure = _means(x, y, pair.data_range)
        is_last = level == len(WEIGHTS) - 1
        product *= max(similarity if is_last else contrast_structure, 0.0) ** weight
        x, y = _halved(x), _halved(y)
    return product


def _means(x: Image, y: Image, data_range: float) -> tuple[float, float]:
    """Means of the similarity, and of its factor for contrast and structure."""
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x) - mean_x**2 + _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    contrast_structure = (2 * covariance + c2) / (variances + c2)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float(np.mean(luminance * contrast_structure)), float(np.mean(contrast_structure))


def _blurred(image: Image) -> Image:
    """Means under the window, where it lies inside."""
    from scipy.ndimage import correlate1d

    for axis in range(image.ndim):
        image = correlate1d(image, _WINDOW, axis)
    return image[(slice(RADIUS, -RADIUS),) * image.ndim]


def _halved(image: Image) -> Image:
    """Means of 2 samples along each axis; the last one of an odd number is left out."""
    for axis in range(image.ndim):
        image = np.moveaxis(image, axis, 0)
        n = len(image) // 2 * 2
        image = np.moveaxis((image[0:n:2] + image[1:n:2]) / 2, 0, axis)
    return image
