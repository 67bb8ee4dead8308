"""Intensities of an image from those of the unit scale."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def round_affine(values, factor, shift, low, high, out):
    """``out = clip(rint(values * factor + shift), low, high)`` in one pass.

    Not contracted: the bits are those of NumPy's operations one after another.

    Parameters
    ----------
    values : (n,) float32
    factor, shift, low, high : float32
    out : (n,) integers of at most 16 bits, overwritten
        NaN becomes some number.
    """
    for i in range(out.shape[0]):
        rounded = np.rint(values[i] * factor + shift)
        out[i] = np.int32(min(max(rounded, low), high))
