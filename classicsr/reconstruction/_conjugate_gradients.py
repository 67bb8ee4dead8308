"""Conjugate gradients on the normal equations."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm, squared_norm

Float32 = NDArray[np.float32]


class QuadraticPrior(Protocol):
    """A prior whose gradient is linear up to a constant."""

    def gradient(self, x: Float32) -> Float32: ...

    def normal(self, x: Float32) -> Float32:
        """The linear part of `gradient`."""
        ...


def conjugate_gradients(
    data: DataTerm,
    prior: QuadraticPrior,
    start: Float32,
    n_iter: int,
    tolerance: float,
    record: Convergence | None = None,
) -> tuple[Float32, Convergence]:
    """Minimise ``data(x) + prior(x)``, both quadratic.

    Stops when a step changes the image by less than `tolerance` (root mean square).

    References
    ----------
    M. R. Hestenes, E. Stiefel, "Methods of conjugate gradients for solving linear systems",
    J. Res. Natl. Bur. Stand. 49(6), 1952.
    """
    record = record or Convergence()
    x = np.array(start, np.float32)
    left = -(data.gradient(x) + prior.gradient(x))
    direction, size = left.copy(), squared_norm(left)
    for _ in record.iterations(n_iter):
        image = data.normal(direction) + prior.normal(direction)
        slope = float(np.sum(direction * image, dtype=np.float64))
        step = np.float32(size / slope if slope > 0 else 0)
        x += step * direction
        left -= step * image
        if record.check(step * np.sqrt(squared_norm(direction) / x.size), tolerance, x):
            break
        before, size = size, squared_norm(left)
        direction = left + np.float32(size / before) * direction
    return x, record
