"""What self-super-resolution learns from one volume: a regression, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget
from classicsr.degradation import Degradation, project, resize
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._held_out import HeldOut, held_out, slice_distances
from classicsr.reconstruction._nonlocal import NonLocalSR
from classicsr.reconstruction._reference import Reference
from classicsr.reconstruction._rehearsal import rehearsals
from classicsr.reconstruction._slice_regression import SliceRegression
from classicsr.reconstruction._total_variation import TotalVariationSR

Float32 = NDArray[np.float32]
Candidate = Callable[[Float32, Degradation, tuple[int, ...], int | None, Reference | None], Float32]
STRENGTHS = (0.5, 0.7)  # of non-local means: clean volumes gain from the first, noisy from both
_SETTLED: dict[str, Any] = {"tolerance": 0.07, "n_iter": 12}  # thick slices settle slowly
_PRIOR = (0.1, 0.7, 0.2)  # weights of the regression and of each strength
_GUIDED_PRIOR = (0.6, 0.2, 0.2)  # where a reference guides the first
_GAIN = 0.01  # of the mean squared error that total variation must take off to be worth its time
_TOLERANCE = 2e-6  # of total variation
_REHEARSED = 3e-5  # of the same where its share is sought: a tenth of the time, no larger a share
_ROUGHER = 2.0  # times as rough across slices as in them; isotropic volumes reach 1.5
_TRUST = 0.1  # of the prior, in units of the mean squared error


@dataclass(frozen=True)
class SelfLearning:
    """Estimates of a volume, and the mean of them that did best at a coarser scale.

    Attributes
    ----------
    axis : int or None
        The thick one.
    regression : SliceRegression or None
        None where there is too little to learn from.
    weights : (float, float, float)
        Of the regression, of non-local means and of total variation. With a reference the first
        is of non-local means that it guides, which begin with the regression.
    strength : float
        Of non-local means.
    guided : bool
        Whether there is a reference.
    """

    axis: int | None
    regression: SliceRegression | None
    weights: tuple[float, float, float]
    strength: float
    guided: bool = False

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
        without = cls(axis, None, *_merged(_GUIDED_PRIOR if guided else (0, *_PRIOR[1:])), guided)
        if axis is None:
            return without
        scales = model._per_axis("scale", low.ndim)
        widths = slice_distances(model, axis, low.ndim)
        ratio = int(np.ceil(scales[axis] - 1e-6))
        guide = reference and reference.degraded(model)
        regression = SliceRegression.learn(low, widths, ratio, model, rng, guide)
        if regression is None:
            return without
        prior = _GUIDED_PRIOR if guided else _PRIOR
        learned = cls(axis, regression, *_merged(prior), guided)
        learned = learned._weighed(prior, low, model, n_jobs, guide)
        return learned if guided else learned._smoothed(low, model, n_jobs)

    def estimate(
        self,
        low: Float32,
        model: Degradation,
        shape: tuple[int, ...],
        n_jobs: int | None,
        reference: Reference | None = None,
    ) -> Float32:
        """The volume of `shape` that `model` turns into `low`: the weighted mean."""
        candidates = (
            self._learned,
            partial(self._nonlocal, self.strength),
            partial(self._smooth, _TOLERANCE),
        )
        result = np.zeros(shape, np.float32)
        for number in Convergence().iterations(len(candidates)):  # told as progress
            weight = np.float32(self.weights[number - 1])
            if weight:
                candidate = candidates[number - 1]
                result += weight * candidate(low, model, shape, n_jobs, reference)
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
        }

    def _learned(
        self,
        low: Float32,
        model: Degradation,
        shape: tuple[int, ...],
        n_jobs: int | None,
        reference: Reference | None,
    ) -> Float32:
        """Each candidate agrees with `low`, so their mean does."""
        scales, high = list(model._per_axis("scale", low.ndim)), low
        if self.axis is not None and self.regression is not None:
            n_out, scale = shape[self.axis], scales[self.axis]
            high = self.regression.apply(low, self.axis, scale, n_out, n_jobs, reference)
            scales[self.axis] = 1.0
        high = resize(high, scales, output_shape=shape)
        if reference is None:
            return project(high, low, model)
        return NonLocalSR(n_jobs=n_jobs)._reconstruct_guided(low, model, reference, high)

    @staticmethod
    def _nonlocal(
        strength: float,
        low: Float32,
        model: Degradation,
        shape: tuple[int, ...],
        n_jobs: int | None,
        _: Reference | None,
    ) -> Float32:
        similar = NonLocalSR(strength=strength, n_jobs=n_jobs, **_SETTLED)
        return similar._reconstruct(low, model, shape)

    @staticmethod
    def _smooth(
        tolerance: float,
        low: Float32,
        model: Degradation,
        shape: tuple[int, ...],
        n_jobs: int | None,
        _: Reference | None,
    ) -> Float32:
        smooth = TotalVariationSR(tolerance=tolerance, n_jobs=n_jobs)
        return project(smooth._reconstruct(low, model, shape), low, model)

    def _weighed(
        self,
        prior: Sequence[float],
        low: Float32,
        model: Degradation,
        n_jobs: int | None,
        reference: Reference | None,
    ) -> SelfLearning:
        """With the weights that do best where the truth is known: along one axis is too little."""
        problems = list(held_out(self, low, model, reference))
        if len(problems) < 2:
            return self
        strengths = [partial(self._nonlocal, strength) for strength in STRENGTHS]
        errors = _errors([(one, [one.learning._learned, *strengths]) for one in problems], n_jobs)
        weights, strength = _merged(_best_weights(errors, prior))
        return replace(self, weights=weights, strength=strength)

    def _smoothed(self, low: Float32, model: Degradation, n_jobs: int | None) -> SelfLearning:
        """With as much of total variation as helps at the scale of the volume.

        What gains is smoother than its grid, and looks sharp once it is reduced. Where slices
        are much rougher than the plane that rehearses them, its smoothness says nothing of theirs.
        """
        problems = list(rehearsals(self, low, model, n_jobs))
        if not problems or _roughness_across(self.axis, problems) > _ROUGHER:
            return self
        smooth = partial(self._smooth, _REHEARSED)
        errors = _errors([(one, [one.learning.estimate, smooth]) for one in problems], n_jobs)
        rest, share = _best_weights(errors, (1.0, 0.0))
        now, mixed = errors[0], rest * errors[0] + share * errors[1]
        if np.mean(mixed**2) >= (1 - _GAIN) * np.mean(now**2):
            return self
        learned, alike, _ = self.weights
        return replace(self, weights=(rest * learned, rest * alike, share))


def _roughness_across(axis: int | None, problems: Sequence[HeldOut]) -> float:
    """Mean squared change along an axis over that along the thick axes of the problems.

    Changes are those over the distance of thick slices.
    """

    def roughness(one: HeldOut, along: int | None) -> float:
        factor = max(one.model._per_axis("scale", one.truth.ndim))
        moved = np.moveaxis(one.truth, along or 0, 0)
        lag = min(round(factor), len(moved) - 1)
        return float(np.mean(np.square(moved[lag:] - moved[:-lag])))

    across = np.mean([roughness(one, axis) for one in problems])
    within = np.mean([roughness(one, one.learning.axis) for one in problems])
    return float(across / within) if within > 0 else np.inf


def _errors(
    tried: Sequence[tuple[HeldOut, Sequence[Candidate]]], n_jobs: int | None
) -> NDArray[np.float64]:
    """Of candidates (n_candidates, n_samples) in all problems, of which there are some."""

    def error(one: HeldOut, candidate: Candidate) -> Float32:
        made = candidate(one.thick, one.model, one.truth.shape, n_jobs, one.guide)
        return (made - one.truth).ravel()

    errors = [[error(one, candidate) for candidate in candidates] for one, candidates in tried]
    return np.concatenate(errors, axis=1).astype(np.float64)


def _best_weights(errors: NDArray[np.float64], prior: Sequence[float]) -> tuple[float, ...]:
    """Non-negative weights of sum 1 whose mean of the errors is smallest, near the prior.

    Parameters
    ----------
    errors : (n_estimates, n_samples) float64
    """
    from scipy.optimize import nnls

    with thread_budget(1):
        power = errors @ errors.T / errors.shape[1]
        scale = float(np.trace(power)) / len(power)
        if scale == 0:
            return tuple(prior)
        trust = _TRUST * scale * np.eye(len(power))
        root = np.linalg.cholesky(power + trust)
        goal = np.linalg.solve(root, trust @ np.array(prior))
        heavy = 1e4 * np.sqrt(scale)  # the sum of the weights is 1
        weights, _ = nnls(np.vstack([root.T, heavy * np.ones(len(power))]), np.append(goal, heavy))
    return tuple((weights / weights.sum()).tolist())


def _merged(weights: Sequence[float]) -> tuple[tuple[float, float, float], float]:
    """Weights and strength where non-local means of one strength stand for those of each.

    Weights have the sum 1, but need not to begin with. The result differs little from the mean of
    both, in half the time.
    """
    first, *alike = np.divide(weights, np.sum(weights)).tolist()
    strength = np.dot(alike, STRENGTHS) / sum(alike) if any(alike) else np.mean(STRENGTHS)
    return (first, sum(alike), 0.0), float(strength)
