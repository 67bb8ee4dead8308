"""RAISR at the patch level: a linear filter per bucket of a gradient hash."""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr._threads import run_parallel
from classicsr._validation import require
from classicsr.regressors._base import PatchRegressor
from classicsr.regressors._hash import (
    SIGMA,
    GramStatistics,
    StructureTensorHash,
    central_pixels,
    equal_sum_edges,
    gaussian_weights,
    quantile_edges,
    strength_and_coherence,
    window_tensors,
)
from classicsr.regressors._piecewise import PiecewiseLinearMap

Float32 = NDArray[np.float32]


class HashedFilterRegressor(PatchRegressor):
    """Linear filters chosen by a hash of the window's gradients (RAISR, for one pixel type).

    X holds flattened windows: squares, or rows where their size is not a square number. The
    hash looks at their central 11 x 11 pixels. It has bins of angle, strength and
    coherence of their structure tensor; each bucket holds a ridge map solved from its Gram
    statistics.

    Parameters
    ----------
    n_angles : int
        A multiple of 4.
    n_strengths : int
        Bins with equal shares of the training windows' summed strength.
    n_coherences : int
        Bins with equally many of the training windows.
    sigma : float
        Of the Gaussian weights of the 9 x 9 gradients, in pixels.
    ridge : float
        Added to the diagonal of the sums of ``x x'``.
    n_jobs : int, optional

    Attributes
    ----------
    map_ : PiecewiseLinearMap
        ``map_.partition`` is the hash; ``map_.maps`` (n_leaves, n_features, n_outputs).

    Notes
    -----
    Fitting strategy: exact mergeable statistics.

    References
    ----------
    Y. Romano, J. Isidoro, P. Milanfar, "RAISR: Rapid and accurate image super resolution",
    IEEE Trans. Comput. Imaging 3(1), 2017.

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).standard_normal((500, 121))
    >>> model = HashedFilterRegressor(n_angles=4, ridge=10.0).fit(windows, windows[:, 60])
    >>> model.predict(windows[:3]).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PatchRegressor._parameter_constraints,
        "n_angles": [Interval(Integral, 4, None, closed="left")],
        "n_strengths": [Interval(Integral, 1, None, closed="left")],
        "n_coherences": [Interval(Integral, 1, None, closed="left")],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "ridge": [Interval(Real, 0, None, closed="left")],
    }
    random_state = None

    def __init__(
        self,
        n_angles: int = 24,
        n_strengths: int = 3,
        n_coherences: int = 3,
        sigma: float = SIGMA,
        ridge: float = 0.1,
        n_jobs: int | None = None,
    ) -> None:
        self.n_angles = n_angles
        self.n_strengths = n_strengths
        self.n_coherences = n_coherences
        self.sigma = sigma
        self.ridge = ridge
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> PiecewiseLinearMap:
        require(
            self.n_angles % 4 == 0,
            "n_angles",
            type(self).__name__,
            "a multiple of 4",
            self.n_angles,
        )
        partition = self._make_hash(X)
        statistics = self._gather(partition, X, Y)
        return PiecewiseLinearMap(partition, statistics.maps(self.ridge, self.n_jobs))

    def _make_hash(self, windows: Float32) -> StructureTensorHash:
        n_windows, n_features = windows.shape
        tensor = window_tensors(
            windows, np.arange(n_windows), central_pixels(n_features), gaussian_weights(self.sigma)
        )
        strength, coherence = strength_and_coherence(tensor)
        return StructureTensorHash(
            self.n_angles,
            equal_sum_edges(strength, self.n_strengths),
            quantile_edges(coherence, self.n_coherences),
            n_features,
            self.sigma,
        )

    def _gather(
        self, partition: StructureTensorHash, windows: Float32, targets: Float32
    ) -> GramStatistics:
        from classicsr.kernels.linear import sort_by_label

        leaves = partition.leaves(windows, np.arange(len(windows)))
        order, starts = sort_by_label(leaves, partition.n_leaves)
        statistics = GramStatistics(partition.n_leaves, windows.shape[1], targets.shape[1])

        def add(leaf: int) -> None:
            rows = order[starts[leaf] : starts[leaf + 1]]
            x, y = windows[rows].astype(np.float64), targets[rows].astype(np.float64)
            statistics.add(leaf, x, y)

        for _ in run_parallel(add, np.flatnonzero(np.diff(starts)).tolist(), self.n_jobs):
            pass
        return statistics
