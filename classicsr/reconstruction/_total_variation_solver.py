"""Total variation and its primal-dual solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.reconstruction._convergence import CHECK_EVERY, Convergence
from classicsr.reconstruction._data_term import DataTerm, squared_norm

Float32 = NDArray[np.float32]
_DUAL_PACE = 30.0  # dual step per weight: fastest on photographs at weights of 0.0003 to 0.003
SMALLEST = 1e-12  # radius of the dual ball that stands for a weight of zero


@dataclass(frozen=True)
class TotalVariation:
    """``weight * sum |gradient|``: few edges, flat between them.

    Gradients are forward differences, zero at the far border.

    Parameters
    ----------
    weight : float
    isotropic : bool
        Lengths of gradients; else the sum of the absolute differences along the axes.
    huber : float
        Gradients up to this length are penalised by half their square over it, which keeps
        smooth slopes free of steps; 0 for plain total variation.

    References
    ----------
    L. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms",
    Physica D 60, 1992.
    """

    weight: float
    isotropic: bool = True
    huber: float = 0.0

    def value(self, x: Float32) -> float:
        """The penalty of `x`, accumulated in float64."""
        squares = np.zeros(x.shape)
        total = 0.0
        for axis in range(x.ndim):
            step = np.diff(x, axis=axis, append=np.take(x, [-1], axis)).astype(np.float64)
            if self.isotropic:
                squares += step * step
            else:
                total += huber_sum(np.abs(step), self.huber)
        if self.isotropic:
            total = huber_sum(np.sqrt(squares), self.huber)
        return self.weight * total

    def prox(self, x: Float32, step: float) -> Float32:
        """``argmin_z |z - x|^2 / 2 + step * value(z)``."""
        prior = TotalVariation(step * self.weight, self.isotropic, self.huber)
        solver = prior.solver(None, x, anchor=x, anchor_weight=1.0)
        solver.run(1000, 1e-7 * float(np.ptp(x)))
        return solver.image

    def solver(self, data: DataTerm | None, start: Float32, **anchor: Any) -> TotalVariationSolver:
        """Of the problem with this prior; arguments as `TotalVariationSolver`."""
        return TotalVariationSolver(data, self, start, **anchor)


def huber_sum(lengths: NDArray[np.float64], threshold: float) -> float:
    """Sum of Huber's function, or of the lengths themselves where the threshold is zero."""
    if threshold > 0:
        small = lengths <= threshold
        lengths = np.where(small, lengths**2 / (2 * threshold), lengths - threshold / 2)
    return float(lengths.sum())


class TotalVariationSolver:
    """Minimise ``data(x) + anchor_weight / 2 * |x - anchor|^2 + prior(x)``, 2-D or 3-D.

    The primal-dual iteration of Condat; without a data term, the accelerated one of Chambolle
    and Pock, which needs an anchor. It keeps `image` and `dual` (that of an image is of a volume of
    height 1) between runs: warm starts.

    Parameters
    ----------
    data : DataTerm or None
    prior : TotalVariation
    start : float32 array
    anchor : float32 array, optional
    anchor_weight : float

    References
    ----------
    A. Chambolle, T. Pock, "A first-order primal-dual algorithm for convex problems with
    applications to imaging", J. Math. Imaging Vis. 40, 2011; L. Condat, "A primal-dual
    splitting method for convex optimization", J. Optim. Theory Appl. 158, 2013.
    """

    def __init__(
        self,
        data: DataTerm | None,
        prior: Any,
        start: Float32,
        *,
        anchor: Float32 | None = None,
        anchor_weight: float = 0.0,
    ) -> None:
        self.data = data
        self.prior = prior
        self.anchor = anchor if anchor_weight > 0 else None
        self.anchor_weight = anchor_weight if anchor is not None else 0.0
        self.image = np.array(start, np.float32)
        volume = start.shape if start.ndim == 3 else (start.shape[0], 1, start.shape[1])
        self.dual = np.zeros((3, *volume), np.float32)
        self._gradient_norm = 4.0 * start.ndim  # squared
        self._set_steps(0.0 if data is None else 0.5 * data.curvature())

    def _set_steps(self, half: float) -> None:
        """Steps that converge, for half the curvature of the data term."""
        if self.data is None:
            self._step = 3 / self.anchor_weight  # the fastest over a wide range of weights
            self._dual_step = 1 / (self._gradient_norm * self._step)
        else:
            self._dual_step = max(_DUAL_PACE * self.prior.weight, 0.25 * half / self._gradient_norm)
            self._step = 1 / (half + self._gradient_norm * self._dual_step)

    def objective(self) -> float:
        """The objective at `image`."""
        value = self._prior_value()
        if self.data is not None:
            value += self.data.value(self.image)
        if self.anchor is not None:
            value += 0.5 * self.anchor_weight * squared_norm(self.image - self.anchor)
        return value

    def run(self, n_iter: int, tolerance: float = 0.0) -> Convergence:
        """Iterate until a step changes the image by less than `tolerance` (root mean square)."""
        record = Convergence()
        for k in record.iterations(n_iter):
            before = self.image.copy() if k % CHECK_EVERY == 0 else None
            self._iterate()
            if before is not None:
                change = np.sqrt(squared_norm(self.image - before) / before.size)
                if record.check(change, tolerance):
                    break
        return record

    def _prior_value(self) -> float:
        return float(self.prior.value(self.image))

    def _iterate(self) -> None:
        from classicsr.kernels.variation import primal_dual

        shrink = 1 / (1 + self._step * self.anchor_weight)
        step, momentum = self._step, 1.0
        if self.data is None:
            momentum = 1 / np.sqrt(1 + 2 * self.anchor_weight * self._step)
            self._step *= momentum
            self._dual_step /= momentum
        prior = self.prior
        radius = max(prior.weight, SMALLEST)
        smooth = 1 / (1 + self._dual_step * prior.huber / radius)
        steps = np.array([step, shrink, momentum, self._dual_step, smooth], np.float32)
        primal_dual(
            self.image.reshape(self.dual.shape[1:]),
            self._force().reshape(self.dual.shape[1:]),
            self.dual,
            steps,
            np.float32(radius),
            bool(prior.isotropic),
        )

    def _force(self) -> Float32:
        """Gradient of the data term, and the constant part of the anchor's."""
        if self.data is None:
            return self._pull
        force = self.data.gradient(self.image)
        if self.anchor is not None:
            force += self._pull
        return force

    @property
    def _pull(self) -> Float32:
        assert self.anchor is not None
        return np.float32(-self.anchor_weight) * self.anchor
