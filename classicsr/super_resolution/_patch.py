"""Patch regression with any scikit-learn regressor."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget
from classicsr._validation import is_integer, is_number
from classicsr.degradation import BicubicDegradation, Degradation
from classicsr.features import WINDOW_RADIUS
from classicsr.super_resolution._base import (
    DEFAULT_TILE_SHAPE,
    Images,
    Scale,
    SuperResolver,
)
from classicsr.super_resolution._pixels import Intensity, PixelSink, PixelSource
from classicsr.super_resolution._planes import Progress, Work, resample_plane, upscale_plane

if TYPE_CHECKING:
    from classicsr.super_resolution._patch_tiles import PatchTiles

MAX_SCALE = 8
_UNIT = Intensity(0.0, 1.0, np.dtype(np.float32))


class PatchSuperResolver(SuperResolver):
    """Base of the methods that add regressed residual patches to the bicubic image."""

    native_scale_: int
    filters_: NDArray[np.float32]
    _tiles_cache: PatchTiles | None = None

    degradation: Degradation | None
    n_samples: int | None
    n_levels: int
    level_ratio: float
    energy: float
    random_state: Any

    @abstractmethod
    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        """Learn residual patches Y from features X."""

    @abstractmethod
    def _rows_regressor(self) -> Any:
        """The fitted regressor as a `RowsRegressor`."""

    @abstractmethod
    def _label(self) -> str:
        """Name of the method, such as "A+"."""

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

        from classicsr.features import GradientPCA
        from classicsr.kernels.overlap import SPAN
        from classicsr.patches import PatchSamples

        self._check_parameters()
        tell = progress or (lambda done, total: None)
        scale = self._integer_scale()
        rng = check_random_state(self.random_state)
        with thread_budget(self.n_jobs):
            pairs = self._training_pairs(X, y, scale)
            tell(1, 4)
            samples = PatchSamples(
                pairs,
                scale=scale,
                span=SPAN,
                radius=WINDOW_RADIUS,
                n_samples=self._most_samples(),
                random_state=rng,
                n_jobs=self.n_jobs,
            )
            pca = GradientPCA(scale, self.energy).fit_moment(samples.moment())
            tell(2, 4)
            features = samples.features(pca.components_)
            targets = samples.targets()
            tell(3, 4)
            self._fit_regressor(features, targets, rng)
            tell(4, 4)
        self.filters_ = pca.components_
        self._tiles_cache = None
        self.native_scale_ = scale
        return self

    def _check_parameters(self) -> None:
        super()._check_parameters()
        checks = {
            "n_samples": (self.n_samples is None or is_integer(self.n_samples, 1), "1 or more"),
            "n_levels": (is_integer(self.n_levels, 1), "1 or more"),
            "level_ratio": (is_number(self.level_ratio, 0.1, 1), "from 0.1 to 1"),
            "energy": (is_number(self.energy, 0.01, 1), "from 0.01 to 1"),
        }
        for name, (accepted, rule) in checks.items():
            self._require(accepted, name, rule, getattr(self, name))

    def _integer_scale(self) -> int:
        scale = math.ceil(np.max(self.scale))
        if not 2 <= scale <= MAX_SCALE:
            raise ValueError(
                f"The 'scale' parameter of {type(self).__name__} must be above 1 and at most "
                f"{MAX_SCALE}. Got {self.scale!r} instead."
            )
        return scale

    def _training_pairs(self, X: Images, y: Images | None, scale: int) -> list:
        from classicsr.super_resolution._training import (
            degraded_pairs,
            image_range,
            training_pair,
            unit_planes,
        )

        images = _as_list(X)
        if y is not None:
            highs = _as_list(y)
            if len(images) != len(highs):
                raise ValueError(
                    f"There must be one high-resolution image per low-resolution one. "
                    f"Got {len(highs)} and {len(images)}."
                )
            # a pair shares one intensity range, or it would not agree
            ranges = [image_range(high, self.data_range) for high in highs]
            low_planes = unit_planes(images, ranges, self.channel_mode)
            high_planes = unit_planes(highs, ranges, self.channel_mode)
            return [
                training_pair(low, high, scale)
                for low, high in zip(low_planes, high_planes, strict=True)
            ]
        return degraded_pairs(
            unit_planes(images, [self.data_range] * len(images), self.channel_mode),
            self.degradation or BicubicDegradation(scale),
            scale,
            n_levels=self.n_levels,
            level_ratio=self.level_ratio,
            n_jobs=self.n_jobs,
        )

    def _upscale_plane(
        self,
        source: PixelSource,
        sink: PixelSink,
        scales: tuple[float, float],
        learned: range,
        work: Work,
    ) -> None:
        native = self.native_scale_
        if max(scales) > native:
            raise ValueError(
                f"This model reaches x{native}, not x{max(scales):g}: choose a model of a larger "
                f"scale, or a scale up to {native}."
            )
        if max(scales) <= 1:  # nothing to enlarge: the model has no part in it
            resample_plane(source, sink, scales, "cubic", work)
            return
        if scales == (native, native):
            upscale_plane(source, sink, self._tiles(), learned, work)
            return
        height, width = source.shape
        n_channels = source.image.shape[2]
        large = np.empty((height * native, width * native, n_channels), np.float32)
        upscale_plane(source, PixelSink(large, _UNIT), self._tiles(), learned, work)
        factors = (scales[0] / native, scales[1] / native)
        silent = Work(work.n_jobs, work.tile_shape)
        resample_plane(PixelSource(large, _UNIT), sink, factors, "cubic", silent)

    def _tiles(self) -> PatchTiles:
        """The tile method; kept between calls, because laying out its tables takes a while."""
        if self._tiles_cache is None:
            from classicsr.super_resolution._patch_tiles import PatchTiles

            self._tiles_cache = PatchTiles(
                self.native_scale_, self.filters_, self._rows_regressor()
            )
        return self._tiles_cache

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_tiles_cache"}

    def _plan_plane(self, scales: tuple[float, ...]) -> str:
        shown = "x".join(f"{s:g}" for s in scales)
        if max(scales) <= 1:
            return f"cubic x{shown}"
        native = getattr(self, "native_scale_", None) or self._integer_scale()
        if set(scales) == {native}:
            return f"{self._label()} x{native}"
        return f"{self._label()} x{native} resampled to x{shown}"


def _as_list(images: Images) -> Sequence[Any]:
    """A sequence of images from one image or several."""
    if isinstance(images, np.ndarray) and images.dtype != object and images.ndim == 2:
        return [images]
    return list(images)  # type: ignore[arg-type]


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
