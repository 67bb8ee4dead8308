"""Partitions: which leaf of a piecewise-linear map a patch belongs to.

A partition answers ``leaves(blocks, positions)`` for patches in lane blocks (see
`classicsr.kernels.lanes`), says ``n_leaves``, and turns into plain arrays and back.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    def leaves(self, blocks: Float32, positions: Int64) -> Int32: ...

    def to_tensors(self) -> dict[str, NDArray]: ...


class WholeSpace:
    """One leaf for everything (global regression)."""

    n_leaves = 1

    def leaves(self, blocks: Float32, positions: Int64) -> Int32:
        """Leaf 0 for each patch."""
        return np.zeros(len(positions), np.int32)

    def to_tensors(self) -> dict[str, NDArray]:
        """No arrays: there is nothing to store."""
        return {}


class NearestAnchor:
    """The leaf is the anchor of largest absolute correlation with the patch.

    The search is hierarchical where `group_centers` are given: the most correlated centre
    first, then the anchors linked to it. Otherwise it compares with every anchor.

    Parameters
    ----------
    anchors : (n_anchors, d) float32
    group_centers : (n_groups, d) float32, optional
    group_starts : (n_groups + 1,) int64, optional
    group_anchors : (m,) int32, optional
        ``group_anchors[group_starts[g]:group_starts[g + 1]]`` are linked to group g.

    References
    ----------
    R. Timofte, V. De Smet, L. Van Gool, "A+", ACCV 2014; R. Timofte, R. Rothe, L. Van Gool,
    "Seven ways to improve example-based single image super resolution", CVPR 2016 (hierarchy).
    """

    def __init__(
        self,
        anchors: Float32,
        group_centers: Float32 | None = None,
        group_starts: Int64 | None = None,
        group_anchors: Int32 | None = None,
    ) -> None:
        from classicsr.kernels.lanes import pad_weights

        self.anchors = np.ascontiguousarray(anchors, dtype=np.float32)
        self.group_centers = group_centers
        self.group_starts = group_starts
        self.group_anchors = group_anchors
        self._anchors = pad_weights(self.anchors)
        self._all = _padded_list(np.arange(len(anchors), dtype=np.int32))
        if group_centers is not None:
            assert group_starts is not None and group_anchors is not None
            self._centers = pad_weights(group_centers)
            self._all_centers = _padded_list(np.arange(len(group_centers), dtype=np.int32))
            lists = [
                _padded_list(group_anchors[a:b])
                for a, b in zip(group_starts[:-1], group_starts[1:], strict=True)
            ]
            self._linked = np.concatenate(lists)
            self._linked_starts = np.cumsum([0, *map(len, lists)], dtype=np.int64)

    @property
    def n_leaves(self) -> int:
        return len(self.anchors)

    def leaves(self, blocks: Float32, positions: Int64) -> Int32:
        """Anchor of each patch.

        Parameters
        ----------
        blocks : (n_blocks, >= d rounded up, LANES) float32
        positions : (n,) int64
            Flat lane positions.

        Returns
        -------
        (n,) int32
        """
        from classicsr.kernels.lanes import LANES
        from classicsr.kernels.linear import sort_by_label
        from classicsr.kernels.search import nearest_anchor, nearest_anchor_in_groups

        nearest = np.empty((len(blocks), LANES), np.int32)
        if self.group_centers is None:
            nearest_anchor(blocks, self._anchors, self._all, nearest)
            return nearest.ravel()[positions]
        nearest_anchor(blocks, self._centers, self._all_centers, nearest)
        order, starts = sort_by_label(nearest.ravel()[positions], len(self.group_centers))
        by_group = np.empty(len(positions), np.int32)
        nearest_anchor_in_groups(
            blocks,
            positions[order],
            starts,
            self._anchors,
            self._linked_starts,
            self._linked,
            by_group,
        )
        leaves = np.empty_like(by_group)
        leaves[order] = by_group
        return leaves

    def to_tensors(self) -> dict[str, NDArray]:
        """Arrays by constructor parameter."""
        tensors = {"anchors": self.anchors}
        if self.group_centers is not None:
            assert self.group_starts is not None and self.group_anchors is not None
            tensors["group_centers"] = self.group_centers
            tensors["group_starts"] = self.group_starts
            tensors["group_anchors"] = self.group_anchors
        return tensors


def _padded_list(items: Int32) -> Int32:
    """Repeat the last item so that the length is a multiple of the kernel's tile."""
    from classicsr.kernels.lanes import TILE_ROWS, round_up

    extra = round_up(len(items), TILE_ROWS) - len(items)
    return np.pad(items, (0, extra), mode="edge")


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
    centers = _half_sphere_kmeans(samples, n_groups, random_state)
    group = np.abs(samples @ centers.T).argmax(axis=1)
    winner = _winners(anchors, samples)
    lists = []
    for g in range(n_groups):
        wins = np.bincount(winner[group == g], minlength=len(anchors))
        ranked = np.argsort(-wins, kind="stable")
        needed = np.searchsorted(np.cumsum(wins[ranked]), coverage * wins.sum()) + 1
        lists.append(np.sort(ranked[:needed]))
    starts = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    return NearestAnchor(anchors, centers, starts, np.concatenate(lists).astype(np.int32))


def _winners(anchors: Float32, samples: Float32) -> Int32:
    """Exact nearest anchor of each sample."""
    from classicsr.kernels.lanes import pack_rows

    return NearestAnchor(anchors).leaves(pack_rows(samples), np.arange(len(samples)))


def _half_sphere_kmeans(
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


def partition_from_tensors(tensors: Mapping[str, NDArray]) -> Partition:
    """The partition whose arrays these are (from `to_tensors`)."""
    return NearestAnchor(**tensors) if tensors else WholeSpace()
