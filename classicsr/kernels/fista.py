"""Sparse codes of many signals with an L1 penalty, by accelerated proximal gradient steps."""

from __future__ import annotations

import numpy as np
from numba import njit

from .omp import residual_correlations

_TOLERANCE = 1e-4  # of the penalty: how far the conditions of the minimum may be from holding
_MAX_ITER = 5000
_POWER_ITER = 50


@njit(nogil=True, cache=True)
def batch_fista(correlations, gram, penalties, indices, coefficients):
    """Minimise ``|x - D w|^2 / 2 + penalty * sum |w|`` for each signal x.

    The momentum starts again when it points uphill. A signal is done when no gradient step,
    thresholded, changes its weights by more than a ten thousandth of the penalty.

    Parameters
    ----------
    correlations : (n, n_atoms) float32
        Inner products of signals and atoms.
    gram : (n_atoms, n_atoms) float32
        Inner products of the atoms.
    penalties : (n,) float32
    indices : (n, capacity) int32, overwritten
    coefficients : (n, capacity) float32, overwritten
        Trailing zeros follow the atoms in use; of more than `capacity` the smallest are left
        out.

    References
    ----------
    A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
    problems", SIAM J. Imaging Sci. 2(1), 2009; B. O'Donoghue, E. Candes, "Adaptive restart for
    accelerated gradient schemes", Found. Comput. Math. 15(3), 2015.
    """
    n_atoms = gram.shape[0]
    curvature = _largest_eigenvalue(gram)
    residual = np.empty(n_atoms, np.float32)
    used, values = np.empty(n_atoms, np.int32), np.empty(n_atoms)
    weights, ahead, last = np.empty(n_atoms), np.empty(n_atoms), np.empty(n_atoms)
    for n in range(correlations.shape[0]):
        penalty, momentum = np.float64(penalties[n]), 1.0
        for a in range(n_atoms):
            weights[a] = ahead[a] = 0.0
        for _ in range(_MAX_ITER):
            count = _nonzero(ahead, used, values)
            residual_correlations(correlations[n], gram, used, count, values, residual)
            for a in range(n_atoms):
                last[a] = weights[a]
            change, uphill = _shrink(ahead, residual, curvature, penalty, last, weights)
            if change * curvature <= _TOLERANCE * penalty:
                break
            if uphill > 0.0:
                momentum = 1.0
            following = 0.5 + np.sqrt(0.25 + momentum * momentum)
            pace = (momentum - 1.0) / following
            for a in range(n_atoms):
                ahead[a] = weights[a] + pace * (weights[a] - last[a])
            momentum = following
        _store(weights, used, values, indices[n], coefficients[n])


@njit(nogil=True, cache=True)
def _largest_eigenvalue(gram):
    """A little more than the largest eigenvalue of a Gram matrix, by power iteration."""
    start = 0
    for a in range(gram.shape[0]):
        if gram[a, a] > gram[start, start]:
            start = a
    vector = gram[start].astype(np.float64)
    value = 1e-30  # of a dictionary of zeros, whose codes are zero for any step
    for _ in range(_POWER_ITER):
        length = np.sqrt((vector * vector).sum())
        if length == 0.0:
            break
        vector /= length
        image = np.zeros_like(vector)
        for a in range(gram.shape[0]):
            row, factor = gram[a], vector[a]
            for b in range(image.shape[0]):
                image[b] += factor * row[b]
        value = (vector * image).sum()
        vector = image
    return 1.05 * value


@njit(nogil=True, cache=True)
def _nonzero(weights, used, values):
    """Positions and values of the weights that are not zero; how many."""
    count = 0
    for a in range(weights.shape[0]):
        if weights[a] != 0.0:
            used[count], values[count] = a, weights[a]
            count += 1
    return count


@njit(nogil=True, cache=True)
def _shrink(ahead, residual, curvature, penalty, last, weights):
    """A thresholded gradient step from `ahead` to `weights`.

    Returns the largest change of a weight, and the slope along the way from `last`.
    """
    threshold = penalty / curvature
    change, uphill = 0.0, 0.0
    for a in range(weights.shape[0]):
        value = ahead[a] + residual[a] / curvature
        value = np.sign(value) * max(abs(value) - threshold, 0.0)
        change = max(change, abs(value - ahead[a]))
        uphill += (ahead[a] - value) * (value - last[a])
        weights[a] = value
    return change, uphill


@njit(nogil=True, cache=True)
def _store(weights, used, values, indices, coefficients):
    """Write the largest weights, in the order of the atoms."""
    count = _nonzero(weights, used, values)
    capacity = indices.shape[0]
    while count > capacity:
        smallest = 0
        for i in range(1, count):
            if abs(values[i]) < abs(values[smallest]):
                smallest = i
        for i in range(smallest, count - 1):
            used[i], values[i] = used[i + 1], values[i + 1]
        count -= 1
    for i in range(capacity):
        indices[i] = used[i] if i < count else 0
        coefficients[i] = values[i] if i < count else 0.0
