"""What self-super-resolution learns from one volume: a regression, and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget
from classicsr.degradation import Degradation, project, resize, resized_shape
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._nonlocal import NonLocalSR
from classicsr.reconstruction._reference import Reference
from classicsr.reconstruction._slice_regression import SliceRegression
from classicsr.reconstruction._total_variation import TotalVariationSR

Float32 = NDArray[np.float32]
STRENGTHS = (0.5, 0.7)  # of non-local means: clean volumes gain from the first, noisy from both
_PRIOR = (0.1, 0.7, 0.2)  # weights of the regression and of each strength
_GUIDED_PRIOR = (0.6, 0.2, 0.2)  # where a reference guides the first
_GAIN = 0.01  # of the mean squared error that total variation must take off to be worth its time
_ROUGHER = 2.0  # times as rough across slices as in them; isotropic volumes reach 1.5
_TRUST = 0.1  # of the prior, in units of the mean squared error
_FEWEST = 6  # thick samples of the coarse volume below which the prior is used: noise decides
_COARSE_SIDE = 64  # samples of the coarse volume along an axis: seconds


@dataclass(frozen=True)
class SelfLearning:
    """Estimates of a volume, and the mean of them that did best at a coarser scale.

    Attributes
    ----------
    axis : int or None
        The thick one.
    regression : SliceRegression or None
        None where there is too little to learn from.
    weights : tuple of float
        Of the regression (if there is one), of non-local means of each strength, and of total
        variation. With a reference the first is of non-local means that it guides, which begin
        with the regression.
    guided : bool
        Whether there is a reference.
    """

    axis: int | None
    regression: SliceRegression | None
    weights: tuple[float, ...]
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
        prior = _GUIDED_PRIOR if reference else _PRIOR
        guided = reference is not None
        without = cls(axis, None, (*(prior if guided else _normalised(prior[1:])), 0.0), guided)
        if axis is None:
            return without
        scales = model._per_axis("scale", low.ndim)
        widths = _widths(model, axis, low.ndim)
        ratio = int(np.ceil(scales[axis] - 1e-6))
        guide = reference and reference.degraded(model)
        regression = SliceRegression.learn(low, widths, ratio, model, rng, guide)
        if regression is None:
            return without
        learned = cls(axis, regression, (*prior, 0.0), guided)._weighed(low, model, n_jobs, guide)
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
        result = np.zeros(shape, np.float32)
        for number in Convergence().iterations(len(self.weights)):  # told as progress
            weight = np.float32(self.weights[number - 1])
            if weight:
                result += weight * self._candidate(number - 1, low, model, shape, n_jobs, reference)
        return result

    def summary(self) -> dict[str, Any]:
        """As JSON values."""
        names = [*(f"non-local means {strength:g}" for strength in STRENGTHS), "total variation"]
        if len(self.weights) > len(names):
            names = ["guided non-local means" if self.guided else "regression", *names]
        weights = (round(weight, 4) for weight in self.weights)
        leaves = self.regression.map.partition.n_leaves if self.regression else 0
        return {
            "thick_axis": self.axis,
            "regression_leaves": leaves,
            "weights": dict(zip(names, weights, strict=True)),
        }

    def _candidate(
        self,
        k: int,
        low: Float32,
        model: Degradation,
        shape: tuple[int, ...],
        n_jobs: int | None,
        reference: Reference | None,
    ) -> Float32:
        """Estimate number `k`; each agrees with `low`, so their mean does."""
        last = len(self.weights) - 1
        if k == last:
            smooth = TotalVariationSR(n_jobs=n_jobs)._reconstruct(low, model, shape)
            return project(smooth, low, model)
        if k >= last - len(STRENGTHS):
            strength = STRENGTHS[k - last]
            return NonLocalSR(strength=strength, n_jobs=n_jobs)._reconstruct(low, model, shape)
        scales, high = list(model._per_axis("scale", low.ndim)), low
        if self.axis is not None and self.regression is not None:
            n_out, scale = shape[self.axis], scales[self.axis]
            high = self.regression.apply(low, self.axis, scale, n_out, n_jobs, reference)
            scales[self.axis] = 1.0
        high = resize(high, scales, output_shape=shape)
        if reference is None:
            return project(high, low, model)
        return NonLocalSR(n_jobs=n_jobs)._reconstruct_guided(low, model, reference, high)

    def _weighed(
        self,
        low: Float32,
        model: Degradation,
        n_jobs: int | None,
        reference: Reference | None,
    ) -> SelfLearning:
        """With the weights that do best where the truth is known: along one axis is too little."""
        problems = list(held_out(self, low, model, reference))
        if len(problems) < 2:
            return self
        errors = _errors(problems, len(self.weights) - 1, n_jobs)
        return replace(self, weights=(*_best_weights(errors, self.weights[:-1]), 0.0))

    def _smoothed(self, low: Float32, model: Degradation, n_jobs: int | None) -> SelfLearning:
        """With as much of total variation as helps at the scale of the volume.

        What gains is smoother than its grid, and looks sharp once it is reduced. Where slices
        are much rougher than the plane that rehearses them, its smoothness says nothing of theirs.
        """
        from classicsr.reconstruction._rehearsal import rehearsals  # which imports this module

        problems = list(rehearsals(self, low, model, n_jobs))
        if not problems or _roughness_across(self.axis, problems) > _ROUGHER:
            return self
        errors = _errors(problems, len(self.weights), n_jobs)
        now = np.sum(errors * np.array(self.weights)[:, None], axis=0)
        rest, share = _best_weights(np.stack([now, errors[-1]]), (1.0, 0.0))
        mixed = rest * now + share * errors[-1]
        if np.mean(mixed**2) >= (1 - _GAIN) * np.mean(now**2):
            return self
        return replace(self, weights=(*(rest * weight for weight in self.weights[:-1]), share))


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A volume whose truth is known, made thick.

    Attributes
    ----------
    learning : SelfLearning
        For its thick axis.
    thick, truth : float32 arrays
    model : Degradation
        From `truth` to `thick`.
    guide : Reference or None
        On the grid of `truth`.
    """

    learning: SelfLearning
    thick: Float32
    truth: Float32
    model: Degradation
    guide: Reference | None


