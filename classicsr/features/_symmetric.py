"""Principal components of windows that flips and turns map onto each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
_SMALLEST = 1e-10  # share of the largest eigenvalue below which there is nothing but rounding


class SymmetricFilters(NamedTuple):
    """Filters, and what flips do to their responses.

    Attributes
    ----------
    filters : (n, side^2) float64
    parities : (n, 3) int8
        Sign of a response after a flip left to right, after a flip upside down, and after the
        exchange of the axes. The last is 0 where the exchange leads to the response of the
        other filter of a pair: they follow each other, the one that is odd from left to right
        first.
    energies : (n,) float64
        Mean square of the responses.
    """

    filters: Float64
    parities: NDArray[np.int8]
    energies: Float64


def symmetric_filters(moment: Float64, emphasis: Float64, n_filters: int) -> SymmetricFilters:
    """The strongest principal components among those with the symmetries of the square.

    Windows are taken in all their flips and turns, relative to their mean.

    Parameters
    ----------
    moment : (side^2, side^2) float64
        Mean of ``x x'`` over windows.
    emphasis : (side^2, side^2) float64
        Symmetric linear map that windows go through first: says what matters in them.
    n_filters : int
        At most; a pair is taken whole or not at all.

    References
    ----------
    E. Perez-Pellitero, J. Salvador, J. Ruiz-Hidalgo, B. Rosenhahn, "PSyCo: Manifold span
    reduction for super resolution", CVPR 2016 (the group of flips, turns and signs).
    """
    n = len(moment)
    flips = [np.eye(n)[order] for order in _flips(n)]
    seen = emphasis @ (np.eye(n) - 1 / n)
    energy = _over_all_poses(seen @ moment @ seen.T, flips)
    found: list[tuple[float, list[Float64], list[tuple[int, int, int]]]] = []
    for parity in ((1, 1, 1), (1, 1, -1), (-1, -1, 1), (-1, -1, -1)):
        for value, vector in _components(energy, flips, parity):
            found.append((value, [vector], [parity]))
    for value, vector in _components(energy, flips, (-1, 1, 0)):
        found.append((value, [vector, flips[2] @ vector], [(-1, 1, 0), (1, -1, 0)]))
    found.sort(key=lambda one: -one[0])
    vectors: list[Float64] = []
    parities: list[tuple[int, int, int]] = []
    energies: list[float] = []
    for value, some, kinds in found:
        if len(vectors) + len(some) <= n_filters and value > _SMALLEST * found[0][0]:
            vectors += some
            parities += kinds
            energies += [value] * len(some)
    return SymmetricFilters(
        np.array(vectors) @ seen, np.array(parities, np.int8), np.array(energies)
    )


def centered_emphasis(side: int, block: int, width: float, high_pass: float) -> Float64:
    """Windows less `high_pass` times their blurred selves, weighted towards the centre.

    Parameters
    ----------
    side : int
        Of the window, in its own pixels.
    block : int
        Pixels of the window per low-resolution pixel along an axis.
    width : float
        Standard deviation of the Gaussian weights, in low-resolution pixels.
    high_pass : float
        From 0 (nothing) to 1.
    """
    offsets = np.arange(side)
    blur = np.exp(-0.5 * ((offsets[:, None] - offsets) / (0.8 * block)) ** 2)
    blur /= blur.sum(axis=1, keepdims=True)
    taper = np.exp(-0.5 * ((offsets - (side - 1) / 2) / (width * block)) ** 2)
    sharpened = np.eye(side * side) - high_pass * np.kron(blur, blur)
    return np.outer(taper, taper).reshape(-1, 1) * sharpened


def _flips(n: int) -> list[NDArray[np.int64]]:
    """Pixel orders of a flip left to right, a flip upside down, an exchange of the axes."""
    grid = np.arange(n).reshape(round(n**0.5), -1)
    return [grid[:, ::-1].ravel(), grid[::-1].ravel(), grid.T.ravel()]


def _over_all_poses(moment: Float64, flips: list[Float64]) -> Float64:
    for flip in flips:
        moment = (moment + flip @ moment @ flip.T) / 2
    return moment


def _components(
    moment: Float64, flips: list[Float64], parity: tuple[int, int, int]
) -> list[tuple[float, Float64]]:
    """Principal components within the windows of a parity."""
    part = np.eye(len(moment))
    for flip, sign in zip(flips, parity, strict=True):
        if sign:
            part = (part + sign * flip @ part) / 2
    values, vectors = np.linalg.eigh(part @ moment @ part.T)
    return [(float(v), w) for v, w in zip(values, vectors.T, strict=True) if v > 0]
