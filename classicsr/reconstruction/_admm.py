"""The alternating direction method of multipliers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_prox import DataProx
from classicsr.reconstruction._data_term import DataTerm, squared_norm
from classicsr.reconstruction._fista import ProximablePrior

Float32 = NDArray[np.float32]
_PENALTY = 0.1  # of the splitting, as a share of the data term's curvature


def admm(
    data: DataTerm,
    prior: ProximablePrior,
    start: Float32,
    n_iter: int,
    tolerance: float,
    record: Convergence | None = None,
) -> tuple[Float32, Convergence]:
    """Minimise ``data(x) + prior(x)`` by the proximal maps of both in turn.

    Stops when the two estimates x and z, and two z in a row, differ by less than `tolerance`
    (root mean square). The result is z, the estimate of the prior. The penalty on their
    difference is the prior's own, where it has a `penalty`; for a convex prior it has no
    influence on the minimum, only on the pace.

    References
    ----------
    S. Boyd et al., "Distributed optimization and statistical learning via the alternating
    direction method of multipliers", Found. Trends Mach. Learn. 3(1), 2011.
    """
    own = getattr(prior, "penalty", None)
    penalty = max(_PENALTY * data.curvature() if own is None else own, 1e-6)
    nearest = DataProx(data, penalty)
    record = record or Convergence()
    record.criterion = "root mean square of the primal and of the dual residual"
    z, dual = np.array(start, np.float32), np.zeros(data.shape, np.float32)
    for _ in record.iterations(n_iter):
        x = nearest(z - dual)
        dual += x
        before, z = z, prior.prox(dual, 1 / penalty)
        dual -= z
        residual = max(squared_norm(x - z), squared_norm(z - before))
        if record.check(np.sqrt(residual / z.size), tolerance, z):
            break
    return z, record
