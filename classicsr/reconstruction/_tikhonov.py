"""Tikhonov's priors: squared norms of an image, of its gradient or of its Laplacian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_integer, is_number, require

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Tikhonov:
    """``weight / 2 * |L (x - anchor)|^2``: small, smooth or smoothly bent.

    Differences end at the border, beyond which the image is mirrored.

    Parameters
    ----------
    weight : float, 0 or more
    order : {0, 1, 2}
        L: the identity, the gradient (forward differences) or the Laplacian.
    anchor : float32 array of the shape of x, optional
        Default 0.

    References
    ----------
    A. N. Tikhonov, "Solution of incorrectly formulated problems and the regularization method",
    Soviet Math. Dokl. 4, 1963.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import Tikhonov
    >>> step = np.array([[0, 0, 2, 2]], np.float32)
    >>> Tikhonov(1.0).value(step), Tikhonov(1.0, order=2).value(step)
    (2.0, 4.0)
    """

    weight: float
    order: int = 1
    anchor: Float32 | None = None

    def __post_init__(self) -> None:
        require(is_number(self.weight, 0), "weight", "Tikhonov", "0 or more", self.weight)
        require(is_integer(self.order, 0, 2), "order", "Tikhonov", "0, 1 or 2", self.order)

    def value(self, x: Float32) -> float:
        """The penalty of `x`, accumulated in float64."""
        x = self._moved(x)
        if self.order == 1:
            parts = [np.diff(x, axis=axis) for axis in range(x.ndim)]
        else:
            parts = [_laplacian(x) if self.order else x]
        return 0.5 * self.weight * sum(float(np.sum(p * p, dtype=np.float64)) for p in parts)

    def normal(self, x: Float32) -> Float32:
        """``weight * L' L x``: the matrix of the quadratic form."""
        for _ in range(self.order):
            x = -_laplacian(x)
        return np.float32(self.weight) * x

    def gradient(self, x: Float32) -> Float32:
        """Gradient of `value`."""
        return self.normal(self._moved(x))

    def curvature(self) -> float:
        """Bound of the largest eigenvalue of the second derivative, up to three axes."""
        return self.weight * 12.0**self.order

    def prox(self, x: Float32, step: float) -> Float32:
        """``argmin_z |z - x|^2 / 2 + step * value(z)``: exact, by the cosine transform."""
        from scipy.fft import dctn, idctn

        squares = np.zeros(x.shape, np.float32)  # eigenvalues of the gradient's L' L
        for axis, n in enumerate(x.shape):
            along = 2 - 2 * np.cos(np.pi / n * np.arange(n))
            squares += np.expand_dims(along, [a for a in range(x.ndim) if a != axis])
        smooth = dctn(self._moved(x), norm="ortho")
        smooth /= 1 + np.float32(step * self.weight) * squares**self.order
        smooth = idctn(smooth, norm="ortho", overwrite_x=True)
        return smooth if self.anchor is None else smooth + self.anchor

    def _moved(self, x: Float32) -> Float32:
        return x if self.anchor is None else x - self.anchor


def _laplacian(x: Float32) -> Float32:
    from scipy.ndimage import laplace

    return laplace(x, mode="reflect")
