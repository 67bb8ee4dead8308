"""Statistics that the filters of RAISR are solved from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.features import interpolation_matrix
from classicsr.kernels.filtering import window_rows
from classicsr.kernels.linear import sort_by_label
from classicsr.patches import TrainingPair, mirrored
from classicsr.regressors._hash import (
    SIGMA,
    GramStatistics,
    StructureTensorHash,
    equal_sum_edges,
    gaussian_weights,
    image_tensors,
    quantile_edges,
    strength_and_coherence,
)
from classicsr.super_resolution._filter_bank import FilterBank
from classicsr.super_resolution._hashed_tiles import (
    FILTER_RADIUS,
    FILTER_SIDE,
    HALO,
    REACH,
    RIM,
    interpolate,
)

Float32 = NDArray[np.float32]
_EDGE_SAMPLES = 1_000_000  # pixels that decide the bins
_BATCH = 1 << 18  # pixels whose statistics are added in one go


class InterpolatedPairs:
    """Training pairs with their interpolated images, which are made when they are needed.

    Parameters
    ----------
    pairs : sequence of TrainingPair
    scale : int
    """

    def __init__(self, pairs: Sequence[TrainingPair], scale: int) -> None:
        self.pairs = pairs
        self.scale = scale
        self._bank = FilterBank(interpolation_matrix(scale))

    def image(self, pair: TrainingPair) -> Float32:
        """The interpolated image with RIM low-resolution pixels around it."""
        rows, columns = (mirrored(-HALO, n + HALO, n) for n in pair.low.shape)
        block = np.ascontiguousarray(pair.low[np.ix_(rows, columns)])
        return interpolate(self._bank, self.scale, block, REACH)

    def fit_hash(
        self, n_angles: int, n_strengths: int, n_coherences: int, rng: Any
    ) -> StructureTensorHash:
        """A hash with bins for a random subset of the pixels."""
        n_pixels = sum(pair.residual.size for pair in self.pairs)
        share = min(1.0, _EDGE_SAMPLES / n_pixels)
        weights, chosen = gaussian_weights(SIGMA), []
        for pair in self.pairs:
            tensor = image_tensors(self.image(pair), RIM * self.scale, weights).reshape(3, -1)
            chosen.append(tensor[:, rng.random_sample(tensor.shape[1]) < share])
        strength, coherence = strength_and_coherence(np.concatenate(chosen, axis=1))
        return StructureTensorHash(
            n_angles,
            equal_sum_edges(strength, n_strengths),
            quantile_edges(coherence, n_coherences),
            FILTER_SIDE**2,
        )

    def statistics(self, partition: StructureTensorHash, n_jobs: int | None) -> GramStatistics:
        """Sums over all pixels, by pixel of the block and bucket."""
        sums = GramStatistics(self.scale**2 * partition.n_leaves, FILTER_SIDE**2, 1)
        batch: list[TrainingPair] = []
        for pair in self.pairs:
            batch.append(pair)
            if sum(one.residual.size for one in batch) >= _BATCH:
                self._add(batch, partition, sums, n_jobs)
                batch = []
        self._add(batch, partition, sums, n_jobs)
        return sums

    def _add(
        self,
        batch: Sequence[TrainingPair],
        partition: StructureTensorHash,
        sums: GramStatistics,
        n_jobs: int | None,
    ) -> None:
        if not batch:
            return
        images = [self.image(pair) for pair in batch]
        labels = [self._labels(image, partition) for image in images]
        order, starts = sort_by_label(np.concatenate(labels), len(sums.gram))
        residuals = np.concatenate([pair.residual.ravel() for pair in batch]).astype(np.float64)
        ends = np.cumsum([label.size for label in labels])

        def add(leaf: int) -> None:
            members = order[starts[leaf] : starts[leaf + 1]]
            windows = np.empty((len(members), FILTER_SIDE**2))
            parts = np.split(members, np.searchsorted(members, ends[:-1]))
            first = 0
            for image, label, end, part in zip(images, labels, ends, parts, strict=True):
                corners = self._corners(image, part - (end - label.size))
                window_rows(image, corners, FILTER_SIDE, windows[first : first + len(part)])
                first += len(part)
            sums.add(leaf, windows, residuals[members, None])

        for _ in run_parallel(add, np.flatnonzero(np.diff(starts)).tolist(), n_jobs):
            pass

    def _labels(self, image: Float32, partition: StructureTensorHash) -> NDArray[np.int32]:
        """Pixel of the block and bucket of each pixel, flattened."""
        codes = partition.of_image(image, RIM * self.scale)
        rows, columns = (np.arange(n) % self.scale for n in codes.shape)
        kinds = rows[:, None] * self.scale + columns
        return (kinds * partition.n_leaves + codes).astype(np.int32).ravel()

    def _corners(self, image: Float32, members: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat position in the image of the first pixel of each window."""
        margin = RIM * self.scale
        rows, columns = np.divmod(members, image.shape[1] - 2 * margin)
        first = margin - FILTER_RADIUS
        return (rows + first) * image.shape[1] + columns + first


def symmetrised(sums: GramStatistics, partition: StructureTensorHash, scale: int) -> GramStatistics:
    """Add to each bucket those that it becomes by flips and quarter turns of the image.

    The same sums as those of all eight versions of the images, without visiting them.
    """
    n_angles = partition.n_angles
    kinds = np.arange(scale**2).reshape(scale, scale)
    angles = np.arange(n_angles)
    taps = np.arange(FILTER_SIDE**2).reshape(FILTER_SIDE, FILTER_SIDE)
    gram = sums.gram.reshape(scale**2, n_angles, -1, *sums.gram.shape[1:])
    cross = sums.cross.reshape(scale**2, n_angles, -1, *sums.cross.shape[1:])
    total = GramStatistics(*sums.cross.shape)
    gram_out, cross_out = total.gram.reshape(gram.shape), total.cross.reshape(cross.shape)
    for turn in range(4):
        for flip in (False, True):
            kind = _moved(kinds, turn, flip).ravel()
            tap = _moved(taps, turn, flip).ravel()
            angle = (angles[::-1] if flip else angles)[(angles + turn * n_angles // 2) % n_angles]
            for k, source in enumerate(kind):
                for a, b in enumerate(angle):
                    gram_out[k, a] += gram[source, b][:, tap][:, :, tap]
                    cross_out[k, a] += cross[source, b][:, tap]
    return total


def _moved(grid: NDArray, turn: int, flip: bool) -> NDArray:
    turned = np.rot90(grid, turn)
    return turned[:, ::-1] if flip else turned
