"""Forward models: a point spread function per axis, then sampling at the block centres."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation._contributions import Bands, contributions, transposed
from classicsr.degradation._resize import apply_bands, as_floating
from classicsr.degradation._shape import per_axis, resized_shape

Numbers = float | tuple[float, ...]

PROFILES = ("box", "gaussian")

# Limits that no real image reaches; they bound the memory that a model file can ask for.
MAX_SCALE = 256.0
MAX_THICKNESS = 16.0


def _numbers(
    value: float | Sequence[float],
    name: str,
    owner: str,
    rule: str,
    allowed: Callable[[float], bool],
) -> Numbers:
    """`value` as a float or a tuple of floats, each of them allowed; else a ValueError."""
    parts = np.atleast_1d(np.asarray(value))
    is_list = parts.ndim == 1 and parts.size > 0 and parts.dtype.kind in "iuf"
    if not is_list or not all(allowed(part) for part in parts):
        raise ValueError(
            f"The {name!r} parameter of {owner} must be {rule}, or one per axis. "
            f"Got {value!r} instead."
        )
    numbers = tuple(parts.astype(float).tolist())
    return numbers if np.ndim(value) else numbers[0]


@dataclass(frozen=True)
class Degradation(ABC):
    """Base of the forward models ``y = H x``: linear, separable, without noise.

    `forward` and `adjoint` are exact transposes of each other: ``<Hx, y> == <x, H'y>``.
    Low-resolution sample i lies at the centre of its block of the high-resolution grid, at
    coordinate ``i * scale + (scale - 1) / 2``; beyond the border the image is mirrored.

    Parameters
    ----------
    scale : float or sequence of float, 1 to 256
        High-resolution samples per low-resolution one, for all axes or one per axis: 3 for
        an image, (1, 1, 2.5) for a volume, (3, 3, 1) for a colour image.
    """

    scale: Numbers

    def __post_init__(self) -> None:
        self._store("scale", f"a number from 1 to {MAX_SCALE:g}", lambda s: 1 <= s <= MAX_SCALE)

    def forward(self, x: ArrayLike) -> NDArray[Any]:
        """Low-resolution image of `x`, of shape ``round(n / scale)`` per axis (half up).

        float32 and float64 stay, other types are computed and returned in float64. Where
        nothing changes (scale 1), the result is `x` itself.
        """
        y = as_floating(x)
        lengths = self.low_resolution_shape(y.shape)
        for axis, bands in enumerate(_bands(self, y.shape, lengths)):
            y = apply_bands(y, bands, axis)
        return y

    def adjoint(self, y: ArrayLike, shape: Sequence[int]) -> NDArray[Any]:
        """Transpose of `forward` applied to `y`; `shape` is that of the high-resolution image."""
        x = as_floating(y)
        if len(shape) != x.ndim or self.low_resolution_shape(shape) != x.shape:
            raise ValueError(
                f"The 'shape' parameter of {type(self).__name__}.adjoint must be a shape that "
                f"this model turns into {x.shape}. Got {tuple(shape)!r} instead."
            )
        bands = _transposed_bands(self, tuple(shape), x.shape)
        for axis in reversed(range(x.ndim)):  # the slow, innermost axis while the array is small
            x = apply_bands(x, bands[axis], axis)
        return x

    def low_resolution_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Shape of ``forward(x)`` for an `x` of the given shape."""
        return resized_shape(shape, [1 / s for s in self._per_axis("scale", len(shape))])

    def at_scale(self, scales: Sequence[float]) -> Degradation:
        """The same kind of model for other scales, one per axis; axes of scale 1 are left alone.

        Widths stay what they are in units of the low-resolution spacing.
        """
        return replace(self, scale=tuple(map(float, scales)))

    def to_dict(self) -> dict[str, Any]:
        """The model as plain JSON data; `degradation_from_dict` makes it again."""
        values = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }
        return {"name": _NAMES[type(self)], **values}

    @abstractmethod
    def _axis_bands(self, n_in: int, n_out: int, axis: int, n_axes: int) -> Bands:
        """Banded matrix that takes `n_in` samples along `axis` to `n_out`."""

    def _per_axis(self, name: str, n_axes: int) -> tuple[float, ...]:
        return per_axis(getattr(self, name), n_axes, name, type(self).__name__)

    def _store(self, name: str, rule: str, allowed: Callable[[float], bool]) -> None:
        value = _numbers(getattr(self, name), name, type(self).__name__, rule, allowed)
        object.__setattr__(self, name, value)  # the one write of a frozen instance


