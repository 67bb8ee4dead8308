"""Total generalised variation of second order and its primal-dual solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.reconstruction._data_term import DataTerm, Float32
from classicsr.reconstruction._total_variation_solver import (
    SMALLEST,
    TotalVariationSolver,
    huber_sum,
)

_DUAL_PACE = 5.0  # dual step per weight of its term: fastest on photographs and MRI together
_LEAST_PACE = 0.1  # dual step at least, per curvature of the data term
_SLOPE_SHARE = 4.0  # of the squared norm of ``grad x - v``: steps of v are that much shorter


@dataclass(frozen=True)
class GeneralizedVariation:
    """``weight * min_v (ratio * sum |gradient - v| + sum |symmetrised gradient of v|)``.

    Few edges and few kinks, and straight slopes between them. Differences that do not fit inside
    do not count.

    Parameters
    ----------
    weight : float
        Of changes of the slope v.
    ratio : float
        What a step costs, relative to as large a change of the slope.
    huber : float
        Lengths of ``gradient - v`` up to this are penalised by half their square over it.

    References
    ----------
    K. Bredies, K. Kunisch, T. Pock, "Total generalized variation", SIAM J. Imaging Sci. 3(3), 2010.
    """

    weight: float
    ratio: float = 3.0
    huber: float = 0.0

    def solver(
        self, data: DataTerm | None, start: Float32, **anchor: Any
    ) -> GeneralizedVariationSolver:
        """Of the problem with this prior; arguments as `TotalVariationSolver`."""
        return GeneralizedVariationSolver(data, self, start, **anchor)


class GeneralizedVariationSolver(TotalVariationSolver):
    """The problem of `TotalVariationSolver` with total generalised variation.

    Image and `slopes` descend, `dual` and `matrix` ascend, with a step of their own each.
    """

    def _set_steps(self, half: float) -> None:
        norm = self._gradient_norm
        image = self.image.reshape(self.dual.shape[1:])
        self.slopes = np.empty_like(self.dual)
        for axis in range(3):
            self.slopes[axis] = _differences(image, axis)
        self.matrix = np.zeros((6, *image.shape), np.float32)
        least = max(_LEAST_PACE * half / norm, SMALLEST)
        self._dual_step = max(_DUAL_PACE * self.prior.ratio * self.prior.weight, least)
        self._matrix_step = max(_DUAL_PACE * self.prior.weight, least)
        self._step = 1 / (half + norm * (1 + 1 / _SLOPE_SHARE) * self._dual_step)
        self._slope_step = 1 / ((1 + _SLOPE_SHARE) * self._dual_step + norm * self._matrix_step)

    def _prior_value(self) -> float:
        """The penalty of the image with the slopes as they are."""
        prior = self.prior
        image = self.image.reshape(self.dual.shape[1:])
        steps = huber_sum(_step_lengths(image, self.slopes), prior.huber)
        return prior.weight * (prior.ratio * steps + float(_change_lengths(self.slopes).sum()))

    def _iterate(self) -> None:
        from classicsr.kernels.generalized_variation import generalized_primal_dual

        prior = self.prior
        shrink = 1 / (1 + self._step * self.anchor_weight)
        inner, outer = max(prior.ratio * prior.weight, SMALLEST), max(prior.weight, SMALLEST)
        smooth = 1 / (1 + self._dual_step * prior.huber / inner)
        generalized_primal_dual(
            self.image.reshape(self.dual.shape[1:]),
            self._force().reshape(self.dual.shape[1:]),
            self.slopes,
            self.dual,
            self.matrix,
            np.array([self._step, shrink, 1], np.float32),
            np.array(
                [self._slope_step, self._dual_step, smooth, inner, self._matrix_step, 1, outer],
                np.float32,
            ),
        )


def _differences(image: Float32, axis: int) -> Float32:
    """Of neighbours along an axis; the last one twice."""
    if image.shape[axis] == 1:
        return np.zeros_like(image)
    steps = np.diff(image, axis=axis)
    return np.concatenate([steps, np.take(steps, [-1], axis)], axis=axis)


def _step_lengths(image: Float32, slopes: Float32) -> NDArray[np.float64]:
    """Of the gradient less the slopes, where differences fit inside."""
    squares = np.zeros(image.shape)
    for axis in range(3):
        inside = _part({axis: slice(None, -1)})
        squares[inside] += (np.diff(image, axis=axis) - slopes[axis][inside]) ** 2
    return np.sqrt(squares)


def _change_lengths(slopes: Float32) -> NDArray[np.float64]:
    """Of the symmetrised gradient of the slopes, where differences fit inside."""
    squares = np.zeros(slopes.shape[1:])
    rest = slice(1, None)
    for a in range(3):
        squares[_part({a: rest})] += np.diff(slopes[a], axis=a) ** 2
        for b in range(a):
            mixed = np.diff(slopes[a], axis=b)[_part({a: rest})]
            mixed = mixed + np.diff(slopes[b], axis=a)[_part({b: rest})]
            squares[_part({a: rest, b: rest})] += 0.5 * mixed**2
    return np.sqrt(squares)


def _part(along: dict[int, slice]) -> tuple[slice, ...]:
    return tuple(along.get(axis, slice(None)) for axis in range(3))
