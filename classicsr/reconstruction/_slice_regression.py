"""Regression across slices, learned from a volume whose slices are sharp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel, thread_budget
from classicsr.degradation import Degradation, resize
from classicsr.regressors._partitions import NearestAnchor, half_sphere_kmeans
from classicsr.regressors._piecewise import PiecewiseLinearMap, ridge_map

Float32 = NDArray[np.float32]
_SIDE = 5  # low-resolution samples of a patch, along both of its axes
_FEWEST_PERIODS = 3  # thick samples along an axis below which nothing is learned from it
_SAMPLES = 150_000  # patches, each learned four times: flipped along either axis and both
_CLUSTER_SAMPLES = 40_000
_LEAVES = 128
_PATCHES_PER_LEAF = 100  # at least, on average
_RIDGE = 1e-3  # of the mean power of a feature


class SliceRegression:
    """What thin slices have that the cubic interpolation of thick ones lacks, patch by patch.

    Patches of 5 x 5 samples lie in a plane that holds the thick axis; a linear map, chosen by
    the nearest of 128 directions, gives the samples of thin slices within the centre.

    Parameters
    ----------
    map_ : PiecewiseLinearMap
    ratio : int
        Thin slices per thick one.
    """

    def __init__(self, map_: PiecewiseLinearMap, ratio: int) -> None:
        self.map = map_
        self.ratio = ratio

    @classmethod
    def learn(
        cls,
        volume: Float32,
        widths: Mapping[int, float],
        ratio: int,
        model: Degradation,
        rng: np.random.RandomState,
    ) -> SliceRegression | None:
        """Learn from a volume that is sharp along some axes: each is made thick in turn.

        Parameters
        ----------
        volume : array, float32
        widths : mapping from two or more axes to float
            Distance of the slices to be learned, in samples along each sharp axis. A patch
            lies in the plane of two of these axes.
        ratio : int
            Thin slices per thick one: an axis with another width is resampled first.
        model : Degradation
            The slice profile, at any scale.
        rng : RandomState

        Returns
        -------
        SliceRegression, or None for a volume in which there is too little to learn from
        """
        usable = [a for a, width in widths.items() if volume.shape[a] >= _FEWEST_PERIODS * width]
        n_sets = len(usable) * (len(widths) - 1)
        with thread_budget(1):  # the rounding of BLAS depends on the number of threads
            sets = [
                _samples(pair, axis, along, rng, n_sets)
                for axis in usable
                for pair in [_thick_pair(volume, axis, ratio, widths[axis], model)]
                for along in widths
                if along != axis
            ]
            if not sets:
                return None
            X, Y = (np.concatenate(parts) for parts in zip(*sets, strict=True))
            map_ = _fitted(X, Y, rng)
        return None if map_ is None else cls(map_, ratio)

    def apply(
        self, low: Float32, axis: int, scale: float, n_out: int, n_jobs: int | None = None
    ) -> Float32:
        """`low` with `n_out` slices along `axis`: the mean over all planes that hold the axis."""
        high = resize(low, self.ratio, axes=(axis,))
        planes = [along for along in range(low.ndim) if along != axis]
        missing = sum(self._missing(low, axis, along, n_jobs) for along in planes)
        high += missing / np.float32(len(planes))
        return resize(high, scale / self.ratio, axes=(axis,), output_shape=(n_out,))

    def _missing(self, low: Float32, axis: int, along: int, n_jobs: int | None) -> Float32:
        """What the interpolation lacks, from the planes of two axes."""
        windows = _windows(_oriented(low, axis, along))

        def one_slice(patches: Float32) -> Float32:
            return self.map.predict(_rows(patches.reshape(-1, _SIDE, _SIDE))).T

        slices = np.stack(list(run_parallel(one_slice, windows, n_jobs)))
        shape = [n * self.ratio if a == axis else n for a, n in enumerate(low.shape)]
        return _restored(slices, shape, axis, along)


def _thick_pair(
    volume: Float32, axis: int, ratio: int, width: float, model: Degradation
) -> tuple[Float32, Float32]:
    """The volume made thick along `axis`, and what its interpolation lacks."""
    high = resize(volume, ratio / width, axes=(axis,))
    n = high.shape[axis] // ratio * ratio
    high = np.ascontiguousarray(high.take(range(n), axis))
    factors = [float(ratio) if a == axis else 1.0 for a in range(volume.ndim)]
    low = model.at_scale(factors).forward(high)
    return low, high - resize(low, ratio, axes=(axis,))


def _samples(
    pair: tuple[Float32, Float32],
    axis: int,
    along: int,
    rng: np.random.RandomState,
    n_sets: int,
) -> tuple[Float32, Float32]:
    """Features and targets of a random share of the patches, with their mirror images."""
    low, missing = (_oriented(array, axis, along) for array in pair)
    chosen = rng.permutation(low.size)[: _SAMPLES // n_sets]
    at = np.unravel_index(np.sort(chosen), low.shape)
    patches = _windows(low)[at]
    targets = missing.reshape(len(low), -1, *low.shape[1:])[at[0], :, at[1], at[2]]
    mirrored = [(patches, targets), (patches[:, :, ::-1], targets)]
    mirrored += [(p[:, ::-1], t[:, ::-1]) for p, t in mirrored]
    return (
        np.concatenate([_rows(p) for p, _ in mirrored]),
        np.concatenate([t for _, t in mirrored]),
    )


def _fitted(X: Float32, Y: Float32, rng: np.random.RandomState) -> PiecewiseLinearMap | None:
    """A map per cluster of directions, drawn towards the one of all patches."""
    lengths = np.linalg.norm(X, axis=1)
    usable = rng.permutation(np.flatnonzero(lengths))[:_CLUSTER_SAMPLES]
    n_leaves = min(_LEAVES, len(usable) // _PATCHES_PER_LEAF)
    if n_leaves == 0:
        return None
    directions = X[usable] / lengths[usable, None]
    partition = NearestAnchor(half_sphere_kmeans(directions, n_leaves, rng))
    leaves = partition.leaves(X, np.arange(len(X)))
    statistics = [_statistics(X[leaves == leaf], Y[leaves == leaf]) for leaf in range(n_leaves)]
    whole, cross = (np.sum(parts, axis=0) for parts in zip(*statistics, strict=True))
    shared = ridge_map(whole, cross, _ridge(whole))
    maps = [shared + ridge_map(g, c - g @ shared, _ridge(g)) for g, c in statistics]
    return PiecewiseLinearMap(partition, np.array(maps, np.float32))


def _statistics(X: Float32, Y: Float32) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    wide = X.astype(np.float64)
    return wide.T @ wide, wide.T @ Y


def _ridge(gram: NDArray[np.float64]) -> float:
    return _RIDGE * float(np.trace(gram)) / len(gram)


def _oriented(array: Float32, axis: int, along: int) -> Float32:
    """The thick axis first, the other one of the plane second, all others third."""
    moved = np.moveaxis(array, (axis, along), (0, 1))
    return np.ascontiguousarray(moved).reshape(*moved.shape[:2], -1)


def _restored(stack: Float32, shape: Sequence[int], axis: int, along: int) -> Float32:
    """The array that `_oriented` was given."""
    order = [axis, along, *(a for a in range(len(shape)) if a not in (axis, along))]
    moved = stack.reshape([shape[a] for a in order])
    return np.ascontiguousarray(moved.transpose(np.argsort(order)))


def _windows(low: Float32) -> Float32:
    """Patch (5, 5) around every sample of a stack (thick, along, others), as a view."""
    rim = _SIDE // 2
    padded = np.pad(low, ((rim, rim), (rim, rim), (0, 0)), mode="symmetric")
    return np.lib.stride_tricks.sliding_window_view(padded, (_SIDE, _SIDE), axis=(0, 1))


def _rows(patches: Float32) -> Float32:
    """Differences from the centre, (n, 24) float32."""
    flat = patches.reshape(len(patches), -1)
    centre = flat.shape[1] // 2
    differences = flat - flat[:, centre : centre + 1]
    return np.ascontiguousarray(np.delete(differences, centre, axis=1), dtype=np.float32)
