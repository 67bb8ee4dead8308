"""Training samples: pairs of low-resolution windows and high-resolution residual patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.patches._grid import windows

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingPair:
    """A low-resolution image and what its interpolation lacks.

    `low` is (h, w) float32; `residual` is (h * scale, w * scale) float32, the high-resolution
    image minus the interpolated one.
    """

    low: Float32
    residual: Float32


class PatchSamples:
    """A seeded random subset of all patches of many image pairs.

    A patch is centred at a low-resolution pixel and covers `span` x `span` of them; those that
    reach over the border are left out.

    Parameters
    ----------
    pairs : sequence of TrainingPair
    scale, span, radius : int
        `radius` of the low-resolution window that features are computed from.
    n_samples : int or None
        At most so many patches; None takes all.
    random_state : RandomState
    n_jobs : int, optional
    """

    def __init__(
        self,
        pairs: Sequence[TrainingPair],
        *,
        scale: int,
        span: int,
        radius: int,
        n_samples: int | None,
        random_state: np.random.RandomState,
        n_jobs: int | None = None,
    ) -> None:
        self.pairs = pairs
        self.scale = scale
        self.rim = span // 2
        self.span = span
        self.radius = radius
        self.n_jobs = n_jobs
        sizes = [np.prod([max(0, n - 2 * self.rim) for n in pair.low.shape]) for pair in pairs]
        ends = np.cumsum(sizes, dtype=np.int64)
        total = int(ends[-1]) if len(ends) else 0
        if total == 0:
            raise ValueError("The training images are smaller than one patch.")
        self.n_samples = total if n_samples is None else min(total, n_samples)
        if self.n_samples == total:
            chosen = np.arange(total)
        else:
            chosen = np.sort(random_state.choice(total, self.n_samples, replace=False))
        borders = np.searchsorted(chosen, np.concatenate([[0], ends]))
        starts = ends - sizes
        self._slices = [slice(a, b) for a, b in pairwise(borders)]
        self._chosen = [chosen[s] - start for s, start in zip(self._slices, starts, strict=True)]

    def moment(self) -> NDArray[np.float64]:
        """Sum of ``x x'`` over the windows of the chosen patches, in float64."""

        def of_pair(i: int) -> NDArray[np.float64]:
            x = self._windows(i).astype(np.float64)
            return x.T @ x

        total = np.zeros(((2 * self.radius + 1) ** 2,) * 2)
        for part in run_parallel(of_pair, range(len(self.pairs)), self.n_jobs):
            total += part
        return total

    def features(self, filters: Float32) -> Float32:
        """Features (n_samples, d) of the chosen patches; `filters` is (d, window pixels)."""
        out = np.empty((self.n_samples, len(filters)), np.float32)

        def of_pair(i: int) -> None:
            out[self._slices[i]] = self._windows(i) @ filters.T

        for _ in run_parallel(of_pair, range(len(self.pairs)), self.n_jobs):
            pass
        return out

    def targets(self) -> Float32:
        """Residual patches (n_samples, (span * scale)^2) of the chosen patches."""
        side = self.span * self.scale
        out = np.empty((self.n_samples, side * side), np.float32)

        def of_pair(i: int) -> None:
            if len(self._chosen[i]) == 0:  # perhaps smaller than a patch, which has no view
                return
            patches = np.lib.stride_tricks.sliding_window_view(
                self.pairs[i].residual, (side, side)
            )[:: self.scale, :: self.scale]
            rows, columns = divmod(self._chosen[i], patches.shape[1])
            out[self._slices[i]] = patches[rows, columns].reshape(-1, side * side)

        for _ in run_parallel(of_pair, range(len(self.pairs)), self.n_jobs):
            pass
        return out

    def _windows(self, i: int) -> Float32:
        """Windows (n, side^2) of the chosen patches of one pair."""
        low = self.pairs[i].low
        if len(self._chosen[i]) == 0:
            return np.empty((0, (2 * self.radius + 1) ** 2), np.float32)
        rows, columns = divmod(self._chosen[i], low.shape[1] - 2 * self.rim)
        view = windows(low, self.radius)
        return view[rows + self.rim, columns + self.rim].reshape(len(rows), -1)
