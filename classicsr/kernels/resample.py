"""Banded matrices along one axis: the kernel under every separable resampling."""

from __future__ import annotations

import numpy as np
from numba import njit

# Columns worked on together: enough to fill vector registers, few enough to stay in cache.
_LANES = 32


@njit(nogil=True, cache=True)
def _combine_rows(source, indices, weights, out):
    """Apply a banded matrix to the rows of a 2-D array, four taps per pass over a row.

    Terms are added in tap order, so an output has the same bits whichever rows are computed
    with it.
    """
    n_out, n_taps = weights.shape
    n_columns = source.shape[1]
    for i in range(n_out):
        row = out[i]
        row[:] = 0
        k = 0
        while k + 4 <= n_taps:
            w0, w1, w2, w3 = weights[i, k], weights[i, k + 1], weights[i, k + 2], weights[i, k + 3]
            a, b = source[indices[i, k]], source[indices[i, k + 1]]
            d, e = source[indices[i, k + 2]], source[indices[i, k + 3]]
            for c in range(n_columns):
                row[c] = row[c] + w0 * a[c] + w1 * b[c] + w2 * d[c] + w3 * e[c]
            k += 4
        while k < n_taps:
            w0 = weights[i, k]
            a = source[indices[i, k]]
            for c in range(n_columns):
                row[c] += w0 * a[c]
            k += 1


@njit(nogil=True, cache=True)
def apply_banded(source, indices, weights, out):
    """Apply a banded matrix along the middle axis of a 3-D array.

    ``out[o, i] = sum_k weights[i, k] * source[o, indices[i, k]]``, summed in tap order in the
    dtype of the arrays. Short inner axes are handled by interleaving several outer slices, so
    that the innermost loop is always long; the result does not depend on it.

    Parameters
    ----------
    source : (n_outer, n_in, n_inner) array, C-contiguous, float32 or float64
    indices : (n_out, n_taps) int64 array, each in [0, n_in)
    weights : (n_out, n_taps) array of the dtype of `source`
    out : (n_outer, n_out, n_inner) array, C-contiguous, same dtype; overwritten
    """
    n_outer, n_in, n_inner = source.shape
    n_out = out.shape[1]
    if n_inner >= _LANES:
        for o in range(n_outer):
            _combine_rows(source[o], indices, weights, out[o])
        return
    block = min(n_outer, _LANES // n_inner)
    packed = np.zeros((n_in, block * n_inner), source.dtype)
    combined = np.empty((n_out, block * n_inner), source.dtype)
    for start in range(0, n_outer, block):
        n_slices = min(block, n_outer - start)
        for b in range(n_slices):
            for i in range(n_in):
                for c in range(n_inner):
                    packed[i, b * n_inner + c] = source[start + b, i, c]
        _combine_rows(packed, indices, weights, combined)
        for b in range(n_slices):
            for i in range(n_out):
                for c in range(n_inner):
                    out[start + b, i, c] = combined[i, b * n_inner + c]
