"""Interpolation by a fixed kernel: the baseline of every comparison."""

from __future__ import annotations

from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._pixels import PixelSink, PixelSource
from classicsr.super_resolution._planes import Work, resample_plane
from classicsr.super_resolution._training_free import TrainingFreeSuperResolver

_NAMES = {"cubic": "cubic", "lanczos3": "Lanczos", "linear": "linear"}


class BicubicSR(TrainingFreeSuperResolver):
    """Bicubic interpolation (Keys, a = -0.5), exactly as MATLAB's ``imresize``.

    Any factor per axis; shrinking is antialiased. Nothing is learned, so `fit` may be left out.

    Parameters
    ----------
    scale : number or one per axis
    kernel : {"cubic", "lanczos3", "linear"}
    data_range : (low, high), optional
        Does not change the result beyond rounding: interpolation is linear.
    channel_mode : {"luma", "independent"}
        "independent" treats the last of three axes as channels, however many.
    plane : (int, int), optional
        Axes of the slices of a volume.
    tile_shape : (int, int)
    n_jobs : int, optional

    References
    ----------
    R. G. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans.
    Acoust. Speech Signal Process. 29(6), 1981.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import BicubicSR
    >>> BicubicSR(scale=3).predict(np.zeros((20, 30), np.uint8)).shape
    (60, 90)
    """

    method = "bicubic"

    def __init__(
        self,
        scale: Scale = 2,
        kernel: str = "cubic",
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.kernel = kernel
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        known = isinstance(self.kernel, str) and self.kernel in _NAMES
        self._require(known, "kernel", f"one of {', '.join(_NAMES)}", self.kernel)

    def _registry_name(self) -> str:
        return "lanczos" if self.kernel == "lanczos3" else self.method

    def _upscale_plane(
        self,
        source: PixelSource,
        sink: PixelSink,
        scales: tuple[float, float],
        learned: range,
        work: Work,
    ) -> None:
        resample_plane(source, sink, scales, self.kernel, work)

    def _plan_plane(self, scales: tuple[float, ...]) -> str:
        return f"{_NAMES[self.kernel]} x" + "x".join(f"{s:g}" for s in scales)
