"""The hash of RAISR as a partition, and Gram statistics per leaf."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.regressors._piecewise import ridge_map

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
N_OCTANTS = 8


class GradientHash:
    """Leaves by direction, strength, coherence and curvature of the gradients at a centre.

    The structure tensor sums the gradients of 3 x 3 pixels with binomial weights. With its
    eigenvalues l1 >= l2, strength is sqrt(l1) and coherence
    ``(sqrt(l1) - sqrt(l2)) / (sqrt(l1) + sqrt(l2))``. The direction is that of l1, in the sense
    in which the slope along it grows. Curvature is relative: ``|c| / (|c| + |s|)`` with
    curvature c and slope s along the direction.

    Parameters
    ----------
    n_angles : int
        Bins of the direction, all around the circle; a multiple of 8.
    strengths : (n_strengths - 1,) array
        Bin edges, rising, in units of intensity per two pixels.
    coherences, curvatures : (n_bins - 1,) array
        Bin edges, rising, in [0, 1].
    n_features : int
        Pixels of a flattened window: a square, or a single row where that is not a square
        number. Only its central 5 x 5 pixels count; a smaller one is continued by its edge.

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
        curvatures: NDArray,
        n_features: int,
    ) -> None:
        self.n_angles = n_angles
        self.strengths, self.coherences, self.curvatures = (
            np.asarray(edges, np.float32) for edges in (strengths, coherences, curvatures)
        )
        per_octant = n_angles // N_OCTANTS
        ratios = (1 - self.coherences.astype(float)) / (1 + self.coherences.astype(float))
        with np.errstate(divide="ignore"):  # an edge at 0: everything is above
            self._factors = [
                _finite(factors)
                for factors in (
                    1 / np.tan(np.pi / 2 * np.arange(1, per_octant) / per_octant),
                    0.5 / np.square(self.strengths, dtype=float),
                    np.square(ratios),
                    1 / self.curvatures.astype(float) - 1,
                )
            ]
        self._pixels = central_pixels(n_features)

    @property
    def n_leaves(self) -> int:
        return self.n_angles * math.prod(
            len(edges) + 1 for edges in (self.strengths, self.coherences, self.curvatures)
        )

    def leaves(self, rows: Float32, positions: Int64) -> Int32:
        """Leaf of each of the windows ``rows[positions]``."""
        return self.of_shapes(window_shapes(rows, positions, self._pixels))

    def of_shapes(self, shapes: Float32) -> Int32:
        """Leaves (n,) of what `image_shapes` or `window_shapes` gives."""
        from classicsr.kernels.hashing import hash_shapes

        codes = np.empty(shapes.shape[1], np.int32)
        cotangents, strengths, coherences, curvatures = self._factors
        hash_shapes(shapes, cotangents, strengths, coherences, curvatures, codes)
        return codes

    def to_tensors(self) -> dict[str, NDArray]:
        """Arrays by name, as model files hold them."""
        return {name: getattr(self, name) for name in ("strengths", "coherences", "curvatures")}


def fitted_hash(
    shapes: Float32, n_angles: int, n_bins: Sequence[int], n_features: int
) -> GradientHash:
    """A hash with bins for pixels of the given shapes (see `kernels.hashing.local_shapes`).

    `n_bins` are those of strength (equal shares of the summed strength: that beats equally many
    pixels, most of which are nearly flat and have nothing to gain), coherence and curvature
    (equally many pixels).
    """
    large, small, curvature, slope = shapes[3:].astype(np.float64)
    strength, weak = np.sqrt(large / 2), np.sqrt(small / 2)
    return GradientHash(
        n_angles,
        equal_sum_edges(strength, n_bins[0]),
        quantile_edges(_ratio(strength - weak, strength + weak), n_bins[1]),
        quantile_edges(_ratio(curvature, curvature + slope), n_bins[2]),
        n_features,
    )


def symmetries(side: int) -> Int64:
    """How each octant's windows are turned into those of octant 0: (8, side^2) pixel indices.

    ``window.ravel()[symmetries(side)[octant]]`` has its direction in octant 0 where `window` has
    it in `octant`.
    """
    grid = np.arange(side * side).reshape(side, side)
    turned = []
    for left, up, steep in product((False, True), repeat=3):
        flipped = grid[:: -1 if up else 1, :: -1 if left else 1]
        turned.append((flipped.T if steep else flipped).ravel())
    return np.stack(turned)


