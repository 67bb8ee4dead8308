"""Projection onto convex sets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_number
from classicsr.degradation import Degradation
from classicsr.reconstruction._convergence import CHECK_EVERY, Convergence
from classicsr.reconstruction._data_term import DataTerm, squared_norm
from classicsr.reconstruction._variational import VariationalSR
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]


class ProjectionSR(VariationalSR):
    """Projection onto convex sets (POCS), from the cubic interpolation.

    The sets are the images that explain the input within `slack`, sample by sample, and those
    within the intensity range. A step toward the first, for all samples together,
    ``x -= relaxation / |H|^2 * H' (what of H x - y exceeds the slack)``, and the projection onto
    the second take turns.

    Parameters
    ----------
    scale : number or one per axis
    slack : float
        Deviation of a sample that is no contradiction, for intensities in [0, 1]; the noise.
    relaxation : float, between 0 and 2
        Length of the steps; 1 ends on the set.
    clip : bool
        Whether intensities are held in `data_range` (or that of the input, where it is wider).
    n_iter : int
        Iterations at most.
    tolerance : float
        Stop when a step changes the image by less than this (root mean square, for
        intensities in [0, 1]).
    degradation : Degradation, optional
        Forward model H; default MATLAB's bicubic. Used at the scales asked for.
    data_range : (low, high), optional
        Intensity range that is brought to [0, 1]; default the type's for 8 bits, else the
        minimum and maximum of the image.
    channel_mode : {"luma", "independent"}
        Colour images: reconstructed luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Not used: volumes are reconstructed as a whole.
    tile_shape : (int, int)
        Not used.
    n_jobs : int, optional

    Attributes
    ----------
    convergence_ : Convergence
        Of the array, or block of it, that was reconstructed last.

    References
    ----------
    H. Stark, P. Oskoui, "High-resolution image recovery from image-plane arrays, using convex
    projections", J. Opt. Soc. Am. A 6(11), 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import ProjectionSR
    >>> ProjectionSR(scale=2).predict(np.eye(8)).shape
    (16, 16)
    """

    method = "pocs"

    def __init__(
        self,
        scale: Scale = 2,
        slack: float = 0.001,
        relaxation: float = 1.5,
        clip: bool = True,
        n_iter: int = 200,
        tolerance: float = 1e-5,
        degradation: Degradation | None = None,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.slack = slack
        self.relaxation = relaxation
        self.clip = clip
        self.n_iter = n_iter
        self.tolerance = tolerance
        self.degradation = degradation
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._require(is_number(self.slack, 0), "slack", "a number, 0 or more", self.slack)
        self._require(
            is_number(self.relaxation, 1e-3, 1.999),
            "relaxation",
            "a number between 0 and 2",
            self.relaxation,
        )
        self._require(isinstance(self.clip, bool | np.bool_), "clip", "a bool", self.clip)

    def _minimize(self, data: DataTerm, start: Float32) -> tuple[Float32, Convergence]:
        lowest = min(0.0, *(float(frame.min()) for frame in data.frames))
        highest = max(1.0, *(float(frame.max()) for frame in data.frames))
        step = np.float32(self.relaxation / max(data.curvature(), 1e-6))
        slack = np.float32(self.slack)
        x, record = start, Convergence()
        for k in record.iterations(self.n_iter):
            excess = [np.sign(r) * np.maximum(np.abs(r) - slack, 0) for r in data.residuals(x)]
            new = x - step * data.adjoint(excess)
            if self.clip:
                np.clip(new, lowest, highest, out=new)
            change, x = np.sqrt(squared_norm(new - x) / x.size), new
            if k % CHECK_EVERY == 0 and record.check(change, self.tolerance):
                break
        return x, record
