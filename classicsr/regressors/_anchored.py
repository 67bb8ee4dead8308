"""Anchored regression: GR, ANR and A+."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr.neighbors import NeighborIndex
from classicsr.regressors._adjusted import AdjustedPatches
from classicsr.regressors._norms import norms, unit_rows
from classicsr.regressors._partitions import (
    NearestAnchor,
    Partition,
    WholeSpace,
    grouped_anchors,
)
from classicsr.regressors._piecewise import PiecewiseLinearMap, neighborhood_maps
from classicsr.regressors._zeyde import DictionaryRegressor

Float32 = NDArray[np.float32]
_SEARCH_SAMPLES = 200_000  # enough to learn which anchors win in each group
_COVERAGE = 0.95  # costs less than 0.01 dB and halves the search
_FEWEST_GROUPED = 128  # below this many anchors comparing with all of them is as fast
_CONSTRAINTS: dict[str, list] = {
    **DictionaryRegressor._parameter_constraints,
    "n_anchors": [Interval(Integral, 1, None, closed="left")],
    "ridge": [Interval(Real, 0, None, closed="left")],
}


class GlobalRegressor(DictionaryRegressor):
    """Global regression (GR): one ridge map through a coupled dictionary.

    The dictionary is Zeyde's: K-SVD of the features, then the targets' atoms that fit the same
    codes by least squares. The map is
    ``F = (1 + ridge) D_h (D_l' D_l + ridge I)^-1 D_l'``.

    Parameters
    ----------
    n_anchors : int
        Atoms of the dictionary.
    ridge : float
    n_nonzero : int
        Atoms per patch when the dictionary is learned.
    n_iter : int
        Iterations of K-SVD.
    dictionary_samples : int
        Patches that the dictionary is learned from (a seeded random subset).
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    map_ : PiecewiseLinearMap
        ``map_.maps`` has shape (1, n_features, n_outputs).

    Notes
    -----
    Fitting strategy: a seeded sample held in memory.

    References
    ----------
    R. Timofte, V. De Smet, L. Van Gool, "Anchored neighborhood regression for fast
    example-based super-resolution", ICCV 2013.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = GlobalRegressor(n_anchors=32, random_state=0).fit(X, X[:, :2])
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = _CONSTRAINTS

    def __init__(
        self,
        n_anchors: int = 1024,
        ridge: float = 0.1,
        n_nonzero: int = 3,
        n_iter: int = 20,
        dictionary_samples: int = 200_000,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_anchors = n_anchors
        self.ridge = ridge
        self.n_nonzero = n_nonzero
        self.n_iter = n_iter
        self.dictionary_samples = dictionary_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> PiecewiseLinearMap:
        low, high = self._coupled_dictionary(X, Y, self.n_anchors, rng)
        maps = neighborhood_maps(lambda leaf: (low, high), 1, self.ridge)
        return PiecewiseLinearMap(WholeSpace(), (1 + self.ridge) * maps)


class AnchoredNeighborhoodRegressor(GlobalRegressor):
    """Anchored neighbourhood regression (ANR): a ridge map per dictionary atom.

    Each map is solved from the atom's nearest atoms; a patch uses the map of the atom with the
    largest absolute correlation.

    Parameters
    ----------
    n_anchors : int
        Atoms of the dictionary.
    n_neighbors : int
        Atoms of each neighbourhood, the anchor included.
    ridge : float
    n_nonzero, n_iter, dictionary_samples, random_state, n_jobs
        As in `GlobalRegressor`.

    Attributes
    ----------
    map_ : PiecewiseLinearMap
        ``map_.partition.anchors`` (n_anchors, n_features), ``map_.maps``
        (n_anchors, n_features, n_outputs).

    Notes
    -----
    Fitting strategy: a seeded sample held in memory.

    References
    ----------
    R. Timofte, V. De Smet, L. Van Gool, "Anchored neighborhood regression for fast
    example-based super-resolution", ICCV 2013.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = AnchoredNeighborhoodRegressor(n_anchors=32, random_state=0).fit(X, X[:, :2])
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **GlobalRegressor._parameter_constraints,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_anchors: int = 1024,
        n_neighbors: int = 40,
        ridge: float = 0.01,
        n_nonzero: int = 3,
        n_iter: int = 20,
        dictionary_samples: int = 200_000,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            n_anchors, ridge, n_nonzero, n_iter, dictionary_samples, random_state, n_jobs
        )
        self.n_neighbors = n_neighbors

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> PiecewiseLinearMap:
        low, high = self._coupled_dictionary(X, Y, self.n_anchors, rng)
        correlation = np.abs(low @ low.T)
        nearest = np.argsort(-correlation, axis=1, kind="stable")[:, : self.n_neighbors]
        maps = neighborhood_maps(
            lambda leaf: (low[nearest[leaf]], high[nearest[leaf]]),
            len(low),
            self.ridge,
            self.n_jobs,
        )
        partition = _search_partition(low, X, rng)
        return PiecewiseLinearMap(partition, (1 + self.ridge) * maps)


class AdjustedAnchoredRegressor(DictionaryRegressor):
    """Adjusted anchored neighbourhood regression (A+): ridge maps from training samples.

    Anchors are the atoms of a K-SVD dictionary of the features. Each map is solved from the
    `n_neighbors` training patches nearest to its anchor on the unit sphere; here a patch and
    its negative count as one, which is worth 0.02 dB. A patch uses the map of the anchor with
    the largest absolute correlation.

    Parameters
    ----------
    n_anchors : int
    n_neighbors : int
        Training patches of each neighbourhood.
    ridge : float
        For features and targets that are divided by the norm of the features.
    norm_floor : float
        Targets of patches whose features have a smaller norm are not divided, which shrinks
        the prediction in flat areas. In units of X (0.1 for intensities in [0, 1]).
    n_nonzero : int
        Atoms per patch when the dictionary is learned.
    n_iter : int
        Iterations of K-SVD.
    dictionary_samples : int
        Patches that the dictionary is learned from (a seeded random subset).
    n_groups : int or None
        Groups of the hierarchical anchor search; None compares with every anchor.
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    map_ : PiecewiseLinearMap
        ``map_.partition.anchors`` (n_anchors, n_features), ``map_.maps``
        (n_anchors, n_features, n_outputs).

    Notes
    -----
    Fitting strategy: a seeded sample held in memory.

    References
    ----------
    R. Timofte, V. De Smet, L. Van Gool, "A+: Adjusted anchored neighborhood regression for
    fast super-resolution", ACCV 2014.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = AdjustedAnchoredRegressor(n_anchors=32, random_state=0).fit(X, X[:, :2])
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **_CONSTRAINTS,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "norm_floor": [Interval(Real, 0, None, closed="left")],
        "n_groups": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        n_anchors: int = 1024,
        n_neighbors: int = 2048,
        ridge: float = 0.1,
        norm_floor: float = 0.1,
        n_nonzero: int = 3,
        n_iter: int = 20,
        dictionary_samples: int = 200_000,
        n_groups: int | None = 64,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_anchors = n_anchors
        self.n_neighbors = n_neighbors
        self.ridge = ridge
        self.norm_floor = norm_floor
        self.n_nonzero = n_nonzero
        self.n_iter = n_iter
        self.dictionary_samples = dictionary_samples
        self.n_groups = n_groups
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> PiecewiseLinearMap:
        anchors = self._atoms(X[self._subset(X, rng)], self.n_anchors, rng)
        patches = AdjustedPatches(X, Y, self.norm_floor)
        index = NeighborIndex(patches.directions, metric="inner_product", n_jobs=self.n_jobs)
        nearest = _nearest_up_to_sign(index, anchors, min(self.n_neighbors, len(X)))
        maps = neighborhood_maps(
            lambda leaf: patches.of(nearest[leaf]), len(anchors), self.ridge, self.n_jobs
        )
        partition = _search_partition(anchors, X, rng, self.n_groups)
        return PiecewiseLinearMap(partition, maps)


def _nearest_up_to_sign(
    index: NeighborIndex, anchors: Float32, n_neighbors: int
) -> NDArray[np.int64]:
    """Samples (n_anchors, n_neighbors) of largest absolute correlation with each anchor.

    A linear map fits a sample and its negative alike, so both halves of the sphere count.
    """
    ahead, same = index.search(anchors, n_neighbors)
    behind, opposite = index.search(-anchors, n_neighbors)
    values = np.concatenate([ahead, behind], axis=1)
    samples = np.concatenate([same, opposite], axis=1)
    best = np.argpartition(-values, n_neighbors - 1, axis=1)[:, :n_neighbors]
    return np.sort(np.take_along_axis(samples, best, axis=1), axis=1)


def _search_partition(
    anchors: Float32, X: Float32, rng: np.random.RandomState, n_groups: int | None = 64
) -> Partition:
    """Hierarchical search where it pays, exact search otherwise."""
    usable = np.flatnonzero(norms(X) > 0)
    if n_groups is None or len(anchors) < _FEWEST_GROUPED or len(usable) < 10 * len(anchors):
        return NearestAnchor(anchors)
    rows = rng.permutation(usable)[:_SEARCH_SAMPLES]
    return grouped_anchors(
        anchors, unit_rows(X[rows]), n_groups, coverage=_COVERAGE, random_state=rng
    )
