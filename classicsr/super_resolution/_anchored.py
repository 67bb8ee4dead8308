"""Anchored regression: GR, ANR and A+."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.degradation import Degradation
from classicsr.kernels.overlap import SPAN
from classicsr.regressors._partitions import (
    AnchorGroups,
    NearestAnchor,
    Partition,
    WholeSpace,
)
from classicsr.regressors._piecewise import PiecewiseLinearMap
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._patch import PatchSuperResolver
from classicsr.super_resolution._stored import (
    TRAINING_RECORDS,
    Records,
    restore_patch_model,
    write_patch_model,
)

_SAMPLES = {"gr": 200_000, "anr": 200_000, "aplus": 5_000_000}
_LABELS = {"gr": "GR", "anr": "ANR", "aplus": "A+"}


class AnchoredRegressionSR(PatchSuperResolver):
    """Super-resolution by anchored regression: A+, ANR or GR.

    A sparse dictionary of gradient features gives anchors; each anchor has a linear map from
    features to residual patches, solved from its neighbourhood. A patch uses the map of the
    anchor that it correlates with most; overlapping patches are averaged and added to the
    bicubic image.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    variant : {"aplus", "anr", "gr"}
        Neighbourhoods of training patches (A+), of dictionary atoms (ANR), or one map for
        everything (GR).
    n_anchors : int
    n_neighbors : int, optional
        Size of a neighbourhood; default 2048 (A+), 40 (ANR).
    ridge : float, optional
        Default 0.1 (A+, GR), 0.01 (ANR).
    n_iter : int
        Iterations of K-SVD.
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_samples : int, optional
        Training patches at most (a seeded random subset); default 5 million (A+), 200 000.
    n_levels, level_ratio : int, float
        Pyramid of the training images: levels, and size of each relative to the one before.
    energy : float
        Share of the features' second moment that their principal components keep.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum. The methods are
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
    map_ : PiecewiseLinearMap
        Anchors and maps.
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    References
    ----------
    R. Timofte, V. De Smet, L. Van Gool, "A+: Adjusted anchored neighborhood regression for
    fast super-resolution", ACCV 2014; the same, "Anchored neighborhood regression for fast
    example-based super-resolution", ICCV 2013 (GR, ANR).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import AnchoredRegressionSR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = AnchoredRegressionSR(scale=2, n_anchors=16, n_levels=1, random_state=0)
    >>> sr.fit([image]).predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "anchored"

    def __init__(
        self,
        scale: Scale = 2,
        variant: str = "aplus",
        n_anchors: int = 1024,
        n_neighbors: int | None = None,
        ridge: float | None = None,
        n_iter: int = 20,
        degradation: Degradation | None = None,
        n_samples: int | None = None,
        n_levels: int = 12,
        level_ratio: float = 0.98,
        energy: float = 0.999,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.variant = variant
        self.n_anchors = n_anchors
        self.n_neighbors = n_neighbors
        self.ridge = ridge
        self.n_iter = n_iter
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

    def _most_samples(self) -> int | None:
        return self.n_samples or _SAMPLES.get(self.variant)

    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        self.map_ = self._make_regressor(rng).fit(X, Y).map_

    def _make_regressor(self, rng: Any) -> Any:
        from classicsr import regressors

        classes = {
            "gr": regressors.GlobalRegressor,
            "anr": regressors.AnchoredNeighborhoodRegressor,
            "aplus": regressors.AdjustedAnchoredRegressor,
        }
        if self.variant not in classes:
            raise ValueError(
                f"The 'variant' parameter of AnchoredRegressionSR must be one of "
                f"{', '.join(classes)}. Got {self.variant!r} instead."
            )
        regressor = classes[self.variant](
            n_anchors=self.n_anchors, n_iter=self.n_iter, random_state=rng, n_jobs=self.n_jobs
        )
        if self.ridge is not None:
            regressor.set_params(ridge=self.ridge)
        if self.n_neighbors is not None and self.variant != "gr":
            regressor.set_params(n_neighbors=self.n_neighbors)
        return regressor

    def _rows_regressor(self) -> PiecewiseLinearMap:
        return self.map_

    def _label(self) -> str:
        return _LABELS[self.variant]

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
        write_patch_model(
            self,
            path,
            method=self.variant,
            records=_RECORDS,
            tensors={
                "maps": self.map_.maps.astype(np.float16),
                **self.map_.partition.to_tensors(),
            },
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> AnchoredRegressionSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        estimator = restore_patch_model(cls(variant=model.method), model, _RECORDS)
        n_features, n_outputs = len(estimator.filters_), (SPAN * estimator.native_scale_) ** 2
        maps = model.tensor("maps", (None, n_features, n_outputs))
        partition = stored_partition(model, len(maps), n_features)
        estimator.map_ = PiecewiseLinearMap(partition, maps.astype(np.float32))
        return estimator


_RECORDS: Records = {
    "n_anchors": (int,),
    "n_neighbors": (int, type(None)),
    "ridge": (int, float, type(None)),
    "n_iter": (int,),
    **TRAINING_RECORDS,
}


def stored_partition(model: ModelFile, n_leaves: int, n_features: int) -> Partition:
    """The partition of a stored model, its indices checked."""
    if model.method == "gr":
        model.require_tensors(["filters", "maps"])
        model.tensor("maps", (1, None, None))
        return WholeSpace()
    names = ["filters", "maps", "anchors"]
    anchors = model.tensor("anchors", (n_leaves, n_features)).astype(np.float32)
    if "group_centers" not in model.tensors:
        model.require_tensors(names)
        return NearestAnchor(anchors)
    model.require_tensors([*names, "group_centers", "group_starts", "group_links"])
    centers = model.tensor("group_centers", (None, n_features)).astype(np.float32)
    starts = model.tensor("group_starts", (len(centers) + 1,), "i").astype(np.int64)
    links = model.tensor("group_links", (None,), "i").astype(np.int64)
    if starts[0] != 0 or starts[-1] != len(links) or (np.diff(starts) < 1).any():
        raise model.error("tensor 'group_starts'", "must rise from 0 to the number of links")
    if links.min() < 0 or links.max() >= n_leaves:
        raise model.error("tensor 'group_links'", f"must lie in 0 to {n_leaves - 1}")
    return NearestAnchor(anchors, AnchorGroups(centers, starts, links.astype(np.int32)))
