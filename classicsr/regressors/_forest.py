"""Random forest with a linear map in every leaf."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr._threads import run_parallel
from classicsr.regressors._base import PatchRegressor
from classicsr.regressors._piecewise import neighborhood_maps
from classicsr.regressors._tree_growth import SplitRules, grow_tree
from classicsr.regressors._trees import MAX_DEPTH, LinearForest, Tree, extend

Float32 = NDArray[np.float32]


class PatchForestRegressor(PatchRegressor):
    """Super-resolution forest: trees that split patches, and a ridge map with bias in each leaf.

    A test compares a feature, or the difference of two, with a threshold. Of some random
    tests a node takes the one whose children vary least in targets and features together. The
    outputs of the trees are averaged.

    Unlike in the paper, tests see features divided by their norm, and the bias is a multiple of
    the norm: `predict` is positively homogeneous, and as good with fewer leaves.

    Parameters
    ----------
    n_trees : int
    max_depth : int
    min_samples_leaf, min_samples_split : int
        Training patches of a leaf, and of a node that is split, at least.
    node_samples : int
        Patches that the tests of a node are judged by (a random subset).
    n_tests : int
        Tests tried at a node.
    n_thresholds : int
        Random thresholds tried for each test, besides the median.
    source_weight : float
        Weight of the features' variance in the quality of a split.
    norm_floor : float
        In the quality of a split, targets are divided by the norm of the features, or by this
        where it is smaller. In units of X (0.1 for intensities in [0, 1]).
    ridge : float
    random_state : int, RandomState or None
    n_jobs : int, optional
        Trees learned at a time. Never changes the result.

    Attributes
    ----------
    map_ : LinearForest
        ``map_.members[t].partition`` is tree t; ``map_.members[t].maps`` has shape
        (n_leaves, n_features + 1, n_outputs).

    Notes
    -----
    Fitting strategy: a seeded sample held in memory; the maps are exact mergeable statistics.

    References
    ----------
    S. Schulter, C. Leistner, H. Bischof, "Fast and accurate image upscaling with
    super-resolution forests", CVPR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = PatchForestRegressor(n_trees=3, random_state=0).fit(X, abs(X[:, :2]))
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    map_: LinearForest
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PatchRegressor._parameter_constraints,
        "n_trees": [Interval(Integral, 1, None, closed="left")],
        "max_depth": [Interval(Integral, 0, MAX_DEPTH, closed="both")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "min_samples_split": [Interval(Integral, 2, None, closed="left")],
        "node_samples": [Interval(Integral, 2, None, closed="left")],
        "n_tests": [Interval(Integral, 1, None, closed="left")],
        "n_thresholds": [Interval(Integral, 0, None, closed="left")],
        "source_weight": [Interval(Real, 0, None, closed="left")],
        "norm_floor": [Interval(Real, 0, None, closed="neither")],
        "ridge": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_trees: int = 10,
        max_depth: int = 15,
        min_samples_leaf: int = 64,
        min_samples_split: int = 128,
        node_samples: int = 512,
        n_tests: int = 16,
        n_thresholds: int = 5,
        source_weight: float = 1.0,
        norm_floor: float = 0.1,
        ridge: float = 0.01,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.min_samples_split = min_samples_split
        self.node_samples = node_samples
        self.n_tests = n_tests
        self.n_thresholds = n_thresholds
        self.source_weight = source_weight
        self.norm_floor = norm_floor
        self.ridge = ridge
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> LinearForest:
        rows = extend(X, np.arange(len(X)), X.shape[1])
        rules = self._split_rules()

        def learn_tree(seed: int) -> tuple[Tree, Float32]:
            tree, members = grow_tree(rows, Y, rules, np.random.RandomState(seed))
            maps = neighborhood_maps(
                lambda leaf: (rows[members[leaf], :-1], Y[members[leaf]]),
                tree.n_leaves,
                self.ridge,
            )
            return tree, maps / np.float32(self.n_trees)

        seeds = rng.randint(np.iinfo(np.int32).max, size=self.n_trees)
        trees, maps = zip(*run_parallel(learn_tree, seeds, self.n_jobs), strict=True)
        return LinearForest(trees, maps)

    def _split_rules(self) -> SplitRules:
        return SplitRules(
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            min_samples_split=self.min_samples_split,
            node_samples=self.node_samples,
            n_tests=self.n_tests,
            n_thresholds=self.n_thresholds,
            source_weight=self.source_weight,
            norm_floor=self.norm_floor,
        )
