"""Noise, kept apart from the linear forward models."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation._resize import as_floating

KINDS = ("gaussian", "rician", "poisson")


def add_noise(
    y: ArrayLike,
    sigma: float,
    kind: str = "gaussian",
    random_state: int | np.random.Generator | None = None,
) -> NDArray[Any]:
    """A noisy copy of `y`.

    Parameters
    ----------
    y : array of any shape
    sigma : float, at least 0
        Standard deviation in the units of `y`: of the Gaussian noise; of each of the two
        channels of a Rician magnitude image; of Poisson noise at the largest intensity.
    kind : {"gaussian", "rician", "poisson"}
        "rician" is the magnitude of a complex MR signal; "poisson" has a variance that is
        proportional to the intensity and needs ``y >= 0``.
    random_state : int, numpy.random.Generator or None

    Returns
    -------
    array of the shape of `y`, float32 for float32, else float64

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.degradation import add_noise
    >>> noisy = add_noise(np.full(10_000, 5.0), 0.5, random_state=0)
    >>> bool(abs(noisy.std() - 0.5) < 0.02)
    True
    """
    signal = as_floating(y)
    if not (sigma >= 0 and math.isfinite(sigma)):
        raise ValueError(
            f"The 'sigma' parameter of add_noise must be a number of at least 0. "
            f"Got {sigma!r} instead."
        )
    if kind not in KINDS:
        raise ValueError(
            f"The 'kind' parameter of add_noise must be one of {', '.join(KINDS)}. "
            f"Got {kind!r} instead."
        )
    if kind == "poisson" and not (np.isfinite(signal).all() and signal.min() >= 0):
        raise ValueError("Poisson noise needs finite intensities of at least 0.")
    rng = np.random.default_rng(random_state)
    if sigma == 0 or (kind == "poisson" and signal.max() == 0):
        noisy = signal.copy()
    elif kind == "poisson":
        intensity_per_count = sigma**2 / signal.max()
        noisy = rng.poisson(signal / intensity_per_count) * intensity_per_count
    elif kind == "rician":
        noisy = np.hypot(
            signal + rng.normal(0, sigma, signal.shape), rng.normal(0, sigma, signal.shape)
        )
    else:
        noisy = signal + rng.normal(0, sigma, signal.shape)
    return noisy.astype(signal.dtype)
