"""Resolution from the agreement of two images of one scene, frequency by frequency."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.metrics._protocol import compare

Values = NDArray[np.float64]


class RingCorrelation(NamedTuple):
    """Agreement of two images in rings, or shells, of the frequency plane.

    Attributes
    ----------
    frequency : (n,) float64 array
        Of the middle of each ring, in cycles per sample, up to 0.5.
    correlation : (n,) float64 array
        Normalised, from -1 to 1.
    threshold : (n,) float64 array
        The half-bit curve: what two images agree in by more carries half a bit per sample.
    resolution : float
        Period, in samples, from which on the correlation stays above the threshold: 2 where it
        always does, ``inf`` where it never does.
    """

    frequency: Values
    correlation: Values
    threshold: Values
    resolution: float


def fourier_ring_correlation(first: ArrayLike, second: ArrayLike) -> RingCorrelation:
    """Fourier ring correlation of images, or shell correlation of volumes.

    Of two independent measurements it tells the resolution without a ground truth; of a result
    and the truth, up to which frequency the result is right. The mean is subtracted and a Hann
    window applied, because borders do not match their opposites.

    Parameters
    ----------
    first, second : (H, W) or (X, Y, Z) arrays of one shape, finite
        At least 8 samples along each axis.

    Returns
    -------
    RingCorrelation

    Raises
    ------
    ValueError
        Shapes differ or are too small, or a value is not finite.

    References
    ----------
    M. van Heel, M. Schatz, "Fourier shell correlation threshold criteria", J. Struct. Biol.
    151(3), 2005; N. Banterle et al., "Fourier ring correlation as a resolution criterion for
    super-resolution microscopy", J. Struct. Biol. 183(3), 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.metrics import fourier_ring_correlation
    >>> image = np.random.default_rng(0).standard_normal((32, 32))
    >>> fourier_ring_correlation(image, 3 * image).resolution
    2.0
    """
    owner = "fourier_ring_correlation"
    pair = compare(owner, first, second, data_range=1.0, crop=0, mask=None)
    shape = pair.reference.shape
    if len(shape) not in (2, 3) or min(shape) < 8:
        raise ValueError(
            f"The images given to {owner} must have two or three axes of at least 8 samples. "
            f"Got shape {shape} instead."
        )
    a, b = (_spectrum(image) for image in (pair.reference, pair.image))
    n_rings = min(shape) // 2
    squares = [np.fft.fftfreq(n) ** 2 for n in shape]
    radius = np.sqrt(sum(np.ix_(*squares), start=np.zeros(shape)))
    ring = np.rint(radius * 2 * n_rings).astype(int).ravel()

    def total(values: Values) -> Values:
        sums = np.bincount(ring, values.ravel(), n_rings + 1)[1 : n_rings + 1]
        return sums.astype(np.float64, copy=False)

    cross = total((a * b.conj()).real)
    energy = np.sqrt(total(np.abs(a) ** 2) * total(np.abs(b) ** 2))
    correlation = np.divide(cross, energy, out=np.zeros(n_rings), where=energy > 0)
    root = np.sqrt(total(np.ones(shape)))
    threshold = (0.2071 * root + 1.9102) / (1.2071 * root + 0.9102)
    frequency = np.arange(1, n_rings + 1) / (2 * n_rings)
    resolution = _resolution(frequency, correlation - threshold)
    return RingCorrelation(frequency, correlation, threshold, resolution)


def _spectrum(image: Values) -> NDArray[np.complex128]:
    windowed = image - image.mean()
    for window in np.ix_(*(np.hanning(n + 2)[1:-1] for n in image.shape)):
        windowed *= window
    return np.fft.fftn(windowed)


def _resolution(frequency: Values, excess: Values) -> float:
    """Period of the frequency at which `excess` first falls below 0, linear in between."""
    below = np.flatnonzero(excess < 0)
    if below.size == 0:
        return 1 / float(frequency[-1])
    k = int(below[0])
    if k == 0:
        return float("inf")
    share = excess[k - 1] / (excess[k - 1] - excess[k])
    return 1 / float(frequency[k - 1] + share * (frequency[k] - frequency[k - 1]))
