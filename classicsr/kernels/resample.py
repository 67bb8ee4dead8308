"""Banded matrices along one axis: the kernel under every separable resampling."""

from __future__ import annotations

import numpy as np
from numba import njit

# From this many columns on, a pass over a row fills the vector registers.
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
def _combine_lanes(source, indices, weights, out):
    """The same for short inner axes: eight columns of any outer slices at a time, in registers."""
    n_outer, n_in, n_inner = source.shape
    n_out, n_taps = weights.shape
    flat, result = source.reshape(-1), out.reshape(-1)
    zero, stride = np.zeros(1, out.dtype)[0], np.uint64(n_inner)
    start, goal = np.empty(8, np.uint64), np.empty(8, np.int64)
    for first in range(0, n_outer * n_inner, 8):
        for r in range(8):  # the last column stands in for those beyond it
            outer, inner = divmod(min(first + r, n_outer * n_inner - 1), n_inner)
            start[r], goal[r] = outer * n_in * n_inner + inner, outer * n_out * n_inner + inner
        b0, b1, b2, b3 = start[0], start[1], start[2], start[3]
        b4, b5, b6, b7 = start[4], start[5], start[6], start[7]
        for i in range(n_out):
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = zero
            for k in range(n_taps):
                w, j = weights[i, k], np.uint64(indices[i, k]) * stride
                s0 += w * flat[b0 + j]
                s1 += w * flat[b1 + j]
                s2 += w * flat[b2 + j]
                s3 += w * flat[b3 + j]
                s4 += w * flat[b4 + j]
                s5 += w * flat[b5 + j]
                s6 += w * flat[b6 + j]
                s7 += w * flat[b7 + j]
            for r, value in enumerate((s0, s1, s2, s3, s4, s5, s6, s7)):
                result[goal[r] + i * n_inner] = value


@njit(nogil=True, cache=True)
def apply_banded(source, indices, weights, out):
    """Apply a banded matrix along the middle axis of a 3-D array.

    ``out[o, i] = sum_k weights[i, k] * source[o, indices[i, k]]``, summed in tap order in the
    dtype of the arrays, whatever the length of the inner axis.

    Parameters
    ----------
    source : (n_outer, n_in, n_inner) array, C-contiguous, float32 or float64
    indices : (n_out, n_taps) int64 array, each in [0, n_in)
    weights : (n_out, n_taps) array of the dtype of `source`
    out : (n_outer, n_out, n_inner) array, C-contiguous, same dtype; overwritten
    """
    if source.shape[2] < _LANES:
        _combine_lanes(source, indices, weights, out)
        return
    for o in range(source.shape[0]):
        _combine_rows(source[o], indices, weights, out[o])
