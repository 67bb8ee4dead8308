"""Partitions: which leaf of a piecewise-linear map a patch belongs to.

A partition answers ``leaves(rows, positions)`` for patches given as rows of features, says
``n_leaves``, and turns into plain arrays and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class Partition(Protocol):
    """What the piecewise-linear map needs to know of its leaves."""

    @property
    def n_leaves(self) -> int: ...

    def leaves(self, rows: Float32, positions: Int64) -> Int32: ...

    def to_tensors(self) -> dict[str, NDArray]: ...


class WholeSpace:
    """One leaf for everything (global regression)."""

    n_leaves = 1

    def leaves(self, rows: Float32, positions: Int64) -> Int32:
        """Leaf 0 for each patch."""
        return np.zeros(len(positions), np.int32)

    def to_tensors(self) -> dict[str, NDArray]:
        """No arrays: there is nothing to store."""
        return {}


@dataclass(frozen=True)
class AnchorGroups:
    """Links for hierarchical search: the most correlated centre first, then its anchors.

    Attributes
    ----------
    centers : (n_groups, d) float32
    starts : (n_groups + 1,) int64
    links : (m,) int32
        ``links[starts[g]:starts[g + 1]]`` are the anchors of group g.
    """

    centers: Float32
    starts: Int64
    links: Int32


class NearestAnchor:
    """The leaf is the anchor of largest absolute correlation with the patch.

    Parameters
    ----------
    anchors : (n_anchors, d) float32
    groups : AnchorGroups, optional
        Makes the search hierarchical; without them it compares with every anchor.

    References
    ----------
    R. Timofte, V. De Smet, L. Van Gool, "A+", ACCV 2014; R. Timofte, R. Rothe, L. Van Gool,
    "Seven ways to improve example-based single image super resolution", CVPR 2016 (hierarchy).
    """

    def __init__(self, anchors: Float32, groups: AnchorGroups | None = None) -> None:
        self.anchors = np.ascontiguousarray(anchors, dtype=np.float32)
        self.groups = groups
        if groups is None:
            self._search = _Search(self.anchors, [np.arange(len(anchors))])
        else:
            self._group_search = _Search(groups.centers, [np.arange(len(groups.centers))])
            self._search = _Search(self.anchors, np.split(groups.links, groups.starts[1:-1]))

    @property
    def n_leaves(self) -> int:
        return len(self.anchors)

    def leaves(self, rows: Float32, positions: Int64) -> Int32:
        """Anchor of each patch.

        Parameters
        ----------
        rows : (n_rows, >= d) float32
        positions : (n,) int64
            Rows to search for.

        Returns
        -------
        (n,) int32
        """
        from classicsr.kernels.linear import sort_by_label

        everything = np.array([0, len(positions)], np.int64)
        if self.groups is None:
            return self._search(rows, positions, everything)
        group = self._group_search(rows, positions, everything)
        order, starts = sort_by_label(group, len(self.groups.centers))
        leaves = np.empty(len(positions), np.int32)
        leaves[order] = self._search(rows, positions[order], starts)
        return leaves

    def to_tensors(self) -> dict[str, NDArray]:
        """Arrays by name, as model files hold them."""
        if self.groups is None:
            return {"anchors": self.anchors}
        return {
            "anchors": self.anchors,
            "group_centers": self.groups.centers,
            "group_starts": self.groups.starts,
            "group_links": self.groups.links,
        }


class _Search:
    """`nearest_anchor` with its tables laid out: padded anchors, and the links of each group."""

    def __init__(self, anchors: Float32, links: Sequence[NDArray]) -> None:
        from classicsr.kernels.lanes import TILE_ROWS, pad_weights, round_up

        padded = [np.pad(x, (0, round_up(len(x), TILE_ROWS) - len(x)), mode="edge") for x in links]
        self._anchors = pad_weights(anchors)
        self._links = np.concatenate(padded).astype(np.int32)
        self._starts = np.cumsum([0, *map(len, padded)], dtype=np.int64)

    def __call__(self, rows: Float32, positions: Int64, groups: Int64) -> Int32:
        """Nearest linked anchor of each of `positions`, which are sorted by group."""
        from classicsr.kernels.search import nearest_anchor

        nearest = np.empty(len(positions), np.int32)
        nearest_anchor(rows, positions, groups, self._anchors, self._links, self._starts, nearest)
        return nearest


def grouped_anchors(
    anchors: Float32,
    samples: Float32,
    n_groups: int,
    *,
    coverage: float,
    random_state: np.random.RandomState,
) -> NearestAnchor:
    """Hierarchical search over `anchors`, with the links learned from samples.

    Centres are k-means of the samples on the half-sphere (a patch and its negative are one);
    each is linked to the anchors that win most often among its samples, until they cover the
    share `coverage` of them.

    Parameters
    ----------
    anchors : (n_anchors, d) float32
    samples : (n, d) float32
        Unit norm.
    n_groups : int
    coverage : float
        Share of the samples of a group whose true winner must be linked.
    random_state : RandomState
    """
    centers = half_sphere_kmeans(samples, n_groups, random_state)
    group = np.abs(samples @ centers.T).argmax(axis=1)
    winner = _winners(anchors, samples)
    lists = []
    for g in range(n_groups):
        wins = np.bincount(winner[group == g], minlength=len(anchors))
        ranked = np.argsort(-wins, kind="stable")
        needed = np.searchsorted(np.cumsum(wins[ranked]), coverage * wins.sum()) + 1
        lists.append(np.sort(ranked[:needed]))
    starts = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    links = np.concatenate(lists).astype(np.int32)
    return NearestAnchor(anchors, AnchorGroups(centers, starts, links))


def _winners(anchors: Float32, samples: Float32) -> Int32:
    """Exact nearest anchor of each sample."""
    return NearestAnchor(anchors).leaves(samples, np.arange(len(samples)))


def half_sphere_kmeans(
    samples: Float32, n_centers: int, rng: np.random.RandomState, n_iter: int = 12
) -> Float32:
    """Spherical k-means where a sample and its negative are the same point."""
    centers = samples[rng.permutation(len(samples))[:n_centers]].copy()
    for _ in range(n_iter):
        similarity = samples @ centers.T
        group = np.abs(similarity).argmax(axis=1)
        sign = np.sign(similarity[np.arange(len(samples)), group])
        for g in range(n_centers):
            total = (samples[group == g] * sign[group == g, None]).sum(axis=0)
            norm = np.linalg.norm(total)
            if norm > 0:
                centers[g] = total / norm
    return centers
