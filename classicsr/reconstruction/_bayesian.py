"""Maximum a posteriori super-resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_number
from classicsr.degradation import Degradation
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm, noise_level, squared_norm
from classicsr.reconstruction._fista import fista
from classicsr.reconstruction._markov import HuberField
from classicsr.reconstruction._variational import VariationalSR
from classicsr.super_resolution._assessment import plane_scales
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]
_NOISE_SHARE = 0.5  # of what the finest wavelets of one frame hold; the rest is detail
ROUGHER = 2.0  # a scene, than its cubic interpolation
_PROBE = 0.1  # of the residual: the change of the frames that counts degrees of freedom
_PRIORS: dict[str, Callable[[int, float, float], HuberField]] = {
    "huber": HuberField.slopes_and_curvatures,
    "bilateral": HuberField.bilateral,
}


class BayesianSR(VariationalSR):
    """The most probable image under a Markov random field, given the noisy input.

    ``argmin_x |H x - y|^2 / (2 noise^2) + b R(x)``. The noise is estimated from the input: of
    one frame by half the median absolute deviation of its finest wavelets, which hold detail
    too; of several frames, which measure the same scene again, by what they leave unexplained,
    ``noise^2 = |H x - y|^2 / (n - d)``, where n samples were fitted with d effective degrees of
    freedom. So is b: of all priors ``exp(-b R(x)) b^N`` of images of N samples it is `strength`
    times the one under which the scene is most probable, ``b = strength * N / R(x)``. For x
    stands the cubic interpolation, taken to be half as rough as the scene; with several frames
    it is replaced by the result, and the weight is found again.

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
    multiframe super resolution", IEEE TIP 13(10), 2004; S. Ramani, T. Blu, M. Unser,
    "Monte-Carlo SURE", IEEE TIP 17(9), 2008 (degrees of freedom from one probe).

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
        strength: float = 0.32,
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

    def _score_kind(self, plane_scales: tuple[float, ...]) -> str:
        return "posterior" if min(plane_scales) >= 1 else super()._score_kind(plane_scales)

    def _raw_scores(
        self,
        low: Float32,
        high: Float32,
        scales: tuple[float, ...],
        spacing: Sequence[float] | None,
    ) -> Float32:
        """Geometric mean of the activity and of the spread of the posterior.

        The one tells edges better, the other how much noise there is.
        """
        from classicsr.reconstruction._posterior import PosteriorSpreadSR

        raw = super()._raw_scores(low, high, scales, spacing)
        if self._score_kind(plane_scales(self, scales, spacing)) == "activity":
            return raw
        request: dict[str, Any] = {"scale": scales, "spacing": spacing, "data_range": (0.0, 1.0)}
        spread = PosteriorSpreadSR(**self.get_params(deep=False)).predict(low, **request)
        scores: Float32 = np.sqrt(np.abs(raw * spread))
        return scores

    def _minimize(self, data: DataTerm, start: Float32) -> tuple[Float32, Convergence]:
        field = self._field(start, self._noise(data), ROUGHER)
        image, record = self._most_probable(data, field, start)
        if self.noise is None and len(data.frames) > 1:
            field = self._field(image, self._unexplained(data, field, image), 1.0)
            image, record = self._most_probable(data, field, image)
        return image, record

    def _noise(self, data: DataTerm) -> float:
        """Standard deviation of the noise, as far as single frames tell."""
        if self.noise is not None:
            return self.noise
        return _NOISE_SHARE * float(np.median([noise_level(frame) for frame in data.frames]))

    def _field(self, example: Float32, noise: float, rougher: float) -> HuberField:
        """The prior under which images `rougher` times as rough as the example are likely."""
        make = _PRIORS[self.prior]
        roughness = rougher * make(example.ndim, 1.0, self.threshold).value(example)
        weight = self.strength * noise**2 * example.size / roughness if roughness > 0 else 0.0
        return make(example.ndim, weight, self.threshold)

    def _most_probable(
        self, data: DataTerm, field: HuberField, start: Float32
    ) -> tuple[Float32, Convergence]:
        return fista(data, start, self.n_iter, self.tolerance, smooth=field)

    def _unexplained(self, data: DataTerm, field: HuberField, image: Float32) -> float:
        """Noise by the residual at the most probable image, and how freely that image follows.

        The freedom is the response to a small random change of the frames.
        """
        residuals = data.residuals(image)
        count = max(sum(map(np.count_nonzero, residuals)), 1)  # not what lies outside the scene
        squares = sum(map(squared_norm, residuals))
        size = np.float32(max(_PROBE * np.sqrt(squares / count), 10 * self.tolerance))
        rng = np.random.default_rng(0)
        probes = [size * rng.choice([-1, 1], one.shape).astype(np.float32) for one in residuals]
        frames = [frame + probe for frame, probe in zip(data.frames, probes, strict=True)]
        changed = DataTerm(frames, data.models, data.shape)
        moved, _ = self._most_probable(changed, field, image)
        responses = (model.forward(moved - image) for model in data.models)
        freedom = sum(
            float(np.sum(probe * response, dtype=np.float64)) / float(size) ** 2
            for probe, response in zip(probes, responses, strict=True)
        )
        return float(np.sqrt(squares / max(count - freedom, 0.01 * count)))
