"""Patch regression with any scikit-learn regressor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget
from classicsr._validation import is_integer, is_number
from classicsr.degradation import Degradation
from classicsr.features import WINDOW_RADIUS
from classicsr.super_resolution._assessment import plane_scales
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Images, Scale
from classicsr.super_resolution._fixed_scale import FixedScaleSuperResolver
from classicsr.super_resolution._planes import Progress, TileMethod

if TYPE_CHECKING:
    from classicsr.patches import EstimatePair, TrainingPair


class PatchSuperResolver(FixedScaleSuperResolver):
    """Base of the methods that add regressed residual patches to the bicubic image."""

    filters_: NDArray[np.float32]

    n_samples: int | None
    energy: float
    random_state: Any

    @abstractmethod
    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        """Learn residual patches Y from features X."""

    @abstractmethod
    def _rows_regressor(self) -> Any:
        """The fitted regressor as a `RowsRegressor`."""

    def _most_samples(self) -> int | None:
        return self.n_samples

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
            For a scale outside 2 to 8, images with NaN, or images smaller than one patch.
        """
        from sklearn.utils import check_random_state

        from classicsr.features import gradient_matrix

        self._check_parameters()
        tell = progress or (lambda done, total: None)
        scale = self._integer_scale()
        rng = check_random_state(self.random_state)
        with thread_budget(self.n_jobs):
            pairs = self._training_pairs(X, y, scale)
            tell(1, 4)
            filters, features, targets = self._sample(
                pairs, scale, WINDOW_RADIUS, gradient_matrix(scale), self.energy, rng
            )
            tell(2, 4)
            self._fit_regressor(features, targets, rng)
            del features, targets  # often larger than all else; further stages have their own
            self.filters_, self.native_scale_ = filters, scale
            tell(3, 4)
            self._fit_refinements(pairs, rng)
            tell(4, 4)
        self._tiles_cache = self.calibration_ = None
        return self

    def _fit_refinements(self, pairs: Sequence[TrainingPair], rng: Any) -> None:
        """Learn further stages, for methods that have them."""

    def _sample(
        self,
        pairs: Sequence[TrainingPair | EstimatePair],
        scale: int,
        radius: int,
        gradients: NDArray[np.float64],
        energy: float,
        rng: Any,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Filters learned from patches of `pairs`, and features and targets of those patches."""
        from classicsr.features import principal_filters
        from classicsr.kernels.overlap import SPAN
        from classicsr.patches import PatchSamples

        samples = PatchSamples(
            pairs,
            scale=scale,
            span=SPAN,
            radius=radius,
            n_samples=self._most_samples(),
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        filters = principal_filters(gradients, samples.moment(), energy)
        return filters, samples.features(filters), samples.targets()

    def _check_parameters(self) -> None:
        super()._check_parameters()
        checks = {
            "n_samples": (self.n_samples is None or is_integer(self.n_samples, 1), "1 or more"),
            "energy": (is_number(self.energy, 0.01, 1), "from 0.01 to 1"),
        }
        for name, (accepted, rule) in checks.items():
            self._require(accepted, name, rule, getattr(self, name))

    def _score_kind(self, plane_scales: tuple[float, ...]) -> str:
        return "disagreement" if max(plane_scales) > 1 else "activity"

    def _raw_scores(
        self,
        low: NDArray[np.float32],
        high: NDArray[np.float32],
        scales: tuple[float, ...],
        spacing: Sequence[float] | None,
    ) -> NDArray[np.float32]:
        from classicsr.super_resolution._disagreement import DisagreementSR

        if self._score_kind(plane_scales(self, scales, spacing)) == "activity":
            return super()._raw_scores(low, high, scales, spacing)
        request: dict[str, Any] = {"scale": scales, "spacing": spacing, "data_range": (0.0, 1.0)}
        scores: NDArray[np.float32] = DisagreementSR(self).predict(low, **request)
        return scores

    def _make_tiles(self) -> TileMethod:
        from classicsr.super_resolution._patch_tiles import PatchTiles

        return PatchTiles(self.native_scale_, self.filters_, self._rows_regressor())


class PatchRegressionSR(PatchSuperResolver):
    """Super-resolution by any scikit-learn regressor of residual patches.

    The regressor learns what the bicubic image lacks, patch by patch (3 x 3 low-resolution
    pixels), from gradient features of it; overlapping predictions are averaged.

    Parameters
    ----------
    regressor : scikit-learn regressor or Pipeline, optional
        Must predict several outputs. Default ``Ridge(alpha=1.0)``. It is cloned, not changed.
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_samples : int or None
        Training patches at most (a seeded random subset); None takes all.
    n_levels, level_ratio : int, float
        Pyramid of the training images: levels, and size of each relative to the one before.
    energy : float
        Share of the features' second moment that their principal components keep.
    data_range : (low, high), optional
    channel_mode : {"luma", "independent"}
    plane : (int, int), optional
        Axes of the slices of a volume.
    tile_shape : (int, int)
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    regressor_ : the fitted clone
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    Notes
    -----
    Fitting strategy: a seeded reservoir sample held in memory. Models are not stored in files:
    an arbitrary regressor is code.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import PatchRegressionSR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = PatchRegressionSR(scale=2, n_levels=1).fit([image])
    >>> sr.predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "patch"

    def __init__(
        self,
        regressor: Any = None,
        scale: Scale = 2,
        degradation: Degradation | None = None,
        n_samples: int | None = 200_000,
        n_levels: int = 1,
        level_ratio: float = 0.98,
        energy: float = 0.999,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.regressor = regressor
        self.scale = scale
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
        from sklearn.base import clone
        from sklearn.linear_model import Ridge

        self.regressor_ = clone(self.regressor) if self.regressor is not None else Ridge()
        self.regressor_.fit(X, Y)

    def _rows_regressor(self) -> Any:
        from classicsr.super_resolution._patch_tiles import AnyRegressor

        return AnyRegressor(self.regressor_, len(self.filters_))

    def _label(self) -> str:
        return type(self.regressor).__name__ if self.regressor is not None else "Ridge"
