"""The image-level contract: images in, larger images out."""

from __future__ import annotations

import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr._model_file import ModelFile
from classicsr._validation import (
    LARGEST_SCALE,
    is_integer,
    is_number,
    is_range,
    is_scale,
    is_sequence_of,
    require,
)
from classicsr.degradation import BicubicDegradation, Degradation, resize, resized_shape
from classicsr.super_resolution._consistency import made_consistent
from classicsr.super_resolution._pixels import Intensity, NonFiniteMask, PixelSink, PixelSource
from classicsr.super_resolution._planes import Progress, Work
from classicsr.super_resolution._volume import VolumePlan, plan_volume

Pixels = NDArray[Any]
Scale = float | Sequence[float]
Images = ArrayLike | Sequence[ArrayLike]

_SCALE_RULE = f"a number from 1/{LARGEST_SCALE:g} to {LARGEST_SCALE:g}, or one per axis"
_RANGE_RULE = "two finite numbers, the first one smaller, or None"
DEFAULT_TILE_SHAPE = (62, 246)
"""Low-resolution pixels of a tile; with its halo a row is a multiple of the kernels' lanes."""
_COLOR_CHANNELS = (1, 2, 3, 4)  # grey, grey + alpha, RGB, RGB + alpha
_UNIT = Intensity(0.0, 1.0, np.dtype(np.float32))


@dataclass(frozen=True)
class _Request:
    """What the caller of `predict` asked for."""

    scale: Scale | None
    spacing: Sequence[float] | None
    data_range: tuple[float, float] | None
    consistent: bool
    noise: float
    record: dict[str, Any] | None
    progress: Progress | None


