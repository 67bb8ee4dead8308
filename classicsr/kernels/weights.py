"""Weights that rebuild a patch from a few columns: least squares, non-negative and so on."""

from __future__ import annotations

import numpy as np
from numba import njit

from .active_set import settle
from .cholesky import cholesky_append, cholesky_solve
from .lanes import CONTRACT

LEAST_SQUARES, NON_NEGATIVE, LOCALLY_LINEAR = 0, 1, 2


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def _local_problem(x, columns, chosen, local, gram, correlations):
    """Gram matrix of the chosen columns and their correlations with patch `x`; returns |x|^2."""
    k, d = chosen.shape[0], columns.shape[1]
    energy = 0.0
    for f in range(d):
        energy += np.float64(x[f]) * x[f]
    for i in range(k):
        column = columns[chosen[i]]
        total = 0.0
        for f in range(d):
            local[f, i] = column[f]
            total += np.float64(x[f]) * column[f]
        correlations[i] = total
    for f in range(0, local.shape[0], 4):
        a, b, c, e = local[f], local[f + 1], local[f + 2], local[f + 3]
        for i in range(k):
            row = gram[i]
            a0, b0, c0, e0 = a[i], b[i], c[i], e[i]
            for j in range(k):
                start = row[j] if f > 0 else 0.0
                row[j] = start + a0 * a[j] + b0 * b[j] + c0 * c[j] + e0 * e[j]
    return energy


@njit(nogil=True, cache=True)
def _least_squares(gram, correlations, factor, kept, solution):
    """Minimise ``|x - sum_i w_i d_i|``; a column that depends on earlier ones gets weight 0."""
    count = 0
    for i in range(gram.shape[0]):
        if cholesky_append(factor, gram, kept, count, i):
            kept[count] = i
            solution[count] = correlations[i]
            count += 1
    cholesky_solve(factor, count, solution)
    return count


@njit(nogil=True, cache=True)
def _non_negative(gram, correlations, factor, kept, solution, signs, trial):
    """The same with ``w_i`` of the sign of ``correlations[i]``, by Lawson and Hanson's method."""
    k = gram.shape[0]
    smallest = 0.0
    for i in range(k):
        smallest = max(smallest, 1e-9 * abs(correlations[i]))
    count = 0
    for _ in range(3 * k):
        entering, gain = _entering(gram, correlations, kept, count, solution, trial)
        if gain <= smallest:
            break
        kept[count], solution[count] = entering, 0.0
        signs[count] = 1.0 if correlations[entering] >= 0.0 else -1.0
        count = settle(gram, correlations, 0.0, kept, signs, count + 1, factor, solution, trial)
        if count == 0 or kept[count - 1] != entering:
            break  # it has nothing to add but rounding
    return count


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def _entering(gram, correlations, kept, count, solution, residual):
    """The unused column that correlates most with the residual, with its sign, and how much."""
    k = gram.shape[0]
    for j in range(k):
        residual[j] = correlations[j]
    for i in range(count):
        weight, row = solution[i], gram[kept[i]]
        for j in range(k):
            residual[j] -= weight * row[j]
    for i in range(count):
        residual[kept[i]] = 0.0
    best, gain = 0, 0.0
    for j in range(k):
        own = residual[j] if correlations[j] >= 0.0 else -residual[j]
        if own > gain:
            best, gain = j, own
    return best, gain


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def _locally_linear(gram, correlations, energy, ridge, factor, kept, solution):
    """Minimise the same for the patch of unit norm, with weights that sum to one.

    Columns are flipped to agree with the patch. `gram` becomes the Gram matrix of the
    differences of patch and columns, plus `ridge` times its trace.
    """
    k = gram.shape[0]
    norm = np.sqrt(energy)
    for i in range(k):
        kept[i] = i
        solution[i] = correlations[i] / norm if norm > 0.0 else 0.0
    trace = 0.0
    for i in range(k):
        for j in range(k):
            flipped = (solution[i] < 0.0) != (solution[j] < 0.0)
            value = -gram[i, j] if flipped else gram[i, j]
            gram[i, j] = value - abs(solution[i]) - abs(solution[j]) + 1.0
        trace += gram[i, i]
    for i in range(k):
        gram[i, i] += ridge * trace + 1e-12
        cholesky_append(factor, gram, kept, i, i)
        solution[i] = 1.0
    cholesky_solve(factor, k, solution)
    total = 0.0
    for i in range(k):
        total += solution[i]
    for i in range(k):
        own = -1.0 if correlations[i] < 0.0 else 1.0
        solution[i] *= own * norm / total
    return k


@njit(nogil=True, cache=True)
def neighbor_weights(rows, positions, columns, solver, ridge, indices, weights):
    """Weights that rebuild each patch from its chosen columns.

    Parameters
    ----------
    rows : (n_rows, >= d) float32
    positions : (n,) int64
        Rows to rebuild.
    columns : (n_columns, d) float32
    solver : int
        LEAST_SQUARES; NON_NEGATIVE: the weights have the signs of the correlations, as if the
        columns were flipped to agree with the patch; LOCALLY_LINEAR: the weights of such
        columns, of unit norm as they are, rebuild the patch of unit norm and sum to one.
    ridge : float
        LOCALLY_LINEAR only: penalty of the squared weights, relative to the trace of the local
        Gram matrix. Without it close columns get large weights of opposite signs.
    indices : (n, k) int32
        Columns of each patch.
    weights : (n, k) float32, overwritten

    References
    ----------
    H. Chang, D.-Y. Yeung, Y. Xiong, "Super-resolution through neighbor embedding", CVPR 2004;
    M. Bevilacqua et al., "Low-complexity single-image super-resolution based on nonnegative
    neighbor embedding", BMVC 2012.
    """
    k, d = indices.shape[1], columns.shape[1]
    local = np.zeros(((d + 3) // 4 * 4, k))
    gram = np.empty((k, k))
    factor = np.zeros((k, k))
    correlations, solution, signs, trial = np.empty(k), np.empty(k), np.empty(k), np.empty(k)
    kept = np.empty(k, np.int32)
    for n in range(positions.shape[0]):
        x = rows[positions[n]]
        energy = _local_problem(x, columns, indices[n], local, gram, correlations)
        if solver == LEAST_SQUARES:
            count = _least_squares(gram, correlations, factor, kept, solution)
        elif solver == NON_NEGATIVE:
            count = _non_negative(gram, correlations, factor, kept, solution, signs, trial)
        else:
            count = _locally_linear(gram, correlations, energy, ridge, factor, kept, solution)
        for i in range(k):
            weights[n, i] = 0.0
        for i in range(count):
            weights[n, kept[i]] = solution[i]


@njit(nogil=True, cache=True)
def heat_weights(correlations, norms, temperature, weights):
    """Weights ``exp(-(2 - 2 |c|) / t)`` of neighbours, divided by their sum.

    ``2 - 2 |c|`` is the squared distance of a patch and a column of unit norm, up to sign.

    Parameters
    ----------
    correlations : (n, k) float32
        Magnitudes of patches and columns of unit norm, times the norms of the patches.
    norms : (n,) float32
    temperature : float
    weights : (n, k) float32, overwritten
    """
    for n in range(correlations.shape[0]):
        scale = 1.0 / norms[n] if norms[n] > 0.0 else 0.0
        total = 0.0
        for i in range(correlations.shape[1]):
            distance = 2.0 - 2.0 * min(1.0, scale * correlations[n, i])
            weights[n, i] = np.exp(-distance / temperature)
            total += weights[n, i]
        for i in range(correlations.shape[1]):
            weights[n, i] = weights[n, i] / total
