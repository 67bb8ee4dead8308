"""Batch orthogonal matching pursuit and the atom update of K-SVD."""

from __future__ import annotations

import numpy as np
from numba import njit

from .cholesky import cholesky_append, cholesky_solve
from .lanes import CONTRACT

_WIDTH = 16  # values whose largest one is found together


@njit(nogil=True, cache=True)
def largest_magnitude(values):
    """Index of the largest ``|value|``, the first one on ties.

    Not inlined, as `residual_correlations`: among the arrays of a large function such loops
    are not vectorised.
    """
    magnitudes = np.empty(_WIDTH, np.float32)
    best, at = np.float32(-1.0), 0
    whole = values.shape[0] // _WIDTH * _WIDTH
    for start in range(0, whole, _WIDTH):
        for lane in range(_WIDTH):
            magnitudes[lane] = abs(values[start + lane])
        largest = np.float32(0.0)
        for lane in range(_WIDTH):
            largest = max(largest, magnitudes[lane])
        if largest > best:
            best, at = largest, start
    for i in range(whole, values.shape[0]):
        if abs(values[i]) > best:
            best, at = abs(values[i]), i
    while abs(values[at]) < best:
        at += 1
    return at


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def residual_correlations(start, gram, chosen, count, solution, residual):
    """Correlations with what the first `count` chosen atoms leave of the signal."""
    for a in range(residual.shape[0]):
        residual[a] = start[a]
    for i in range(count):
        weight = np.float32(solution[i])
        row = gram[chosen[i]]
        for a in range(residual.shape[0]):
            residual[a] -= weight * row[a]


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def explained(start, chosen, count, solution):
    """Squared norm of the least-squares approximation by the first `count` chosen atoms."""
    total = 0.0
    for i in range(count):
        total += solution[i] * start[chosen[i]]
    return total


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def batch_omp(correlations, gram, indices, coefficients, wanted=None):
    """Greedy sparse codes of many signals over one dictionary (batch OMP).

    Parameters
    ----------
    correlations : (n, n_atoms) float32
        Inner products of signals and atoms.
    gram : (n_atoms, n_atoms) float32
        Inner products of the atoms.
    indices : (n, n_nonzero) int32, overwritten
    coefficients : (n, n_nonzero) float32, overwritten
        A signal that is explained early keeps trailing zeros.
    wanted : (n,) float32, optional
        Energy of each signal that its code explains at least, where it may: no more atoms are
        taken than that needs.

    References
    ----------
    R. Rubinstein, M. Zibulevsky, M. Elad, "Efficient implementation of the K-SVD algorithm
    using batch orthogonal matching pursuit", 2008.
    """
    n_nonzero = indices.shape[1]
    residual = np.empty(correlations.shape[1], np.float32)
    factor = np.zeros((n_nonzero, n_nonzero))
    solution = np.zeros(n_nonzero)
    for n in range(correlations.shape[0]):
        start = correlations[n]
        chosen = indices[n]
        chosen[:] = 0
        coefficients[n] = 0.0
        residual_correlations(start, gram, chosen, 0, solution, residual)
        smallest = np.float32(0.0)
        for count in range(n_nonzero):
            atom = largest_magnitude(residual)
            if count == 0:
                smallest = np.float32(1e-6) * abs(residual[atom])
            if abs(residual[atom]) <= smallest:
                break
            if not cholesky_append(factor, gram, chosen, count, atom):
                break
            chosen[count] = atom
            for i in range(count + 1):
                solution[i] = start[chosen[i]]
            cholesky_solve(factor, count + 1, solution)
            for i in range(count + 1):
                coefficients[n, i] = solution[i]
            if wanted is not None and explained(start, chosen, count + 1, solution) >= wanted[n]:
                break
            if count + 1 < n_nonzero:
                residual_correlations(start, gram, chosen, count + 1, solution, residual)


@njit(inline="always")
def _residual_without(signals, atoms, indices, coefficients, n, skipped, residual):
    """Signal n minus its code, leaving out the atom `skipped`."""
    for f in range(residual.shape[0]):
        residual[f] = signals[n, f]
    for i in range(indices.shape[1]):
        atom = indices[n, i]
        if atom != skipped and coefficients[n, i] != 0.0:
            for f in range(residual.shape[0]):
                residual[f] -= coefficients[n, i] * atoms[atom, f]


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def update_atoms(signals, atoms, indices, coefficients, users, starts):
    """One approximate K-SVD sweep: each atom and its coefficients, in turn, in place.

    Parameters
    ----------
    signals : (n, d) float32
    atoms : (n_atoms, d) float32, overwritten
        Unit norm; an atom that nobody uses is left as it is.
    indices : (n, n_nonzero) int32; coefficients : (n, n_nonzero) float32, overwritten
    users, starts : int64
        From `linear.sort_by_label` of the flattened `indices`: entries
        ``users[starts[a]:starts[a + 1]]`` are the flat code positions that name atom a.
    """
    n_nonzero, d = indices.shape[1], signals.shape[1]
    residual = np.empty(d, np.float64)
    total = np.empty(d, np.float64)
    for atom in range(atoms.shape[0]):
        total[:] = 0.0
        for entry in users[starts[atom] : starts[atom + 1]]:
            n, slot = divmod(entry, n_nonzero)
            weight = coefficients[n, slot]
            if weight != 0.0:
                _residual_without(signals, atoms, indices, coefficients, n, atom, residual)
                for f in range(d):
                    total[f] += weight * residual[f]
        norm = np.sqrt((total**2).sum())
        if norm == 0.0:
            continue
        for f in range(d):
            atoms[atom, f] = total[f] / norm
        for entry in users[starts[atom] : starts[atom + 1]]:
            n, slot = divmod(entry, n_nonzero)
            if coefficients[n, slot] != 0.0:
                _residual_without(signals, atoms, indices, coefficients, n, atom, residual)
                weight = 0.0
                for f in range(d):
                    weight += residual[f] * atoms[atom, f]
                coefficients[n, slot] = weight
