"""Several frames of one scene that are shifted against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation, resize
from classicsr.degradation._contributions import Bands, transposed
from classicsr.degradation._resize import apply_bands
from classicsr.reconstruction._data_term import DataTerm, ForwardModel

Float32 = NDArray[np.float32]
_REACH = 3  # samples on each side that the interpolation takes
_PRECISION = 50  # parts of a sample that registration resolves
_LARGEST_CHANGE = 0.25  # samples
_STEPS = 3
_DIFFERENCE = 0.05  # samples by which a frame is moved to learn its slope


@dataclass(frozen=True)
class ShiftedDegradation:
    """A forward model that looks at a scene moved by a constant: ``y = H T x``.

    Parameters
    ----------
    model : Degradation
        H, with one scale per axis.
    shift : tuple of float
        Per axis in low-resolution samples: sample i of ``y`` lies at ``i + shift`` of the
        unmoved one. Interpolation (Lanczos) is exact for whole high-resolution samples.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import SliceProfileDegradation
    >>> ShiftedDegradation(SliceProfileDegradation((1, 2)), (0, 0.5)).forward(np.eye(1, 6, 2))
    array([[0.5, 0. , 0. ]])
    """

    model: Degradation
    shift: tuple[float, ...]

    def forward(self, x: Float32) -> Float32:
        """The low-resolution frame."""
        for axis, moved in enumerate(self._shifts(x.shape)):
            x = apply_bands(x, _shift_bands(x.shape[axis], moved), axis)
        return self.model.forward(x)

    def adjoint(self, y: Float32, shape: tuple[int, ...]) -> Float32:
        """Transpose of `forward`."""
        x = self.model.adjoint(y, shape)
        for axis, moved in enumerate(self._shifts(shape)):
            x = apply_bands(x, _transposed_shift_bands(shape[axis], moved), axis)
        return x

    @property
    def n_motions(self) -> int:
        """Length of the change that `moved` takes."""
        return len(self.shift)

    def moved(self, change: NDArray[np.float64]) -> Self:
        """The model with another shift."""
        return replace(self, shift=tuple((np.array(self.shift) + change).tolist()))

    def _shifts(self, shape: tuple[int, ...]) -> list[float]:
        """In high-resolution samples."""
        scales = self.model._per_axis("scale", len(shape))
        return [one * scale for one, scale in zip(self.shift, scales, strict=True)]


@lru_cache(maxsize=64)
def _shift_bands(n: int, shift: float) -> Bands:
    """Output sample i is the input at ``i + shift``, mirrored beyond the border."""
    taps = np.floor(shift) + np.arange(1 - _REACH, 1 + _REACH)
    offsets = shift - taps
    weights = np.sinc(offsets) * np.sinc(offsets / _REACH)
    weights[np.abs(weights) < 1e-6] = 0
    taps, weights = taps[weights != 0].astype(np.int64), weights[weights != 0]
    period = np.mod(np.arange(n)[:, None] + taps, 2 * n)
    indices = np.where(period < n, period, 2 * n - 1 - period)
    return indices, np.repeat((weights / weights.sum())[None], n, axis=0)


@lru_cache(maxsize=64)
def _transposed_shift_bands(n: int, shift: float) -> Bands:
    return transposed(_shift_bands(n, shift), n)


def register(frames: Sequence[Float32]) -> list[tuple[float, ...]]:
    """Shift of each frame against the first one, in samples, by phase correlation.

    Sample i of frame k lies at ``i + shifts[k]`` of frame 0.

    References
    ----------
    M. Guizar-Sicairos, S. Thurman, J. Fienup, "Efficient subpixel image registration
    algorithms", Optics Letters 33, 2008.
    """
    from skimage.registration import phase_cross_correlation

    faded = [_faded(frame) for frame in frames]
    moves = [
        phase_cross_correlation(
            faded[0], frame, upsample_factor=_PRECISION, normalization=None
        )[0]
        for frame in faded
    ]  # fmt: skip
    return [tuple(map(float, move)) for move in moves]


def _faded(frame: Float32) -> Float32:
    """Deviations from the mean that vanish toward the border, where the scenes differ."""
    faded = frame - frame.mean(dtype=np.float64)
    for axis, n in enumerate(frame.shape):
        window = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
        faded *= window.reshape([-1 if a == axis else 1 for a in range(frame.ndim)])
    return faded


class MovableModel(ForwardModel, Protocol):
    """A forward model whose place in the scene can be corrected."""

    @property
    def n_motions(self) -> int: ...

    def moved(self, change: NDArray[np.float64]) -> Self: ...


Movable = TypeVar("Movable", bound=MovableModel)


def refined(model: Movable, image: Float32, frame: Float32) -> Movable:
    """The model at the place that explains `frame` best, by Gauss-Newton steps.

    Aliasing, which hides where a single frame lies, is explained by the image.
    """
    for _ in range(_STEPS):
        slopes = []
        for step in _DIFFERENCE * np.eye(model.n_motions):
            ahead, behind = (model.moved(sign * step).forward(image) for sign in (1, -1))
            slopes.append((ahead - behind) / (2 * _DIFFERENCE))
        residual = frame - model.forward(image)
        gram = [[np.sum(a * b, dtype=np.float64) for b in slopes] for a in slopes]
        right = [np.sum(a * residual, dtype=np.float64) for a in slopes]
        change = np.linalg.lstsq(np.array(gram), np.array(right), rcond=1e-9)[0]
        model = model.moved(np.clip(change, -_LARGEST_CHANGE, _LARGEST_CHANGE))
    return model


class Layout(Protocol):
    """Where the frames of a scene lie."""

    def data(self, frames: Sequence[Float32]) -> DataTerm:
        """How well an image explains the frames."""

    def start(self, frames: Sequence[Float32]) -> Float32:
        """The frames interpolated on the grid of the scene."""

    def refined(self, image: Float32, frames: Sequence[Float32]) -> Self:
        """The places, that of the first frame apart, that explain the frames by `image`."""


@dataclass(frozen=True)
class ShiftedFrames:
    """Frames of one shape, each shifted against the grid of the scene."""

    models: tuple[ShiftedDegradation, ...]
    shape: tuple[int, ...]

    def data(self, frames: Sequence[Float32]) -> DataTerm:
        """See `Layout`."""
        return DataTerm(frames, self.models, self.shape)

    def start(self, frames: Sequence[Float32]) -> Float32:
        """See `Layout`; the first frame alone."""
        scales = self.models[0].model._per_axis("scale", len(self.shape))
        return resize(frames[0], scales, output_shape=self.shape)

    def refined(self, image: Float32, frames: Sequence[Float32]) -> Self:
        """See `Layout`."""
        pairs = zip(self.models[1:], frames[1:], strict=True)
        models = (self.models[0], *(refined(model, image, frame) for model, frame in pairs))
        return replace(self, models=models)
