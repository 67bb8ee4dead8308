"""Fitting trees of pixel tests, and the filters of their leaves, to pairs of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.patches import TrainingPair, mirrored, windows
from classicsr.regressors._hash import GramStatistics, fitted_hash, image_shapes, symmetries
from classicsr.regressors._posed_tree import (
    CENTER,
    N_TAPS,
    SIDE,
    TAP_RADIUS,
    PosedTree,
    candidate_tests,
    posed_windows,
    tap,
)
from classicsr.regressors._tree_search import (
    LeastSquaresTree,
    bin_edges,
    bin_numbers,
    regression_products,
)
from classicsr.regressors._trees import LEAF
from classicsr.super_resolution._filter_bank import padded_pixels
from classicsr.super_resolution._tree_filter_tiles import RIM, TreeFilterTiles

Float32 = NDArray[np.float32]
N_INPUTS, N_OUTPUTS = 8, 4  # directions of windows and patches that splits are judged by
NEAR = np.array([tap(i, j) for i in range(-2, 3) for j in range(-2, 3) if i * i + j * j <= 5])
"""Taps of 5 x 5 pixels without corners: as good as the disc for what a first tree lacks."""
_BATCH = 1 << 18  # pixels whose statistics are added in one go


class PosedSamples:
    """Low-resolution pixels of a pair, in their poses.

    Attributes
    ----------
    leaves : (n,) int32
        0 without a tree.
    shapes : (7, n) float32
    x : (n, N_TAPS) float32
        Differences from the centre.
    y : (n, (scale + 2 RIM)^2) float32
    """

    def __init__(
        self, pair: TrainingPair, scale: int, tree: PosedTree | None, chosen: Any = slice(None)
    ) -> None:
        height, width = pair.low.shape
        rows, columns = (mirrored(-TAP_RADIUS, n + TAP_RADIUS, n) for n in pair.low.shape)
        pixels, pitch = padded_pixels(pair.low[np.ix_(rows, columns)]), len(columns)
        start = TAP_RADIUS * (pitch + 1)
        shapes = image_shapes(pixels, pitch, start, height * pitch)
        inside = (np.arange(height)[:, None] * pitch + np.arange(width)).ravel()[chosen]
        self.shapes = shapes[:, inside]
        self.leaves = np.zeros(len(inside), np.int32)
        if tree is not None:
            self.leaves = tree.laid_out(pitch).leaves(pixels, start, shapes)[inside]
        poses = self.shapes[0].astype(np.int64)
        near = windows(pair.low, TAP_RADIUS).reshape(-1, SIDE**2)[chosen]
        taps = posed_windows(near, poses)
        self.x = taps - taps[:, CENTER : CENTER + 1]
        patches = windows(pair.residual, RIM, scale).reshape(height * width, -1)[chosen]
        turns = symmetries(scale + 2 * RIM)[poses]
        self.y = np.take_along_axis(patches, turns, axis=1)


def grown_tree(
    pairs: Sequence[TrainingPair], scale: int, n_leaves: int, n_samples: int, rng: Any
) -> PosedTree:
    """A tree grown on a random subset of the low-resolution pixels."""
    share = min(1.0, n_samples / sum(pair.low.size for pair in pairs))
    samples = [
        PosedSamples(pair, scale, None, np.flatnonzero(rng.random_sample(pair.low.size) < share))
        for pair in pairs
    ]
    x, y = (np.concatenate([getattr(one, name) for one in samples]) for name in "xy")
    shapes = np.concatenate([one.shapes for one in samples], axis=1)
    products = regression_products(*_principal_parts(x, y, shapes))
    tests = candidate_tests()
    values = _test_values(x, shapes, tests)
    edges = bin_edges(values)
    grower = LeastSquaresTree(products, bin_numbers(values, edges), N_INPUTS, N_OUTPUTS)
    splits = np.array(grower.grow(n_leaves))
    inner = splits[:, 0] != LEAF
    columns = np.where(inner[:, None], tests[splits[:, 0]], LEAF).astype(np.int16)
    thresholds = np.where(inner, edges[splits[:, 0], splits[:, 1]], 0).astype(np.float32)
    return PosedTree(columns, thresholds)


def _principal_parts(x: Float32, y: Float32, shapes: Float32) -> tuple[NDArray, NDArray]:
    """The parts of windows and patches that matter most to which filter is best.

    Directions of the windows are those in which the filters of a gradient hash differ; of the
    patches, those in which one filter for all leaves most.
    """
    partition = fitted_hash(shapes, 8, (3, 3, 3), SIDE**2)
    leaves = partition.of_shapes(shapes) % (partition.n_leaves // 8)
    sums = GramStatistics(partition.n_leaves // 8, x.shape[1], y.shape[1])
    sums.add(leaves, x, y, n_jobs=1)
    whole = GramStatistics(1, x.shape[1], y.shape[1])
    whole.gram[0], whole.cross[0] = sums.gram.sum(0), sums.cross.sum(0)
    ridge = 1e-6 * np.trace(whole.gram[0])
    common = whole.maps(ridge, n_jobs=1)
    energies = np.trace(sums.gram, axis1=1, axis2=2)[:, None, None]
    changes = (sums.maps(ridge, n_jobs=1) - common) * np.sqrt(energies)
    directions = np.linalg.svd(np.hstack(list(changes)), full_matrices=False)[0][:, :N_INPUTS]
    lacking = y - x @ common[0]
    patterns = np.linalg.eigh(lacking.T @ lacking)[1][:, -N_OUTPUTS:]
    parts = x @ directions, lacking @ patterns
    return tuple(part / max(part.std(), 1e-6) for part in parts)


def _test_values(x: Float32, shapes: Float32, tests: NDArray) -> Float32:
    """Value (n, n_tests) that each test compares with its threshold."""
    along = x[:, tap(0, 1)] - x[:, tap(0, -1)]
    across = x[:, tap(1, 0)] - x[:, tap(-1, 0)]
    sense = np.where(along + np.float32(0.41) * across < 0, -1, 1).astype(np.float32)
    strength = np.maximum(np.sqrt(shapes[3] + shapes[4]), 1e-6)[:, None]
    values = (x[:, tests[:, 0]] - x[:, tests[:, 1]]) * sense[:, None]
    values[:, tests[:, 0] == tests[:, 1]] = 1.0
    return values / strength


def fitted_filters(
    pairs: Sequence[TrainingPair],
    scale: int,
    tree: PosedTree,
    taps: NDArray[np.int64],
    *,
    n_passes: int,
    smoothing: float,
    ridge: float,
    n_jobs: int | None,
    tell: Callable[[], None],
) -> tuple[Float32, list[TrainingPair]]:
    """Filters of a tree, which only use some taps, and the pairs without what they give.

    A pass fits each patch on its own to what the image still lacks after overlaps are averaged.
    Passes come closer to the joint regression of all patches; none makes the error larger: a
    squared mean is at most the mean of the squares, so that patches fitted on their own bound it.
    """
    left = list(pairs)
    filters = np.zeros((tree.n_leaves, (scale + 2 * RIM) ** 2, N_TAPS), np.float32)
    for _ in range(n_passes):
        step = np.zeros_like(filters)
        step[:, :, taps] = smoothed_filters(
            left, scale, tree, taps, smoothing=smoothing, ridge=ridge, n_jobs=n_jobs
        )
        filters += step
        left = _lacking(left, TreeFilterTiles(scale, [tree], [step]), n_jobs)
        tell()
    return filters, left


def _lacking(
    pairs: Sequence[TrainingPair], tiles: TreeFilterTiles, n_jobs: int | None
) -> list[TrainingPair]:
    """The pairs without what the tiles add to the interpolated images."""

    def lacking(pair: TrainingPair) -> TrainingPair:
        rows, columns = (mirrored(-tiles.halo, n + tiles.halo, n) for n in pair.low.shape)
        block = pair.low[np.ix_(rows, columns)]
        given = tiles.upscale(block, interpolate_only=False)
        given -= tiles.upscale(block, interpolate_only=True)
        return TrainingPair(pair.low, pair.residual - given)

    return list(run_parallel(lacking, pairs, n_jobs))


def smoothed_filters(
    pairs: Sequence[TrainingPair],
    scale: int,
    tree: PosedTree,
    taps: NDArray[np.int64],
    *,
    smoothing: float,
    ridge: float,
    n_jobs: int | None,
) -> Float32:
    """Filters (n_leaves, (scale + 2 RIM)^2, n_taps) of all pixels of the pairs.

    The statistics of a leaf are joined by those of `smoothing` samples of its parent, whose
    own are joined by those of its parent.
    """
    n_outputs = (scale + 2 * RIM) ** 2
    sums = GramStatistics(tree.n_leaves, len(taps), n_outputs)
    counts = np.zeros(tree.n_leaves)
    for leaves, x, y in _batches(pairs, scale, tree):
        sums.add(leaves, x[:, taps], y, n_jobs)
        counts += np.bincount(leaves, minlength=tree.n_leaves)
    _smooth(sums, counts, tree, smoothing)
    return np.ascontiguousarray(sums.maps(ridge, n_jobs).transpose(0, 2, 1))


def _smooth(sums: GramStatistics, counts: NDArray, tree: PosedTree, smoothing: float) -> None:
    """Join the statistics of each leaf with those of its ancestors, in place."""
    parents, leaves = tree.parents, tree.leaf_nodes
    for name in ("gram", "cross"):
        own = getattr(sums, name)
        nodes = np.zeros((len(parents), *own.shape[1:]))
        nodes[leaves] = own
        n = np.zeros(len(parents))
        n[leaves] = counts
        for node in range(len(parents) - 1, 0, -1):
            nodes[parents[node]] += nodes[node]
            n[parents[node]] += n[node]
        for node in range(1, len(parents)):
            nodes[node] += nodes[parents[node]] * (smoothing / n[parents[node]])
            n[node] += smoothing
        setattr(sums, name, nodes[leaves])


def _batches(
    pairs: Sequence[TrainingPair], scale: int, tree: PosedTree
) -> Iterator[tuple[NDArray[np.int32], Float32, Float32]]:
    """Leaves, windows and patches of some pairs at a time."""
    batch: list[PosedSamples] = []
    for number, pair in enumerate(pairs):
        batch.append(PosedSamples(pair, scale, tree))
        if number == len(pairs) - 1 or sum(len(one.leaves) for one in batch) >= _BATCH:
            leaves, x, y = (
                np.concatenate([getattr(one, name) for one in batch])
                for name in ("leaves", "x", "y")
            )
            yield leaves, x, y
            batch = []
