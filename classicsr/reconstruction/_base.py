"""Methods that invert the forward model: base of all estimators of this room."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import BicubicDegradation, Degradation, resized_shape
from classicsr.reconstruction._block_progress import BlockProgress
from classicsr.super_resolution import BicubicSR
from classicsr.super_resolution._base import Scale
from classicsr.super_resolution._pixels import Intensity, PixelSink, PixelSource
from classicsr.super_resolution._planes import Work, resample_plane
from classicsr.super_resolution._training_free import TrainingFreeSuperResolver
from classicsr.super_resolution._volume import VolumePlan

Float32 = NDArray[np.float32]
_MAX_OUTPUTS = 1 << 25  # samples of a block's result: what is larger is reconstructed in blocks
_HALO = 16  # low-resolution samples around a block: what lies farther away has no influence


class ReconstructionSR(TrainingFreeSuperResolver):
    """Base of the methods that solve for the image, or volume, that explains the input.

    A subclass says how, on arrays of any number of axes, in `_reconstruct`. Nothing is learned
    beforehand, so `fit` may be left out. Inputs too large for memory are reconstructed in
    blocks of a fixed size that overlap, so that the result does not depend on `tile_shape`.
    """

    degradation: Degradation | None

    @abstractmethod
    def _reconstruct(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        """The high-resolution array of `shape` that explains `low` (unit intensity scale).

        ``model.forward`` turns arrays of `shape` into arrays of ``low.shape``.
        """

    def plan(
        self,
        shape: Sequence[int],
        scale: Scale | None = None,
        spacing: Sequence[float] | None = None,
    ) -> str:
        """One line that says what `predict` will do to an array of this shape."""
        return self._plan_plane(self._scales(tuple(shape), scale)[0])

    def _intensity(self, image: NDArray[Any], data_range: tuple[float, float] | None) -> Intensity:
        """Integers of 16 bits or more have the range of the image, not of their type.

        Weights are relative to it, and scans fill little of a wide type.
        """
        wide = image.dtype.kind in "iu" and image.dtype.itemsize > 1
        if data_range is None and wide and image.min() != image.max():
            data_range = float(image.min()), float(image.max())
        return super()._intensity(image, data_range)

    def _upscale_plane(
        self,
        source: PixelSource,
        sink: PixelSink,
        scales: tuple[float, float],
        learned: range,
        work: Work,
    ) -> None:
        if min(scales) < 1:
            resample_plane(source, sink, scales, "cubic", work)
            return
        planes = source.read(*(np.arange(n) for n in source.shape))
        shape = sink.image.shape[:2]
        results = [
            self._in_blocks(plane, scales, shape, work) if channel in learned else None
            for channel, plane in enumerate(planes)
        ]
        cubic = BicubicSR(scales)
        sink.write(
            np.stack([
                cubic.predict(plane) if result is None else result
                for plane, result in zip(planes, results, strict=True)
            ]),
            0,
            0,
        )  # fmt: skip

    def _predict_volume(
        self, volume: NDArray[Any], plan: VolumePlan, intensity: Intensity, work: Work
    ) -> NDArray[Any]:
        scales = tuple(max(1.0, scale) for scale in plan.scales)
        low = intensity.to_unit(volume)
        result = self._in_blocks(low, scales, resized_shape(volume.shape, scales), work)
        if scales != plan.scales:  # an axis that is made smaller
            factors = tuple(s / t for s, t in zip(plan.scales, scales, strict=True))
            result = BicubicSR(factors).predict(result)
        return intensity.from_unit(result)

    def _in_blocks(
        self, low: Float32, scales: tuple[float, ...], shape: tuple[int, ...], work: Work
    ) -> Float32:
        model = (self.degradation or BicubicDegradation(1)).at_scale(scales)
        result = np.empty(shape, np.float32)
        blocks = list(_blocks(low.shape, shape, scales))
        told = BlockProgress(work.progress, len(blocks))

        def run(block: tuple[_Span, ...]) -> None:
            part = low[tuple(span.read for span in block)]
            place = tuple(span.high for span in block)
            with told.block():
                high = self._reconstruct_block(np.ascontiguousarray(part), model, place)
            result[tuple(span.write for span in block)] = high[tuple(span.keep for span in block)]

        replace(work, progress=None).run(run, blocks)
        return result

    def _reconstruct_block(
        self, low: Float32, model: Degradation, place: tuple[slice, ...]
    ) -> Float32:
        """The block `place` of the result, from the samples that it shows."""
        return self._reconstruct(low, model, tuple(span.stop - span.start for span in place))

    def _plan_plane(self, scales: tuple[float, ...]) -> str:
        return f"{self.method} x" + "x".join(f"{s:g}" for s in scales)


class _Span:
    """One axis of a block: what is read with its halo, and where the result goes."""

    def __init__(self, start: int, stop: int, n_low: int, n_high: int, scale: Fraction) -> None:
        first = start - _aligned(min(_HALO, start), scale)
        last = min(stop + _HALO, n_low)
        high = [n_high if n == n_low else int(n * scale) for n in (first, start, stop, last)]
        self.read = slice(first, last)
        self.write = slice(high[1], high[2])
        self.keep = slice(high[1] - high[0], high[2] - high[0])
        self.high = slice(high[0], high[3])


def _aligned(n: int, scale: Fraction) -> int:
    """Largest count up to `n` that is a whole number of high-resolution samples."""
    return n - n % scale.denominator


def _blocks(
    low_shape: tuple[int, ...], shape: tuple[int, ...], scales: tuple[float, ...]
) -> Iterator[tuple[_Span, ...]]:
    """Cover an array with as few blocks as keep each below the limit."""
    ratios = [Fraction(scale).limit_denominator(8) for scale in scales]
    exact = all(float(ratio) == scale for ratio, scale in zip(ratios, scales, strict=True))
    side = _side(low_shape, shape) if exact else max(low_shape)
    axes = []
    for n_low, n_high, ratio in zip(low_shape, shape, ratios, strict=True):
        step = max(_aligned(side, ratio), ratio.denominator)
        starts = range(0, n_low, step)
        axes.append([_Span(s, min(s + step, n_low), n_low, n_high, ratio) for s in starts])
    yield from product(*axes)


def _side(low_shape: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Low-resolution side of the largest block that stays below the limit."""
    growth = np.prod(shape, dtype=float) / np.prod(low_shape, dtype=float)
    if np.prod(shape, dtype=float) <= _MAX_OUTPUTS:
        return max(low_shape)
    return max(2 * _HALO, int((_MAX_OUTPUTS / growth) ** (1 / len(shape))) - 2 * _HALO)
