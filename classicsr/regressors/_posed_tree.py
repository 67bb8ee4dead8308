"""A tree of pixel tests as a partition of low-resolution pixels, each in its canonical pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._hash import symmetries
from classicsr.regressors._trees import LEAF, Tree

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]
TAP_RADIUS = 3
SIDE = 2 * TAP_RADIUS + 1
_ROWS, _COLUMNS = (axis.ravel() - TAP_RADIUS for axis in np.indices((SIDE, SIDE)))
WINDOW_TAPS = np.flatnonzero(_ROWS**2 + _COLUMNS**2 <= 10)
"""Pixels of a flattened SIDE x SIDE window that count, in raster order: about a disc."""
N_TAPS = len(WINDOW_TAPS)
CENTER = N_TAPS // 2
MOST_NODES = 1 << 15
"""Nodes of a tree: what fits into a packed test, see `kernels.posed.packed_tests`."""


def tap(row: int, column: int) -> int:
    """Number of the tap at a place relative to the centre."""
    return int(np.flatnonzero((row + TAP_RADIUS) * SIDE + column + TAP_RADIUS == WINDOW_TAPS)[0])


def posed_windows(windows: NDArray, poses: NDArray) -> NDArray:
    """Taps (n, N_TAPS) of flattened windows (n, SIDE^2), each turned out of its pose (n,)."""
    return np.take_along_axis(windows, symmetries(SIDE)[:, WINDOW_TAPS][poses], axis=1)


def tap_offsets(pitch: int) -> Int64:
    """Offset (8, N_TAPS) of each tap in an image whose rows are `pitch` apart, for each pose."""
    places = symmetries(SIDE)[:, WINDOW_TAPS]
    return np.ascontiguousarray(_ROWS[places] * pitch + _COLUMNS[places])


def candidate_tests() -> Int64:
    """Pairs of taps (n_tests, 2) that growing a tree tries.

    Within 5 x 5 pixels: a pixel and the centre, opposite pixels, neighbours. The centre and itself
    stand for the strength.
    """
    near = range(-2, 3)
    places = [(i, j) for i in near for j in near]
    pairs = [((0, 0), (0, 0))]
    pairs += [(place, (0, 0)) for place in places if place != (0, 0)]
    pairs += [((i, j), (-i, -j)) for i, j in places if (i, j) < (0, 0)]
    pairs += [((i, j), (i, j + 1)) for i, j in places if j < 2]
    pairs += [((i, j), (i + 1, j)) for i, j in places if i < 2]
    return np.array([[tap(*one), tap(*other)] for one, other in pairs])


class PosedTree(Tree):
    """A tree whose tests compare two pixels around the one in question.

    A pixel's pose is the flip or turn that brings the direction of the gradients around it (see
    `GradientHash`) into the first octant. Differences are counted in the sense of the slope and
    compared with a share of the strength, the root of the summed squared gradients: leaves know
    neither brightness nor contrast, flips, turns nor negatives, but for the tests of a pixel
    with itself, whose difference counts as 1.

    Parameters
    ----------
    tests : (n_nodes, 2) integer
        Taps whose difference is compared; LEAF in leaves.
    thresholds : (n_nodes,) float32

    Raises
    ------
    ValueError
        The nodes are not one tree, or one that is too deep or large, or a tap does not exist.
    """

    def __init__(self, tests: NDArray, thresholds: Float32) -> None:
        super().__init__(tests, thresholds)
        if tests.min() < LEAF or tests.max() >= N_TAPS:
            raise ValueError(f"a tap is outside 0 to {N_TAPS - 1}")
        if len(tests) > MOST_NODES:
            raise ValueError(f"there are more than {MOST_NODES} nodes")

    def laid_out(self, pitch: int) -> PosedWalk:
        """The tree for images whose rows are `pitch` apart."""
        from classicsr.kernels.posed import packed_tests

        inner = self.tests[:, 0] != LEAF
        taps = np.where(inner[:, None], self.tests, CENTER)
        children = self._steps[:, 2].astype(np.int64)
        tests = packed_tests(tap_offsets(pitch)[:, taps], children).ravel()
        limits = np.where(inner, self._limits, np.float32(np.inf))
        return PosedWalk(pitch, tests, limits, self.depth, self._numbers)

    @property
    def parents(self) -> NDArray[np.int64]:
        """Number of each node's parent; -1 for the root."""
        inner = np.flatnonzero(self.tests[:, 0] != LEAF)
        return np.concatenate([[-1], np.repeat(inner, 2)])

    @property
    def leaf_nodes(self) -> NDArray[np.int64]:
        """Node of each leaf."""
        return np.flatnonzero(self.tests[:, 0] == LEAF)


@dataclass(frozen=True)
class PosedWalk:
    """A tree's tables for one image width; see `kernels.posed.walk_pixels`."""

    pitch: int
    tests: Int64
    limits: Float32
    depth: int
    numbers: NDArray[np.int32]

    def leaves(self, pixels: Float32, start: int, shapes: Float32) -> NDArray[np.int32]:
        """Leaf of consecutive pixels, from `start` on, whose shapes (7, n) are given."""
        from classicsr.kernels.posed import slope_senses, walk_pixels

        poses, strengths = shapes[0], np.sqrt(shapes[3] + shapes[4])
        senses, leaves = np.empty_like(poses), np.empty(len(poses), np.int32)
        slope_senses(pixels, self.pitch, start, poses, senses)
        tables = self.tests, self.limits, self.numbers, self.depth
        walk_pixels(pixels, start, poses, senses, strengths, *tables, leaves)
        return leaves
