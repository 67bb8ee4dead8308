"""Naive Bayes forest: many partitions of the same patches, of which each patch uses the best."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr._threads import run_parallel
from classicsr.regressors._adjusted import AdjustedPatches
from classicsr.regressors._base import PatchRegressor
from classicsr.regressors._bimodal import MAX_LEVELS, BimodalTrees, grow_centers
from classicsr.regressors._piecewise import PiecewiseLinearMap, neighborhood_maps

Float32 = NDArray[np.float32]
_TREE_SAMPLES = 100_000  # enough to place the centres of a tree
_CANDIDATES = 32  # times as many patches as a leaf needs: its neighbours are searched among them


class NaiveBayesForestRegressor(PatchRegressor):
    """Naive Bayes super-resolution forest (NBSRF): bimodal trees, of which one map is used.

    Each tree divides the directions of patches by 2-means up to sign at every node. A patch goes
    down all trees and uses the map of one leaf: of those it ends in, the one whose centre it
    correlates with most. The map of a leaf is solved as in A+, from training patches near the
    leaf's centre.

    Parameters
    ----------
    n_trees : int
    max_depth : int
        A tree has ``2^max_depth`` leaves; fewer levels where there are too few patches.
    n_neighbors : int
        Training patches of a leaf's map: those that correlate most, up to sign, with its centre.
        They are searched among the patches of the smallest subtree around the leaf that holds
        32 times as many.
    ridge : float
        For features and targets that are divided by the norm of the features.
    norm_floor : float
        Targets of patches whose features have a smaller norm are not divided, which shrinks
        the prediction in flat areas. In units of X (0.1 for intensities in [0, 1]).
    random_state : int, RandomState or None
    n_jobs : int, optional
        Trees learned at a time. Never changes the result.

    Attributes
    ----------
    map_ : PiecewiseLinearMap
        ``map_.partition`` are the trees, ``map_.maps`` has shape
        (n_leaves, n_features, n_outputs).

    Notes
    -----
    Fitting strategy: a seeded sample held in memory.

    References
    ----------
    J. Salvador, E. Perez-Pellitero, "Naive Bayes super-resolution forest", ICCV 2015.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = NaiveBayesForestRegressor(n_trees=2, max_depth=3, random_state=0)
    >>> model.fit(X, X[:, :2]).predict(X[:3]).shape
    (3, 2)
    """

    map_: PiecewiseLinearMap
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PatchRegressor._parameter_constraints,
        "n_trees": [Interval(Integral, 1, None, closed="left")],
        "max_depth": [Interval(Integral, 1, MAX_LEVELS, closed="both")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "norm_floor": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_trees: int = 16,
        max_depth: int = 8,
        n_neighbors: int = 2048,
        ridge: float = 0.1,
        norm_floor: float = 0.1,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.n_neighbors = n_neighbors
        self.ridge = ridge
        self.norm_floor = norm_floor
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> PiecewiseLinearMap:
        patches = AdjustedPatches(X, Y, self.norm_floor)
        textured = np.flatnonzero(patches.directions.any(axis=1))
        n_levels = min(self.max_depth, max(1, len(textured).bit_length() - 1))

        def learn_tree(seed: int) -> tuple[Float32, Float32]:
            tree_rng = np.random.RandomState(seed)
            chosen = tree_rng.permutation(textured)[:_TREE_SAMPLES]
            centers = grow_centers(patches.directions[chosen], n_levels, tree_rng)
            near = _Neighborhoods(centers, patches.directions, self.n_neighbors)
            maps = neighborhood_maps(
                lambda leaf: patches.of(near.of(leaf)), 1 << n_levels, self.ridge
            )
            return centers, maps

        seeds = rng.randint(np.iinfo(np.int32).max, size=self.n_trees)
        centers, maps = zip(*run_parallel(learn_tree, seeds, self.n_jobs), strict=True)
        return PiecewiseLinearMap(BimodalTrees(np.stack(centers)), np.concatenate(maps))


class _Neighborhoods:
    """Patches near the leaves of one tree; leaves are best asked for in order."""

    def __init__(self, centers: Float32, directions: Float32, n_neighbors: int) -> None:
        from classicsr.kernels.linear import sort_by_label

        tree = BimodalTrees(centers[None])
        self._leaves = centers[-tree.n_leaves :]
        self._directions = directions
        self._n_neighbors = min(n_neighbors, len(directions))
        reached = tree.leaves(directions, np.arange(len(directions)))
        self._order, self._starts = sort_by_label(reached, tree.n_leaves)
        self._range = (0, 0)
        self._gathered = self._order[:0], directions[:0]

    def of(self, leaf: int) -> NDArray[np.int64]:
        """Patches (n_neighbors,) of a leaf."""
        candidates, directions = self._around(leaf)
        strengths = np.abs(directions @ self._leaves[leaf])
        best = np.argpartition(-strengths, self._n_neighbors - 1)[: self._n_neighbors]
        return np.sort(candidates[best])

    def _around(self, leaf: int) -> tuple[NDArray[np.int64], Float32]:
        """Patches of the smallest subtree around a leaf that holds enough, and their directions."""
        width, n_leaves = 1, len(self._leaves)
        while True:
            first = leaf // width * width
            start, end = self._starts[first], self._starts[first + width]
            if end - start >= _CANDIDATES * self._n_neighbors or width == n_leaves:
                break
            width *= 2
        if self._range != (start, end):  # neighbouring leaves often share a subtree
            self._range = (start, end)
            candidates = self._order[start:end]
            self._gathered = candidates, self._directions[candidates]
        return self._gathered
