"""Growing one tree of a super-resolution forest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._trees import LEAF, Tree

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Split = tuple[int, int, np.float32]
_TINY = np.float32(1e-12)
_SINGLE = 0.5  # share of the tests that look at one feature


@dataclass(frozen=True)
class SplitRules:
    """When and how a node is split: the parameters of `PatchForestRegressor`."""

    max_depth: int
    min_samples_leaf: int
    min_samples_split: int
    node_samples: int
    n_tests: int
    n_thresholds: int
    source_weight: float
    norm_floor: float


class GrowingTree:
    """A tree that grows level by level, from the root.

    Parameters
    ----------
    rows : (n, d + 2) float32
        Extended features.
    rules : SplitRules
    rng : RandomState

    Attributes
    ----------
    finished, growing : list of (n_samples,) int32
        Samples of the leaves, and of the nodes of the deepest level, which may yet be split.
    """

    def __init__(self, rows: Float32, rules: SplitRules, rng: np.random.RandomState) -> None:
        # in random order, so that any stretch of a node's samples is a random subset of them
        samples = rng.permutation(len(rows)).astype(np.int32)
        self.finished: list[Int32] = []
        self.growing = [samples]
        self._rows, self._rules, self._rng = rows, rules, rng
        self._scratch = np.empty_like(samples)
        self._depth = 0
        self._tests: list[tuple[int, int]] = []
        self._thresholds: list[np.float32] = []

    def grow(self, targets_of: Callable[[int, Int32], Float32]) -> list[int]:
        """Split the nodes of the deepest level, or make leaves of them.

        Parameters
        ----------
        targets_of : callable
            Targets of some samples of a node, by its number in ``finished + growing``.

        Returns
        -------
        list of int
            For each of the new ``finished + growing`` the number of the node it came from.
        """
        origins = list(range(len(self.finished)))
        children: list[Int32] = []
        parents: list[int] = []
        for number, inside in enumerate(self.growing, len(origins)):
            targets = partial(targets_of, number)
            split = _find_split(self._rows, targets, inside, self._depth, self._rules, self._rng)
            halves = _divide(self._rows, inside, split, self._rules.min_samples_leaf, self._scratch)
            if split is None or halves is None:
                self._tests.append((LEAF, LEAF))
                self._thresholds.append(np.float32(0))
                self.finished.append(inside)
                origins.append(number)
            else:
                self._tests.append(split[:2])
                self._thresholds.append(split[2])
                children += halves
                parents += [number, number]
        self.growing = children
        self._depth += 1
        return origins + parents

    def tree(self) -> Tree:
        """The finished tree."""
        return Tree(np.array(self._tests, np.int32), np.array(self._thresholds, np.float32))


def grow_tree(
    rows: Float32, targets: Float32, rules: SplitRules, rng: np.random.RandomState
) -> tuple[Tree, list[Int32]]:
    """Grow a tree breadth-first for the same targets throughout.

    Parameters
    ----------
    rows : (n, d + 2) float32
        Extended features.
    targets : (n, n_outputs) float32
    rules : SplitRules
    rng : RandomState

    Returns
    -------
    tree : Tree
    members : list of (n_samples,) int32
        The samples of each leaf.
    """
    growth = GrowingTree(rows, rules, rng)
    while growth.growing:
        growth.grow(lambda node, samples: targets[samples])
    return growth.tree(), growth.finished


def _divide(
    rows: Float32, inside: Int32, split: Split | None, least: int, scratch: Int32
) -> tuple[Int32, Int32] | None:
    """Samples of both children as views of `inside`, which is reordered; None if too few."""
    from classicsr.kernels.tree import split_samples

    if split is None:
        return None
    n_first = split_samples(rows, inside, *split, scratch)
    if min(n_first, len(inside) - n_first) < least:
        return None
    return inside[:n_first], inside[n_first:]


def _find_split(
    rows: Float32,
    targets_of: Callable[[Int32], Float32],
    inside: Int32,
    depth: int,
    rules: SplitRules,
    rng: np.random.RandomState,
) -> Split | None:
    """The best of some random tests, judged by a random subset of the node's samples."""
    n = len(inside)
    if depth == rules.max_depth or n < max(rules.min_samples_split, 2 * rules.min_samples_leaf):
        return None
    count = min(n, rules.node_samples)
    start = rng.randint(n - count + 1)
    chosen = inside[start : start + count]
    norms = rows[chosen, -2, None]
    x = rows[chosen] / np.maximum(norms, _TINY)
    y = targets_of(chosen) / np.maximum(norms, np.float32(rules.norm_floor))
    zero = x.shape[1] - 1
    first, second = rng.randint(zero - 1, size=(2, rules.n_tests))
    second[rng.random_sample(rules.n_tests) < _SINGLE] = zero
    values = x[:, first] - x[:, second]
    picked = rng.randint(count, size=(rules.n_thresholds, rules.n_tests))
    thresholds = np.vstack([np.take_along_axis(values, picked, 0), np.median(values, axis=0)])
    vectors = np.hstack([x * np.float32(rules.source_weight**0.5), y])
    gains = _gains(values, thresholds, vectors, count * rules.min_samples_leaf / n)
    best = np.unravel_index(np.argmax(gains), gains.shape)
    if not gains[best] > 0:
        return None
    return int(first[best[1]]), int(second[best[1]]), thresholds[best]


def _gains(values: NDArray, thresholds: NDArray, vectors: NDArray, least: float) -> NDArray:
    """How much each test lowers the summed squared deviation of `vectors` from their mean.

    Parameters
    ----------
    values : (n, n_tests) float32
        What each test compares with its thresholds.
    thresholds : (n_thresholds, n_tests) float32
    vectors : (n, k) float32
    least : float
        Children must have so many samples, or the gain is 0.

    Returns
    -------
    (n_thresholds, n_tests) float32
    """
    above = (values > thresholds[:, None]).transpose(0, 2, 1).reshape(-1, len(values))
    n_above = above.sum(axis=1)
    n_below = len(values) - n_above
    sums = above.astype(np.float32) @ (vectors - vectors.mean(axis=0))
    accepted = np.minimum(n_above, n_below) >= max(least, 1)
    shares = np.zeros(len(above))
    shares[accepted] = 1 / n_above[accepted] + 1 / n_below[accepted]
    return ((sums**2).sum(axis=1) * shares).reshape(thresholds.shape)
