"""The best binary test of a set of samples: that whose two linear regressions explain most."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def sum_by_bin(products, bins, samples, sums, counts):
    """Sum the `products` of samples over the bins of every test.

    Parameters
    ----------
    products : (n, n_products) float32
    bins : (n, n_tests) uint8
    samples : (m,) int32
        Rows that count.
    sums : (n_tests, n_bins, n_products) float64, overwritten
    counts : (n_tests, n_bins) int64, overwritten
    """
    sums[:] = 0.0
    counts[:] = 0
    for s in samples:
        row = products[s]
        for test in range(bins.shape[1]):
            total = sums[test, bins[s, test]]
            counts[test, bins[s, test]] += 1
            for p in range(row.shape[0]):
                total[p] += row[p]


@njit(nogil=True, cache=True)
def explained(sums, n_inputs, n_outputs, ridge):
    """Squares that a ridge regression explains: ``trace(C' (G + ridge I)^-1 C)``.

    Parameters
    ----------
    sums : (n_inputs (n_inputs + 1) / 2 + n_outputs n_inputs,) float64
        Lower triangle of G = X'X, row by row, then the columns of C = X'Y.
    n_inputs, n_outputs : int
    ridge : float
        Above 0.
    """
    factor = np.zeros((n_inputs, n_inputs))
    at = 0
    for i in range(n_inputs):
        for j in range(i + 1):
            value = sums[at] + (ridge if i == j else 0.0)
            at += 1
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            # rounding may leave a little below zero of a sum that is a difference
            factor[i, j] = np.sqrt(max(value, ridge)) if i == j else value / factor[j, j]
    total = 0.0
    solved = np.empty(n_inputs)
    for o in range(n_outputs):
        for i in range(n_inputs):
            value = sums[at + o * n_inputs + i]
            for k in range(i):
                value -= factor[i, k] * solved[k]
            solved[i] = value / factor[i, i]
            total += solved[i] * solved[i]
    return total


@njit(nogil=True, cache=True)
def best_split(sums, counts, n_inputs, n_outputs, ridge, smallest):
    """Gain, test and last bin of the first child of the best split; gain 0 if there is none.

    Parameters
    ----------
    sums, counts : from `sum_by_bin`
    n_inputs, n_outputs, ridge : see `explained`
    smallest : int
        Samples that each child must have.
    """
    n_tests, n_bins, n_products = sums.shape
    whole = np.zeros(n_products)
    for b in range(n_bins):
        whole += sums[0, b]
    n = counts[0].sum()
    base = explained(whole, n_inputs, n_outputs, ridge)
    gain, best, edge = 0.0, 0, 0
    for test in range(n_tests):
        first, n_first = np.zeros(n_products), 0
        for b in range(n_bins - 1):
            first += sums[test, b]
            n_first += counts[test, b]
            if n_first < smallest or n - n_first < smallest:
                continue
            both = explained(first, n_inputs, n_outputs, ridge)
            both += explained(whole - first, n_inputs, n_outputs, ridge)
            if both - base > gain:
                gain, best, edge = both - base, test, b
    return gain, best, edge
