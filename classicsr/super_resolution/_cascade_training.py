"""Fitting a stage of a cascade: partition, statistics of each fold of images, maps, estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel, thread_budget
from classicsr.features import (
    ESTIMATE_SIDE,
    WINDOW_RADIUS,
    centered_emphasis,
    symmetric_filters,
)
from classicsr.kernels.overlap import SPAN
from classicsr.regressors._canonical import (
    CanonicalMap,
    CanonicalPartition,
    CanonicalPose,
    canonical_patches,
)
from classicsr.regressors._hash import GramStatistics
from classicsr.super_resolution._cascade_images import StoredImage
from classicsr.super_resolution._filter_bank import FilterBank, padded_pixels
from classicsr.super_resolution._patch_tiles import RIM
from classicsr.super_resolution._refinement import REACH, phase_pixels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
_WIDTH, _HIGH_PASS = 1.2, 0.9  # of the emphasis; chosen on held-out images, flat optima
_SEARCHED = 32  # features that cells are told apart by
_SAMPLES = 200_000  # patches that filters and cells are learned from
_ITERATIONS = 12
_RIDGE = 1e-6  # only keeps leaves without samples solvable
_BATCH = 1 << 18  # patches whose statistics are added in one go


@dataclass(frozen=True)
class StageSettings:
    """What stages are fitted with; see `CascadeSR`. `n_cells` of the first and of the others."""

    scale: int
    n_stages: int
    n_features: int
    n_cells: tuple[int, int]
    prior_samples: float
    n_folds: int
    n_jobs: int | None = field(repr=False)


class StagePatches:
    """Patches of the images as stage `number` (from 0 on) sees them.

    A stage sees windows of what the one before left, around each low-resolution pixel whose
    patch lies inside the image. The first one sees the low-resolution image.
    """

    def __init__(self, number: int, scale: int, n_stages: int) -> None:
        self.number, self.scale = number, scale
        self.block = scale if number else 1
        self.radius = ESTIMATE_SIDE // 2 if number else WINDOW_RADIUS
        first_halo = 0 if number else WINDOW_RADIUS + RIM
        self.margin = first_halo + REACH * (n_stages - number if number else n_stages - 1)

    @property
    def side(self) -> int:
        """Pixels across a window."""
        return (2 * self.radius + 1) * self.block

    def windows(self, image: StoredImage, chosen: NDArray[np.int64]) -> Float32:
        """Windows (n, side^2) around the chosen of the centres."""
        reach = (self.margin - self.radius + RIM) * self.block
        estimate = image.estimate(self.number)[reach:-reach, reach:-reach]
        view = np.lib.stride_tricks.sliding_window_view(estimate, (self.side, self.side))
        rows, columns = divmod(chosen, image.shape[1] - 2 * RIM)
        found: Float32 = view[:: self.block, :: self.block][rows, columns]
        return found.reshape(len(chosen), -1)

    def residuals(self, image: StoredImage, chosen: Any = slice(None)) -> Float32:
        """What the patches around the centres lack, (n, (SPAN * scale)^2)."""
        lacking = image.high() - self._so_far(image)
        side = SPAN * self.scale
        view = np.lib.stride_tricks.sliding_window_view(lacking, (side, side))
        patches: Float32 = view[:: self.scale, :: self.scale].reshape(-1, side * side)[chosen]
        return patches

    def features(self, image: StoredImage, bank: FilterBank) -> tuple[Float32, NDArray[np.int64]]:
        """Rows of responses, and the rows that belong to the centres."""
        estimate = image.estimate(self.number)
        height, width = (n // self.block for n in estimate.shape)
        pixels = phase_pixels(estimate, self.scale) if self.number else padded_pixels(estimate)
        start = (self.margin + RIM) * (width + 1)
        rows, columns = (n - 2 * RIM for n in image.shape)
        n_positions = (rows - 1) * width + columns
        plane = height * width if self.number else 0
        responses = bank.responses(pixels, width, start, n_positions, plane)
        return responses, (np.arange(rows)[:, None] * width + np.arange(columns)).ravel()

    def _so_far(self, image: StoredImage) -> Float32:
        if not self.number:
            return image.interpolated()
        inside = slice(self.margin * self.scale, -self.margin * self.scale or None)
        return image.estimate(self.number)[inside, inside]


def fit_stage(
    patches: StagePatches,
    images: Sequence[StoredImage],
    settings: StageSettings,
    seed: int,
    tell: Callable[[], None],
) -> tuple[Float32, CanonicalMap, list[CanonicalMap]]:
    """A stage: its filters, its maps, and for each fold the maps of all the other images."""
    with thread_budget(1):  # so that sums, and the result, do not depend on threads
        filters, pose, partition = _learned_partition(patches, images, settings, seed)
    tell()
    bank = FilterBank(filters, patches.block)
    shape = (len(partition.centers), len(filters), (SPAN * patches.scale) ** 2)
    total, folds = GramStatistics(*shape), [GramStatistics(*shape) for _ in range(settings.n_folds)]
    for fold, sums in enumerate(folds):
        members = [image for image in images if image.fold == fold]
        for x, y, cells in _batches(patches, members, bank, pose, partition, settings.n_jobs):
            sums.add(cells, x, y, settings.n_jobs)
        total.merge(sums)
    tell()

    def fitted(without: GramStatistics | None) -> CanonicalMap:
        sums = GramStatistics(*shape)
        sums.merge(total)
        if without is not None:
            sums.merge(without, -1)
        sums.join(settings.prior_samples)
        return CanonicalMap(pose, partition, sums.maps(_RIDGE, settings.n_jobs))

    final = fitted(None)
    return filters, final, [fitted(fold) for fold in folds] if len(folds) > 1 else [final]


def _learned_partition(
    patches: StagePatches,
    images: Sequence[StoredImage],
    settings: StageSettings,
    seed: int,
) -> tuple[Float32, CanonicalPose, CanonicalPartition]:
    """Filters of mean square response 1, poses, and cells by k-means of a sample."""
    rng = np.random.RandomState(seed)
    sample = np.concatenate(list(_sampled_windows(patches, images, rng)))
    moment = (sample.T @ sample).astype(np.float64) / len(sample)
    emphasis = centered_emphasis(patches.side, patches.block, _WIDTH, _HIGH_PASS)
    found = symmetric_filters(moment, emphasis, settings.n_features)
    strengths = np.sqrt(found.energies)
    filters = (found.filters / strengths[:, None]).astype(np.float32)
    pose = CanonicalPose(found.parities)
    posed, _ = pose.apply(np.ascontiguousarray(sample @ filters.T), np.arange(len(sample)))
    weights = np.sqrt(strengths / strengths[0])[:_SEARCHED].astype(np.float32)
    nothing = CanonicalPartition(weights, np.zeros((1, len(weights)), np.float32))
    queries = np.ascontiguousarray(nothing.queries(posed)[:, :-1])
    centers = _kmeans(
        queries, min(settings.n_cells[patches.number > 0], len(queries)), int(rng.randint(1 << 30))
    )
    return filters, pose, CanonicalPartition(weights, centers)


def _sampled_windows(
    patches: StagePatches, images: Sequence[StoredImage], rng: np.random.RandomState
) -> Iterator[Float32]:
    share = min(1.0, _SAMPLES / sum(image.n_pixels for image in images))
    for image in images:
        centres = (image.shape[0] - 2 * RIM) * (image.shape[1] - 2 * RIM)
        chosen = np.flatnonzero(rng.random_sample(centres) < share)
        windows = patches.windows(image, chosen)
        yield windows - windows.mean(axis=1, keepdims=True)


def _kmeans(queries: Float32, n_cells: int, seed: int) -> Float32:
    """Centres, as float16 holds them, so that a stored model has the very same cells."""
    import faiss

    means = faiss.Kmeans(
        queries.shape[1],
        n_cells,
        niter=_ITERATIONS,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=max(256, len(queries) // n_cells),
    )
    with thread_budget(1):  # FAISS is only known to the budget once it is imported
        means.train(queries)
    centers: Float32 = np.asarray(means.centroids, np.float16).astype(np.float32)
    return centers


def _batches(
    patches: StagePatches,
    images: Sequence[StoredImage],
    bank: FilterBank,
    pose: CanonicalPose,
    partition: CanonicalPartition,
    n_jobs: int | None,
) -> Iterator[tuple[Float32, Float32, NDArray[np.int32]]]:
    """Posed features, posed residuals and cells of some images at a time."""

    def encoded(image: StoredImage) -> tuple[Float32, Float32, NDArray[np.int32]]:
        posed, poses = pose.apply(*patches.features(image, bank))
        return posed, canonical_patches(patches.residuals(image), poses), partition.cells(posed)

    batch: list[tuple[NDArray, ...]] = []
    for number, one in enumerate(run_parallel(encoded, images, n_jobs)):
        batch.append(one)
        if number == len(images) - 1 or sum(len(x) for x, _, _ in batch) >= _BATCH:
            x, y, cells = (np.concatenate(parts) for parts in zip(*batch, strict=True))
            yield x, y, cells
            batch = []
