"""What self-super-resolution learns from one volume: a regression, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget
from classicsr.degradation import Degradation, project, resize
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._nonlocal import NonLocalSR
from classicsr.reconstruction._reference import Reference
from classicsr.reconstruction._rehearsal import Rehearsal, rehearsals
from classicsr.reconstruction._slice_regression import SliceRegression
from classicsr.reconstruction._total_variation import TotalVariationSR

Float32 = NDArray[np.float32]
STRENGTHS = (0.5, 0.7)  # of non-local means: clean volumes gain from the first, noisy from both
_SETTLED: dict[str, Any] = {"tolerance": 0.07, "n_iter": 12}  # thick slices settle slowly
_PRIOR = (0.1, 0.7, 0.2, 0.0)  # weights of the regression, of each strength, of total variation
_GUIDED_PRIOR = (1.0, 0.0, 0.0, 0.0)  # where a reference guides the first
_LEAST = 0.05  # weight of an estimate that is worth its time
_TOLERANCE = 2e-6  # of total variation
_REHEARSED = 1e-5  # of the same where weights are sought
_TRUST = 0.3  # of the prior, in units of the mean squared error
_ROUGH = 2.0  # times as rough across slices as in them; isotropic volumes reach 1.6
_ROUGHEST = 100.0  # where the plane is constant, the ratio has no end


@dataclass(frozen=True)
class SelfLearning:
    """Estimates of a volume, and the mean of them that did best in rehearsals on itself.

    Attributes
    ----------
    axis : int or None
        The thick one.
    regression : SliceRegression or None
        None where there is too little to learn from.
    weights : (float, float, float)
        Of the regression, of non-local means, which begin with it, and of total variation. With
        a reference the first is of non-local means that it guides.
    strength : float
        Of non-local means.
    guided : bool
        Whether there is a reference.
    share : float
        Of the regression in what non-local means begin with; the rest is interpolation.
    """

    axis: int | None
    regression: SliceRegression | None
    weights: tuple[float, float, float]
    strength: float
    guided: bool = False
    share: float = 1.0

    @classmethod
    def learn(
        cls,
        low: Float32,
        axis: int | None,
        model: Degradation,
        rng: np.random.RandomState,
        n_jobs: int | None,
        reference: Reference | None = None,
    ) -> SelfLearning:
        """Learn from `low`, which `model` makes of the volume that is sought."""
        guided = reference is not None
        prior = _GUIDED_PRIOR if guided else _PRIOR
        without = cls(axis, None, *_merged(prior if guided else (0.0, *prior[1:])), guided)
        if axis is None:
            return without
        scales = model._per_axis("scale", low.ndim)
        widths = {a: scales[axis] / scales[a] for a in range(low.ndim) if a != axis}
        ratio = int(np.ceil(scales[axis] - 1e-6))
        guide = reference and reference.degraded(model)
        regression = SliceRegression.learn(low, widths, ratio, model, rng, guide)
        if regression is None:
            return without
        learned = cls(axis, regression, *_merged(prior), guided)
        return learned._rehearsed(prior, low, model, n_jobs, reference)

    def estimate(
        self,
        low: Float32,
        model: Degradation,
        shape: tuple[int, ...],
        n_jobs: int | None,
        reference: Reference | None = None,
    ) -> Float32:
        """The volume of `shape` that `model` turns into `low`: the weighted mean.

        Each estimate agrees with `low`, so their mean does.
        """
        task = _Task(low, model, shape, n_jobs, reference)
        candidates = self._candidates(task, [self.strength], _TOLERANCE)
        result = np.zeros(shape, np.float32)
        for number in Convergence().iterations(len(candidates)):  # told as progress
            weight = np.float32(self.weights[number - 1])
            if weight:
                result += weight * candidates[number - 1]()
        return result

    def summary(self) -> dict[str, Any]:
        """As JSON values."""
        first = "guided non-local means" if self.guided else "regression"
        weights = (round(weight, 4) for weight in self.weights)
        leaves = self.regression.map.partition.n_leaves if self.regression else 0
        return {
            "thick_axis": self.axis,
            "regression_leaves": leaves,
            "weights": dict(
                zip((first, "non-local means", "total variation"), weights, strict=True)
            ),
            "strength": round(self.strength, 4),
            "share_of_the_regression": round(self.share, 4),
        }

    def _candidates(
        self, task: _Task, strengths: Sequence[float], tolerance: float
    ) -> list[Callable[[], Float32]]:
        """The first of the estimates, one of non-local means for each strength, and the smooth."""
        low, model, shape, n_jobs, reference = task
        regressed = start = self._regressed(task)
        if self.share < 1:
            cubic = resize(low, model._per_axis("scale", low.ndim), output_shape=shape)
            start = cubic + np.float32(self.share) * (regressed - cubic)

        def first() -> Float32:
            if reference is None:
                return regressed
            return NonLocalSR(n_jobs=n_jobs)._reconstruct_guided(low, model, reference, regressed)

        def alike(strength: float) -> Float32:
            similar = NonLocalSR(strength=strength, n_jobs=n_jobs, **_SETTLED)
            return similar._reconstruct(low, model, shape, start)

        def smooth() -> Float32:
            total_variation = TotalVariationSR(tolerance=tolerance, n_jobs=n_jobs)
            return project(total_variation._reconstruct(low, model, shape), low, model)

        return [first, *(partial(alike, strength) for strength in strengths), smooth]

    def _regressed(self, task: _Task) -> Float32:
        """By the regression along the thick axis, by interpolation along the others."""
        low, model, shape, n_jobs, reference = task
        scales, high = list(model._per_axis("scale", low.ndim)), low
        if self.axis is not None and self.regression is not None:
            n_out, scale = shape[self.axis], scales[self.axis]
            high = self.regression.apply(low, self.axis, scale, n_out, n_jobs, reference)
            scales[self.axis] = 1.0
        return project(resize(high, scales, output_shape=shape), low, model)

    def _rehearsed(
        self,
        prior: Sequence[float],
        low: Float32,
        model: Degradation,
        n_jobs: int | None,
        reference: Reference | None,
    ) -> SelfLearning:
        """With the weights that do best where the truth is known.

        The rougher slices are beside the plane, the less it tells of them: in rehearsals, and as
        what the regression learned from.
        """
        problems = list(rehearsals(self, low, model, n_jobs, reference))
        if not problems:
            return self
        powers = [_error_power(one, n_jobs) for one in problems]
        roughness = _roughness_across(self.axis, problems)
        trust = _TRUST * max(1.0, roughness)
        weights, strength = _merged(_best_weights(np.mean(powers, axis=0), prior, trust))
        share = _ROUGH / max(_ROUGH, roughness)
        return replace(self, weights=weights, strength=strength, share=share)


class _Task(NamedTuple):
    """A volume of `shape` is sought that `model` turns into `low`."""

    low: Float32
    model: Degradation
    shape: tuple[int, ...]
    n_jobs: int | None
    reference: Reference | None


def _roughness_across(axis: int | None, problems: Sequence[Rehearsal]) -> float:
    """Mean squared change along an axis over that along the thick axes of the problems.

    Changes are those over the distance of thick slices.
    """

    def roughness(one: Rehearsal, along: int | None) -> float:
        factor = max(one.model._per_axis("scale", one.truth.ndim))
        moved = np.moveaxis(one.truth, along or 0, 0)
        lag = min(round(factor), len(moved) - 1)
        return float(np.mean(np.square(moved[lag:] - moved[:-lag])))

    across = sum(roughness(one, axis) for one in problems)
    within = sum(roughness(one, one.learning.axis) for one in problems)
    return min(across / within, _ROUGHEST) if within > 0 else _ROUGHEST


def _error_power(one: Rehearsal, n_jobs: int | None) -> NDArray[np.float64]:
    """Mean products of the errors of two candidates each, in units of their mean square."""
    task = _Task(one.thick, one.model, one.truth.shape, n_jobs, one.reference)
    candidates = one.learning._candidates(task, STRENGTHS, _REHEARSED)
    errors = np.array([(make() - one.truth).ravel() for make in candidates], np.float64)
    with thread_budget(1):
        power = errors @ errors.T
    return power / (np.trace(power) / len(power) or 1.0)


def _best_weights(
    power: NDArray[np.float64], prior: Sequence[float], trust: float
) -> tuple[float, ...]:
    """Non-negative weights of sum 1 whose mean of the errors is smallest, near the prior.

    Parameters
    ----------
    power : (n_estimates, n_estimates) float64
        Mean products of errors.
    prior : sequence of n_estimates numbers
    trust : float
        Of the prior, in units of the mean squared error.
    """
    from scipy.optimize import nnls

    with thread_budget(1):
        scale = float(np.trace(power)) / len(power)
        if scale == 0:
            return tuple(prior)
        pull = trust * scale * np.eye(len(power))
        root = np.linalg.cholesky(power + pull)
        goal = np.linalg.solve(root, pull @ np.array(prior))
        heavy = 1e4 * np.sqrt(scale)  # the sum of the weights is 1
        weights, _ = nnls(np.vstack([root.T, heavy * np.ones(len(power))]), np.append(goal, heavy))
    return tuple((weights / weights.sum()).tolist())


def _merged(weights: Sequence[float]) -> tuple[tuple[float, float, float], float]:
    """Weights and strength where non-local means of one strength stand for those of each.

    Weights have the sum 1, but need not to begin with. The result differs little from the mean of
    both, in half the time. Estimates of little weight are left out.
    """
    first, *alike, smooth = weights
    three = np.array([first, sum(alike), smooth])
    three[three < _LEAST * three.sum()] = 0
    strength = np.dot(alike, STRENGTHS) / sum(alike) if any(alike) else np.mean(STRENGTHS)
    first, similar, smooth = (three / three.sum()).tolist()
    return (first, similar, smooth), float(strength)
