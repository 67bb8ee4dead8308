"""Sharpness of one edge: the width of its spread, and what that means for frequencies."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
_FWHM_OF_SIGMA = 2 * math.sqrt(2 * math.log(2))


class EdgeWidth(NamedTuple):
    """Sharpness of an edge, whose line spread function is taken as a Gaussian.

    Attributes
    ----------
    fwhm : float
        Full width at half maximum of the line spread function, in samples.
    mtf50, mtf10 : float
        Frequencies, in cycles per sample, at which contrast has fallen to 50 % and 10 %.
    contrast : float
        Difference of intensity from one side to the other, positive.
    """

    fwhm: float
    mtf50: float
    mtf10: float
    contrast: float


def edge_width(image: ArrayLike) -> EdgeWidth:
    """Width of the one straight edge that an image, or a profile, shows.

    An error function across a line of unknown place and direction is fitted to all samples, by
    least squares. A slanted edge samples its own profile more finely than the grid.

    Parameters
    ----------
    image : (H, W) or (N,) array, finite
        A region that holds one edge and nothing else, at least 5 samples along each axis.

    Returns
    -------
    EdgeWidth

    Raises
    ------
    ValueError
        Shape or values are not as above, or there is no edge.

    References
    ----------
    ISO 12233, "Photography - Electronic still picture imaging - Resolution and spatial frequency
    responses"; S. E. Reichenbach, S. K. Park, R. Narayanswamy, "Characterizing digital image
    acquisition devices", Optical Engineering 30(2), 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.special import erf
    >>> from classicsr.metrics import edge_width
    >>> x = np.arange(-20, 21) / 3.0
    >>> round(edge_width(50 + 20 * erf(x / np.sqrt(2))).fwhm / 3, 2)
    2.35
    """
    from scipy.optimize import least_squares
    from scipy.special import erf

    values = np.atleast_2d(np.asarray(image, dtype=np.float64))
    sides = values.shape[1:] if np.ndim(image) == 1 else values.shape
    if np.ndim(image) not in (1, 2) or min(sides) < 5 or not np.isfinite(values).all():
        raise ValueError(
            "The 'image' parameter of edge_width must be one or two axes of at least 5 finite "
            f"samples. Got shape {np.shape(image)} instead."
        )
    span = float(np.ptp(values))
    if span == 0:
        raise ValueError("The 'image' parameter of edge_width must hold an edge. Got a constant.")
    grid = np.stack([axis - axis.mean() for axis in np.indices(values.shape, dtype=float)])

    def misfit(p: Values) -> Values:
        across = grid[0] * np.sin(p[0]) + grid[1] * np.cos(p[0]) - p[1]
        return (p[3] + p[4] * erf(across / (math.sqrt(2) * np.exp(p[2]))) - values / span).ravel()

    start = _start(values / span, grid)
    reach = np.full(5, np.inf)
    if np.ndim(image) == 1:  # a profile has no direction
        reach[0] = 1e-12
    found = least_squares(misfit, start, bounds=(start - reach, start + reach)).x
    sigma = float(np.exp(found[2]))
    mtf50, mtf10 = (math.sqrt(-2 * math.log(level)) / (2 * math.pi * sigma) for level in (0.5, 0.1))
    return EdgeWidth(_FWHM_OF_SIGMA * sigma, mtf50, mtf10, 2 * abs(float(found[4])) * span)


def _start(values: Values, grid: Values) -> Values:
    """Direction, offset, log of sigma, mean and half contrast, from moments of the slopes."""
    slopes = [np.gradient(values, axis=a) if values.shape[a] > 1 else 0 * values for a in (0, 1)]
    # squared, so that the edge outweighs noise; doubled angles have no sign
    twice = np.arctan2(
        2 * np.sum(slopes[0] * slopes[1]), np.sum(slopes[1] ** 2) - np.sum(slopes[0] ** 2)
    )
    angle = twice / 2
    across = grid[0] * np.sin(angle) + grid[1] * np.cos(angle)
    weight = slopes[0] ** 2 + slopes[1] ** 2
    offset = np.average(across, weights=weight)
    spread = np.sqrt(np.average((across - offset) ** 2, weights=weight))
    sides = values[across > offset].mean(), values[across <= offset].mean()
    sigma = math.log(max(float(spread), 0.3))
    return np.array([angle, offset, sigma, np.mean(sides), (sides[0] - sides[1]) / 2])
