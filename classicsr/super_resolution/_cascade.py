"""A cascade of piecewise-linear regressions in canonical pose: the best path."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._threads import thread_budget
from classicsr._validation import is_integer, is_number
from classicsr.degradation import Degradation
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Images, Scale
from classicsr.super_resolution._fixed_scale import FixedScaleSuperResolver, _as_list
from classicsr.super_resolution._planes import Progress, TileMethod
from classicsr.super_resolution._stored import Records, restore_fitted, write_fitted

if TYPE_CHECKING:
    from classicsr.patches import TrainingPair

_MOST_STAGES = 32


class CascadeSR(FixedScaleSuperResolver):
    """Super-resolution by a cascade of piecewise-linear regressions in canonical pose.

    Each stage looks at windows of what the one before left (the first at the low-resolution
    image) and turns them into one of 16 canonical poses (flips, turns and change of sign). In
    each of several partitions the nearest cell's linear map predicts a part of the residual
    patch; overlapping patches (3 x 3 low-resolution pixels) are averaged. Poses stand for 16
    times as many training images and cells, and make results equivariant to flips, quarter
    turns and negatives, so that averaging over them would change nothing.

    A stage learns from estimates that the earlier ones make of images they were not fitted on
    (out of fold): on images of their own they are too good, and further stages would overfit.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    n_stages : int
        Stages to fit. Of a fitted model: how many of its stages to use, for speed.
    n_parts : int
        Partitions of a stage, whose predictions are summed. Each further one tells cells apart
        by other features, and learns what those before it lack.
    n_cells : int
        Cells of a partition.
    n_features : int
        Linear features of a window.
    prior_samples : float
        The regression of a cell takes so many average patches of the whole set into account.
    n_folds : int
        Parts of the training images, for estimates out of fold; at most one per image. With 1
        stages learn from estimates of images that the earlier ones were fitted on.
    checkpoint : path, optional
        A folder where `fit` keeps what it has done; interrupted and called again, it goes on
        from the last whole stage. Its files are removed at the end, others stay.
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_levels, level_ratio : int, float
        Pyramid of the training images: levels, and size of each relative to the one before.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum. Cells tell
        weak from strong patches relative to it.
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
    stages_ : list of (filters, CanonicalMap)
        Filters of the first stage are (n, 81) float32, of 9 x 9 low-resolution pixels; of the
        others (n, (5 scale)^2), of windows of the estimate.
    native_scale_ : int

    Notes
    -----
    Fitting strategy: exact mergeable statistics, streamed over images that are kept in files;
    cells from a seeded random sample. Memory depends on cells and features, and on the largest
    image.

    References
    ----------
    R. Timofte, R. Rothe, L. Van Gool, "Seven ways to improve example-based single image super
    resolution", CVPR 2016 (cascade); E. Perez-Pellitero, J. Salvador, J. Ruiz-Hidalgo,
    B. Rosenhahn, "PSyCo: Manifold span reduction for super resolution", CVPR 2016 (poses);
    D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992 (out of fold).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import CascadeSR
    >>> images = list(np.random.default_rng(0).random((2, 60, 60)))
    >>> sr = CascadeSR(scale=2, n_stages=2, n_parts=2, n_cells=4, random_state=0)
    >>> sr.fit(images).predict(images[0][:10, :12]).shape
    (20, 24)
    """

    method = "cascade"

    def __init__(
        self,
        scale: Scale = 2,
        n_stages: int = 5,
        n_parts: int = 4,
        n_cells: int = 256,
        n_features: int = 48,
        prior_samples: float = 300.0,
        n_folds: int = 2,
        checkpoint: str | os.PathLike[str] | None = None,
        degradation: Degradation | None = None,
        n_levels: int = 1,
        level_ratio: float = 0.8,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.n_stages = n_stages
        self.n_parts = n_parts
        self.n_cells = n_cells
        self.n_features = n_features
        self.prior_samples = prior_samples
        self.n_folds = n_folds
        self.checkpoint = checkpoint
        self.degradation = degradation
        self.n_levels = n_levels
        self.level_ratio = level_ratio
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for name, most in (
            ("n_stages", _MOST_STAGES),
            ("n_parts", 64),
            ("n_cells", 1 << 16),
            ("n_folds", 64),
        ):
            value = getattr(self, name)
            self._require(is_integer(value, 1, most), name, f"from 1 to {most}", value)
        self._require(
            is_integer(self.n_features, 4, 128), "n_features", "from 4 to 128", self.n_features
        )
        accepted = is_number(self.prior_samples, 0) and self.prior_samples > 0
        self._require(accepted, "prior_samples", "a number above 0", self.prior_samples)

    def fit(self, X: Images, y: Images | None = None, *, progress: Progress | None = None) -> Self:
        """Learn from high-resolution images, or from pairs.

        Parameters
        ----------
        X : sequence of arrays
            High-resolution images; or low-resolution ones when `y` is given. Colour images
            are learned from by their luma, volumes slice by slice along their last axis.
        y : sequence of arrays, optional
            High-resolution images, each ``scale`` times as large as its low-resolution one.
            Without them low-resolution images are made by `degradation`, at every level of a
            pyramid of the images.
        progress : callable, optional
            Called with (steps done, steps in all).

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a scale outside 2 to 8, images with NaN, or none large enough; for a `checkpoint`
            of another training.
        """
        from sklearn.utils import check_random_state

        from classicsr.super_resolution._cascade_fitting import fit_cascade
        from classicsr.super_resolution._cascade_training import StageSettings

        self._check_parameters()
        images = _as_list(X)
        scale = self._integer_scale()
        tell = progress or (lambda done, total: None)
        rng = check_random_state(self.random_state)
        seeds = rng.randint(1 << 30, size=self.n_stages).tolist()
        settings = StageSettings(
            scale,
            self.n_stages,
            self.n_parts,
            self.n_cells,
            self.n_features,
            float(self.prior_samples),
            min(self.n_folds, max(1, len(images))),
            self.n_jobs,
        )
        with thread_budget(self.n_jobs):
            stages = fit_cascade(
                self._groups(images, y, scale),
                settings,
                seeds,
                None if self.checkpoint is None else Path(self.checkpoint),
                lambda done: tell(done, 1 + self.n_stages * self.n_parts),
            )
        self.stages_, self.native_scale_ = stages, scale
        self._tiles_cache = self.calibration_ = None
        return self

    def _groups(
        self, images: Sequence[Any], y: Images | None, scale: int
    ) -> Iterator[Sequence[TrainingPair]]:
        """The pairs of one image after another."""
        if y is None:
            for image in images:
                yield self._training_pairs([image], None, scale)
            return
        yield from ([pair] for pair in self._training_pairs(images, y, scale))

    def _make_tiles(self) -> TileMethod:
        from classicsr.super_resolution._patch_tiles import PatchTiles
        from classicsr.super_resolution._refinement import RefinedTiles, Refinement

        first, *later = self.stages_[: self.n_stages]
        return RefinedTiles(
            PatchTiles(self.native_scale_, *first),
            [Refinement(self.native_scale_, *stage) for stage in later],
        )

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `n_stages` of a fitted model says how many stages it uses."""
        super().set_params(**params)
        self._tiles_cache = None
        return self

    def _label(self) -> str:
        return f"cascade of {min(self.n_stages, len(self.stages_))}"

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Maps are stored with 4 bits a number and a step for each feature of each cell, which
        costs less than 0.01 dB.

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.
        """
        from classicsr.super_resolution._cascade_file import stage_tensors

        self._check_fitted()
        tensors: dict[str, NDArray] = {}
        for number, stage in enumerate(self.stages_):
            tensors |= stage_tensors(stage, number)
        write_fitted(self, path, method=self.method, records=_RECORDS, tensors=tensors, info=info)

    @classmethod
    def _from_model(cls, model: ModelFile) -> CascadeSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        from classicsr.super_resolution._cascade_file import NAMES, stored_stage

        estimator = restore_fitted(cls(), model, _RECORDS)
        n_stages = len(model.tensors) // len(NAMES)
        if not 1 <= n_stages <= _MOST_STAGES:
            raise model.error("tensors", f"must be those of 1 to {_MOST_STAGES} stages")
        model.require_tensors([f"{name}_{k}" for k in range(n_stages) for name in NAMES])
        scale = estimator.native_scale_
        estimator.stages_ = [stored_stage(model, k, scale) for k in range(n_stages)]
        return estimator


_RECORDS: Records = {
    "n_stages": (int,),
    "n_parts": (int,),
    "n_cells": (int,),
    "n_features": (int,),
    "prior_samples": (int, float),
    "n_folds": (int,),
    "n_levels": (int,),
    "level_ratio": (int, float),
}
