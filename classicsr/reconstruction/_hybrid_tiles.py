"""Hybrid reconstruction of one block: a learned prior, its neighbours, TV and the data in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation, project, resize
from classicsr.patches import mirrored
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import noise_level, squared_norm
from classicsr.reconstruction._nonlocal_means import nonlocal_means
from classicsr.reconstruction._solve_tv import tv_denoise
from classicsr.super_resolution import SuperResolver
from classicsr.super_resolution._refinement import REACH, Refinement

Float32 = NDArray[np.float32]
BLOCK_SHAPE = (256, 256)
_HALO = 16  # low-resolution pixels: what lies farther away has no influence
_SEARCH_RADIUS = 8
_DENOISING = 0.4  # weight of TV per standard deviation of the noise: best on photographs
_LEFT = 0.3  # of the noise after it


@dataclass
class HybridTiles:
    """What `HybridSR` does, on blocks of any size; see there."""

    initial: SuperResolver
    model: Degradation
    scale: int
    n_poses: int
    n_iter: int
    tolerance: float
    similarity: float
    tv_weight: float
    noise: float | None
    refinements: list[Refinement]
    n_jobs: int | None
    report: Callable[[Convergence], None]
    halo: int = _HALO

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) -> (h * scale, w * scale)."""
        large = resize(block, self.scale) if interpolate_only else self.reconstruct(block)
        margin = self.halo * self.scale
        return large[margin:-margin, margin:-margin]

    def reconstruct(self, low: Float32) -> Float32:
        """The whole of (h, w) -> (h * scale, w * scale)."""
        noise = noise_level(low) if self.noise is None else self.noise
        if noise > 0:
            low, noise = tv_denoise(low, _DENOISING * noise), _LEFT * noise

        def agreeing(high: Float32) -> Float32:
            return project(high, low, self.model, noise=noise)

        high = agreeing(averaged_poses(self._initial, low, self.n_poses))
        high = self._alternate(high, agreeing)
        for stage in self.refinements:
            high = agreeing(averaged_poses(partial(_refined, stage), high, self.n_poses))
        if self.tv_weight > 0:
            high = agreeing(tv_denoise(high, self.tv_weight))
        return high

    def _initial(self, low: Float32) -> Float32:
        high: Float32 = self.initial.predict(low, scale=self.scale, data_range=(0.0, 1.0))
        return high

    def _alternate(self, high: Float32, agreeing: Callable[[Float32], Float32]) -> Float32:
        """Pull similar patches together and agree with the data, in turn."""
        widths, record = np.full_like(high, self.similarity), Convergence()
        for _ in range(self.n_iter):
            before = high
            high = agreeing(nonlocal_means(high, widths, _SEARCH_RADIUS, self.n_jobs))
            change = np.sqrt(squared_norm(high - before) / high.size)
            record.n_iter += 1
            if record.check(change, self.tolerance):
                break
        self.report(record)
        return high


def _refined(stage: Refinement, high: Float32) -> Float32:
    return stage.refine(with_margin(high, REACH * stage.scale))


def with_margin(image: Float32, margin: int) -> Float32:
    """`image` continued by mirroring on every side."""
    rows, columns = (mirrored(-margin, n + margin, n) for n in image.shape)
    return np.ascontiguousarray(image[np.ix_(rows, columns)])


def averaged_poses(method: Callable[[Float32], Float32], image: Float32, n_poses: int) -> Float32:
    """Mean of what a method makes of an image turned by quarters and, from the fifth on, mirrored.

    References
    ----------
    R. Timofte, R. Rothe, L. Van Gool, "Seven ways to improve example-based single image super
    resolution", CVPR 2016.
    """
    results = []
    for pose in range(n_poses):
        mirror, quarters = divmod(pose, 4)
        turned = np.rot90(image.T if mirror else image, quarters)
        made = np.rot90(method(np.ascontiguousarray(turned)), -quarters)
        results.append(made.T if mirror else made)
    return np.ascontiguousarray(np.mean(results, axis=0, dtype=np.float64).astype(np.float32))
