"""Super-resolution forest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.degradation import Degradation
from classicsr.kernels.overlap import SPAN
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


class RandomForestSR(PatchSuperResolver):
    """Super-resolution forest (SRF, RFL): trees whose leaves hold linear maps.

    Each tree sends a patch, by tests of its gradient features, to a leaf with a linear map to
    the residual patch; the trees' outputs are averaged, and so are overlapping patches.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    n_trees : int
    max_depth : int
    min_samples_leaf : int
        Training patches of a leaf at least. Fewer make a better and larger model.
    ridge : float
        For features of intensities in [0, 1].
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_samples : int or None
        Training patches at most (a seeded random subset); None takes all.
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
    map_ : LinearForest
        Trees and maps.
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    References
    ----------
    S. Schulter, C. Leistner, H. Bischof, "Fast and accurate image upscaling with
    super-resolution forests", CVPR 2015.

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

    def __init__(
        self,
        scale: Scale = 2,
        n_trees: int = 5,
        max_depth: int = 15,
        min_samples_leaf: int = 600,
        ridge: float = 0.01,
        degradation: Degradation | None = None,
        n_samples: int | None = 1_000_000,
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
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
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

    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        from classicsr.regressors import PatchForestRegressor

        regressor = PatchForestRegressor(
            n_trees=self.n_trees,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            min_samples_split=2 * self.min_samples_leaf,
            ridge=self.ridge,
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        self.map_ = regressor.fit(X, Y).map_

    def _rows_regressor(self) -> LinearForest:
        return self.map_

    def _label(self) -> str:
        return "forest"

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
        members = self.map_.members
        trees = [member.partition.to_tensors() for member in members]
        write_patch_model(
            self,
            path,
            method=self.method,
            records=_RECORDS,
            tensors={
                "maps": np.concatenate([member.maps.astype(np.float16) for member in members]),
                "n_nodes": np.array([len(tree["thresholds"]) for tree in trees]),
                **{name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]},
            },
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> RandomForestSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        estimator = restore_patch_model(cls(), model, _RECORDS)
        n_features, n_outputs = len(estimator.filters_), (SPAN * estimator.native_scale_) ** 2
        trees = _trees(model, n_features)
        maps = model.tensor("maps", (sum(t.n_leaves for t in trees), n_features + 1, n_outputs))
        ends = np.cumsum([tree.n_leaves for tree in trees])
        estimator.map_ = LinearForest(trees, np.split(maps.astype(np.float32), ends[:-1]))
        return estimator


_RECORDS: Records = {
    "n_trees": (int,),
    "max_depth": (int,),
    "min_samples_leaf": (int,),
    "ridge": (int, float),
    **TRAINING_RECORDS,
}


def _trees(model: ModelFile, n_features: int) -> list[Tree]:
    """The trees of a stored model, each checked."""
    model.require_tensors(["filters", "maps", "n_nodes", "tests", "thresholds"])
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
