"""The inner step of Lawson and Hanson's method, for weights whose signs are given."""

from __future__ import annotations

import numpy as np
from numba import njit

from .cholesky import cholesky_append, cholesky_solve


@njit(nogil=True, cache=True)
def settle(gram, correlations, penalty, chosen, signs, count, factor, solution, trial):
    """Minimise over the chosen columns, dropping those whose weight would change its sign.

    The objective is ``w' G w / 2 - c' w + penalty * sum |w|`` with ``signs[i] * w[i] >= 0``. The
    last chosen column has just entered, with weight 0; the others are at their minimum.

    Parameters
    ----------
    gram : (n, n) float; correlations : (n,) float
    penalty : float
    chosen : (capacity,) int, signs, solution : (capacity,) float64, updated
    count : int
        Columns chosen.
    factor : (capacity, capacity) float64, updated
        Holds the Cholesky factor of all chosen columns but the last.
    trial : (capacity,) float64
        Scratch.

    Returns
    -------
    Columns that stay, in the order that they had.

    References
    ----------
    C. L. Lawson, R. J. Hanson, "Solving Least Squares Problems", 1974, chapter 23.
    """
    factored = count - 1
    while count > 0:
        independent = _aim(
            gram, correlations, penalty, chosen, signs, factored, count, factor, solution, trial
        )
        step, blocking = 1.0 if independent else np.inf, -1
        for i in range(count):
            change = trial[i] - solution[i]
            if signs[i] * change < 0.0 and -solution[i] / change <= step:
                step, blocking = -solution[i] / change, i
        if blocking < 0 and not independent:
            return count - 1
        for i in range(count):
            solution[i] += step * (trial[i] - solution[i])
        if blocking < 0:
            return count
        solution[blocking] = 0.0
        factored, count = _drop_zeros(chosen, signs, solution, count)
    return count


@njit(inline="always")
def _aim(gram, correlations, penalty, chosen, signs, factored, count, factor, solution, trial):
    """Write to `trial` where the weights should go; False if only a direction is known.

    That is the minimum, or, if the last column depends on the others, a direction that
    exchanges it for them. Rows of `factor` from `factored` on are computed.
    """
    last, independent = count - 1, True
    for i in range(factored, count):
        independent = cholesky_append(factor, gram, chosen, i, chosen[i])
    if independent:
        for i in range(count):
            trial[i] = correlations[chosen[i]] - penalty * signs[i]
        cholesky_solve(factor, count, trial)
        return True
    for i in range(last):
        trial[i] = gram[chosen[i], chosen[last]]
    cholesky_solve(factor, last, trial)
    for i in range(last):
        trial[i] = solution[i] - signs[last] * trial[i]
    trial[last] = solution[last] + signs[last]
    return False


@njit(inline="always")
def _drop_zeros(chosen, signs, solution, count):
    """Close the gaps of zero weights; the first gap, and the columns that are left."""
    kept, first = 0, -1
    for i in range(count):
        if signs[i] * solution[i] > 0.0:
            chosen[kept] = chosen[i]
            signs[kept] = signs[i]
            solution[kept] = solution[i]
            kept += 1
        elif first < 0:
            first = i
    return first, kept
