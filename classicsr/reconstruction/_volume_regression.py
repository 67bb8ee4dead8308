"""Regression of what an estimate of a volume lacks, from windows along all of its axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.patches import windows
from classicsr.regressors._partitions import WholeSpace
from classicsr.regressors._piecewise import PiecewiseLinearMap, RowsPredictor

if TYPE_CHECKING:
    from classicsr.regressors._base import PatchRegressor

Float32 = NDArray[np.float32]
_CONTEXT_ENERGY = 0.7  # share of the second moment of the means' differences that is kept
_MOMENT_SAMPLES = 50_000  # windows that the principal components are learned from
_FLAT = 1e-3  # slopes, as a share of the intensity range, that are not told from none
_CONTRAST = 0.065  # the same: usual slopes of T1 volumes


@dataclass(frozen=True)
class WindowShape:
    """A block, which is what one low-resolution sample becomes, and the window around it.

    Attributes
    ----------
    block : tuple of int
        Samples per axis.
    radius : tuple of int
        Samples of the window before and after the block, per axis.
    """

    block: tuple[int, ...]
    radius: tuple[int, ...]

    @property
    def sides(self) -> tuple[int, ...]:
        """Samples of the window per axis."""
        return tuple(2 * r + b for r, b in zip(self.radius, self.block, strict=True))

    def windows(self, volume: Float32) -> Float32:
        """The window around every block: places, then sides."""
        return windows(volume, self.radius, self.block)

    def blocks(self, volume: Float32) -> Float32:
        """Every block: places, then sides."""
        return windows(volume, 0, self.block)


class VolumeRegression:
    """What an estimate of a volume lacks, block by block, from the window around each.

    Features are first and second differences along every axis of the window, reduced to their
    principal components; any patch-level regressor turns them into the samples of the block.
    Predictions of the mirror images of the estimate are averaged.

    Parameters
    ----------
    shape : WindowShape
    filters : (n_features, n_window_samples) float32
    map_ : RowsPredictor
    """

    def __init__(self, shape: WindowShape, filters: Float32, map_: RowsPredictor) -> None:
        self.shape = shape
        self.filters = filters
        self.map = map_
        self._features = PiecewiseLinearMap(WholeSpace(), filters.T[None])

    @classmethod
    def learn(
        cls,
        pairs: Sequence[tuple[Float32, Float32]],
        shape: WindowShape,
        regressor: PatchRegressor,
        *,
        n_samples: int,
        energy: float,
        rng: np.random.RandomState,
        near: int | None = None,
        by_contrast: bool = False,
    ) -> VolumeRegression:
        """Learn from pairs of an estimate and of what it lacks, and from their mirror images.

        Parameters
        ----------
        pairs : sequence of (estimate, missing), float32
        shape : WindowShape
        regressor : PatchRegressor
        n_samples : int
            Windows at most: a random share of all.
        energy : float
            Share of the second moment of the differences that their components keep.
        rng : RandomState
        near : int, optional
            Samples around the block, per axis, that are seen one by one; the window is then
            seen as means of blocks as well, of which it holds a whole number. Default all.
        by_contrast : bool
            Draw windows with probabilities like their squared contrast, and divide them by it:
            what least squares seek stays the same on average, and is known better, as flat
            windows tell little of it. Default all windows alike.
        """
        from classicsr.features import principal_filters

        power = _power if by_contrast else _alike
        poses = [
            (estimate[m], missing[m], weight[m])
            for estimate, missing, weight in ((*pair, power(pair[0], shape)) for pair in pairs)
            for m in _mirrors(estimate.ndim)
        ]
        total = sum(weight.sum(dtype=np.float64) for _, _, weight in poses)

        def sample(n: int) -> Iterator[tuple[Float32, Float32]]:
            for estimate, missing, weight in poses:
                share = int(n * weight.sum(dtype=np.float64) / total)
                chosen = np.unravel_index(_drawn(weight, max(1, share), rng), weight.shape)
                scale = (weight[chosen] ** np.float32(-0.5))[:, None]
                rows, targets = shape.windows(estimate)[chosen], shape.blocks(missing)[chosen]
                yield rows.reshape(len(scale), -1) * scale, targets.reshape(len(scale), -1) * scale

        moment = np.sum([w.T.astype(np.float64) @ w for w, _ in sample(_MOMENT_SAMPLES)], axis=0)
        kept = zip(_differences(shape, near), (energy, _CONTEXT_ENERGY), strict=False)
        filters = np.concatenate([principal_filters(one, moment, share) for one, share in kept])
        features = PiecewiseLinearMap(WholeSpace(), filters.T[None])
        rows = [(features.predict(w), targets) for w, targets in sample(n_samples)]
        X, Y = (np.concatenate(part) for part in zip(*rows, strict=True))
        del rows
        return cls(shape, filters, regressor.fit(X, Y).map_)

    def missing(self, estimate: Float32, n_jobs: int | None = None) -> Float32:
        """What `estimate` lacks; its sides are multiples of those of a block."""
        total = np.zeros(estimate.shape, np.float32)
        mirrors = _mirrors(estimate.ndim)
        for mirror in mirrors:
            total[mirror] += self._one_pose(estimate[mirror], n_jobs)
        return total / np.float32(len(mirrors))

    def _one_pose(self, estimate: Float32, n_jobs: int | None) -> Float32:
        def one_layer(layer: Float32) -> Float32:
            features = self._features.predict(layer.reshape(-1, self.filters.shape[1]))
            return self.map.predict(features)

        views = self.shape.windows(estimate)
        n_axes, block = estimate.ndim, self.shape.block
        blocks = np.stack(list(run_parallel(one_layer, views, n_jobs)))
        order = np.arange(2 * n_axes).reshape(2, n_axes).T.ravel()  # each place, then its block
        whole = blocks.reshape(*views.shape[:n_axes], *block).transpose(order)
        return whole.reshape(estimate.shape)


def _alike(estimate: Float32, shape: WindowShape) -> Float32:
    """The same number for every block."""
    return np.ones([n // b for n, b in zip(estimate.shape, shape.block, strict=True)], np.float32)


def _power(estimate: Float32, shape: WindowShape) -> Float32:
    """Mean square of the slopes around every block, in units of `_CONTRAST` squared."""
    from scipy.ndimage import uniform_filter

    slopes = sum(np.square(slope) for slope in np.gradient(estimate))
    around = uniform_filter(slopes, [block + 4 for block in shape.block])
    middles = tuple(slice(block // 2, None, block) for block in shape.block)
    return np.asarray(np.maximum(around[middles], _FLAT**2) / _CONTRAST**2, np.float32)


def _drawn(weight: Float32, n: int, rng: np.random.RandomState) -> NDArray[np.intp]:
    """Numbers of at most `n` places, in order, drawn with probabilities like their weights."""
    if not np.ptp(weight):
        return np.sort(rng.permutation(weight.size)[:n])
    # the first in a race of exponential times (Efraimidis and Spirakis, 2006)
    times = rng.standard_exponential(weight.size) / weight.ravel()
    return np.sort(np.argpartition(times, min(n, weight.size) - 1)[:n])


def _differences(shape: WindowShape, near: int | None) -> Iterator[NDArray[np.float64]]:
    """From windows to differences: of the samples near the block, and of the means of blocks."""
    from classicsr.features import difference_matrix

    def factor(sides: Sequence[int]) -> NDArray[np.float64]:
        # it has the principal components of the differences, and far fewer rows
        return np.asarray(np.linalg.qr(difference_matrix(sides), mode="r"))

    samples = np.eye(math.prod(shape.sides)).reshape(-1, *shape.sides)
    if near is None:
        yield factor(shape.sides)
        return
    rims = [max(0, radius - near) for radius in shape.radius]
    place = tuple(slice(rim, side - rim) for rim, side in zip(rims, shape.sides, strict=True))
    inner = samples[(slice(None), *place)]
    yield factor(inner.shape[1:]) @ inner.reshape(len(samples), -1).T
    pairs = zip(shape.sides, shape.block, strict=True)
    split = [n for side, block in pairs for n in (side // block, block)]
    means = samples.reshape(-1, *split).mean(axis=tuple(range(2, len(split) + 1, 2)))
    yield factor(means.shape[1:]) @ means.reshape(len(samples), -1).T


def _mirrors(n_axes: int) -> list[tuple[slice, ...]]:
    """Indices that mirror an array along none, some or all of its axes; each is its inverse."""
    return list(product((slice(None), slice(None, None, -1)), repeat=n_axes))
