"""The hash of RAISR as a partition, and Gram statistics per leaf."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.regressors._piecewise import ridge_map

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
SIGMA = 2.0
"""Of the Gaussian weights of the structure tensor, in pixels."""


class StructureTensorHash:
    """Leaves by angle, strength and coherence of the gradients around a window's centre.

    The structure tensor sums the gradients of 9 x 9 pixels with Gaussian weights. With its
    eigenvalues l1 >= l2, strength is sqrt(l1) and coherence
    ``(sqrt(l1) - sqrt(l2)) / (sqrt(l1) + sqrt(l2))``.

    Parameters
    ----------
    n_angles : int
        Bins of the gradient's direction modulo pi; a multiple of 4.
    strengths : (n_strengths - 1,) array
        Bin edges, rising, in units of intensity per two pixels.
    coherences : (n_coherences - 1,) array
        Bin edges, rising, in [0, 1].
    n_features : int
        Pixels of a flattened window: a square, or a single row where that is not a square
        number. Only its central 11 x 11 pixels count; a smaller one is continued by its edge.
    sigma : float
        Of the Gaussian, in pixels.

    References
    ----------
    Y. Romano, J. Isidoro, P. Milanfar, "RAISR: Rapid and accurate image super resolution",
    IEEE Trans. Comput. Imaging 3(1), 2017.
    """

    def __init__(
        self,
        n_angles: int,
        strengths: NDArray,
        coherences: NDArray,
        n_features: int,
        sigma: float = SIGMA,
    ) -> None:
        quarter = n_angles // 4
        self.n_angles = n_angles
        self.strengths = np.asarray(strengths, np.float32)
        self.coherences = np.asarray(coherences, np.float32)
        self._cotangents = (1 / np.tan(np.pi / 2 * np.arange(1, quarter) / quarter)).astype("f4")
        with np.errstate(divide="ignore", over="ignore"):  # an edge at 0: any strength is above
            factors = 0.5 / np.square(self.strengths, dtype=np.float64)
        self._strength_factors = np.minimum(factors, np.finfo("f4").max).astype(np.float32)
        ratios = (1 - self.coherences.astype(float)) / (1 + self.coherences.astype(float))
        self._coherence_factors = np.square(ratios).astype(np.float32)
        self._pixels = central_pixels(n_features)
        self._weights = gaussian_weights(sigma)

    @property
    def n_leaves(self) -> int:
        return self.n_angles * (len(self.strengths) + 1) * (len(self.coherences) + 1)

    def leaves(self, rows: Float32, positions: Int64) -> Int32:
        """Leaf of each of the windows ``rows[positions]``."""
        return self.of_tensors(window_tensors(rows, positions, self._pixels, self._weights))

    def of_image(self, image: Float32, margin: int) -> Int32:
        """Leaf of each pixel of an image (h, w), but for `margin` (5 or more) at its borders."""
        return self.of_tensors(image_tensors(image, margin, self._weights))

    def of_tensors(self, tensor: Float32) -> Int32:
        """Leaves (...) of structure tensors (3, ...)."""
        from classicsr.kernels.hashing import hash_tensors

        codes = np.empty(tensor.shape[1:], np.int32)
        hash_tensors(
            tensor.reshape(3, -1),
            self._cotangents,
            self._strength_factors,
            self._coherence_factors,
            codes.reshape(-1),
        )
        return codes

    def to_tensors(self) -> dict[str, NDArray]:
        """Arrays by name, as model files hold them."""
        return {"strengths": self.strengths, "coherences": self.coherences}


def gaussian_weights(sigma: float) -> Float32:
    """Weights of the pixels at distance 4, 3, 2, 1, 0; over 9 pixels they sum to 1."""
    from classicsr.kernels.hashing import TENSOR_RADIUS

    weights = np.exp(-0.5 * (np.arange(TENSOR_RADIUS, -1, -1) / sigma) ** 2)
    return (weights / (2 * weights.sum() - weights[-1])).astype(np.float32)


def central_pixels(n_features: int) -> Int64:
    """Index of each of the central 11 x 11 pixels of a flattened window, edges repeated."""
    from classicsr.kernels.hashing import HASH_RADIUS

    side = math.isqrt(n_features)
    shape = (side, side) if side * side == n_features else (1, n_features)
    axes = [
        np.clip(np.arange(n // 2 - HASH_RADIUS, n // 2 + HASH_RADIUS + 1), 0, n - 1) for n in shape
    ]
    return (axes[0][:, None] * shape[1] + axes[1]).ravel()


def window_tensors(rows: Float32, positions: Int64, pixels: Int64, weights: Float32) -> Float32:
    """Structure tensors (3, n) of the windows ``rows[positions]``."""
    from classicsr.kernels import hashing

    tensor = np.empty((3, len(positions)), np.float32)
    hashing.window_tensors(rows, positions, pixels, weights, tensor)
    return tensor


def image_tensors(image: Float32, margin: int, weights: Float32) -> Float32:
    """Structure tensors (3, h, w) of the pixels of an image but for `margin` at its borders."""
    from classicsr.kernels.hashing import structure_tensor

    tensor = np.empty((3, *(n - 2 * margin for n in image.shape)), np.float32)
    structure_tensor(image, margin, weights, tensor)
    return tensor


def strength_and_coherence(tensor: NDArray) -> tuple[NDArray, NDArray]:
    """The two quantities whose quantiles are the edges of a hash, of tensors (3, ...)."""
    total, root = tensor[0].astype(np.float64), np.hypot(*tensor[1:].astype(np.float64))
    large, small = np.sqrt((total + root) / 2), np.sqrt(np.maximum(total - root, 0) / 2)
    sums = large + small
    return large, np.divide(large - small, sums, out=np.zeros_like(sums), where=sums > 0)


def quantile_edges(values: NDArray, n_bins: int) -> NDArray:
    """Edges of `n_bins` bins that hold equally many of the values."""
    return np.quantile(values, np.arange(1, n_bins) / n_bins)


def equal_sum_edges(values: NDArray, n_bins: int) -> NDArray:
    """Edges of `n_bins` bins that hold equal shares of the sum of the values, 0 or more each.

    For strengths this beats bins of equally many pixels, most of which are nearly flat and
    have nothing to gain.
    """
    ordered = np.sort(values)
    sums = np.cumsum(ordered)
    return ordered[np.searchsorted(sums, sums[-1] * np.arange(1, n_bins) / n_bins)]


class GramStatistics:
    """Sums of ``x x'`` and ``x y`` over the samples of each leaf, in float64.

    They are exact and merge: statistics of parts of the data add up to those of all of it.

    Parameters
    ----------
    n_leaves, n_features, n_outputs : int
    """

    def __init__(self, n_leaves: int, n_features: int, n_outputs: int) -> None:
        self.gram = np.zeros((n_leaves, n_features, n_features))
        self.cross = np.zeros((n_leaves, n_features, n_outputs))

    def merge(self, other: GramStatistics) -> None:
        """Add the statistics of other samples."""
        self.gram += other.gram
        self.cross += other.cross

    def add(self, leaf: int, x: NDArray, y: NDArray) -> None:
        """Add samples (n, n_features) and (n, n_outputs), float64, of one leaf."""
        self.gram[leaf] += x.T @ x
        self.cross[leaf] += x.T @ y

    def maps(self, ridge: float, n_jobs: int | None = None) -> Float32:
        """Ridge map of each leaf: (n_leaves, n_features, n_outputs)."""

        def solve(leaf: int) -> Float32:
            return ridge_map(self.gram[leaf], self.cross[leaf], ridge).astype(np.float32)

        return np.stack(list(run_parallel(solve, range(len(self.gram)), n_jobs)))
