"""How well an image explains its measurements, and how noisy they are."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
_POWER_ITER = 12
_MARGIN = 1.05  # power iteration comes from below
_MAD_OF_NORMAL = 0.6744897501960817  # median absolute deviation at unit standard deviation


class ForwardModel(Protocol):
    """What the data term needs of a `Degradation`, or of a moved one."""

    def forward(self, x: Float32) -> NDArray[Any]: ...

    def adjoint(self, y: Float32, shape: tuple[int, ...]) -> NDArray[Any]: ...


class DataTerm:
    """``sum_k |H_k x - y_k|^2 / 2`` over one or several measurements of one scene.

    Parameters
    ----------
    frames : sequence of float32 arrays
        The measurements y.
    models : sequence of Degradation, as many
        The forward models H.
    shape : tuple of int
        Shape of x.

    Raises
    ------
    ValueError
        No frame, or not one model for each.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import SliceProfileDegradation
    >>> data = DataTerm([np.ones((3, 4), np.float32)], [SliceProfileDegradation(2)], (6, 8))
    >>> data.value(np.zeros((6, 8), np.float32))
    6.0
    """

    def __init__(
        self, frames: Sequence[Float32], models: Sequence[ForwardModel], shape: tuple[int, ...]
    ) -> None:
        if not frames or len(frames) != len(models):
            raise ValueError(
                f"There must be one forward model per frame. Got {len(models)} and {len(frames)}."
            )
        self.frames = list(frames)
        self.models = list(models)
        self.shape = shape

    def value(self, x: Float32) -> float:
        """The sum at `x`, accumulated in float64."""
        return 0.5 * sum(squared_norm(residual) for residual in self.residuals(x))

    def residuals(self, x: Float32) -> list[Float32]:
        """``H_k x - y_k`` of every frame."""
        return [
            model.forward(x) - frame
            for model, frame in zip(self.models, self.frames, strict=True)
        ]  # fmt: skip

    def gradient(self, x: Float32) -> Float32:
        """``sum_k H_k' (H_k x - y_k)``."""
        return self.adjoint(self.residuals(x))

    def curvature(self, seed: int = 0) -> float:
        """A little more than the largest eigenvalue of ``sum_k H_k' H_k``, by power iteration."""
        rng = np.random.default_rng(seed)
        x = (1 + 0.1 * rng.standard_normal(self.shape)).astype(np.float32)
        value = 0.0
        for _ in range(_POWER_ITER):
            x /= np.float32(max(np.sqrt(squared_norm(x)), np.finfo(np.float32).tiny))
            image = self.normal(x)
            value = float(np.sum(x * image, dtype=np.float64))
            x = image
        return _MARGIN * value

    def normal(self, x: Float32) -> Float32:
        """``sum_k H_k' H_k x``."""
        return self.adjoint([model.forward(x) for model in self.models])

    def adjoint(self, residuals: list[Float32]) -> Float32:
        parts = (
            model.adjoint(one, self.shape)
            for model, one in zip(self.models, residuals, strict=True)
        )
        return functools.reduce(np.add, parts)


def squared_norm(x: Float32) -> float:
    """Sum of squares in float64, without BLAS: its rounding depends on the number of threads."""
    return float(np.sum(x * x, dtype=np.float64))


def noise_level(image: Float32) -> float:
    """Standard deviation of white noise: median absolute deviation of the finest wavelets.

    Fine detail counts as noise, so that this is an upper estimate for a sharp image.

    References
    ----------
    D. L. Donoho, I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
    Biometrika 81(3), 1994.
    """
    import pywt

    if min(image.shape) < 4:  # shorter than the wavelet
        return 0.0
    details = pywt.dwtn(image, "db2")["d" * image.ndim]
    details = np.abs(details[details != 0])  # exact zeros: background that was masked out
    return float(np.median(details)) / _MAD_OF_NORMAL if details.size else 0.0