def central_pixels(n_features: int) -> Int64:
    """Index of each of the central 5 x 5 pixels of a flattened window, edges repeated."""
    from classicsr.kernels.hashing import HASH_RADIUS

    side = math.isqrt(n_features)
    shape = (side, side) if side * side == n_features else (1, n_features)
    axes = [
        np.clip(np.arange(n // 2 - HASH_RADIUS, n // 2 + HASH_RADIUS + 1), 0, n - 1) for n in shape
    ]
    return (axes[0][:, None] * shape[1] + axes[1]).ravel()


def window_shapes(rows: Float32, positions: Int64, pixels: Int64) -> Float32:
    """Shapes (7, n) of the windows ``rows[positions]``."""
    from classicsr.kernels.lanes import LANES, round_up

    n = len(positions)
    planes = np.zeros((len(pixels) + 1, round_up(n, LANES)), np.float32)
    planes[:-1, :n] = rows[positions][:, pixels].T
    return _shapes(planes.ravel(), np.arange(len(pixels)) * planes.shape[1], 0, n)


def image_shapes(pixels: Float32, pitch: int, start: int, n_positions: int) -> Float32:
    """Shapes (7, n_positions) at flat positions of an image whose rows are `pitch` apart.

    `pixels` are the image's, and 2 LANES spare ones.
    """
    from classicsr.kernels.hashing import HASH_RADIUS

    steps = np.arange(-HASH_RADIUS, HASH_RADIUS + 1)
    return _shapes(pixels, (steps[:, None] * pitch + steps).ravel(), start, n_positions)


def _shapes(values: Float32, offsets: Int64, start: int, n_positions: int) -> Float32:
    from classicsr.kernels.hashing import N_SHAPES, local_shapes
    from classicsr.kernels.lanes import LANES, round_up

    shapes = np.empty((N_SHAPES, round_up(n_positions, LANES)), np.float32)
    local_shapes(values, offsets, start, shapes)
    return shapes[:, :n_positions]


def quantile_edges(values: NDArray, n_bins: int) -> NDArray:
    """Edges of `n_bins` bins that hold equally many of the values."""
    return np.quantile(values, np.arange(1, n_bins) / n_bins)


def equal_sum_edges(values: NDArray, n_bins: int) -> NDArray:
    """Edges of `n_bins` bins that hold equal shares of the sum of the values, 0 or more each."""
    ordered = np.sort(values)
    sums = np.cumsum(ordered)
    return ordered[np.searchsorted(sums, sums[-1] * np.arange(1, n_bins) / n_bins)]


def _ratio(part: NDArray, whole: NDArray) -> NDArray:
    """``part / whole``, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _finite(factors: NDArray) -> Float32:
    return np.minimum(factors, np.finfo(np.float32).max).astype(np.float32)


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
        self.n_samples = 0

    def merge(self, other: GramStatistics) -> None:
        """Add the statistics of other samples."""
        self.gram += other.gram
        self.cross += other.cross
        self.n_samples += other.n_samples

    def join(self, n_samples: float) -> None:
        """Let each leaf see so many average samples of all leaves, besides its own."""
        if self.n_samples:
            share = n_samples / self.n_samples
            self.gram += share * self.gram.sum(axis=0)
            self.cross += share * self.cross.sum(axis=0)

    def add(self, leaves: Int32, x: NDArray, y: NDArray, n_jobs: int | None = None) -> None:
        """Add samples (n, n_features) and (n, n_outputs), each to its leaf."""
        from classicsr.kernels.linear import sort_by_label

        self.n_samples += len(leaves)
        order, starts = sort_by_label(leaves, len(self.gram))

        def add_leaf(leaf: int) -> None:
            rows = order[starts[leaf] : starts[leaf + 1]]
            inputs, outputs = x[rows].astype(np.float64), y[rows].astype(np.float64)
            self.gram[leaf] += inputs.T @ inputs
            self.cross[leaf] += inputs.T @ outputs

        for _ in run_parallel(add_leaf, np.flatnonzero(np.diff(starts)).tolist(), n_jobs):
            pass

    def maps(self, ridge: float, n_jobs: int | None = None) -> Float32:
        """Ridge map of each leaf: (n_leaves, n_features, n_outputs)."""

        def solve(leaf: int) -> Float32:
            return ridge_map(self.gram[leaf], self.cross[leaf], ridge).astype(np.float32)

        return np.stack(list(run_parallel(solve, range(len(self.gram)), n_jobs)))
