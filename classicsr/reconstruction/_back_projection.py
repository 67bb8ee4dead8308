"""Iterated back-projection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_integer
from classicsr.degradation import Degradation, back_project, resize
from classicsr.reconstruction._base import ReconstructionSR
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]


class BackProjectionSR(ReconstructionSR):
    """Iterated back-projection from the cubic interpolation (Irani and Peleg).

    ``x += U (y - H x)``, where U is cubic interpolation, until the residual no longer falls.

    Parameters
    ----------
    scale : number or one per axis
    n_iter : int
        Corrections at most.
    degradation : Degradation, optional
        Forward model H; default MATLAB's bicubic. Used at the scales asked for.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum.
    channel_mode : {"luma", "independent"}
        Colour images: reconstructed luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Not used: volumes are reconstructed as a whole.
    tile_shape : (int, int)
        Not used.
    n_jobs : int, optional

    References
    ----------
    M. Irani, S. Peleg, "Improving resolution by image registration", CVGIP 53(3), 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import BackProjectionSR
    >>> BackProjectionSR(scale=2).predict(np.eye(8)).shape
    (16, 16)
    """

    method = "ibp"

    def __init__(
        self,
        scale: Scale = 2,
        n_iter: int = 20,
        degradation: Degradation | None = None,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.n_iter = n_iter
        self.degradation = degradation
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._require(is_integer(self.n_iter, 0), "n_iter", "0 or more", self.n_iter)

    def _reconstruct(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        scales = model._per_axis("scale", low.ndim)
        start = resize(low, scales, output_shape=shape)
        return back_project(start, low, model, self.n_iter).astype(np.float32, copy=False)
