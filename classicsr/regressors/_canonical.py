"""Piecewise-linear regression of patches in their canonical pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._partitions import NearestAnchor
from classicsr.regressors._piecewise import RowsPredictor

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
_STEEPNESS = np.float32(5.0)
_FARTHEST = 64.0  # above any sum that is compared: keeps them all positive


class CanonicalPose:
    """What flips, turns and changes of sign do to features.

    Parameters
    ----------
    parities : (n_features, 3) int8
        See `features.SymmetricFilters`.

    Raises
    ------
    ValueError
        They are not those of filters with the symmetries of a square, or lack a slope or a
        curvature to tell the pose by.
    """

    def __init__(self, parities: NDArray[np.int8]) -> None:
        self.parities = np.asarray(parities, np.int8)
        kinds = [tuple(kind) for kind in self.parities.tolist()]
        first = [k for k, kind in enumerate(kinds) if kind == (-1, 1, 0)]
        second = [k for k, kind in enumerate(kinds) if kind == (1, -1, 0)]
        single = {(h, h, t) for h in (-1, 1) for t in (-1, 1)}
        if [k + 1 for k in first] != second or len(single.union(kinds) - single) > 2:
            raise ValueError("are not those of a basis with the symmetries of a square")
        if not first or (1, 1, 1) not in kinds:
            raise ValueError("have no slope or no curvature")
        self._guides = np.array([first[0], second[0], kinds.index((1, 1, 1))])
        self._partners = np.arange(len(kinds))
        self._partners[first], self._partners[second] = second, first
        self._senses = np.where(self.parities[:, 2] == 0, 1, self.parities[:, 2]).astype("f4")
        left, up = self.parities[:, 0].astype("f4"), self.parities[:, 1].astype("f4")
        self._signs = np.empty((16, len(kinds)), np.float32)
        for pose, signs in enumerate(self._signs):
            signs[:] = -1 if pose & 8 else 1
            signs *= left if pose & 1 else 1
            signs *= up if pose & 2 else 1

    def apply(self, rows: Float32, positions: Int64) -> tuple[Float32, Int32]:
        """Features of ``rows[positions]`` in their canonical pose, and their poses."""
        from classicsr.kernels.canonical import pose_rows

        posed = np.empty((len(positions), len(self.parities)), np.float32)
        poses = np.empty(len(positions), np.int32)
        pose_rows(
            rows,
            positions,
            self._guides,
            self._signs,
            self._partners,
            self._senses,
            posed,
            poses,
        )
        return posed, poses


def canonical_places(n_pixels: int) -> Int64:
    """Which pixel of a square patch each pixel of its canonical pose is: (8, n_pixels)."""
    grid = np.arange(n_pixels).reshape(round(n_pixels**0.5), -1)
    poses = []
    for pose in range(8):
        flipped = grid[:: -1 if pose & 2 else 1, :: -1 if pose & 1 else 1]
        poses.append((flipped.T if pose & 4 else flipped).ravel())
    return np.stack(poses)


def canonical_patches(patches: Float32, poses: Int32) -> Float32:
    """Square patches (n, n_pixels), each put into its canonical pose."""
    places = canonical_places(patches.shape[1])[poses & 7]
    signs = np.where(poses & 8, -1, 1).astype(np.float32)
    turned: Float32 = np.take_along_axis(patches, places, axis=1) * signs[:, None]
    return turned


class CanonicalPartition:
    """Cells of posed features: that of the nearest centre, in features whose norm is compressed.

    Parameters
    ----------
    weights : (n_features,) float32
        Of the features; those of weight 0 play no part.
    centers : (n_cells, n_features) float32
    """

    def __init__(self, weights: Float32, centers: Float32) -> None:
        self.weights, self.centers = weights, centers
        self._chosen = np.flatnonzero(weights)
        self._own_weights, centers = weights[self._chosen], centers[:, self._chosen]
        # |q - c|^2 is least where q.c - |c|^2 / 2 is largest; the search takes magnitudes
        offsets = _FARTHEST - np.square(centers, dtype=np.float64).sum(axis=1, keepdims=True) / 2
        self._search = NearestAnchor(np.hstack([centers, offsets]).astype(np.float32))

    def queries(self, posed: Float32) -> Float32:
        """What centres are compared with, for features of weight, and a column of ones."""
        from classicsr.kernels.canonical import compress_rows

        queries = np.empty((len(posed), len(self._chosen) + 1), np.float32)
        compress_rows(posed, self._chosen, self._own_weights, _STEEPNESS, queries)
        return queries

    def cells(self, posed: Float32) -> Int32:
        """Cell of each row of posed features."""
        return self._search.leaves(self.queries(posed), np.arange(len(posed)))


@dataclass(frozen=True)
class CanonicalPart:
    """A partition, and a linear map for each of its cells, (n_cells, n_features, n_outputs)."""

    partition: CanonicalPartition
    maps: Float32


class CanonicalMap(RowsPredictor):
    """A sum of piecewise-linear maps of patches in their canonical pose.

    Parameters
    ----------
    pose : CanonicalPose
    parts : sequence of CanonicalPart
        Outputs are the pixels of a square patch.
    """

    def __init__(self, pose: CanonicalPose, parts: Sequence[CanonicalPart]) -> None:
        from classicsr.kernels.linear import chunk_maps

        self.pose, self.parts = pose, tuple(parts)
        self.n_outputs = parts[0].maps.shape[2]
        self._chunks = [chunk_maps(part.maps) for part in parts]
        self._places = canonical_places(self.n_outputs)

    def predict_rows(self, rows: Float32, positions: Int64, out: Float32) -> None:
        """Write the patches of ``rows[positions]`` to `out`."""
        from classicsr.kernels.canonical import unpose_rows
        from classicsr.kernels.linear import apply_leaf_maps, sort_by_label

        posed, poses = self.pose.apply(rows, positions)
        everything = np.arange(len(posed))
        for number, (part, chunks) in enumerate(zip(self.parts, self._chunks, strict=True)):
            order, starts = sort_by_label(part.partition.cells(posed), len(part.maps))
            apply_leaf_maps(posed, everything, order, starts, chunks, out, number > 0)
        unpose_rows(out, poses, self._places, self.n_outputs)
