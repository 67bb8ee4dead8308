"""Figures of regions: contrast and smoothness of one image, agreement of two label images."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


def _selected(owner: str, image: ArrayLike, name: str, region: ArrayLike) -> Values:
    """The values of `image` where `region` is not 0."""
    array, chosen = np.asarray(image), np.asarray(region).astype(bool)
    if array.shape != chosen.shape:
        raise ValueError(
            f"The {name!r} parameter of {owner} must have the shape of the image, {array.shape}. "
            f"Got shape {chosen.shape} instead."
        )
    values = array[chosen].astype(np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError(
            f"The {name!r} parameter of {owner} must select something, and only finite values."
        )
    return values


def cnr(image: ArrayLike, region: ArrayLike, background: ArrayLike) -> float:
    """Contrast-to-noise ratio ``|m_r - m_b| / sqrt((s_r**2 + s_b**2) / 2)`` of two regions.

    Parameters
    ----------
    image : array
    region, background : bool arrays of the shape of `image`

    Returns
    -------
    float
        ``inf`` for two flat regions of different intensity.

    Raises
    ------
    ValueError
        Shapes differ, a region is empty, or a value in it is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import cnr
    >>> image = np.array([9.0, 11.0, 4.0, 6.0])
    >>> cnr(image, image > 8, image < 8)
    5.0
    """
    inside = _selected("cnr", image, "region", region)
    outside = _selected("cnr", image, "background", background)
    contrast = abs(float(inside.mean() - outside.mean()))
    noise = math.sqrt(0.5 * float(inside.var() + outside.var()))
    if noise == 0:
        return math.inf if contrast else 0.0
    return contrast / noise


def enl(image: ArrayLike, region: ArrayLike) -> float:
    """Equivalent number of looks ``mean**2 / variance`` of a region that should be uniform.

    Parameters
    ----------
    image : array
    region : bool array of the shape of `image`

    Returns
    -------
    float
        ``inf`` for a flat region.

    Raises
    ------
    ValueError
        As for `cnr`.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import enl
    >>> enl(np.array([9.0, 11.0]), np.array([True, True]))
    100.0
    """
    values = _selected("enl", image, "region", region)
    variance = float(values.var())
    return float(values.mean()) ** 2 / variance if variance else math.inf


def dice(reference: ArrayLike, labels: ArrayLike) -> float:
    """Dice overlap ``2 |A and B| / (|A| + |B|)`` of two label images, mean over the labels.

    Parameters
    ----------
    reference, labels : integer arrays of one shape
        0 is background; the labels that count are those of `reference`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Shapes differ, or `reference` has no label.

    References
    ----------
    L. R. Dice, "Measures of the amount of ecologic association between species", 1945.

    Examples
    --------
    >>> from classicsr.metrics import dice
    >>> dice([0, 1, 1, 2], [0, 1, 0, 2])  # 2/3 and 1
    0.8333333333333333
    """
    truth, found = np.asarray(reference), np.asarray(labels)
    if truth.shape != found.shape:
        raise ValueError(
            "The label images given to dice must have one shape. "
            f"Got {truth.shape} and {found.shape} instead."
        )
    present = [label for label in np.unique(truth) if label != 0]
    if not present:
        raise ValueError("The 'reference' parameter of dice must hold a label other than 0.")
    overlaps = [
        2 * np.count_nonzero((truth == label) & (found == label))
        / (np.count_nonzero(truth == label) + np.count_nonzero(found == label))
        for label in present
    ]  # fmt: skip
    return float(np.mean(overlaps))
