"""One linear map per leaf, applied to the patches of that leaf."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import round_up
from .registers import OUTPUT_CHUNK, PATCHES, map_patches, prefetch

CACHE_LINE = 16
"""float32 numbers that arrive together."""


def padded_outputs(n_outputs: int) -> int:
    """Width of the rows that `apply_leaf_maps` writes for maps of `n_outputs` outputs."""
    return round_up(n_outputs, OUTPUT_CHUNK)


def chunk_maps(maps: np.ndarray) -> np.ndarray:
    """Lay out maps (n_leaves, n_features, n_outputs) for `apply_leaf_maps`.

    Returns (n_leaves, n_chunks, n_features * OUTPUT_CHUNK) float32, zero-padded.
    """
    n_leaves, n_features, n_outputs = maps.shape
    width = padded_outputs(n_outputs)
    padded = np.zeros((n_leaves, n_features, width), np.float32)
    padded[:, :, :n_outputs] = maps
    chunks = padded.reshape(n_leaves, n_features, -1, OUTPUT_CHUNK).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(chunks).reshape(n_leaves, width // OUTPUT_CHUNK, -1)


@njit(nogil=True, cache=True)
def sort_by_label(labels, n_labels):
    """Stable counting sort: the order of items by label, and where each label starts.

    `labels` (n,) int32 in [0, n_labels); returns (order (n,) int64, starts (n_labels + 1,) int64).
    """
    starts = np.zeros(n_labels + 1, np.int64)
    for label in labels:
        starts[label + 1] += 1
    for i in range(n_labels):
        starts[i + 1] += starts[i]
    cursor = starts[:-1].copy()
    order = np.empty(labels.shape[0], np.int64)
    for i in range(labels.shape[0]):
        order[cursor[labels[i]]] = i
        cursor[labels[i]] += 1
    return order, starts


@njit(nogil=True, cache=True)
def apply_leaf_maps(rows, positions, order, starts, maps, outputs, add):
    """``outputs[i] = maps[leaf of patch i].T @ rows[positions[i]]``, or add that to it.

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
        Patches.
    positions : (n,) int64
        Rows to map.
    order, starts : from `sort_by_label`
        Entries of `positions` by leaf.
    maps : (n_leaves, n_chunks, n_features * OUTPUT_CHUNK) float32
        From `chunk_maps`.
    outputs : (n, n_chunks * OUTPUT_CHUNK) float32, updated
        What the maps' padding gives is zero.
    add : bool
        Add to `outputs` instead of overwriting them.
    """
    n_leaves, n_chunks, size = maps.shape
    depth = size // OUTPUT_CHUNK
    patches, table, results = rows.reshape(-1), maps.reshape(-1), outputs.reshape(-1)
    width, out_width = rows.shape[1], outputs.shape[1]
    n = len(order)
    for leaf in range(n_leaves):
        last = starts[leaf + 1] - 1
        for first in range(starts[leaf], last + 1, PATCHES):
            for later in range(first + PATCHES, min(first + 2 * PATCHES, n)):
                fetch(patches, positions[order[later]] * width, depth)
                fetch(results, order[later] * out_width, out_width)
            # a group that is not full repeats its last patch
            i0, i1 = order[first], order[min(first + 1, last)]
            i2, i3 = order[min(first + 2, last)], order[min(first + 3, last)]
            p0, p1, p2, p3 = positions[i0], positions[i1], positions[i2], positions[i3]
            at = (p0 * width, p1 * width, p2 * width, p3 * width)
            for chunk in range(n_chunks):
                c = chunk * OUTPUT_CHUNK
                to = (
                    i0 * out_width + c,
                    i1 * out_width + c,
                    i2 * out_width + c,
                    i3 * out_width + c,
                )
                start = (leaf * n_chunks + chunk) * size
                map_patches(patches, at, depth, table, start, results, to, add)


@njit(inline="always")
def fetch(array, start, count):
    """Ask for `count` elements that will be needed soon."""
    for i in range(start, start + count, CACHE_LINE):
        prefetch(array, i)
