"""Which input samples make each output sample, and with what weight, along one axis.

Every linear resampling here is separable; along one axis it is a banded matrix, stored as
``indices`` and ``weights`` of shape ``(n_out, n_taps)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Bands = tuple[NDArray[np.int64], NDArray[np.float64]]

FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))
_GAUSSIAN_REACH = 4.0  # standard deviations on each side; beyond lies 6e-5 of the mass
_POINT_SIGMA = 1e-3  # in samples: narrower is a point already, and would divide by zero


def _cubic(v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel, a = -0.5, in the form that MATLAB evaluates."""
    v = np.abs(v)
    inner = 1.5 * v**3 - 2.5 * v**2 + 1
    outer = -0.5 * v**3 + 2.5 * v**2 - 4 * v + 2
    return np.where(v <= 1, inner, np.where(v <= 2, outer, 0.0))


def _linear(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(1 - np.abs(v), 0.0)


def _lanczos3(v: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(v) < 3, np.sinc(v) * np.sinc(v / 3), 0.0)


# name -> (kernel, support in samples)
_INTERPOLATORS: dict[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], float]] = {
    "linear": (_linear, 2.0),
    "cubic": (_cubic, 4.0),
    "lanczos3": (_lanczos3, 6.0),
}
KERNELS = (*_INTERPOLATORS, "box", "gaussian")


def _box(offsets: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Length that each unit sample shares with an interval of `width`: exact coverage."""
    shared = np.minimum(offsets + 0.5, width / 2) - np.maximum(offsets - 0.5, -width / 2)
    return np.maximum(shared, 0.0)


def _gaussian(offsets: NDArray[np.float64], fwhm: float) -> NDArray[np.float64]:
    """Gaussian at the sample centres, relative to the nearest one: no width underflows."""
    sigma = max(fwhm / FWHM_PER_SIGMA, _POINT_SIGMA)
    squared = offsets**2
    return np.exp((squared.min(axis=1, keepdims=True) - squared) / (2 * sigma**2))


def _check(n_in: int, n_out: int, scale: float, kernel: str, width: float | None) -> None:
    owner = "contributions"
    for name, count in (("n_in", n_in), ("n_out", n_out)):
        if count < 1:
            raise ValueError(
                f"The {name!r} parameter of {owner} must be at least 1. Got {count!r} instead."
            )
    if not (scale > 0 and math.isfinite(scale)):
        raise ValueError(
            f"The 'scale' parameter of {owner} must be a positive number. Got {scale!r} instead."
        )
    if kernel not in KERNELS:
        raise ValueError(
            f"The 'kernel' parameter of {owner} must be one of {', '.join(KERNELS)}. "
            f"Got {kernel!r} instead."
        )
    if width is None:
        return
    if kernel in _INTERPOLATORS or not (width > 0 and math.isfinite(width)):
        raise ValueError(
            f"The 'width' parameter of {owner} must be a positive number for box and gaussian, "
            f"None for the other kernels. Got {width!r} for {kernel} instead."
        )


def contributions(
    n_in: int,
    n_out: int,
    scale: float,
    kernel: str = "cubic",
    width: float | None = None,
    *,
    antialias: bool = True,
) -> Bands:
    """Indices and weights that resample `n_in` samples to `n_out` along one axis.

    Output sample j lies at input coordinate ``(j + 0.5) / scale - 0.5`` (both 0-based): the
    two grids share the edges of their sample blocks, as in MATLAB's ``imresize``. Samples
    outside the input mirror those inside (edge sample repeated). Weights sum to 1.

    Parameters
    ----------
    n_in, n_out : int
        Samples before and after.
    scale : float
        Output samples per input sample: 3 enlarges three times, 1/3 shrinks.
    kernel : {"linear", "cubic", "lanczos3", "box", "gaussian"}
        "cubic" is Keys' with a = -0.5 (MATLAB bicubic); "box" weighs each input sample by the
        exact fraction of it that the box covers; "gaussian" is sampled and cut at 4 sigma.
    width : float, optional
        Width of the box, or full width at half maximum of the Gaussian, in samples of the
        coarser grid (with ``antialias=False`` in input samples). Default 1.
    antialias : bool
        When shrinking, stretch the kernel by ``1 / scale``.

    Returns
    -------
    indices : (n_out, n_taps) int64 array
    weights : (n_out, n_taps) float64 array

    References
    ----------
    R. G. Keys, "Cubic convolution interpolation for digital image processing", 1981.

    Examples
    --------
    >>> from classicsr.degradation import contributions
    >>> indices, weights = contributions(6, 2, 1 / 3, "box")
    >>> indices.tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    _check(n_in, n_out, scale, kernel, width)
    stretch = 1 / scale if antialias and scale < 1 else 1.0
    size = (1.0 if width is None else width) * stretch
    if kernel in _INTERPOLATORS:
        function, support = _INTERPOLATORS[kernel]
        reach = support * stretch / 2
    elif kernel == "box":
        reach = (size + 1) / 2
    else:
        reach = max(1.0, _GAUSSIAN_REACH * size / FWHM_PER_SIGMA)

    # 1-based as in MATLAB, so that rounding is the same
    centers = np.arange(1, n_out + 1) / scale + 0.5 * (1 - 1 / scale)
    first = np.floor(centers - reach)
    positions = first[:, None] + np.arange(math.ceil(2 * reach) + 2)
    offsets = centers[:, None] - positions
    if kernel in _INTERPOLATORS:
        weights = function(offsets / stretch)
    elif kernel == "box":
        weights = _box(offsets, size)
    else:
        weights = np.where(np.abs(offsets) <= reach, _gaussian(offsets, size), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    weights[np.abs(weights) < np.finfo(float).eps] = 0.0

    used = weights.any(axis=0)
    period = np.mod(positions[:, used].astype(np.int64) - 1, 2 * n_in)
    indices = np.where(period < n_in, period, 2 * n_in - 1 - period)
    return indices, np.ascontiguousarray(weights[:, used])


def transposed(bands: Bands, n_in: int) -> Bands:
    """Bands of the transposed matrix, which has `n_in` rows (rows are padded with zeros)."""
    indices, weights = bands
    outputs, taps = np.nonzero(weights)
    inputs = indices[outputs, taps]
    order = np.argsort(inputs, kind="stable")
    inputs, outputs, taps = inputs[order], outputs[order], taps[order]
    counts = np.bincount(inputs, minlength=n_in)
    columns = np.arange(len(inputs)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (n_in, max(1, int(counts.max())))
    indices_t, weights_t = np.zeros(shape, np.int64), np.zeros(shape)
    indices_t[inputs, columns] = outputs
    weights_t[inputs, columns] = weights[outputs, taps]
    return indices_t, weights_t
