"""Kernel ridge regression over a sparse basis, as a scikit-learn regressor."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr._threads import run_parallel, thread_budget
from classicsr.regressors._base import PatchRegressor
from classicsr.regressors._kernel_map import KernelMap
from classicsr.regressors._kernel_refinement import odd_gaussians, refine
from classicsr.regressors._norms import norms, unit_rows
from classicsr.regressors._piecewise import ridge_map

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
_CHUNK = 4096  # samples whose statistics are summed together
_START_SAMPLES = 100_000  # that the coefficients before the gradient descent are solved from


class SparseKernelRegressor(PatchRegressor):
    """Kernel ridge regression over a sparse basis (Kim, Kwon).

    The kernel is the linear one plus, of the directions of two patches, a Gaussian minus the
    Gaussian of one and the negative of the other; it is multiplied by the norms of both. So the
    prediction of a multiple of a patch, also a negative one, is that multiple of its prediction.
    The basis starts as random patches; gradient descent on the squared error moves its points;
    then the coefficients are solved from Gram statistics of all samples.

    Parameters
    ----------
    n_basis : int
        Basis points of the Gaussians.
    gamma : float
        The Gaussian is ``exp(-gamma |u - v|^2)``, for directions u and v.
    ridge : float
        Weight of the squared norm of the function, per sum of the patches' squared norms.
    n_iter : int
        Passes of the gradient descent over the samples; 0 leaves the basis as it starts.
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    map_ : KernelMap
        ``map_.points`` (n_basis, n_features), ``map_.coefficients`` (n_basis, n_outputs),
        ``map_.linear`` (n_features, n_outputs).

    Notes
    -----
    Fitting strategy: mini-batches for the basis, exact mergeable statistics for the rest. If
    every sample is a basis point that does not move, this is kernel ridge regression.

    References
    ----------
    K. I. Kim, Y. Kwon, "Single-image super-resolution using sparse regression and natural image
    prior", IEEE Trans. Pattern Anal. Mach. Intell. 32(6), 2010.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = SparseKernelRegressor(n_basis=32, random_state=0).fit(X, X[:, :2])
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    map_: KernelMap
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PatchRegressor._parameter_constraints,
        "n_basis": [Interval(Integral, 1, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="neither")],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "n_iter": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_basis: int = 1024,
        gamma: float = 4.5,
        ridge: float = 1e-7,
        n_iter: int = 8,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_basis = n_basis
        self.gamma = gamma
        self.ridge = ridge
        self.n_iter = n_iter
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> KernelMap:
        lengths, directions = norms(X), unit_rows(X)
        usable = rng.permutation(np.flatnonzero(lengths > 0))
        points = directions[usable[: self.n_basis]]
        if len(points) == 0:
            points = np.zeros((1, X.shape[1]), np.float32)
        if self.n_iter > 0:
            first = slice(_START_SAMPLES)
            start = self._solve(directions[first], lengths[first], Y[first], points)
            points = refine(
                start, directions, lengths, Y, n_iter=self.n_iter, rng=rng, n_jobs=self.n_jobs
            )
        return self._solve(directions, lengths, Y, points)

    def _solve(
        self, directions: Float32, lengths: Float32, Y: Float32, points: Float32
    ) -> KernelMap:
        """The coefficients of least penalised squared error."""
        n_basis, n_features = points.shape
        gamma = float(self.gamma)  # a NumPy number would make float32 arrays float64
        size = n_basis + n_features
        gram, cross = np.zeros((size, size)), np.zeros((size, Y.shape[1]))

        def statistics(first: int) -> tuple[Float64, Float64]:
            chunk = slice(first, first + _CHUNK)
            values = odd_gaussians(directions[chunk], points, gamma)
            regressors = np.hstack([values, directions[chunk]]).astype(np.float64)
            regressors *= lengths[chunk, None]
            return regressors.T @ regressors, regressors.T @ Y[chunk]

        for parts in run_parallel(statistics, range(0, len(Y), _CHUNK), self.n_jobs):
            gram += parts[0]
            cross += parts[1]
        penalty = np.eye(size)
        penalty[:n_basis, :n_basis] = odd_gaussians(points, points, gamma)
        energy = np.trace(gram[n_basis:, n_basis:])
        with thread_budget(1):  # its rounding depends on the threads
            solved = ridge_map(gram + self.ridge * energy * penalty, cross, 0.0)
        solution: Float32 = solved.astype(np.float32)
        return KernelMap(points, solution[:n_basis], solution[n_basis:], gamma)
