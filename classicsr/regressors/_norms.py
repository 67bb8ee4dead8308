"""Lengths of patches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
_TINY = np.float32(1e-12)


def norms(rows: Float32) -> Float32:
    """Euclidean norm of each row, without a temporary of the size of `rows`."""
    return np.sqrt(np.einsum("nd,nd->n", rows, rows), dtype=np.float32)


def unit_rows(rows: Float32) -> Float32:
    """Rows divided by their norm; zero rows stay zero."""
    return np.divide(rows, np.maximum(norms(rows), _TINY)[:, None], dtype=np.float32)
