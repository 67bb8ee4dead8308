"""How one array becomes its result: what `SuperResolver.predict` does inside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_scale
from classicsr.degradation import BicubicDegradation, Degradation, resize, resized_shape
from classicsr.super_resolution._assessment import (
    novelty_of,
    std_map,
    tell_novelty,
    unknown_pixels,
)
from classicsr.super_resolution._consistency import added_detail, made_consistent
from classicsr.super_resolution._parameters import SCALE_RULE, Parameters, Scale
from classicsr.super_resolution._pixels import (
    Float32,
    Intensity,
    NonFiniteMask,
    PixelSink,
    PixelSource,
)
from classicsr.super_resolution._planes import Progress, Work
from classicsr.super_resolution._uncertainty import activity
from classicsr.super_resolution._volume import VolumePlan, plan_volume

if TYPE_CHECKING:
    from classicsr.super_resolution._calibration import Calibration

Pixels = NDArray[Any]
_COLOR_CHANNELS = (1, 2, 3, 4)  # grey, grey + alpha, RGB, RGB + alpha
_UNIT = Intensity(0.0, 1.0, np.dtype(np.float32))


@dataclass(frozen=True)
class Request:
    """What the caller of `predict` asked for."""

    scale: Scale | None
    spacing: Sequence[float] | None
    data_range: tuple[float, float] | None
    consistent: bool
    noise: float
    std: bool
    detail: bool
    record: dict[str, Any] | None
    progress: Progress | None
    maps: list[Float32] = field(default_factory=list)
    """Receives the standard deviation and the detail, where they are asked for."""

    @property
    def needs_floats(self) -> bool:
        """Whether more is asked for than the result in the type of the input."""
        return self.consistent or self.std or self.detail


class Prediction(Parameters):
    """Base of `SuperResolver`: from one array to one result."""

    calibration_: Calibration | None = None

    @abstractmethod
    def _upscale_plane(
        self,
        source: PixelSource,
        sink: PixelSink,
        scales: tuple[float, float],
        learned: range,
        work: Work,
    ) -> None:
        """Fill `sink` (of the wanted size) from `source`; `learned` channels by the method."""

    @abstractmethod
    def _plan_plane(self, scales: tuple[float, ...]) -> str:
        """What happens within a plane, such as "A+ x3"."""

    # ---- prediction of one array ------------------------------------------------------------

    def _scales(
        self, shape: tuple[int, ...], scale: Scale | None
    ) -> tuple[tuple[float, ...], bool]:
        """Scale per spatial axis, and whether the array is a volume."""
        wanted = self.scale if scale is None else scale
        self._require(is_scale(wanted), "scale", SCALE_RULE, wanted)
        n_given = None if np.ndim(wanted) == 0 else len(wanted)  # type: ignore[arg-type]
        is_volume = len(shape) == 3 and (
            n_given == 3
            or (
                n_given is None
                and shape[-1] not in _COLOR_CHANNELS
                and self.channel_mode != "independent"
            )
        )
        n_axes = 3 if is_volume else 2
        if len(shape) not in (2, 3):
            raise ValueError(
                f"Images must have 2 axes (3 with channels) and volumes 3. Got shape {shape}."
            )
        if n_given is not None and n_given != n_axes:
            raise ValueError(
                f"The 'scale' parameter of {type(self).__name__} must be a number or {n_axes} "
                f"numbers for an array of shape {shape}. Got {wanted!r} instead."
            )
        return tuple(float(s) for s in np.broadcast_to(wanted, n_axes)), is_volume

    def _predict_one(self, image: Pixels, request: Request) -> Pixels:
        if image.dtype.kind not in "biuf":
            raise TypeError(f"Images must hold real numbers. Got dtype {image.dtype}.")
        scales, is_volume = self._scales(image.shape, request.scale)
        if image.size == 0:
            raise ValueError(f"Images must have at least one pixel. Got shape {image.shape}.")
        image = image.astype(image.dtype.newbyteorder("="), copy=False)
        mask = NonFiniteMask(image, len(scales))
        intensity = self._intensity(image, request.data_range or self.data_range)
        work = Work(self.n_jobs, self.tile_shape, request.progress)
        plan = plan_volume(scales, request.spacing, self.plane) if is_volume else None

        def upscale(pixels: Pixels, units: Intensity) -> Pixels:
            if plan is not None:
                return self._predict_volume(pixels, plan, units, work)
            return self._predict_image(pixels, scales, units, work)

        if request.needs_floats:
            low = intensity.to_unit(mask.image)
            high = self._assessed(upscale(low, _UNIT), low, scales, intensity, request)
            result = intensity.from_unit(high)
        else:
            result = upscale(mask.image, intensity)
        mask.restore(result, scales)
        for one in request.maps:
            one *= np.float32(min(intensity.span, float(np.finfo(np.float32).max)))
            one[unknown_pixels(result, one.ndim)] = np.nan
        if self.calibration_ is not None and (request.std or request.record is not None):
            low = intensity.to_unit(mask.image)
            tell_novelty(novelty_of(self, low, scales, request.spacing), request.record)
        return result

    def _intensity(self, image: Pixels, data_range: tuple[float, float] | None) -> Intensity:
        """The unit scale that an image is computed on, where `data_range` does not say it."""
        return Intensity.of(image, data_range)

    def _assessed(
        self,
        high: Float32,
        low: Float32,
        scales: tuple[float, ...],
        intensity: Intensity,
        request: Request,
    ) -> Float32:
        """The result, made consistent if that is asked for; its maps go to the request."""
        if request.consistent:
            model = self._measurement(scales, low.ndim)
            high = made_consistent(high, low, model, intensity, request.noise, request.record)
        if request.std:
            request.maps.append(std_map(self, low, high, scales, request.spacing))
        if request.detail:
            model = self._measurement(scales, low.ndim)
            request.maps.append(added_detail(high, low, model, request.record))
        return high

    def _score_kind(self, plane_scales: tuple[float, ...]) -> str:
        """What tells how difficult a pixel is: a name of `_calibration.SCORES`."""
        return "activity"

    def _raw_scores(
        self,
        low: Float32,
        high: Float32,
        scales: tuple[float, ...],
        spacing: Sequence[float] | None,
    ) -> Float32:
        """How difficult each pixel of `high` is, of one channel or volume."""
        return activity(high)

    def _measurement(self, scales: tuple[float, ...], n_axes: int) -> Degradation:
        """The forward model of an array of `n_axes` axes, channels included."""
        if min(scales) < 1:
            raise ValueError(
                f"A result is consistent with its input only if it is not smaller. "
                f"Got the scales {scales}."
            )
        own: Degradation | None = getattr(self, "degradation", None)
        return (own or BicubicDegradation(1)).at_scale((*scales, *[1.0] * (n_axes - len(scales))))

    def _predict_image(
        self, image: Pixels, scales: tuple[float, ...], intensity: Intensity, work: Work
    ) -> Pixels:
        independent = self.channel_mode == "independent"
        n_channels = image.shape[2] if image.ndim == 3 else 1
        color = not independent and n_channels >= 3
        learned = range(n_channels) if independent else range(1)
        result = np.empty((*resized_shape(image.shape[:2], scales), *image.shape[2:]), image.dtype)
        self._upscale_plane(
            PixelSource(image, intensity, color=color),
            PixelSink(result, intensity, color=color),
            (scales[0], scales[1]),
            learned,
            work,
        )
        return result

    def _predict_volume(
        self, volume: Pixels, plan: VolumePlan, intensity: Intensity, work: Work
    ) -> Pixels:
        shape = resized_shape(volume.shape, plan.scales)
        planes = list(shape)
        planes[plan.along] = volume.shape[plan.along]
        sharp = np.empty(planes, np.float32)
        for i in range(volume.shape[plan.along]):
            at = tuple(i if axis == plan.along else slice(None) for axis in range(3))
            self._upscale_plane(
                PixelSource(volume[at], intensity),
                PixelSink(sharp[at], _UNIT),
                plan.plane_scales,
                range(1),
                Work(work.n_jobs, work.tile_shape),
            )
            if work.progress is not None:
                work.progress(i + 1, volume.shape[plan.along])
        thick = plan.scales[plan.along]
        if thick != 1:
            sharp = resize(sharp, thick, axes=(plan.along,), output_shape=(shape[plan.along],))
        return intensity.from_unit(sharp)
