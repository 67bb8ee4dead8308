"""Regression across slices, learned from a volume whose slices are sharp."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel, thread_budget
from classicsr.degradation import Degradation, resize
from classicsr.reconstruction._reference import Reference
from classicsr.reconstruction._slice_patches import ThickVolume, features, oriented, restored
from classicsr.regressors._partitions import NearestAnchor, half_sphere_kmeans
from classicsr.regressors._piecewise import PiecewiseLinearMap, ridge_map

Float32 = NDArray[np.float32]
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
    model : Degradation
        The slice profile, at any scale.
    """

    def __init__(self, map_: PiecewiseLinearMap, ratio: int, model: Degradation) -> None:
        self.map = map_
        self.ratio = ratio
        self.model = model

    @classmethod
    def learn(
        cls,
        volume: Float32,
        widths: Mapping[int, float],
        ratio: int,
        model: Degradation,
        rng: np.random.RandomState,
        reference: Reference | None = None,
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
        reference : Reference, optional
            Another contrast on the grid of the volume: what it has at a patch becomes features.

        Returns
        -------
        SliceRegression, or None for a volume in which there is too little to learn from
        """
        usable = [a for a, width in widths.items() if volume.shape[a] >= _FEWEST_PERIODS * width]
        n_sets = len(usable) * (len(widths) - 1)
        with thread_budget(1):  # the rounding of BLAS depends on the number of threads
            sets = [
                _samples(*pair, along, rng, n_sets)
                for axis in usable
                for pair in [_thick_pair(volume, axis, ratio, widths[axis], model, reference)]
                for along in widths
                if along != axis
            ]
            if not sets:
                return None
            X, Y = (np.concatenate(parts) for parts in zip(*sets, strict=True))
            map_ = _fitted(X, Y, rng)
        return None if map_ is None else cls(map_, ratio, model)

    def apply(
        self,
        low: Float32,
        axis: int,
        scale: float,
        n_out: int,
        n_jobs: int | None = None,
        reference: Reference | None = None,
    ) -> Float32:
        """`low` with `n_out` slices along `axis`: the mean over all planes that hold the axis.

        A `reference`, if there was one to learn from, shows the same field of view.
        """
        high = resize(low, self.ratio, axes=(axis,))
        if reference is not None:
            factors = np.divide(high.shape, reference.image.shape)
            factors[axis] = self.ratio / scale
            reference = reference.resized(factors.tolist(), high.shape)
        thick = ThickVolume(low, axis, _along(self.model, axis, self.ratio, low.ndim), reference)
        planes = [along for along in range(low.ndim) if along != axis]
        missing = sum(self._missing(thick, along, n_jobs) for along in planes)
        high += missing / np.float32(len(planes))
        return resize(high, scale / self.ratio, axes=(axis,), output_shape=(n_out,))

    def _missing(self, thick: ThickVolume, along: int, n_jobs: int | None) -> Float32:
        """What the interpolation lacks, from the planes of two axes."""

        def one_slice(patches: tuple[Float32, ...]) -> Float32:
            rows = features([one.reshape(-1, *one.shape[-2:]) for one in patches])
            return self.map.predict(rows).T

        slices = zip(*thick.patches(along), strict=True)
        stack = np.stack(list(run_parallel(one_slice, slices, n_jobs)))
        shape = [n * self.ratio if a == thick.axis else n for a, n in enumerate(thick.low.shape)]
        return restored(stack, shape, thick.axis, along)


def _thick_pair(
    volume: Float32,
    axis: int,
    ratio: int,
    width: float,
    model: Degradation,
    reference: Reference | None,
) -> tuple[ThickVolume, Float32]:
    """The volume made thick along `axis`, and what its interpolation lacks."""
    high = resize(volume, ratio / width, axes=(axis,))
    n = high.shape[axis] // ratio * ratio
    high = np.ascontiguousarray(high.take(range(n), axis))
    alone = _along(model, axis, ratio, volume.ndim)
    low = alone.forward(high)
    if reference is not None:
        reference = reference.resized((ratio / width,), (n,), (axis,))
    return ThickVolume(low, axis, alone, reference), high - resize(low, ratio, axes=(axis,))


def _along(model: Degradation, axis: int, ratio: int, n_axes: int) -> Degradation:
    """The model at the scale `ratio` along one axis."""
    return model.at_scale([float(ratio) if a == axis else 1.0 for a in range(n_axes)])


def _samples(
    thick: ThickVolume,
    missing: Float32,
    along: int,
    rng: np.random.RandomState,
    n_sets: int,
) -> tuple[Float32, Float32]:
    """Features and targets of a random share of the patches, with their mirror images."""
    views = thick.patches(along)
    shape = views[0].shape[:3]
    chosen = rng.permutation(int(np.prod(shape)))[: _SAMPLES // n_sets]
    at = np.unravel_index(np.sort(chosen), shape)
    patches = [view[at] for view in views]
    stack = oriented(missing, thick.axis, along)
    targets = stack.reshape(shape[0], -1, *shape[1:])[at[0], :, at[1], at[2]]
    mirrored = [(patches, targets), ([one[:, :, ::-1] for one in patches], targets)]
    mirrored += [([one[:, ::-1] for one in p], t[:, ::-1]) for p, t in mirrored]
    return (
        np.concatenate([features(p) for p, _ in mirrored]),
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
