"""Markov random fields with Huber potentials: priors that are smooth functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Clique:
    """Differences of neighbours along one direction.

    Attributes
    ----------
    offset : tuple of int
        To the neighbour; the first entry that is not zero is positive.
    order : {1, 2}
        ``x[i + offset] - x[i]``, or ``x[i + 2 offset] - 2 x[i + offset] + x[i]``.
    weight : float
    """

    offset: tuple[int, ...]
    order: int
    weight: float


@dataclass(frozen=True)
class HuberField:
    """``weight * sum over cliques and positions of clique.weight * huber(difference)``.

    Huber's function is quadratic, ``t^2 / (2 threshold)``, up to the threshold and a straight
    line beyond it: noise is smoothed, edges stay.

    Parameters
    ----------
    weight, threshold : float
    cliques : tuple of Clique
        See `slopes_and_curvatures` and `bilateral`.

    References
    ----------
    R. Schultz, R. Stevenson, "A Bayesian approach to image expansion for improved definition",
    IEEE TIP 3(3), 1994.
    """

    weight: float
    threshold: float
    cliques: tuple[Clique, ...]

    @classmethod
    def slopes_and_curvatures(
        cls, n_axes: int, weight: float, threshold: float, slope: float = 1.0
    ) -> Self:
        """First (times `slope`) and second differences along the axes and their diagonals."""
        cliques = [
            Clique(offset, order, (slope if order == 1 else 1.0) / np.count_nonzero(offset))
            for offset in _half_space(n_axes, 1)
            for order in (1, 2)
            if np.count_nonzero(offset) <= 2
        ]
        return cls(weight, threshold, tuple(cliques))

    @classmethod
    def bilateral(
        cls, n_axes: int, weight: float, threshold: float, radius: int = 2, decay: float = 0.7
    ) -> Self:
        """Bilateral total variation: differences at all shifts up to `radius` (Farsiu et al.)."""
        cliques = [
            Clique(offset, 1, decay ** sum(map(abs, offset)))
            for offset in _half_space(n_axes, radius)
        ]
        return cls(weight, threshold, tuple(cliques))

    def value(self, x: Float32) -> float:
        """The penalty of `x`, accumulated in float64."""
        total = 0.0
        for clique in self.cliques:
            size = np.abs(_differences(x.astype(np.float64), clique))
            inside = np.minimum(size, self.threshold)
            total += clique.weight * float(np.sum(inside * (size - 0.5 * inside) / self.threshold))
        return self.weight * total

    def gradient(self, x: Float32) -> Float32:
        """Gradient of `value`."""
        from classicsr.kernels.variation import add_huber_gradient

        volume = np.ascontiguousarray(x).reshape(_as_volume(x.shape, 1))
        total = np.zeros_like(volume)
        for clique in self.cliques:
            offset = np.array(_as_volume(clique.offset, 0), np.int64)
            weight = np.float32(self.weight * clique.weight)
            add_huber_gradient(
                volume, offset, clique.order, np.float32(self.threshold), weight, total
            )
        return total.reshape(x.shape)

    def curvature(self) -> float:
        """Bound of the largest eigenvalue of the second derivative."""
        total = sum(clique.weight * 4.0**clique.order for clique in self.cliques)
        return self.weight * total / self.threshold


@dataclass(frozen=True)
class QuadraticField:
    """The quadratic form that acts on an image as a field does: ``sum k / 2 * difference^2``.

    The weight k of a difference is the one that Huber's function gives it in the image.

    Parameters
    ----------
    field : HuberField
    image : float32 array
    pull : float32 array or number
        Subtracted from the gradient; see `noise`.
    """

    field: HuberField
    image: Float32
    pull: Float32 | float = 0.0

    def gradient(self, x: Float32) -> Float32:
        """Gradient of the form."""
        return self.normal(x) - self.pull

    def normal(self, x: Float32) -> Float32:
        """The linear part of `gradient`."""
        return self._sum(lambda weights, clique: weights * _differences(x, clique))

    def noise(self, rng: np.random.Generator) -> Float32:
        """The pull that moves each difference by a normal variable of variance ``1 / k``."""
        return self._sum(
            lambda weights, _: np.sqrt(weights) * rng.standard_normal(weights.shape, np.float32)
        )

    def _sum(self, forces: Callable[[Float32, Clique], Float32]) -> Float32:
        """What forces on the differences are on the samples."""
        total = np.zeros_like(self.image)
        for clique in self.field.cliques:
            sizes = np.maximum(np.abs(_differences(self.image, clique)), self.field.threshold)
            force = forces(np.float32(self.field.weight * clique.weight) / sizes, clique)
            for factor, place in _places(self.image.shape, clique):
                total[place] += factor * force
        return total


def _half_space(n_axes: int, radius: int) -> list[tuple[int, ...]]:
    """Offsets up to `radius`, one of each pair of opposites."""
    offsets = product(range(-radius, radius + 1), repeat=n_axes)
    return [offset for offset in offsets if offset > (0,) * n_axes]


def _as_volume(values: tuple[int, ...], fill: int) -> tuple[int, ...]:
    return (fill,) * (3 - len(values)) + tuple(values)


def _differences(x: NDArray[Any], clique: Clique) -> NDArray[Any]:
    """All differences of the clique that fit inside."""
    return reduce(np.add, (factor * x[place] for factor, place in _places(x.shape, clique)))


def _places(shape: tuple[int, ...], clique: Clique) -> Iterator[tuple[int, tuple[slice, ...]]]:
    """The samples that make the differences of a clique, and the factors that they have."""
    sides = zip(shape, clique.offset, strict=True)
    counts = [max(0, n - clique.order * abs(o)) for n, o in sides]
    for k, factor in enumerate((-1, 1) if clique.order == 1 else (1, -2, 1)):
        starts = [max(0, -clique.order * o) + k * o for o in clique.offset]
        yield factor, tuple(slice(a, a + n) for a, n in zip(starts, counts, strict=True))
