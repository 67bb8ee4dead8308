"""Super-resolution forests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.degradation import Degradation
from classicsr.kernels.overlap import SPAN
from classicsr.regressors._bimodal import BimodalTrees
from classicsr.regressors._piecewise import PiecewiseLinearMap
from classicsr.regressors._trees import LEAF, LinearForest, Tree
from classicsr.super_resolution._base import Scale
from classicsr.super_resolution._patch import PatchSuperResolver
from classicsr.super_resolution._stored import (
    TRAINING_RECORDS,
    Records,
    restore_patch_model,
    write_patch_model,
)

_TILE_SHAPE = (126, 254)
"""Larger than elsewhere: each map is fetched from memory once per tile."""
_METHODS = {"regression": "forest", "alternating": "arfl", "naive_bayes": "nbsrf"}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "regression": {
        "n_samples": 1_000_000, "n_trees": 5, "max_depth": 15, "min_samples_leaf": 600,
        "ridge": 0.01,
    },
    "alternating": {
        "n_samples": 1_000_000, "n_trees": 5, "max_depth": 15, "min_samples_leaf": 800,
        "ridge": 0.01,
    },
    "naive_bayes": {"n_samples": 5_000_000, "n_trees": 16, "max_depth": 8, "ridge": 0.1},
}  # fmt: skip


class RandomForestSR(PatchSuperResolver):
    """Super-resolution forest: trees whose leaves hold linear maps (SRF or RFL, ARFL, NBSRF).

    Each tree sends a patch, by its gradient features, to a leaf with a linear map to the
    residual patch. Overlapping patches are averaged and added to the bicubic image.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    variant : {"regression", "alternating", "naive_bayes"}
        Trees of random tests, each learned by itself, and averaged (SRF); such trees, grown
        together so that each learns what the others lack (ARFL); or trees of 2-means up to
        sign, of which each patch uses one leaf alone (NBSRF).
    n_trees : int, optional
        Default 5; 16 in NBSRF.
    max_depth : int, optional
        Default 15; 8 in NBSRF, whose trees are complete.
    min_samples_leaf : int, optional
        Training patches of a leaf at least (SRF, ARFL); default 600, 800. Fewer make a larger
        model, and up to a point a better one.
    n_neighbors : int
        Training patches of a leaf (NBSRF).
    ridge : float, optional
        For features of intensities in [0, 1] (SRF, ARFL), or divided by their norm (NBSRF);
        default 0.01, 0.01, 0.1.
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_samples : int, optional
        Training patches at most (a seeded random subset); default 1 million; 5 million in NBSRF.
    n_levels, level_ratio : int, float
        Pyramid of the training images: levels, and size of each relative to the one before.
    energy : float
        Share of the features' second moment that their principal components keep.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum. The method is
        equivariant to intensity scale and shift, so at prediction it only matters for rounding.
    channel_mode : {"luma", "independent"}
        Colour images: learned luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Axes of the slices of a volume; default the two of finest spacing.
    tile_shape : (int, int)
        Low-resolution pixels of a tile. Changes memory and speed, never the result.
    random_state : int, RandomState or None
    n_jobs : int, optional
        Threads. Never changes the result.

    Attributes
    ----------
    map_ : LinearForest or PiecewiseLinearMap
        Trees and maps.
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    References
    ----------
    S. Schulter, C. Leistner, H. Bischof, "Fast and accurate image upscaling with
    super-resolution forests", CVPR 2015; S. Schulter et al., "Alternating regression forests
    for object detection and pose estimation", ICCV 2013; J. Salvador, E. Perez-Pellitero,
    "Naive Bayes super-resolution forest", ICCV 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import RandomForestSR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = RandomForestSR(scale=2, n_trees=2, n_levels=1, random_state=0)
    >>> sr.fit([image]).predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "forest"
    map_: LinearForest | PiecewiseLinearMap

    def __init__(
        self,
        scale: Scale = 2,
        variant: str = "regression",
        n_trees: int | None = None,
        max_depth: int | None = None,
        min_samples_leaf: int | None = None,
        n_neighbors: int = 2048,
        ridge: float | None = None,
        degradation: Degradation | None = None,
        n_samples: int | None = None,
        n_levels: int = 12,
        level_ratio: float = 0.98,
        energy: float = 0.999,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = _TILE_SHAPE,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.variant = variant
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.n_neighbors = n_neighbors
        self.ridge = ridge
        self.degradation = degradation
        self.n_samples = n_samples
        self.n_levels = n_levels
        self.level_ratio = level_ratio
        self.energy = energy
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _own(self, name: str) -> Any:
        """A parameter, or the default of the variant where it is None."""
        value = getattr(self, name)
        return _DEFAULTS[self.variant][name] if value is None else value

    def _check_parameters(self) -> None:
        super()._check_parameters()
        accepted = self.variant in _DEFAULTS
        self._require(accepted, "variant", f"one of {', '.join(_DEFAULTS)}", self.variant)

    def _most_samples(self) -> int:
        return self._own("n_samples")

    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        self.map_ = self._make_regressor(rng).fit(X, Y).map_

    def _make_regressor(self, rng: Any) -> Any:
        from classicsr import regressors

        common = {
            "n_trees": self._own("n_trees"),
            "max_depth": self._own("max_depth"),
            "ridge": self._own("ridge"),
            "random_state": rng,
            "n_jobs": self.n_jobs,
        }
        if self.variant == "naive_bayes":
            return regressors.NaiveBayesForestRegressor(n_neighbors=self.n_neighbors, **common)
        classes = {
            "regression": regressors.PatchForestRegressor,
            "alternating": regressors.AlternatingForestRegressor,
        }
        least = self._own("min_samples_leaf")
        return classes[self.variant](min_samples_leaf=least, min_samples_split=2 * least, **common)

    def _rows_regressor(self) -> LinearForest | PiecewiseLinearMap:
        return self.map_

    def _label(self) -> str:
        return _METHODS[self.variant]

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Maps are stored in float16, which costs less than 0.01 dB.

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.
        """
        self._check_fitted()
        map_ = self.map_
        write_patch_model(
            self,
            path,
            method=_METHODS[self.variant],
            records=_RECORDS,
            tensors=pack_forest(map_) if isinstance(map_, LinearForest) else _pack_bimodal(map_),
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> RandomForestSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        variant = next(name for name, method in _METHODS.items() if method == model.method)
        estimator = restore_patch_model(cls(variant=variant), model, _RECORDS)
        restore = _stored_bimodal if variant == "naive_bayes" else stored_forest
        n_outputs = (SPAN * estimator.native_scale_) ** 2
        estimator.map_ = restore(model, len(estimator.filters_), n_outputs)
        return estimator


_RECORDS: Records = {
    "n_trees": (int, type(None)),
    "max_depth": (int, type(None)),
    "min_samples_leaf": (int, type(None)),
    "n_neighbors": (int,),
    "ridge": (int, float, type(None)),
    **TRAINING_RECORDS,
}


def pack_forest(forest: LinearForest) -> dict[str, NDArray]:
    """Arrays of a forest, as model files hold them."""
    trees = [member.partition.to_tensors() for member in forest.members]
    return {
        "maps": np.concatenate([member.maps.astype(np.float16) for member in forest.members]),
        "n_nodes": np.array([len(tree["thresholds"]) for tree in trees]),
        **{name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]},
    }


def stored_forest(model: ModelFile, n_features: int, n_outputs: int) -> LinearForest:
    """The forest of a stored model, checked."""
    model.require_tensors(["filters", "maps", "n_nodes", "tests", "thresholds"])
    trees = stored_trees(model, n_features)
    maps = model.tensor("maps", (sum(t.n_leaves for t in trees), n_features + 1, n_outputs))
    ends = np.cumsum([tree.n_leaves for tree in trees])
    return LinearForest(trees, np.split(maps.astype(np.float32), ends[:-1]))


def _pack_bimodal(map_: PiecewiseLinearMap) -> dict[str, NDArray]:
    """Arrays of a naive Bayes forest, as model files hold them."""
    return {"maps": map_.maps.astype(np.float16), **map_.partition.to_tensors()}


def _stored_bimodal(model: ModelFile, n_features: int, n_outputs: int) -> PiecewiseLinearMap:
    """The naive Bayes forest of a stored model, checked."""
    model.require_tensors(["filters", "maps", "centers"])
    centers = model.tensor("centers", (None, None, n_features)).astype(np.float32)
    try:
        trees = BimodalTrees(centers)
    except ValueError as error:
        raise model.error("tensor 'centers'", str(error)) from error
    maps = model.tensor("maps", (trees.n_leaves, n_features, n_outputs))
    return PiecewiseLinearMap(trees, maps.astype(np.float32))


def stored_trees(model: ModelFile, n_features: int) -> list[Tree]:
    """The trees of a stored model, each checked."""
    n_nodes = model.tensor("n_nodes", (None,), "i").astype(np.int64)
    tests = model.tensor("tests", (None, 2), "i").astype(np.int64)
    thresholds = model.tensor("thresholds", (len(tests),)).astype(np.float32)
    if n_nodes.min() < 1 or n_nodes.max() > len(tests) or n_nodes.sum() != len(tests):
        raise model.error("tensor 'n_nodes'", f"must be positive and sum to {len(tests)}")
    if tests.min() < LEAF or tests.max() > n_features + 1:
        raise model.error("tensor 'tests'", f"must lie in {LEAF} to {n_features + 1}")
    borders = np.cumsum(n_nodes)[:-1]
    parts = zip(np.split(tests, borders), np.split(thresholds, borders), strict=True)
    try:
        return [Tree(part.astype(np.int32), limits) for part, limits in parts]
    except ValueError as error:
        raise model.error("tensor 'tests'", str(error)) from error
