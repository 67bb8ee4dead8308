"""Sparse codes of many signals with an L1 penalty, by an active-set method."""

from __future__ import annotations

import numpy as np
from numba import njit

from .active_set import settle
from .omp import largest_magnitude, residual_correlations

_TOLERANCE = 1e-4  # of the penalty: what an atom outside the code may correlate above it


@njit(nogil=True, cache=True)
def batch_lasso(correlations, gram, penalties, indices, coefficients):
    """Minimise ``|x - D w|^2 / 2 + penalty * sum |w|`` for each signal x.

    Atoms enter one by one, the most correlated with the residual first; each time the weights of
    the atoms in use are solved for exactly, and those that reach zero leave.

    Parameters
    ----------
    correlations : (n, n_atoms) float32
        Inner products of signals and atoms.
    gram : (n_atoms, n_atoms) float32
        Inner products of the atoms.
    penalties : (n,) float32
    indices : (n, capacity) int32, overwritten
    coefficients : (n, capacity) float32, overwritten
        Trailing zeros follow the atoms in use; more than `capacity` are never used.

    References
    ----------
    H. Lee, A. Battle, R. Raina, A. Y. Ng, "Efficient sparse coding algorithms", NIPS 2006
    (feature-sign search).
    """
    n_atoms, capacity = correlations.shape[1], indices.shape[1]
    residual = np.empty(n_atoms, np.float32)
    factor = np.zeros((capacity, capacity))
    signs, solution, trial = np.empty(capacity), np.empty(capacity), np.empty(capacity)
    for n in range(correlations.shape[0]):
        start, chosen, penalty = correlations[n], indices[n], np.float64(penalties[n])
        count = 0
        for _ in range(4 * capacity):
            residual_correlations(start, gram, chosen, count, solution, residual)
            atom = largest_magnitude(residual)
            if count == capacity or abs(residual[atom]) <= (1.0 + _TOLERANCE) * penalty:
                break
            chosen[count], solution[count] = atom, 0.0
            signs[count] = 1.0 if residual[atom] > 0.0 else -1.0
            count = settle(gram, start, penalty, chosen, signs, count + 1, factor, solution, trial)
            if count == 0 or chosen[count - 1] != atom:
                break  # it has nothing to add but rounding
        for i in range(capacity):
            coefficients[n, i] = solution[i] if i < count else 0.0
            chosen[i] = chosen[i] if i < count else 0
