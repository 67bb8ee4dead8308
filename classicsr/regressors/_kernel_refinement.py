"""Gradient descent on the basis points of a kernel regression."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.regressors._kernel_map import KernelMap

Float32 = NDArray[np.float32]
_BATCH, _CHUNK = 2048, 512
_RATE = 3e-3
_DECAY = (0.9, 0.999)


def odd_gaussians(u: Float32, points: Float32, gamma: float) -> Float32:
    """``exp(-gamma |u - c|^2) - exp(-gamma |u + c|^2)`` of directions u and points c."""
    ahead, behind = _gaussians(u, points, gamma)
    return ahead - behind


def _gaussians(u: Float32, points: Float32, gamma: float) -> tuple[Float32, Float32]:
    """``exp(-gamma |u - c|^2)`` and ``exp(-gamma |u + c|^2)``, (n, n_points) each."""
    squares = np.einsum("nd,nd->n", u, u)[:, None] + np.einsum("md,md->m", points, points)
    products = 2 * (u @ points.T)
    return np.exp(-gamma * (squares - products)), np.exp(-gamma * (squares + products))


class _Adam:
    """Steps of adaptive moments (Kingma, Ba, 2015), with a rate that falls to zero as a cosine."""

    def __init__(self, params: list[Float32], n_steps: int) -> None:
        self.params = params
        self.n_steps = n_steps
        self.step = 0
        self._means = [np.zeros_like(p) for p in params]
        self._squares = [np.zeros_like(p) for p in params]

    def update(self, gradients: list[Float32]) -> None:
        self.step += 1
        rate = _RATE / 2 * (1 + math.cos(math.pi * self.step / self.n_steps))
        first, second = (1 - decay**self.step for decay in _DECAY)
        for p, mean, square, gradient in zip(
            self.params, self._means, self._squares, gradients, strict=True
        ):
            mean += (1 - _DECAY[0]) * (gradient - mean)
            square += (1 - _DECAY[1]) * (gradient * gradient - square)
            p -= rate / first * mean / (np.sqrt(square / second) + 1e-9)


def refine(
    start: KernelMap,
    directions: Float32,
    lengths: Float32,
    Y: Float32,
    *,
    n_iter: int,
    rng: np.random.RandomState,
    n_jobs: int | None,
) -> Float32:
    """Basis points of smaller squared error; coefficients and linear map move along.

    Parameters
    ----------
    start : KernelMap
    directions : (n, n_features) float32
    lengths : (n,) float32
    Y : (n, n_outputs) float32
    n_iter : int
        Passes over the samples.
    rng : RandomState
    n_jobs : int, optional

    Returns
    -------
    (n_basis, n_features) float32
    """
    params = [a.copy() for a in (start.points, start.coefficients, start.linear)]
    adam = _Adam(params, n_iter * -(-len(Y) // _BATCH))
    scale = 1 / max(float(np.mean(lengths**2)), 1e-12)

    def gradients(rows: NDArray[np.intp]) -> list[Float32]:
        return _gradients(params, start.gamma, directions[rows], lengths[rows, None], Y[rows])

    for _ in range(n_iter):
        order = rng.permutation(len(Y))
        for first in range(0, len(Y), _BATCH):
            batch = order[first : first + _BATCH]
            chunks = [batch[i : i + _CHUNK] for i in range(0, len(batch), _CHUNK)]
            parts = list(run_parallel(gradients, chunks, n_jobs))
            adam.update([sum(p) * np.float32(scale / len(batch)) for p in zip(*parts, strict=True)])
    return params[0]


def _gradients(
    params: list[Float32], gamma: float, u: Float32, lengths: Float32, Y: Float32
) -> list[Float32]:
    """Gradients of half the squared error with respect to points, coefficients, linear map."""
    points, coefficients, linear = params
    ahead, behind = _gaussians(u, points, gamma)
    values = ahead - behind
    errors = lengths * (lengths * (values @ coefficients + u @ linear) - Y)
    pulls = errors @ coefficients.T
    toward = (pulls * (ahead + behind)).T @ u
    inward = np.einsum("nm,nm->m", pulls, values)[:, None] * points
    return [2 * gamma * (toward - inward), values.T @ errors, u.T @ errors]
