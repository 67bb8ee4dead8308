"""Statistics that the filters of RAISR are solved from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.kernels.filtering import FILTER_SIDE
from classicsr.patches import TrainingPair, mirrored, windows
from classicsr.regressors._hash import (
    GradientHash,
    GramStatistics,
    fitted_hash,
    image_shapes,
    symmetries,
)
from classicsr.super_resolution._filter_bank import padded_pixels
from classicsr.super_resolution._hashed_tiles import FILTER_RADIUS

Float32 = NDArray[np.float32]
_EDGE_SAMPLES = 1_000_000  # pixels that decide the bins
_BATCH = 1 << 18  # pixels whose statistics are added in one go


def hash_of_pairs(
    pairs: Sequence[TrainingPair], n_angles: int, n_bins: Sequence[int], rng: Any
) -> GradientHash:
    """A hash with bins for a random subset of the low-resolution pixels."""
    share = min(1.0, _EDGE_SAMPLES / sum(pair.low.size for pair in pairs))
    chosen = [shapes[:, rng.random_sample(shapes.shape[1]) < share] for shapes in _shapes(pairs)]
    return fitted_hash(np.concatenate(chosen, axis=1), n_angles, n_bins, FILTER_SIDE**2)


def statistics_of_pairs(
    pairs: Sequence[TrainingPair], scale: int, partition: GradientHash, n_jobs: int | None
) -> GramStatistics:
    """Sums over all low-resolution pixels, by bucket: windows, and what their blocks lack."""
    sums = GramStatistics(partition.n_leaves, FILTER_SIDE**2, scale**2)
    for batch in _batches(pairs):
        leaves = np.concatenate([partition.of_shapes(shapes) for shapes in _shapes(batch)])
        x = np.concatenate([_differences(pair.low) for pair in batch])
        y = np.concatenate([_blocks(pair.residual, scale) for pair in batch])
        sums.add(leaves, x, y, n_jobs)
    return sums


def in_one_octant(sums: GramStatistics, scale: int) -> GramStatistics:
    """Statistics of the buckets of octant 0, all others flipped and turned into it.

    The same sums as those of all eight versions of the images, without visiting them.
    """
    n_buckets, n_taps, n_outputs = len(sums.gram) // 8, *sums.cross.shape[1:]
    total = GramStatistics(n_buckets, n_taps, n_outputs)
    parts = (one.reshape(8, n_buckets, n_taps, -1) for one in (sums.gram, sums.cross))
    turns = (symmetries(FILTER_SIDE), symmetries(scale))
    for gram, cross, taps, block in zip(*parts, *turns, strict=True):
        total.gram += gram[:, taps[:, None], taps]
        total.cross += cross[:, taps[:, None], block]
    return total


def _batches(pairs: Sequence[TrainingPair]) -> Iterator[list[TrainingPair]]:
    batch: list[TrainingPair] = []
    for pair in pairs:
        batch.append(pair)
        if sum(one.low.size for one in batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _shapes(pairs: Sequence[TrainingPair]) -> Iterator[Float32]:
    """Shapes of all pixels of each pair."""
    for pair in pairs:
        height, width = pair.low.shape
        rows, columns = (mirrored(-FILTER_RADIUS, n + FILTER_RADIUS, n) for n in pair.low.shape)
        pitch = len(columns)
        shapes = image_shapes(
            padded_pixels(pair.low[np.ix_(rows, columns)]),
            pitch,
            FILTER_RADIUS * (pitch + 1),
            height * pitch,
        )
        inside = shapes.reshape(len(shapes), height, pitch)[..., :width]
        yield inside.reshape(len(shapes), -1)


def _differences(low: Float32) -> Float32:
    """Windows (n, FILTER_SIDE^2) of all pixels, their central pixel subtracted."""
    rows = windows(low, FILTER_RADIUS).reshape(low.size, -1)
    return rows - low.reshape(-1, 1)


def _blocks(residual: Float32, scale: int) -> Float32:
    """High-resolution pixels (n, scale^2) of every low-resolution one."""
    height, width = (n // scale for n in residual.shape)
    blocks = residual.reshape(height, scale, width, scale).transpose(0, 2, 1, 3)
    return blocks.reshape(height * width, -1)
