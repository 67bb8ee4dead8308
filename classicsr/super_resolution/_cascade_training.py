"""Fitting a stage of a cascade: partition, statistics of each fold of images, maps, estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

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
    CanonicalPart,
    CanonicalPartition,
    CanonicalPose,
    canonical_patches,
)
from classicsr.regressors._hash import GramStatistics
from classicsr.super_resolution._cascade_images import StoredImage, inside
from classicsr.super_resolution._filter_bank import FilterBank, padded_pixels
from classicsr.super_resolution._patch_tiles import RIM, ResidualPatches
from classicsr.super_resolution._refinement import REACH, phase_pixels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
_WIDTH, _HIGH_PASS = 1.2, 0.9  # of the emphasis; chosen on held-out images, flat optima
_SEARCHED = 32  # features that cells of the first part are told apart by
_CHOSEN, _CHOSEN_FROM = 8, 40  # and those of further parts: so many of the strongest
_SAMPLES = 200_000  # patches that filters and cells are learned from
_ITERATIONS = 12
_RIDGE = 1e-6  # only keeps leaves without samples solvable
_BATCH = 1 << 18  # patches whose statistics are added in one go


@dataclass(frozen=True)
class StageSettings:
    """What stages are fitted with; see `CascadeSR`."""

    scale: int
    n_stages: int
    n_parts: int
    n_cells: int
    n_features: int
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

    def before(self, image: StoredImage) -> Float32:
        """What this stage adds to, with the margin that its result has."""
        if not self.number:
            return image.interpolated()
        return inside(image.estimate(self.number), REACH * self.scale)

    def residuals(self, image: StoredImage, added: Float32 | None) -> Float32:
        """What the patches around the centres lack, (n, (SPAN * scale)^2)."""
        estimate = self.before(image) if added is None else self.before(image) + added
        margin = (len(estimate) - len(image.high())) // 2
        lacking = image.high() - inside(estimate, margin)
        side = SPAN * self.scale
        view = np.lib.stride_tricks.sliding_window_view(lacking, (side, side))
        patches: Float32 = view[:: self.scale, :: self.scale].reshape(-1, side * side)
        return patches

    def features(self, image: StoredImage, bank: FilterBank) -> tuple[Float32, NDArray[np.int64]]:
        """Rows of responses, and the rows that belong to the centres."""
        pixels, pitch, plane = self._pixels(image)
        rows, columns = (n - 2 * RIM for n in image.shape)
        n_positions = (rows - 1) * pitch + columns
        responses = bank.responses(
            pixels, pitch, (self.margin + RIM) * (pitch + 1), n_positions, plane
        )
        return responses, (np.arange(rows)[:, None] * pitch + np.arange(columns)).ravel()

    def add(self, image: StoredImage, patches: ResidualPatches, added: Float32) -> Float32:
        """`added`, which has the margin of the result, and what a regressor adds to it."""
        pixels, pitch, plane = self._pixels(image)
        patches.add_to(added, pixels, pitch, plane)
        return added

    def _pixels(self, image: StoredImage) -> tuple[Float32, int, int]:
        """What filter banks see: pixels, those of a row, those of a phase."""
        estimate = image.estimate(self.number)
        height, width = (n // self.block for n in estimate.shape)
        if self.number:
            return phase_pixels(estimate, self.scale), width, height * width
        return padded_pixels(estimate), width, 0


def fit_stage(
    patches: StagePatches,
    images: Sequence[StoredImage],
    settings: StageSettings,
    seed: int,
    tell: Callable[[], None],
) -> tuple[Float32, CanonicalMap]:
    """A stage; leaves with each image what the model that was fitted without it adds.

    There is a model for each fold, which learns from all the other images (from all, if there
    is but one fold). A part learns what the parts before it lack on the very images that they
    were fitted on. The stage is the mean of the models.
    """
    with thread_budget(1):  # so that sums, and the result, do not depend on threads
        sample, filters, pose, strengths = _learned_features(patches, images, settings, seed)
    bank = FilterBank(filters, patches.block)
    rng = np.random.RandomState(seed)
    parts: list[CanonicalPart] = []
    for number in range(settings.n_parts):
        partition = _learned_partition(sample, strengths, number, settings.n_cells, rng)
        encoder = _Encoder(patches, bank, pose, partition, number > 0)
        models = [
            CanonicalPart(partition, _fitted_maps(encoder, fold, images, settings))
            for fold in range(settings.n_folds)
        ]
        _add_part(patches, filters, pose, models, images, settings, first=number == 0)
        maps: Float32 = np.mean([model.maps for model in models], axis=0, dtype=np.float32)
        parts.append(CanonicalPart(partition, maps))
        tell()
    return filters, CanonicalMap(pose, parts)


@dataclass(frozen=True)
class _Encoder:
    """Posed features, posed residuals and cells of images, for one part of a stage."""

    patches: StagePatches
    bank: FilterBank
    pose: CanonicalPose
    partition: CanonicalPartition
    has_added: bool

    def __call__(self, job: tuple[StoredImage, int]) -> tuple[Float32, Float32, NDArray[np.int32]]:
        image, fold = job
        posed, poses = self.pose.apply(*self.patches.features(image, self.bank))
        added = image.added(fold) if self.has_added else None
        residuals = self.patches.residuals(image, added)
        return posed, canonical_patches(residuals, poses), self.partition.cells(posed)


def _fitted_maps(
    encoder: _Encoder, fold: int, images: Sequence[StoredImage], settings: StageSettings
) -> Float32:
    """Maps of the model that learns from all images but those of a fold."""
    side = SPAN * settings.scale
    n_cells, n_features = encoder.partition.centers.shape
    sums = GramStatistics(n_cells, n_features, side * side)
    jobs = [(image, fold) for image in images if image.fold != fold or settings.n_folds == 1]
    batch: list[tuple[NDArray, ...]] = []
    for number, one in enumerate(run_parallel(encoder, jobs, settings.n_jobs)):
        batch.append(one)
        if number == len(jobs) - 1 or sum(len(x) for x, _, _ in batch) >= _BATCH:
            x, y, cells = (np.concatenate(some) for some in zip(*batch, strict=True))
            sums.add(cells, x, y, settings.n_jobs)
            batch = []
    sums.join(settings.prior_samples)
    return sums.maps(_RIDGE, settings.n_jobs)


def _add_part(
    patches: StagePatches,
    filters: Float32,
    pose: CanonicalPose,
    models: Sequence[CanonicalPart],
    images: Sequence[StoredImage],
    settings: StageSettings,
    *,
    first: bool,
) -> None:
    """Let each image know what a part adds to it, in each of the models."""
    residuals = [
        ResidualPatches(
            settings.scale, FilterBank(filters, patches.block), CanonicalMap(pose, [model])
        )
        for model in models
    ]

    def update(image: StoredImage) -> None:
        for fold, one in enumerate(residuals):
            added = np.zeros_like(patches.before(image)) if first else image.added(fold)
            image.write_added(fold, patches.add(image, one, added))

    for _ in run_parallel(update, images, settings.n_jobs):
        pass


def _learned_features(
    patches: StagePatches, images: Sequence[StoredImage], settings: StageSettings, seed: int
) -> tuple[Float32, Float32, CanonicalPose, Float64]:
    """Posed features of a sample; filters of mean square response 1, poses, and strengths."""
    rng = np.random.RandomState(seed)
    sample = np.concatenate(list(_sampled_windows(patches, images, rng)))
    moment = (sample.T @ sample).astype(np.float64) / len(sample)
    emphasis = centered_emphasis(patches.side, patches.block, _WIDTH, _HIGH_PASS)
    found = symmetric_filters(moment, emphasis, settings.n_features)
    strengths = np.sqrt(found.energies)
    filters = (found.filters / strengths[:, None]).astype(np.float32)
    pose = CanonicalPose(found.parities)
    posed, _ = pose.apply(np.ascontiguousarray(sample @ filters.T), np.arange(len(sample)))
    return posed, filters, pose, strengths


def _learned_partition(
    posed: Float32, strengths: Float64, part: int, n_cells: int, rng: np.random.RandomState
) -> CanonicalPartition:
    """Cells by k-means: of the strongest features for the first part, else of some of them."""
    candidates = min(_SEARCHED, len(strengths))
    if part:
        chosen = rng.permutation(min(_CHOSEN_FROM, len(strengths)))[:_CHOSEN]
    else:
        chosen = np.arange(candidates)
    weights = np.zeros(len(strengths), np.float32)
    weights[chosen] = np.sqrt(strengths[chosen] / strengths[chosen].max())
    nowhere = CanonicalPartition(weights, np.zeros((1, len(weights)), np.float32))
    queries = np.ascontiguousarray(nowhere.queries(posed)[:, :-1])
    means = _kmeans(queries, min(n_cells, len(queries)), int(rng.randint(1 << 30)))
    centers = np.zeros((len(means), len(weights)), np.float32)
    centers[:, weights > 0] = means
    return CanonicalPartition(weights, centers)


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
