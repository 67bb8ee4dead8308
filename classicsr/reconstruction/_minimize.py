"""One entry to all solvers: data term and prior in, image out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr._validation import require
from classicsr.degradation import resize
from classicsr.degradation._resize import as_floating
from classicsr.reconstruction._admm import admm
from classicsr.reconstruction._conjugate_gradients import conjugate_gradients
from classicsr.reconstruction._convergence import Callback, Convergence, reporting
from classicsr.reconstruction._data_term import DataTerm
from classicsr.reconstruction._fista import fista

Float32 = NDArray[np.float32]
Run = Callable[[DataTerm, Any, Float32, int, float, Convergence], tuple[Float32, Convergence]]


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda prior: all(hasattr(prior, name) for name in names)


def _primal_dual(
    data: DataTerm,
    prior: Any,
    start: Float32,
    n_iter: int,
    tolerance: float,
    record: Convergence,
) -> tuple[Float32, Convergence]:
    solver = prior.solver(data, start)
    found = solver.run(n_iter, tolerance)
    if record.objective is not None:
        found.objectives.append(solver.objective())
    return solver.image, found


def _fista(
    data: DataTerm, prior: Any, start: Float32, *options: Any
) -> tuple[Float32, Convergence]:
    role = "smooth" if _is_smooth(prior) else "proximal"
    return fista(data, start, *options, **{role: prior})


_is_smooth = _has("gradient", "curvature")
_SOLVERS: dict[str, tuple[Run, Callable[[Any], bool]]] = {  # in the order of preference
    "primal-dual": (_primal_dual, _has("solver")),
    "cg": (conjugate_gradients, _has("gradient", "normal")),
    "fista": (_fista, lambda prior: _is_smooth(prior) or _has("prox", "value")(prior)),
    "admm": (admm, _has("prox")),
}
SOLVERS = ("auto", *_SOLVERS)


def minimize(
    data: DataTerm,
    prior: Any,
    start: ArrayLike | None = None,
    *,
    solver: str = "auto",
    n_iter: int = 300,
    tolerance: float = 1e-5,
    objective: bool = False,
    callback: Callback | None = None,
) -> tuple[Float32, Convergence]:
    """Minimise ``data(x) + prior(x)``.

    Parameters
    ----------
    data : DataTerm
    prior : object
        One of `Tikhonov`, `HuberField`, `TotalVariation`, `WaveletSparsity`, `NuclearNorm`,
        `DictionarySparsity`, `Denoiser`, `RegularizationByDenoising`; or any object with
        ``gradient(x)`` and ``curvature()``, or with ``prox(x, step)``.
    start : array of ``data.shape``, optional
        Where to begin; default the cubic interpolation of the first frame.
    solver : {"auto", "primal-dual", "cg", "fista", "admm"}
        What it needs of the prior: "primal-dual" a solver of its own, as total variation has,
        "cg" a quadratic form (``normal(x)``), "fista" a gradient, or a proximal map with a value,
        "admm" a proximal map, which may be a denoiser (they suffer from the momentum of "fista").
        "auto" takes the first of "primal-dual", "cg", "fista" and "admm" that the prior allows.
    n_iter : int
        Iterations at most.
    tolerance : float
        Of the criterion that the record names, in units of the image.
    objective : bool
        Record the objective whenever the criterion is looked at ("primal-dual": at the end);
        costs about half an iteration each time.
    callback : callable, optional
        Called with (iteration, iterations at most) as each iteration begins.

    Returns
    -------
    image : float32 array of ``data.shape``
    convergence : Convergence

    Raises
    ------
    ValueError
        The solver cannot use the prior (the message says which ones can), or the start has
        another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import BicubicDegradation
    >>> from classicsr.reconstruction import DataTerm, Tikhonov, minimize
    >>> data = DataTerm([np.eye(8, dtype=np.float32)], [BicubicDegradation(2)], (16, 16))
    >>> image, found = minimize(data, Tikhonov(0.001))
    >>> found.converged, found.criterion
    (True, 'root mean square change of the image by one step')
    """
    run = _chosen(solver, prior)
    if start is None:
        low = data.frames[0]
        scales = tuple(n / m for n, m in zip(data.shape, low.shape, strict=True))
        start = resize(low, scales, output_shape=data.shape)
    start = as_floating(start, np.float32)
    require(start.shape == data.shape, "start", "minimize", f"of shape {data.shape}", start.shape)
    record = Convergence()
    if objective:
        valued = hasattr(prior, "value") or hasattr(prior, "solver")
        require(valued, "prior", "minimize", "one that has a value", prior)
        record.objective = lambda x: data.value(x) + float(prior.value(x))
    with reporting(callback):
        image, record = run(data, prior, start, n_iter, tolerance, record)
    record.objective = None  # it holds the data
    return image, record


def _chosen(solver: str, prior: Any) -> Run:
    fit = [name for name, (_, accepts) in _SOLVERS.items() if accepts(prior)]
    require(bool(fit), "prior", "minimize", "one with prox, or gradient and curvature", prior)
    owner = f"minimize with the prior {type(prior).__name__}"
    require(solver in ("auto", *fit), "solver", owner, " or ".join(("auto", *fit)), solver)
    return _SOLVERS[fit[0] if solver == "auto" else solver][0]
