"""Accelerated gradient steps, proximal where the prior is not smooth."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classicsr.reconstruction._convergence import CHECK_EVERY, Convergence
from classicsr.reconstruction._data_term import DataTerm, squared_norm

Float32 = NDArray[np.float32]


class SmoothPrior(Protocol):
    """A prior with a gradient that is Lipschitz."""

    def gradient(self, x: Float32) -> Float32: ...

    def curvature(self) -> float: ...


class ProximablePrior(Protocol):
    """A prior whose proximal map is known."""

    def prox(self, x: Float32, step: float) -> Float32: ...


def fista(
    data: DataTerm,
    start: Float32,
    n_iter: int,
    tolerance: float,
    record: Convergence | None = None,
    *,
    smooth: SmoothPrior | None = None,
    proximal: ProximablePrior | None = None,
) -> tuple[Float32, Convergence]:
    """Minimise ``data(x) + smooth(x) + proximal(x)``.

    The momentum starts again when it points uphill. The iteration stops when a step changes the
    image by less than `tolerance` (root mean square).

    References
    ----------
    A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
    problems", SIAM J. Imaging Sci. 2(1), 2009; B. O'Donoghue, E. Candes, "Adaptive restart for
    accelerated gradient schemes", Found. Comput. Math. 15(3), 2015.
    """
    step = 1 / max(data.curvature() + (smooth.curvature() if smooth else 0), 1e-6)
    x = ahead = np.array(start, np.float32)
    momentum, record = 1.0, record or Convergence()
    for k in record.iterations(n_iter):
        slope = data.gradient(ahead)
        if smooth:
            slope += smooth.gradient(ahead)
        new = ahead - np.float32(step) * slope
        if proximal:
            new = proximal.prox(new, step)
        moved = new - x
        if float(np.sum((ahead - new) * moved, dtype=np.float64)) > 0:
            momentum = 1.0
        following = 0.5 + np.sqrt(0.25 + momentum * momentum)
        ahead = new + np.float32((momentum - 1) / following) * moved
        x, momentum = new, following
        change = np.sqrt(squared_norm(moved) / x.size) if k % CHECK_EVERY == 0 else None
        if change is not None and record.check(change, tolerance, x):
            break
    return x, record