def held_out(
    learning: SelfLearning, low: Float32, model: Degradation, reference: Reference | None = None
) -> Iterator[HeldOut]:
    """The volume reduced to the resolution of its slices, made thick along other axes in turn.

    It is as sharp along all axes. Nothing comes where it is too small, or nothing was learned.
    """
    if learning.axis is None or learning.regression is None:
        return
    widths = _widths(model, learning.axis, low.ndim)
    centre, axes = _centre(low.shape, widths), tuple(widths)
    shrink = [1 / width for width in widths.values()]
    coarse = resize(low[centre], shrink, axes=axes)
    if reference is not None:
        lengths = [coarse.shape[axis] for axis in axes]
        reference = reference.part(centre).resized(shrink, lengths, axes)
    scales = model._per_axis("scale", low.ndim)
    for axis in widths:
        order = [{axis: learning.axis, learning.axis: axis}.get(a, a) for a in range(low.ndim)]
        factors = [scales[a] for a in order]
        counts = [int(n / factor) for n, factor in zip(coarse.shape, factors, strict=True)]
        if min(counts) < _FEWEST:
            continue
        place = tuple(slice(n) for n in resized_shape(counts, factors))
        truth, at_scale = np.ascontiguousarray(coarse[place]), model.at_scale(factors)
        guide = reference and reference.part(place)
        turned = replace(learning, axis=axis)
        yield HeldOut(turned, at_scale.forward(truth), truth, at_scale, guide)


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
    problems: Iterable[HeldOut], n_estimates: int, n_jobs: int | None
) -> NDArray[np.float64]:
    """Of the first estimates (n_estimates, n_samples) in all problems, of which there are some."""

    def error(one: HeldOut, k: int) -> Float32:
        shape = one.truth.shape
        made = one.learning._candidate(k, one.thick, one.model, shape, n_jobs, one.guide)
        return (made - one.truth).ravel()

    errors = [[error(one, k) for k in range(n_estimates)] for one in problems]
    return np.concatenate(errors, axis=1).astype(np.float64)


def _widths(model: Degradation, axis: int, n_axes: int) -> dict[int, float]:
    """Distance of the slices in samples of each axis that is sharp."""
    scales = model._per_axis("scale", n_axes)
    return {a: scales[axis] / scales[a] for a in range(n_axes) if a != axis}


def _centre(shape: Sequence[int], widths: Mapping[int, float]) -> tuple[slice, ...]:
    """The part of a volume that remains small where its sharp axes are reduced `widths` times."""
    spans = []
    for axis, n in enumerate(shape):
        length = min(n, int(_COARSE_SIDE * widths.get(axis, 1)))
        spans.append(slice((n - length) // 2, (n - length) // 2 + length))
    return tuple(spans)


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
    return _normalised(weights)


def _normalised(weights: Sequence[float]) -> tuple[float, ...]:
    total = float(np.sum(weights))
    return tuple(float(weight) / total for weight in weights)
