"""Methods that refine their first estimate in further stages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.features import ESTIMATE_SIDE
from classicsr.regressors._piecewise import RowsPredictor
from classicsr.super_resolution._patch import PatchSuperResolver
from classicsr.super_resolution._planes import TileMethod

if TYPE_CHECKING:
    from classicsr.patches import TrainingPair

Float32 = NDArray[np.float32]
_ENERGY = 0.99
"""Share of the second moment that features of an estimate keep: more win nothing."""


class StagedPatchSuperResolver(PatchSuperResolver):
    """Base of the methods whose stages each learn what those before them lack.

    The first stage sees the bicubic image, every further one the estimate so far. A stage learns
    from what the earlier ones make of the training images.

    Attributes
    ----------
    map_ : RowsPredictor
        The first stage.
    refinements_ : list of (filters, RowsPredictor)
        The further stages; filters are (n_features, (ESTIMATE_SIDE * scale)^2) float32.
    """

    map_: Any
    refinements_: list[tuple[Float32, Any]]

    @abstractmethod
    def _n_stages(self) -> int:
        """Stages in all."""

    @abstractmethod
    def _fit_stage(self, X: Float32, Y: Float32, rng: Any) -> RowsPredictor:
        """What predicts residual patches Y from features X, in any stage."""

    def _fit_regressor(self, X: Float32, Y: Float32, rng: Any) -> None:
        self.map_ = self._fit_stage(X, Y, rng)
        self.refinements_ = []

    def _rows_regressor(self) -> RowsPredictor:
        predictor: RowsPredictor = self.map_
        return predictor

    def _fit_refinements(self, pairs: Sequence[TrainingPair], rng: Any) -> None:
        while len(self.refinements_) + 1 < self._n_stages():
            self.refinements_.append(self._fit_refinement(pairs, rng))

    def _fit_refinement(
        self, pairs: Sequence[TrainingPair], rng: Any
    ) -> tuple[Float32, RowsPredictor]:
        """Filters and predictor of the stage after those that there are."""
        from classicsr.features import estimate_gradient_matrix
        from classicsr.super_resolution._refinement import ESTIMATE_RADIUS, estimate_pairs

        scale = self.native_scale_
        estimates = estimate_pairs(pairs, self._make_tiles(), self.n_jobs)
        gradients = estimate_gradient_matrix(scale)
        filters, X, Y = self._sample(estimates, scale, ESTIMATE_RADIUS, gradients, _ENERGY, rng)
        return filters, self._fit_stage(X, Y, rng)

    def _make_tiles(self) -> TileMethod:
        from classicsr.super_resolution._refinement import RefinedTiles, Refinement

        stages = [Refinement(self.native_scale_, *stage) for stage in self.refinements_]
        return RefinedTiles(super()._make_tiles(), stages)


def stored_stage_filters(model: ModelFile, scale: int, suffix: str) -> Float32:
    """The filters of a further stage of a stored model, checked."""
    return model.tensor(f"filters{suffix}", (None, (ESTIMATE_SIDE * scale) ** 2)).astype(np.float32)
