"""Alternating regression forest: trees that grow together, each for what the others lack."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr._threads import run_parallel
from classicsr.regressors._forest import PatchForestRegressor
from classicsr.regressors._piecewise import ridge_map
from classicsr.regressors._tree_growth import GrowingTree, SplitRules
from classicsr.regressors._trees import LinearForest, extend

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


class AlternatingForestRegressor(PatchForestRegressor):
    """Alternating regression forest (ARF): one loss for all trees, not one for each.

    Trees grow together, a level at a time. Before each level every tree in turn corrects the
    maps of its leaves by a share of what the whole forest still lacks, and its nodes are
    then split for its own part and that lack together; the children of a node begin with its
    map. The outputs of the trees are summed.

    Parameters
    ----------
    n_trees, max_depth, min_samples_leaf, min_samples_split, node_samples, n_tests
    n_thresholds, source_weight, norm_floor
        As in `PatchForestRegressor`.
    ridge : float
        Of each correction.
    learning_rate : float
        Share of each correction that is taken, in (0, 1].
    n_rounds : int
        Rounds of corrections of all trees after the last level.
    random_state : int, RandomState or None
    n_jobs : int, optional
        Leaves corrected at a time. Never changes the result.

    Attributes
    ----------
    map_ : LinearForest
        As that of `PatchForestRegressor`.

    Notes
    -----
    Fitting strategy: a seeded sample held in memory.

    References
    ----------
    S. Schulter, C. Leistner, P. Wohlhart, P. M. Roth, H. Bischof, "Alternating regression
    forests for object detection and pose estimation", ICCV 2013; S. Schulter, C. Leistner,
    H. Bischof, "Fast and accurate image upscaling with super-resolution forests", CVPR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = AlternatingForestRegressor(n_trees=3, random_state=0).fit(X, abs(X[:, :2]))
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PatchForestRegressor._parameter_constraints,
        "learning_rate": [Interval(Real, 0, 1, closed="right")],
        "n_rounds": [Interval(Integral, 0, None, closed="left")],
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
        learning_rate: float = 0.15,
        n_rounds: int = 1,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(
            n_trees=n_trees,
            max_depth=max_depth,
            min_samples_leaf=min_samples_leaf,
            min_samples_split=min_samples_split,
            node_samples=node_samples,
            n_tests=n_tests,
            n_thresholds=n_thresholds,
            source_weight=source_weight,
            norm_floor=norm_floor,
            ridge=ridge,
            random_state=random_state,
            n_jobs=n_jobs,
        )
        self.learning_rate = learning_rate
        self.n_rounds = n_rounds

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> LinearForest:
        rows = extend(X, np.arange(len(X)), X.shape[1])
        lack = Y.copy()
        rules = self._split_rules()
        seeds = rng.randint(np.iinfo(np.int32).max, size=self.n_trees)
        trees = [_LearningTree(rows, lack, rules, np.random.RandomState(seed)) for seed in seeds]
        step = (self.ridge, self.learning_rate, self.n_jobs)
        while any(tree.growth.growing for tree in trees):
            for tree in trees:
                tree.correct(*step)
                tree.grow()
        for _ in range(self.n_rounds):
            for tree in trees:
                tree.correct(*step)
        return LinearForest([tree.growth.tree() for tree in trees], [tree.maps for tree in trees])


class _LearningTree:
    """A growing tree with the maps of its nodes.

    Parameters
    ----------
    rows : (n, d + 2) float32
        Extended features.
    lack : (n, n_outputs) float32
        Targets minus the prediction of the whole forest; trees share it and keep it up to date.
    rules : SplitRules
    rng : RandomState
    """

    def __init__(
        self, rows: Float32, lack: Float32, rules: SplitRules, rng: np.random.RandomState
    ) -> None:
        self._rows, self._lack = rows, lack
        self.growth = GrowingTree(rows, rules, rng)
        self.maps = np.zeros((1, rows.shape[1] - 1, lack.shape[1]), np.float32)

    def grow(self) -> None:
        """Add a level, for this tree's own part of the prediction and the lack together."""
        maps, rows, lack = self.maps, self._rows, self._lack

        def targets_of(node: int, samples: Int32) -> Float32:
            return lack[samples] + rows[samples, :-1] @ maps[node]

        self.maps = maps[self.growth.grow(targets_of)]

    def correct(self, ridge: float, learning_rate: float, n_jobs: int | None) -> None:
        """Add to each map a share of the ridge map from its samples to what they lack."""
        members = self.growth.finished + self.growth.growing

        def correct_leaf(leaf: int) -> None:
            samples = members[leaf]
            x, lack = self._rows[samples, :-1], self._lack[samples]
            wide = x.astype(np.float64)
            whole = ridge_map(wide.T @ wide, wide.T @ lack, ridge)
            correction = (learning_rate * whole).astype(np.float32)
            self.maps[leaf] += correction
            self._lack[samples] = lack - x @ correction

        for _ in run_parallel(correct_leaf, range(len(members)), n_jobs):
            pass
