"""Clustered dictionaries as a scikit-learn regressor."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from classicsr._threads import run_parallel
from classicsr.regressors._clustered import (
    CLASSIFIERS,
    ClusteredCodes,
    ForestVote,
    oriented,
)
from classicsr.regressors._coupled import CoupledCodes, PursuitCoder
from classicsr.regressors._norms import norms, unit_rows
from classicsr.regressors._partitions import NearestAnchor, Partition, half_sphere_kmeans
from classicsr.regressors._tree_growth import SplitRules, grow_tree
from classicsr.regressors._trees import MAX_DEPTH, Tree
from classicsr.regressors._zeyde import DictionaryRegressor

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


class ClusteredDictionaryRegressor(DictionaryRegressor):
    """Sparse coding over a coupled dictionary for each class of patches.

    Classes are found by spherical k-means, for which a patch and its negative are one. Each has
    a small coupled dictionary as that of `CoupledDictionaryRegressor`, which codes its patches
    by orthogonal matching pursuit.

    Parameters
    ----------
    n_clusters : int
        Classes at most.
    n_atoms : int
        Atoms of each class.
    classifier : {"nearest", "forest"}
        Classes of features, by the nearest centre; or of features and targets together, guessed
        from the features by a random forest.
    target_weight : float
        Weight of the targets, relative to the features, in the classes of "forest".
    norm_floor : float
        For those classes targets are divided by the norm of the features, or by this where it
        is smaller. In units of X (0.1 for intensities in [0, 1]).
    n_trees, min_samples_leaf : int
        Trees of "forest", and training patches of a leaf at least.
    n_nonzero : int
        Atoms per patch.
    n_iter : int
        Iterations of K-SVD.
    dictionary_samples : int
        Patches that are learned from (a seeded random subset).
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    map_ : ClusteredCodes
        ``map_.partition`` and, per class, ``map_.members``.

    Notes
    -----
    Fitting strategy: a seeded sample held in memory.

    References
    ----------
    S. Wei et al., "Medical image super-resolution by using multi-dictionary and random forest",
    Sustainable Cities and Society 37, 2018; S. Yang, M. Wang, Y. Chen, Y. Sun, "Single-image
    super-resolution reconstruction via learned geometric dictionaries and clustered sparse
    coding", IEEE Trans. Image Process. 21(9), 2012.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = ClusteredDictionaryRegressor(4, n_atoms=8, random_state=0).fit(X, X[:, :2])
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    map_: ClusteredCodes
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **DictionaryRegressor._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_atoms": [Interval(Integral, 1, None, closed="left")],
        "classifier": [StrOptions(set(CLASSIFIERS))],
        "target_weight": [Interval(Real, 0, None, closed="left")],
        "norm_floor": [Interval(Real, 0, None, closed="neither")],
        "n_trees": [Interval(Integral, 1, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters: int = 64,
        n_atoms: int = 64,
        classifier: str = "nearest",
        target_weight: float = 0.3,
        norm_floor: float = 0.1,
        n_trees: int = 10,
        min_samples_leaf: int = 20,
        n_nonzero: int = 8,
        n_iter: int = 20,
        dictionary_samples: int = 200_000,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_atoms = n_atoms
        self.classifier = classifier
        self.target_weight = target_weight
        self.norm_floor = norm_floor
        self.n_trees = n_trees
        self.min_samples_leaf = min_samples_leaf
        self.n_nonzero = n_nonzero
        self.n_iter = n_iter
        self.dictionary_samples = dictionary_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> ClusteredCodes:
        subset = self._subset(X, rng)
        X, Y = X[subset], Y[subset]
        partition = self._partition(X, Y, rng)
        classes = partition.leaves(X, np.arange(len(X)))
        seeds = rng.randint(np.iinfo(np.int32).max, size=partition.n_leaves)

        def learn_class(number: int) -> CoupledCodes:
            inside = np.flatnonzero(classes == number)
            own = np.random.RandomState(seeds[number])
            low, high = self._coupled_dictionary(X[inside], Y[inside], self.n_atoms, own)
            return CoupledCodes(PursuitCoder(low, min(self.n_nonzero, *low.shape)), high)

        return ClusteredCodes(partition, [learn_class(n) for n in range(partition.n_leaves)])

    def _partition(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> Partition:
        directions = unit_rows(X)
        if self.classifier == "nearest":
            return NearestAnchor(half_sphere_kmeans(directions, self.n_clusters, rng))
        divisors = np.maximum(norms(X), np.float32(self.norm_floor))
        targets = Y * (np.float32(self.target_weight) / divisors)[:, None]
        joint = unit_rows(np.hstack([directions, targets]))
        nearest = NearestAnchor(half_sphere_kmeans(joint, self.n_clusters, rng))
        return self._forest(directions, nearest.leaves(joint, np.arange(len(joint))), rng)

    def _forest(
        self, directions: Float32, classes: Int32, rng: np.random.RandomState
    ) -> ForestVote:
        """Trees that guess the classes: for indicators of them, variance is Gini's impurity."""
        n_features = directions.shape[1]
        rows = oriented(directions, np.arange(len(directions)), n_features)
        indicators = np.eye(classes.max() + 1, dtype=np.float32)[classes]
        rules = SplitRules(
            max_depth=MAX_DEPTH,
            min_samples_leaf=self.min_samples_leaf,
            min_samples_split=2 * self.min_samples_leaf,
            node_samples=512,
            n_tests=16,
            n_thresholds=5,
            source_weight=0.0,
            norm_floor=1.0,
        )

        def learn_tree(seed: int) -> tuple[Tree, Float32]:
            tree, members = grow_tree(rows, indicators, rules, np.random.RandomState(seed))
            return tree, np.stack([indicators[inside].mean(axis=0) for inside in members])

        seeds = rng.randint(np.iinfo(np.int32).max, size=self.n_trees)
        trees, shares = zip(*run_parallel(learn_tree, seeds, self.n_jobs), strict=True)
        return ForestVote(trees, shares, n_features)
