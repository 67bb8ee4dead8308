"""Ridge regression per cluster as a scikit-learn regressor whose maps can be adapted."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr.regressors._adaptive import AdaptableMap, leaf_statistics
from classicsr.regressors._base import PatchRegressor
from classicsr.regressors._norms import unit_rows
from classicsr.regressors._partitions import NearestAnchor, half_sphere_kmeans

Float32 = NDArray[np.float32]


class AdaptableRegressor(PatchRegressor):
    """A ridge map for each cluster of patches, which further samples can correct.

    Clusters are found by spherical k-means, for which a patch and its negative are one; a patch
    belongs to the nearest centre.

    Parameters
    ----------
    n_clusters : int
    ridge : float
        For features of unit norm.
    prior_samples : float
        Samples that the training data of a cluster count for in ``map_.adapted``.
    cluster_samples : int
        Patches that the clusters are learned from (a seeded random subset).
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    map_ : AdaptableMap
        ``map_.partition.anchors`` (n_clusters, n_features), ``map_.maps``
        (n_clusters, n_features, n_outputs). ``map_.adapted(X, Y)`` returns the maps that more
        samples make of it.

    Notes
    -----
    Fitting strategy: exact mergeable statistics, for given clusters.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6)).astype("f4")
    >>> model = AdaptableRegressor(4, random_state=0).fit(X, X[:, :2])
    >>> model.map_.adapted(X, 2 * X[:, :2]).predict(X[:3]).shape
    (3, 2)
    """

    map_: AdaptableMap
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PatchRegressor._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "prior_samples": [Interval(Real, 0, None, closed="neither")],
        "cluster_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters: int = 256,
        ridge: float = 0.1,
        prior_samples: float = 500,
        cluster_samples: int = 100_000,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.ridge = ridge
        self.prior_samples = prior_samples
        self.cluster_samples = cluster_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> AdaptableMap:
        chosen = rng.permutation(len(X))[: self.cluster_samples]
        centers = half_sphere_kmeans(unit_rows(X[chosen]), self.n_clusters, rng)
        partition = NearestAnchor(centers)
        gram, cross, counts = leaf_statistics(partition, X, Y)
        gram += self.ridge * np.eye(X.shape[1])
        maps = np.linalg.solve(gram, cross).astype(np.float32)
        shares = self.prior_samples / np.maximum(counts, 1)
        return AdaptableMap(partition, maps, (shares[:, None, None] * gram).astype(np.float32))