class SuperResolver(ABC):
    """Base of all image-level estimators.

    It follows scikit-learn's protocol (`get_params`, `clone`, `GridSearchCV` and `Pipeline`
    work on sequences of images) without importing scikit-learn, so that a stored model is
    applied in a fraction of a second.

    Images are ``(H, W)``, ``(H, W, C)`` with C of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB,
    alpha), and volumes ``(X, Y, Z)``. A scale of three numbers says that the array is a volume;
    otherwise an array of three axes holds channels when its last one has 1 to 4 entries.
    """

    method: ClassVar[str]
    """Family name, part of the model file's registry key."""

    native_scale_: int | None
    """Integer scale of the fitted model; None for a method that takes any."""

    scale: Scale
    data_range: tuple[float, float] | None
    channel_mode: str
    plane: tuple[int, int] | None
    tile_shape: tuple[int, int]
    n_jobs: int | None

    # ---- scikit-learn's protocol ------------------------------------------------------------

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor parameters by name; with `deep` also those of nested estimators."""
        params = {name: getattr(self, name) for name in self._parameter_names()}
        for name, value in list(params.items()) if deep else []:
            if hasattr(value, "get_params") and not isinstance(value, type):
                params |= {f"{name}__{key}": v for key, v in value.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters (``name__inner`` for nested estimators)."""
        for name, value in params.items():
            own, _, inner = name.partition("__")
            if own not in self._parameter_names():
                raise ValueError(
                    f"The {own!r} parameter of {type(self).__name__} does not exist. "
                    f"Valid parameters: {', '.join(self._parameter_names())}."
                )
            if inner:
                getattr(self, own).set_params(**{inner: value})
            else:
                setattr(self, own, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        shown = [
            f"{name}={value!r}"
            for name, value in self.get_params(deep=False).items()
            if repr(value) != repr(defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "native_scale_")

    # ---- fit, predict, score ----------------------------------------------------------------

    @abstractmethod
    def fit(self, X: Images, y: Images | None = None) -> Self:
        """Learn from images."""

    def predict(
        self,
        images: Images,
        *,
        scale: Scale | None = None,
        spacing: Sequence[float] | None = None,
        data_range: tuple[float, float] | None = None,
        consistent: bool = False,
        noise: float = 0.0,
        record: dict[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Upscale one image, or each image of a sequence.

        Parameters
        ----------
        images : array, or sequence of arrays
            ``(H, W)``, ``(H, W, C)`` or ``(X, Y, Z)``, any real dtype. NaN and Inf are kept
            through without harming their neighbours.
        scale : number or one per axis, optional
            Instead of the estimator's own. Factors up to the model's integer scale are
            reached by exact resampling of its result.
        spacing : three floats, optional
            Voxel size of a volume in mm; says which plane is the sharp one.
        data_range : (low, high), optional
            Intensity range, instead of the estimator's own.
        consistent : bool
            Project the result onto the images that the forward model turns into the input. The
            model is the estimator's `degradation`, or MATLAB's bicubic, at the scales asked for.
            Integer types are rounded afterwards.
        noise : float
            Standard deviation of the input's noise, in its units: a consistent result need not
            agree with the input beyond it.
        record : dict, optional
            Receives what was done; of several images the last one's. With `consistent`:
            "consistency", the forward model and its largest and mean deviation from the input,
            in the input's units, before and after (not rounded).
        progress : callable, optional
            Called with (steps done, steps in all).

        Returns
        -------
        array of shape ``round(n * scale)`` per axis in the dtype and units of the input
        (integers rounded and clipped), or a list of them

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For an empty array, a wrong number of axes, or a scale that the model cannot reach.
        TypeError
            For an array that does not hold real numbers.
        """
        self._check_fitted()
        self._check_parameters()
        self._require(
            data_range is None or is_range(data_range), "data_range", _RANGE_RULE, data_range
        )
        self._require(
            spacing is None or is_sequence_of(spacing, 3, lambda mm: is_number(mm) and mm > 0),
            "spacing",
            "three positive numbers, or None",
            spacing,
        )
        self._require(is_number(noise, 0), "noise", "a number, 0 or more", noise)
        request = _Request(scale, spacing, data_range, consistent, noise, record, progress)
        if isinstance(images, list | tuple):
            return [self._predict_one(np.asarray(image), request) for image in images]
        return self._predict_one(np.asarray(images), request)

    def score(self, X: Images, y: Images) -> float:
        """Mean PSNR in dB of the predictions: luma, rounded to 8 bits, `scale` pixels shaved.

        Parameters
        ----------
        X, y : sequences of low- and high-resolution images
            Integer images keep their type's peak; floats use `data_range` or the range of the
            high-resolution image.
        """
        from classicsr.super_resolution._evaluation import mean_psnr

        return mean_psnr(self, X, y)

    def plan(
        self,
        shape: Sequence[int],
        scale: Scale | None = None,
        spacing: Sequence[float] | None = None,
    ) -> str:
        """One line that says what `predict` will do to an array of this shape.

        Examples
        --------
        >>> from classicsr import BicubicSR
        >>> BicubicSR(scale=(1, 1, 3)).plan((64, 64, 20))
        'plane (0, 1) kept, cubic x3 along axis 2'
        """
        scales, is_volume = self._scales(tuple(shape), scale)
        if not is_volume:
            return self._plan_plane(scales)
        plan = plan_volume(scales, spacing, self.plane)
        steps = [f"plane {plan.plane} kept"]
        if plan.plane_scales != (1, 1):
            steps = [f"{self._plan_plane(plan.plane_scales)} in plane {plan.plane}"]
        if plan.scales[plan.along] != 1:
            steps.append(f"cubic x{plan.scales[plan.along]:g} along axis {plan.along}")
        return ", ".join(steps)

    # ---- model files ------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.

        Raises
        ------
        TypeError
            For an estimator that cannot be stored as arrays.
        """
        raise TypeError(f"{type(self).__name__} has no model file: it cannot be stored as arrays.")

    @classmethod
    def _from_model(cls, model: ModelFile) -> SuperResolver:
        raise TypeError(f"{cls.__name__} has no model file.")

    # ---- for subclasses ---------------------------------------------------------------------

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

    def _require(self, condition: bool, name: str, rule: str, value: Any) -> None:
        require(condition, name, type(self).__name__, rule, value)

    def _check_parameters(self) -> None:
        """Raise a ValueError for a constructor parameter that is out of range."""
        modes = ("luma", "independent")
        tile, plane = self.tile_shape, self.plane
        self._require(is_scale(self.scale), "scale", _SCALE_RULE, self.scale)
        self._require(
            self.data_range is None or is_range(self.data_range),
            "data_range",
            _RANGE_RULE,
            self.data_range,
        )
        self._require(
            isinstance(self.channel_mode, str) and self.channel_mode in modes,
            "channel_mode",
            f"one of {', '.join(modes)}",
            self.channel_mode,
        )
        self._require(
            plane is None
            or (is_sequence_of(plane, 2, lambda a: is_integer(a, 0, 2)) and plane[0] != plane[1]),
            "plane",
            "two different axes of 0, 1, 2, or None",
            plane,
        )
        self._require(
            is_sequence_of(tile, 2, lambda n: is_integer(n, 1)),
            "tile_shape",
            "two positive integers",
            tile,
        )

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(
                f"This {type(self).__name__} is not fitted yet. Call fit first, or load_model."
            )

    # ---- prediction of one array ------------------------------------------------------------

    def _scales(
        self, shape: tuple[int, ...], scale: Scale | None
    ) -> tuple[tuple[float, ...], bool]:
        """Scale per spatial axis, and whether the array is a volume."""
        wanted = self.scale if scale is None else scale
        self._require(is_scale(wanted), "scale", _SCALE_RULE, wanted)
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

    def _predict_one(self, image: Pixels, request: _Request) -> Pixels:
        if image.dtype.kind not in "biuf":
            raise TypeError(f"Images must hold real numbers. Got dtype {image.dtype}.")
        scales, is_volume = self._scales(image.shape, request.scale)
        if image.size == 0:
            raise ValueError(f"Images must have at least one pixel. Got shape {image.shape}.")
        image = image.astype(image.dtype.newbyteorder("="), copy=False)
        mask = NonFiniteMask(image, len(scales))
        intensity = Intensity.of(image, request.data_range or self.data_range)
        work = Work(self.n_jobs, self.tile_shape, request.progress)
        plan = plan_volume(scales, request.spacing, self.plane) if is_volume else None

        def upscale(pixels: Pixels, units: Intensity) -> Pixels:
            if plan is not None:
                return self._predict_volume(pixels, plan, units, work)
            return self._predict_image(pixels, scales, units, work)

        if request.consistent:
            model = self._measurement(scales, image.ndim)
            low = intensity.to_unit(mask.image)
            high = made_consistent(
                upscale(low, _UNIT), low, model, intensity, request.noise, request.record
            )
            result = intensity.from_unit(high)
        else:
            result = upscale(mask.image, intensity)
        mask.restore(result, scales)
        return result

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
