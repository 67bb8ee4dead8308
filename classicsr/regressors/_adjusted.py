"""Training patches of A+: divided by the norm of their features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._norms import norms, unit_rows

Float32 = NDArray[np.float32]


class AdjustedPatches:
    """Features and targets, both divided by the norm of the features.

    Targets of patches whose norm is below `norm_floor` are not divided, which shrinks the
    prediction in flat areas.

    Parameters
    ----------
    X : (n, n_features) float32
    Y : (n, n_outputs) float32
    norm_floor : float

    Attributes
    ----------
    directions : (n, n_features) float32
    """

    def __init__(self, X: Float32, Y: Float32, norm_floor: float) -> None:
        lengths = norms(X)
        self.directions = unit_rows(X)
        self._targets = Y
        self._divisors = np.where(lengths < norm_floor, np.float32(1), lengths)

    def of(self, rows: NDArray[np.integer]) -> tuple[Float32, Float32]:
        """Features and targets of some patches."""
        return self.directions[rows], self._targets[rows] / self._divisors[rows, None]