# an iteration applies the same model to the same shape hundreds of times
@lru_cache(maxsize=8)
def _bands(model: Degradation, shape: tuple[int, ...], lengths: tuple[int, ...]) -> list[Bands]:
    return [
        model._axis_bands(n_in, n_out, axis, len(shape))
        for axis, (n_in, n_out) in enumerate(zip(shape, lengths, strict=True))
    ]


@lru_cache(maxsize=8)
def _transposed_bands(
    model: Degradation, shape: tuple[int, ...], lengths: tuple[int, ...]
) -> list[Bands]:
    bands = _bands(model, shape, lengths)
    return [transposed(one, n_in) for one, n_in in zip(bands, shape, strict=True)]


@dataclass(frozen=True)
class BicubicDegradation(Degradation):
    """MATLAB's antialiased bicubic ``imresize``, the convention of the SR literature.

    Parameters
    ----------
    scale : float or sequence of float
        See `Degradation`.

    References
    ----------
    R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import BicubicDegradation
    >>> BicubicDegradation(3).forward(np.ones((9, 12))).shape
    (3, 4)
    """

    def _axis_bands(self, n_in: int, n_out: int, axis: int, n_axes: int) -> Bands:
        return contributions(n_in, n_out, 1 / self._per_axis("scale", n_axes)[axis], "cubic")


@dataclass(frozen=True)
class GaussianDegradation(Degradation):
    """Gaussian point spread function, then decimation at the block centres.

    Parameters
    ----------
    scale : float or sequence of float
        See `Degradation`.
    fwhm : float or sequence of float, optional
        Full width at half maximum in high-resolution samples (2.355 sigma), 0 for none.
        By default the low-resolution spacing, that is `scale`, on every axis whose scale is
        above 1, and 0 on the others.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import GaussianDegradation
    >>> GaussianDegradation((1, 1, 4), fwhm=(0, 0, 4.5)).forward(np.ones((5, 6, 8))).shape
    (5, 6, 2)
    """

    fwhm: Numbers | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fwhm is not None:
            limit = MAX_SCALE * MAX_THICKNESS
            self._store("fwhm", f"a number from 0 to {limit:g}", lambda width: 0 <= width <= limit)

    def at_scale(self, scales: Sequence[float]) -> GaussianDegradation:
        """See `Degradation.at_scale`; axes that were not reduced get the greatest width."""
        if self.fwhm is None:
            return GaussianDegradation(tuple(scales))
        factors = np.atleast_1d(self.scale)
        ratios = np.atleast_1d(self.fwhm) / factors
        own = np.full(len(scales), ratios.max())
        if len(ratios) == len(scales):
            own = np.where(factors > 1, ratios, own)
        widths = [float(r * s) if s > 1 else 0.0 for r, s in zip(own, scales, strict=True)]
        return GaussianDegradation(tuple(scales), tuple(widths))

    def _axis_bands(self, n_in: int, n_out: int, axis: int, n_axes: int) -> Bands:
        scale = self._per_axis("scale", n_axes)[axis]
        if self.fwhm is None:
            fwhm = scale if scale > 1 else 0.0
        else:
            fwhm = self._per_axis("fwhm", n_axes)[axis]
        if fwhm == 0:  # the centre of an even block lies between two samples
            return contributions(n_in, n_out, 1 / scale, "linear", antialias=False)
        return contributions(n_in, n_out, 1 / scale, "gaussian", fwhm / scale)


