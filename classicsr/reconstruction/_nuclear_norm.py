"""Nuclear norm: the prior of low rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class NuclearNorm:
    """``weight * sum of the singular values`` of an array unfolded along an axis.

    The unfolding is the matrix with one row per position along the axis. Its singular values
    come from its Gram matrix, which is small, in float64.

    Parameters
    ----------
    weight : float
    axis : int

    References
    ----------
    J.-F. Cai, E. J. Candes, Z. Shen, "A singular value thresholding algorithm for matrix
    completion", SIAM J. Optim. 20(4), 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import NuclearNorm
    >>> NuclearNorm(1.0, axis=0).prox(np.diag([3.0, 0.5]).astype(np.float32), 1.0).tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """

    weight: float
    axis: int

    def value(self, x: Float32) -> float:
        """The penalty of `x`."""
        return self.weight * float(self._decomposed(x)[0].sum())

    def prox(self, x: Float32, step: float) -> Float32:
        """``argmin_z |z - x|^2 / 2 + step * value(z)``: singular values soft-thresholded."""
        sizes, vectors = self._decomposed(x)
        threshold = step * self.weight
        gains = 1 - threshold / np.maximum(sizes, max(threshold, np.finfo(float).tiny))
        projector = ((vectors * gains) @ vectors.T).astype(np.float32)
        with thread_budget(1):
            rows = projector @ self._unfolded(x)
        moved = rows.reshape(len(rows), *np.delete(x.shape, self.axis))
        return np.ascontiguousarray(np.moveaxis(moved, 0, self.axis))

    def _unfolded(self, x: Float32) -> Float32:
        return np.moveaxis(x, self.axis, 0).reshape(x.shape[self.axis], -1)

    def _decomposed(self, x: Float32) -> tuple[Float64, Float64]:
        """Singular values and left singular vectors of the unfolding."""
        matrix = self._unfolded(x).astype(np.float64)
        with thread_budget(1):  # the rounding of BLAS depends on the number of threads
            squares, vectors = np.linalg.eigh(matrix @ matrix.T)
        return np.sqrt(np.maximum(squares, 0)), vectors
