"""How much the overlapping predictions of a patch method differ, as an image."""

from __future__ import annotations

from typing import Any, Self

from classicsr.super_resolution._fixed_scale import FixedScaleSuperResolver
from classicsr.super_resolution._planes import TileMethod


class DisagreementSR(FixedScaleSuperResolver):
    """Makes images of the standard deviation of the predictions that cover each pixel.

    Scales, volumes and tiles are those of the method itself.

    Parameters
    ----------
    sr : PatchSuperResolver
        A fitted estimator.
    """

    method = "disagreement"
    degradation = None
    data_range = None
    n_levels = 1
    level_ratio = 1.0

    def __init__(self, sr: Any) -> None:
        self.sr = sr
        self.scale = self.native_scale_ = sr.native_scale_
        self.channel_mode = sr.channel_mode
        self.plane = sr.plane
        self.tile_shape = sr.tile_shape
        self.n_jobs = sr.n_jobs

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Do nothing: the method is fitted."""
        return self

    def _make_tiles(self) -> TileMethod:
        from classicsr.super_resolution._patch_tiles import DisagreementTiles

        sr = self.sr
        return DisagreementTiles(sr.native_scale_, sr.filters_, sr._rows_regressor())

    def _label(self) -> str:
        return "disagreement"