@dataclass(frozen=True)
class SliceProfileDegradation(Degradation):
    """Slices of a given profile and thickness, at a given spacing: thick-slice MRI and CT.

    Parameters
    ----------
    scale : float or sequence of float
        Slice spacing in high-resolution samples, per axis; axes of scale 1 are left alone.
    profile : {"box", "gaussian"}
        Slice profile: the exact average over the slab, or a Gaussian.
    thickness : float or sequence of float
        Slice thickness (width of the box, full width at half maximum of the Gaussian) as a
        fraction of the spacing: 1 for adjacent slices, below 1 with gaps, above 1 if they
        overlap.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import SliceProfileDegradation
    >>> SliceProfileDegradation((1, 1, 3)).forward(np.arange(6.0).reshape(1, 1, 6))
    array([[[1., 4.]]])
    """

    profile: str = "box"
    thickness: Numbers = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._store(
            "thickness",
            f"a number above 0 and up to {MAX_THICKNESS:g}",
            lambda ratio: 0 < ratio <= MAX_THICKNESS,
        )
        if self.profile not in PROFILES:
            raise ValueError(
                f"The 'profile' parameter of SliceProfileDegradation must be one of "
                f"{', '.join(PROFILES)}. Got {self.profile!r} instead."
            )

    def at_scale(self, scales: Sequence[float]) -> SliceProfileDegradation:
        """See `Degradation.at_scale`; for another number of axes all get the greatest thickness."""
        thickness = self.thickness
        if np.size(thickness) != len(scales):
            thickness = float(np.max(thickness))
        return SliceProfileDegradation(tuple(scales), self.profile, thickness)

    def _axis_bands(self, n_in: int, n_out: int, axis: int, n_axes: int) -> Bands:
        scale = self._per_axis("scale", n_axes)[axis]
        if scale == 1:
            return contributions(n_in, n_out, 1.0, "box")  # the identity
        thickness = self._per_axis("thickness", n_axes)[axis]
        return contributions(n_in, n_out, 1 / scale, self.profile, thickness)


@dataclass(frozen=True)
class KSpaceTruncation(Degradation):
    """The centre of k-space alone: MRI acquired at a lower resolution.

    Periodic beyond the border, as the discrete Fourier transform is, instead of mirrored. The
    result is real; of an even number of samples the highest frequency counts half.

    Parameters
    ----------
    scale : float or sequence of float
        See `Degradation`.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import KSpaceTruncation
    >>> KSpaceTruncation((1, 2)).forward(np.ones((3, 8))).round(6)
    array([[1., 1., 1., 1.],
           [1., 1., 1., 1.],
           [1., 1., 1., 1.]])
    """

    def _axis_bands(self, n_in: int, n_out: int, axis: int, n_axes: int) -> Bands:
        if n_in == n_out:
            return contributions(n_in, n_out, 1.0, "box")  # the identity
        centers = (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5
        angles = 2 * np.pi / n_in * (centers[:, None] - np.arange(n_in))
        weights = np.ones((n_out, n_in))
        for k in range(1, n_out // 2 + 1):
            weights += np.cos(k * angles) * (1 if 2 * k == n_out else 2)
        return np.tile(np.arange(n_in), (n_out, 1)), weights / n_in


_REGISTRY: dict[str, type[Degradation]] = {
    "bicubic": BicubicDegradation,
    "gaussian": GaussianDegradation,
    "k-space": KSpaceTruncation,
    "slice-profile": SliceProfileDegradation,
}
_NAMES = {model: name for name, model in _REGISTRY.items()}


def degradation_from_dict(description: dict[str, Any]) -> Degradation:
    """Make a forward model from what `Degradation.to_dict` returned.

    The name is looked up in a fixed table and every value is checked: safe on data from
    strangers.

    Raises
    ------
    ValueError
        For anything that `to_dict` cannot have returned.

    Examples
    --------
    >>> from classicsr.degradation import degradation_from_dict
    >>> degradation_from_dict({"name": "bicubic", "scale": 3.0})
    BicubicDegradation(scale=3.0)
    """
    if not isinstance(description, dict):
        raise ValueError(f"A degradation must be a dictionary. Got {description!r} instead.")
    name = description.get("name")
    if not isinstance(name, str) or name not in _REGISTRY:
        raise ValueError(
            f"The 'name' of a degradation must be one of {', '.join(_REGISTRY)}. "
            f"Got {name!r} instead."
        )
    model = _REGISTRY[name]
    parameters = {key: value for key, value in description.items() if key != "name"}
    unknown = parameters.keys() - set(model.__dataclass_fields__)
    if unknown or "scale" not in parameters:
        raise ValueError(
            f"The {name} degradation takes {', '.join(model.__dataclass_fields__)} "
            f"and needs scale. Got {', '.join(map(repr, parameters)) or 'nothing'} instead."
        )
    return model(**parameters)
