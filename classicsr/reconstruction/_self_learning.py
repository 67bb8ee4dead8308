"""What self-super-resolution learns from one volume: a regression, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget
from classicsr.degradation import Degradation, project, resize, resized_shape
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._nonlocal import NonLocalSR
from classicsr.reconstruction._slice_regression import SliceRegression

Float32 = NDArray[np.float32]
STRENGTHS = (0.5, 0.7)  # of non-local means: clean volumes gain from the first, noisy from both
_PRIOR = (0.1, 0.7, 0.2)  # weights of the regression and of each strength
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
        Of the regression (if there is one) and of non-local means of each strength.
    """

    axis: int | None
    regression: SliceRegression | None
    weights: tuple[float, ...]

    @classmethod
    def learn(
        cls,
        low: Float32,
        axis: int | None,
        model: Degradation,
        rng: np.random.RandomState,
        n_jobs: int | None,
    ) -> SelfLearning:
        """Learn from `low`, which `model` makes of the volume that is sought."""
        without = cls(axis, None, _normalised(_PRIOR[1:]))
        if axis is None:
            return without
        scales = model._per_axis("scale", low.ndim)
        widths = {a: scales[axis] / scales[a] for a in range(low.ndim) if a != axis}
        ratio = int(np.ceil(scales[axis] - 1e-6))
        regression = SliceRegression.learn(low, widths, ratio, model, rng)
        if regression is None:
            return without
        return cls(axis, regression, _PRIOR)._weighed(low, widths, model, n_jobs)

    def estimate(
        self, low: Float32, model: Degradation, shape: tuple[int, ...], n_jobs: int | None
    ) -> Float32:
        """The volume of `shape` that `model` turns into `low`: the weighted mean."""
        result = np.zeros(shape, np.float32)
        for number in Convergence().iterations(len(self.weights)):  # told as progress
            weight = np.float32(self.weights[number - 1])
            if weight:
                result += weight * self._candidate(number - 1, low, model, shape, n_jobs)
        return result

    def summary(self) -> dict[str, Any]:
        """As JSON values."""
        names = [f"non-local means {strength:g}" for strength in STRENGTHS]
        if self.regression is not None:
            names = ["regression", *names]
        weights = (round(weight, 4) for weight in self.weights)
        leaves = self.regression.map.partition.n_leaves if self.regression else 0
        return {
            "thick_axis": self.axis,
            "regression_leaves": leaves,
            "weights": dict(zip(names, weights, strict=True)),
        }

    def _candidate(
        self, k: int, low: Float32, model: Degradation, shape: tuple[int, ...], n_jobs: int | None
    ) -> Float32:
        """Estimate number `k`; each agrees with `low`, so their mean does."""
        if self.axis is not None and self.regression is not None and k == 0:
            scales = list(model._per_axis("scale", low.ndim))
            n_out = shape[self.axis]
            high = self.regression.apply(low, self.axis, scales[self.axis], n_out, n_jobs)
            scales[self.axis] = 1.0
            return project(resize(high, scales, output_shape=shape), low, model)
        strength = STRENGTHS[k - len(self.weights)]
        return NonLocalSR(strength=strength, n_jobs=n_jobs)._reconstruct(low, model, shape)

    def _weighed(
        self,
        low: Float32,
        widths: Mapping[int, float],
        model: Degradation,
        n_jobs: int | None,
    ) -> SelfLearning:
        """With the weights that do best on the volume reduced to the resolution of its slices.

        That volume is as sharp along all axes; each that was sharp is made thick in turn.
        """
        coarse = _reduced(low, widths)
        scales = model._per_axis("scale", low.ndim)
        (own,) = set(range(low.ndim)) - widths.keys()
        errors = []
        for axis in widths:
            order = [{axis: own, own: axis}.get(a, a) for a in range(low.ndim)]
            factors = [scales[a] for a in order]
            counts = [int(n / factor) for n, factor in zip(coarse.shape, factors, strict=True)]
            if min(counts) < _FEWEST:
                continue
            shape = resized_shape(counts, factors)
            truth = np.ascontiguousarray(coarse[tuple(slice(n) for n in shape)])
            at_scale, turned = model.at_scale(factors), SelfLearning(axis, self.regression, _PRIOR)
            thick = at_scale.forward(truth)
            errors.append([
                (turned._candidate(k, thick, at_scale, shape, n_jobs) - truth).ravel()
                for k in range(len(_PRIOR))
            ])  # fmt: skip
        if not errors:
            return self
        weights = _best_weights(np.concatenate(errors, axis=1).astype(np.float64))
        return SelfLearning(self.axis, self.regression, weights)


def _reduced(low: Float32, widths: Mapping[int, float]) -> Float32:
    """The centre of the volume, its sharp axes reduced to the distance of the slices."""
    spans = []
    for axis, n in enumerate(low.shape):
        length = min(n, int(_COARSE_SIDE * widths.get(axis, 1)))
        spans.append(slice((n - length) // 2, (n - length) // 2 + length))
    return resize(low[tuple(spans)], [1 / w for w in widths.values()], axes=tuple(widths))


def _best_weights(errors: NDArray[np.float64]) -> tuple[float, ...]:
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
            return _PRIOR
        trust = _TRUST * scale * np.eye(len(power))
        root = np.linalg.cholesky(power + trust)
        goal = np.linalg.solve(root, trust @ np.array(_PRIOR))
        heavy = 1e4 * np.sqrt(scale)  # the sum of the weights is 1
        weights, _ = nnls(np.vstack([root.T, heavy * np.ones(len(power))]), np.append(goal, heavy))
    return _normalised(weights)


def _normalised(weights: Sequence[float]) -> tuple[float, ...]:
    total = float(np.sum(weights))
    return tuple(float(weight) / total for weight in weights)
