"""Sparsity of wavelet coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_integer, is_number, require

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class WaveletSparsity:
    """``weight * sum |detail coefficients|`` of an orthogonal wavelet transform, 2-D or 3-D.

    The transform is periodic; what exceeds the largest lengths that it can halve so often, at
    the far borders, is left alone.

    Parameters
    ----------
    weight : float, 0 or more
    wavelet : str
        An orthogonal wavelet of PyWavelets.
    n_levels : int
        At most: fewer where an axis has less than ``2 ** n_levels`` samples. Axes of one sample
        are left alone.
    n_shifts : int
        Positions of the transform's grid, along the diagonal, over whose proximal maps is
        averaged (cycle spinning): less blocky than one. `prox` is exact for one shift; for
        several it is that of their proximal average, of which `value` is an upper bound.

    References
    ----------
    M. A. T. Figueiredo, R. D. Nowak, "An EM algorithm for wavelet-based image restoration",
    IEEE TIP 12(8), 2003; R. R. Coifman, D. L. Donoho, "Translation-invariant de-noising",
    Wavelets and Statistics, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import WaveletSparsity
    >>> WaveletSparsity(0.1, "haar", 1, 1).prox(np.float32([[1, 1], [0, 0]]), 1.0).round(3).tolist()
    [[0.949999988079071, 0.949999988079071], [0.05000000074505806, 0.05000000074505806]]
    """

    weight: float
    wavelet: str = "haar"
    n_levels: int = 2
    n_shifts: int = 4

    def __post_init__(self) -> None:
        import pywt

        def check(condition: bool, name: str, rule: str) -> None:
            require(condition, name, "WaveletSparsity", rule, getattr(self, name))

        check(is_number(self.weight, 0), "weight", "0 or more")
        check(
            self.wavelet in pywt.wavelist(kind="discrete")
            and pywt.Wavelet(self.wavelet).orthogonal,
            "wavelet",
            "the name of an orthogonal wavelet of PyWavelets",
        )
        check(is_integer(self.n_levels, 1, 16), "n_levels", "1 to 16")
        check(is_integer(self.n_shifts, 1, 64), "n_shifts", "1 to 64")

    def value(self, x: Float32) -> float:
        """The penalty of `x`, accumulated in float64; the mean of all shifts."""
        total = 0.0

        def add(band: Float32) -> Float32:
            nonlocal total
            total += float(np.sum(np.abs(band), dtype=np.float64))
            return band

        self._on_details(x, add)
        return self.weight * total / self.n_shifts

    def prox(self, x: Float32, step: float) -> Float32:
        """``argmin_z |z - x|^2 / 2 + step * value(z)``: details soft-thresholded."""
        threshold = np.float32(step * self.weight)

        def shrunk(band: Float32) -> Float32:
            return band - np.clip(band, -threshold, threshold)

        return self._on_details(x, shrunk)

    def _on_details(self, x: Float32, function: Callable[[Float32], Float32]) -> Float32:
        """Mean over the shifts of the image whose detail bands are those of `function`."""
        image = x.squeeze()
        if image.ndim == 0:
            return x
        n_levels = min(self.n_levels, int(np.log2(min(image.shape))))
        whole = tuple(slice(n - n % 2**n_levels) for n in image.shape)
        axes = tuple(range(image.ndim))
        total = np.zeros_like(image)
        for shift in range(self.n_shifts):
            moved = np.roll(image, shift, axes)
            moved[whole] = self._level(moved[whole], n_levels, function)
            total += np.roll(moved, -shift, axes)
        return (total / np.float32(self.n_shifts)).reshape(x.shape)

    def _level(self, x: Float32, n_levels: int, function: Callable[[Float32], Float32]) -> Float32:
        import pywt

        if n_levels == 0:
            return x
        bands = pywt.dwtn(x, self.wavelet, "periodization")
        coarse = "a" * x.ndim
        bands = {
            key: self._level(band, n_levels - 1, function) if key == coarse else function(band)
            for key, band in bands.items()
        }
        return pywt.idwtn(bands, self.wavelet, "periodization")
