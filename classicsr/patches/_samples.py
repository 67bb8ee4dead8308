"""Training samples: pairs of low-resolution windows and high-resolution residual patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
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

    def windows(self, radius: int) -> Float32:
        """The low-resolution window around each low-resolution pixel: (h, w, side, side)."""
        return windows(self.low, radius)


@dataclass(frozen=True)
class EstimatePair:
    """An estimate of a high-resolution image and what it lacks.

    `residual` is (h * scale, w * scale) float32, the high-resolution image minus the estimate;
    `estimate` has a margin of as many low-resolution pixels as the radius of its windows.
    """

    estimate: Float32
    residual: Float32

    def windows(self, radius: int) -> Float32:
        """The window of the estimate around each low-resolution pixel: (h, w, side, side)."""
        scale = (len(self.estimate) - len(self.residual)) // (2 * radius)
        side = (2 * radius + 1) * scale
        view = np.lib.stride_tricks.sliding_window_view(self.estimate, (side, side))
        return view[::scale, ::scale]


class PatchSamples:
    """A seeded random subset of all patches of many image pairs.

    A patch is centred at a low-resolution pixel and covers `span` x `span` of them; those that
    reach over the border are left out.

    Parameters
    ----------
    pairs : sequence of TrainingPair or EstimatePair
    scale, span, radius : int
        `radius` of the window that features are computed from, in low-resolution pixels.
    n_samples : int or None
        At most so many patches; None takes all.
    random_state : RandomState
    n_jobs : int, optional
    """

    def __init__(
        self,
        pairs: Sequence[TrainingPair | EstimatePair],
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
        sizes = [np.prod([self._n_centers(n) for n in pair.residual.shape]) for pair in pairs]
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
        self._used = [i for i, inside in enumerate(self._chosen) if len(inside)]

    def moment(self) -> NDArray[np.float64]:
        """Sum of ``x x'`` over the windows of the chosen patches, in float64."""

        def of_pair(i: int) -> NDArray[np.float64]:
            x = self._windows(i).astype(np.float64)
            return x.T @ x

        return reduce(np.add, run_parallel(of_pair, self._used, self.n_jobs))

    def features(self, filters: Float32) -> Float32:
        """Features (n_samples, d) of the chosen patches; `filters` is (d, window pixels)."""
        out = np.empty((self.n_samples, len(filters)), np.float32)

        def of_pair(i: int) -> None:
            out[self._slices[i]] = self._windows(i) @ filters.T

        for _ in run_parallel(of_pair, self._used, self.n_jobs):
            pass
        return out

    def targets(self) -> Float32:
        """Residual patches (n_samples, (span * scale)^2) of the chosen patches."""
        side = self.span * self.scale
        out = np.empty((self.n_samples, side * side), np.float32)

        def of_pair(i: int) -> None:
            patches = np.lib.stride_tricks.sliding_window_view(
                self.pairs[i].residual, (side, side)
            )[:: self.scale, :: self.scale]
            rows, columns = divmod(self._chosen[i], patches.shape[1])
            out[self._slices[i]] = patches[rows, columns].reshape(-1, side * side)

        for _ in run_parallel(of_pair, self._used, self.n_jobs):
            pass
        return out

    def _windows(self, i: int) -> Float32:
        """Windows (n, n_pixels) of the chosen patches of one pair."""
        pair = self.pairs[i]
        rows, columns = divmod(self._chosen[i], self._n_centers(pair.residual.shape[1]))
        view = pair.windows(self.radius)
        return view[rows + self.rim, columns + self.rim].reshape(len(rows), -1)

    def _n_centers(self, n_pixels: int) -> int:
        """Patches along an axis of so many high-resolution pixels."""
        return max(0, n_pixels // self.scale - 2 * self.rim)
