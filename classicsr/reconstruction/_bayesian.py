"""Maximum a posteriori super-resolution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_number
from classicsr.degradation import Degradation
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm, noise_level
from classicsr.reconstruction._fista import fista
from classicsr.reconstruction._markov import HuberField
from classicsr.reconstruction._variational import VariationalSR
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]
_PRIORS: dict[str, Callable[[int, float, float], HuberField]] = {
    "huber": HuberField.slopes_and_curvatures,
    "bilateral": HuberField.bilateral,
}


class BayesianSR(VariationalSR):
    """The most probable image under a Markov random field, given the noisy input.

    ``argmin_x |H x - y|^2 / (2 noise^2) + b R(x)``. The noise is estimated from the input
    (median absolute deviation of its finest wavelets); so is b: of all priors
    ``exp(-b R(x)) b^N`` of images of N samples it is `strength` times the one under which the
    cubic interpolation is most probable, ``b = strength * N / R(x)``.

    Parameters
    ----------
    scale : number or one per axis
    prior : {"huber", "bilateral"}
        Huber's function of first and second differences along axes and diagonals, or of
        differences at all shifts up to two samples (bilateral total variation).
    strength : float
        Of the prior, relative to what the input suggests.
    noise : float, optional
        Standard deviation, for intensities in [0, 1]; default estimated from the input.
    threshold : float
        Differences up to this size are penalised quadratically, larger ones linearly.
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
    R. Schultz, R. Stevenson, "A Bayesian approach to image expansion for improved definition",
    IEEE TIP 3(3), 1994; S. Farsiu, M. Robinson, M. Elad, P. Milanfar, "Fast and robust
    multiframe super resolution", IEEE TIP 13(10), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import BayesianSR
    >>> BayesianSR(scale=2).predict(np.eye(8)).shape
    (16, 16)
    """

    method = "map"

    def __init__(
        self,
        scale: Scale = 2,
        prior: str = "huber",
        strength: float = 0.04,
        noise: float | None = None,
        threshold: float = 0.02,
        n_iter: int = 300,
        tolerance: float = 1e-5,
        degradation: Degradation | None = None,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.prior = prior
        self.strength = strength
        self.noise = noise
        self.threshold = threshold
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
        self._require(
            isinstance(self.prior, str) and self.prior in _PRIORS,
            "prior",
            f"one of {', '.join(_PRIORS)}",
            self.prior,
        )
        self._require(is_number(self.strength, 0), "strength", "a number, 0 or more", self.strength)
        self._require(
            is_number(self.threshold, 1e-6), "threshold", "a positive number", self.threshold
        )
        self._require(
            self.noise is None or is_number(self.noise, 0),
            "noise",
            "a number, 0 or more, or None",
            self.noise,
        )

    def _minimize(self, data: DataTerm, start: Float32) -> tuple[Float32, Convergence]:
        noise = self.noise
        if noise is None:
            noise = float(np.median([noise_level(frame) for frame in data.frames]))
        make = _PRIORS[self.prior]
        roughness = make(start.ndim, 1.0, self.threshold).value(start)
        weight = self.strength * noise**2 * start.size / roughness if roughness > 0 else 0.0
        field = make(start.ndim, weight, self.threshold)
        return fista(data, start, self.n_iter, self.tolerance, smooth=field)
