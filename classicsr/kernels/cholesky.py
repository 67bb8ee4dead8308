"""Small Cholesky factors that grow column by column.

A factor is held as the rows of ``U = L'``, so that the inner loops run along memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def cholesky_append(factor, gram, chosen, count, column):
    """Extend the Cholesky factor of the chosen columns' Gram matrix by one; False if singular.

    `factor` (capacity, capacity) float64 holds `count` columns; column `count` is overwritten.
    """
    added = factor[count]  # what lies before the diagonal is free
    for i in range(count):
        added[i] = gram[column, chosen[i]]
    rest = np.float64(gram[column, column])
    for i in range(count):
        row = factor[i]
        value = added[i] / row[i]
        for j in range(i + 1, count):
            added[j] -= value * row[j]
        row[count] = value
        rest -= value * value
    if rest <= 1e-7 * gram[column, column]:
        return False
    factor[count, count] = np.sqrt(rest)
    return True


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def cholesky_solve(factor, count, solution):
    """Solve ``U' U z = b`` in place."""
    for i in range(count):
        row = factor[i]
        value = solution[i] / row[i]
        for j in range(i + 1, count):
            solution[j] -= value * row[j]
        solution[i] = value
    for i in range(count - 1, -1, -1):
        row = factor[i]
        for j in range(i + 1, count):
            solution[i] -= row[j] * solution[j]
        solution[i] /= row[i]
