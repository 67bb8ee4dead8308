"""Priors made of a denoiser: plug-and-play and regularisation by denoising."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_number, require

Float32 = NDArray[np.float32]
Denoise = Callable[[Float32, float], Float32]


@dataclass(frozen=True)
class Denoiser:
    """Plug-and-play prior: a denoiser in the place of a proximal map.

    There need not be an objective; where the denoiser is a proximal map the result is its minimum.

    Parameters
    ----------
    weight : float, 0 or more
        The larger, the farther the result may be from the measurement: about the variance of
        its noise. A solver that asks for ``prox(x, step)`` gets
        ``denoise(x, sqrt(step * weight))``, as the Gaussian model of noise has it.
    denoise : str or callable
        ``denoise(x, sigma)``, for float32 arrays and the standard deviation of the noise; or one
        of those that are here: "nlm" (non-local means), "tv", "wavelet", "dictionary".
    sigma : float, above 0
        Strength of the denoiser: "admm" chooses its penalty so that the denoiser is told this.

    References
    ----------
    S. V. Venkatakrishnan, C. A. Bouman, B. Wohlberg, "Plug-and-play priors for model based
    reconstruction", GlobalSIP 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import Denoiser
    >>> noisy = np.random.default_rng(0).normal(0, 0.1, (32, 32)).astype(np.float32)
    >>> bool(Denoiser(0.1**2).prox(noisy, 1.0).std() < 0.05)
    True
    """

    weight: float
    denoise: str | Denoise = "nlm"
    sigma: float = 0.05

    def __post_init__(self) -> None:
        _check(self)

    @property
    def penalty(self) -> float:
        """Of a splitting whose proximal steps denoise by `sigma`."""
        return self.weight / self.sigma**2

    def prox(self, x: Float32, step: float) -> Float32:
        """The denoised `x`."""
        return _function(self.denoise)(x, float(np.sqrt(step * self.weight)))


@dataclass(frozen=True)
class RegularizationByDenoising:
    """RED: a prior whose gradient is ``weight * (x - denoise(x, sigma))``.

    Parameters
    ----------
    weight : float, 0 or more
    denoise : str or callable
        See `Denoiser`.
    sigma : float, above 0
        Standard deviation of the noise that the denoiser is told of.

    References
    ----------
    Y. Romano, M. Elad, P. Milanfar, "The little engine that could: regularization by denoising
    (RED)", SIAM J. Imaging Sci. 10(4), 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import RegularizationByDenoising
    >>> RegularizationByDenoising(2.0, lambda x, sigma: 0 * x).gradient(np.float32([1])).tolist()
    [2.0]
    """

    weight: float
    denoise: str | Denoise = "nlm"
    sigma: float = 0.03

    def __post_init__(self) -> None:
        _check(self)

    def gradient(self, x: Float32) -> Float32:
        """What the denoiser takes away, times the weight."""
        return np.float32(self.weight) * (x - _function(self.denoise)(x, self.sigma))

    def curvature(self) -> float:
        """Bound of the slope of `gradient` for a denoiser that is firmly nonexpansive."""
        return self.weight


def _check(prior: Denoiser | RegularizationByDenoising) -> None:
    owner = type(prior).__name__
    require(is_number(prior.weight, 0), "weight", owner, "0 or more", prior.weight)
    require(is_number(prior.sigma, 1e-9), "sigma", owner, "above 0", prior.sigma)
    known = callable(prior.denoise) or (
        isinstance(prior.denoise, str) and prior.denoise in DENOISERS
    )
    rule = f"a callable or one of {', '.join(DENOISERS)}"
    require(known, "denoise", owner, rule, prior.denoise)


def _function(denoise: str | Denoise) -> Denoise:
    return DENOISERS[denoise] if isinstance(denoise, str) else denoise


def _nonlocal(x: Float32, sigma: float) -> Float32:
    from classicsr.reconstruction._nonlocal_means import nonlocal_means

    return nonlocal_means(x, np.full_like(x, sigma))


def _total_variation(x: Float32, sigma: float) -> Float32:
    from classicsr.reconstruction._total_variation_solver import TotalVariation

    return TotalVariation(sigma).prox(x, 1.0)


def _wavelet(x: Float32, sigma: float) -> Float32:
    from classicsr.reconstruction._wavelet_sparsity import WaveletSparsity

    return WaveletSparsity(2 * sigma).prox(x, 1.0)


def _dictionary(x: Float32, sigma: float) -> Float32:
    from classicsr.reconstruction._dictionary_sparsity import DictionarySparsity

    return DictionarySparsity.learned(x, sigma**2).prox(x, 1.0)


DENOISERS: dict[str, Denoise] = {
    "nlm": _nonlocal,
    "tv": _total_variation,
    "wavelet": _wavelet,
    "dictionary": _dictionary,
}
