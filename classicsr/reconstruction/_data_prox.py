"""The proximal map of a data term, in closed form where the forward model has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.reconstruction._conjugate_gradients import conjugate_gradients
from classicsr.reconstruction._data_term import DataTerm, ForwardModel, squared_norm
from classicsr.reconstruction._tikhonov import Tikhonov

Float32 = NDArray[np.float32]
Transform = Callable[[NDArray[Any]], NDArray[Any]]
_EXACT = 1e-4  # relative error up to which H H' counts as diagonal: of float32, with reserve
_INNER_ITER = 20
_INNER_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Spectrum:
    """``H H'``, which is diagonal after a transform of the low-resolution image."""

    transform: Transform
    inverse: Transform
    eigenvalues: NDArray[Any]

    def filtered(self, y: Float32, gains: NDArray[Any]) -> Float32:
        """``T^-1 diag(gains) T y``."""
        return self.inverse(self.transform(y) * gains)


def spectrum(
    model: ForwardModel, shape: tuple[int, ...], low_shape: tuple[int, ...]
) -> Spectrum | None:
    """The spectrum of ``H H'`` if it is diagonal after a cosine or a Fourier transform.

    It is so after the cosine transform for every symmetric kernel with decimation by integers
    that divide `shape`, because borders are mirrored; after the Fourier transform for periodic
    models. Neither is taken for granted: the eigenvalues are read from one product with ``H H'``
    and compared with a second one.
    """
    from scipy.fft import dctn, idctn, irfftn, rfftn

    def product(y: NDArray[Any]) -> NDArray[Any]:
        return model.forward(model.adjoint(y.astype(np.float32), shape))

    probe = np.random.default_rng(0).standard_normal(low_shape).astype(np.float32)
    expected = product(probe)
    pairs: tuple[tuple[Transform, Transform], ...] = (
        (partial(dctn, norm="ortho"), partial(idctn, norm="ortho")),
        (rfftn, partial(irfftn, s=low_shape)),
    )
    for transform, inverse in pairs:
        ones = np.ones_like(transform(probe))
        found = Spectrum(transform, inverse, np.maximum(transform(product(inverse(ones))).real, 0))
        error = squared_norm(found.filtered(probe, found.eigenvalues) - expected)
        if error <= _EXACT**2 * squared_norm(expected):
            return found
    return None


class DataProx:
    """``argmin_x data(x) + penalty / 2 * |x - v|^2`` for one v after another.

    With one frame whose ``H H'`` is diagonal after a transform of the low-resolution image it is

    ``x = v + H' (H H' + penalty)^-1 (y - H v)``,

    one forward model, one adjoint and two small transforms; with any others it is found by
    conjugate gradients from the previous one.

    Parameters
    ----------
    data : DataTerm
    penalty : float, above 0

    References
    ----------
    N. Zhao, Q. Wei, A. Basarab, N. Dobigeon, D. Kouame, J.-Y. Tourneret, "Fast single image
    super-resolution using a new analytical solution for l2-l2 problems", IEEE TIP 25(8), 2016.
    """

    def __init__(self, data: DataTerm, penalty: float) -> None:
        self.data = data
        self.penalty = penalty
        self.spectrum = None
        if len(data.frames) == 1:
            self.spectrum = spectrum(data.models[0], data.shape, data.frames[0].shape)
        self._last: Float32 | None = None

    def __call__(self, v: Float32) -> Float32:
        """The minimum for this v."""
        if self.spectrum is not None:
            gains = 1 / (self.spectrum.eigenvalues + np.float32(self.penalty))
            residual = [self.spectrum.filtered(-one, gains) for one in self.data.residuals(v)]
            return v + self.data.adjoint(residual)
        near = Tikhonov(self.penalty, order=0, anchor=v)
        start = v if self._last is None else self._last
        found = conjugate_gradients(self.data, near, start, _INNER_ITER, _INNER_TOLERANCE)
        self._last = found[0]
        return self._last
