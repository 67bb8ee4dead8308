"""RAISR at the patch level: a linear filter per bucket of a gradient hash."""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr._validation import require
from classicsr.regressors._base import PatchRegressor
from classicsr.regressors._hash import (
    N_OCTANTS,
    GramStatistics,
    central_pixels,
    fitted_hash,
    window_shapes,
)
from classicsr.regressors._piecewise import PiecewiseLinearMap

Float32 = NDArray[np.float32]


class HashedFilterRegressor(PatchRegressor):
    """Linear filters chosen by a hash of the window's gradients (RAISR, for one pixel type).

    X holds flattened windows: squares, or rows where their size is not a square number. The
    hash looks at their central 5 x 5 pixels. It has bins of direction, strength and coherence of
    their gradients and of the curvature along the direction; each bucket holds a ridge map
    solved from its Gram statistics.

    Parameters
    ----------
    n_angles : int
        Bins of the direction, all around the circle; a multiple of 8.
    n_strengths : int
        Bins with equal shares of the training windows' summed strength.
    n_coherences, n_curvatures : int
        Bins with equally many of the training windows.
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
    >>> windows = np.random.default_rng(0).standard_normal((500, 49))
    >>> model = HashedFilterRegressor(n_angles=8, ridge=10.0).fit(windows, windows[:, 24])
    >>> model.predict(windows[:3]).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PatchRegressor._parameter_constraints,
        "n_angles": [Interval(Integral, N_OCTANTS, 360, closed="both")],
        "n_strengths": [Interval(Integral, 1, 20, closed="both")],
        "n_coherences": [Interval(Integral, 1, 20, closed="both")],
        "n_curvatures": [Interval(Integral, 1, 20, closed="both")],
        "ridge": [Interval(Real, 0, None, closed="left")],
    }
    random_state = None

    def __init__(
        self,
        n_angles: int = 16,
        n_strengths: int = 3,
        n_coherences: int = 3,
        n_curvatures: int = 3,
        ridge: float = 0.1,
        n_jobs: int | None = None,
    ) -> None:
        self.n_angles = n_angles
        self.n_strengths = n_strengths
        self.n_coherences = n_coherences
        self.n_curvatures = n_curvatures
        self.ridge = ridge
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> PiecewiseLinearMap:
        require(
            self.n_angles % N_OCTANTS == 0,
            "n_angles",
            type(self).__name__,
            f"a multiple of {N_OCTANTS}",
            self.n_angles,
        )
        n_features = X.shape[1]
        everything = np.arange(len(X))
        shapes = window_shapes(X, everything, central_pixels(n_features))
        n_bins = (self.n_strengths, self.n_coherences, self.n_curvatures)
        partition = fitted_hash(shapes, self.n_angles, n_bins, n_features)
        statistics = GramStatistics(partition.n_leaves, n_features, Y.shape[1])
        statistics.add(partition.of_shapes(shapes), X, Y, self.n_jobs)
        return PiecewiseLinearMap(partition, statistics.maps(self.ridge, self.n_jobs))
