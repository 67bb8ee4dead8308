"""Learned methods of one integer scale: training pairs, scales in between, tiles."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_integer, is_number
from classicsr.degradation import BicubicDegradation, Degradation, back_project
from classicsr.super_resolution._base import Images, SuperResolver
from classicsr.super_resolution._pixels import Intensity, PixelSink, PixelSource
from classicsr.super_resolution._planes import (
    TileMethod,
    Work,
    resample_plane,
    upscale_plane,
)

Float32 = NDArray[np.float32]
MAX_SCALE = 8
_UNIT = Intensity(0.0, 1.0, np.dtype(np.float32))


class FixedScaleSuperResolver(SuperResolver):
    """Base of the methods that learn, from pairs of images, to enlarge by an integer factor."""

    native_scale_: int
    _tiles_cache: TileMethod | None = None

    degradation: Degradation | None
    n_levels: int
    level_ratio: float

    @abstractmethod
    def _make_tiles(self) -> TileMethod:
        """The fitted model as a tile method."""

    @abstractmethod
    def _label(self) -> str:
        """Name of the method, such as "A+"."""

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._require(is_integer(self.n_levels, 1), "n_levels", "1 or more", self.n_levels)
        self._require(
            is_number(self.level_ratio, 0.1, 1), "level_ratio", "from 0.1 to 1", self.level_ratio
        )

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
        n_projections = self._wanted_back_projections()
        if scales == (native, native) and not n_projections:
            self._upscale_native(source, sink, learned, work)
            return
        height, width = source.shape
        n_channels = source.image.shape[2]
        large = np.empty((height * native, width * native, n_channels), np.float32)
        self._upscale_native(source, PixelSink(large, _UNIT), learned, work)
        if n_projections:
            self._back_project(large, source, learned, n_projections)
        factors = (scales[0] / native, scales[1] / native)
        silent = Work(work.n_jobs, work.tile_shape)
        resample_plane(PixelSource(large, _UNIT), sink, factors, "cubic", silent)

    def _upscale_native(
        self, source: PixelSource, sink: PixelSink, learned: range, work: Work
    ) -> None:
        """Fill `sink`, which is larger by the scale of the model."""
        upscale_plane(source, sink, self._tiles_for(source, learned), learned, work)

    def _wanted_back_projections(self) -> int:
        """Steps that make the whole result agree with the input; 0 for none."""
        return 0

    def _back_project(
        self, large: Float32, source: PixelSource, learned: range, n_iter: int
    ) -> None:
        """Correct the learned channels of `large` (H, W, C) at the native scale, in place."""
        low = source.read(*(np.arange(n) for n in source.shape))
        model = self._forward_model()
        for channel in learned:
            large[..., channel] = back_project(large[..., channel], low[channel], model, n_iter)

    def _forward_model(self) -> Degradation:
        """What made low-resolution images of high-resolution ones."""
        return self.degradation or BicubicDegradation(self.native_scale_)

    def _tiles_for(self, source: PixelSource, learned: range) -> TileMethod:
        """The tile method for one plane: the same for all, unless the method adapts to it."""
        return self._tiles()

    def _tiles(self) -> TileMethod:
        """The tile method; kept between calls, because laying out its tables takes a while."""
        if self._tiles_cache is None:
            self._tiles_cache = self._make_tiles()
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
