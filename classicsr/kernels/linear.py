"""One linear map per leaf, applied to the patches of that leaf."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT, TILE_DEPTH, round_up

OUTPUT_CHUNK = 48
"""Outputs computed together: three 16-lane registers for each of four patches."""


def padded_outputs(n_outputs: int) -> int:
    """Width of the rows that `apply_leaf_maps` writes for maps of `n_outputs` outputs."""
    return round_up(n_outputs, OUTPUT_CHUNK)


def chunk_maps(maps: np.ndarray) -> np.ndarray:
    """Lay out maps (n_leaves, n_features, n_outputs) for `apply_leaf_maps`.

    Returns (n_leaves, n_chunks, depth * OUTPUT_CHUNK) float32, zero-padded.
    """
    n_leaves, n_features, n_outputs = maps.shape
    depth, width = round_up(n_features, TILE_DEPTH), padded_outputs(n_outputs)
    padded = np.zeros((n_leaves, depth, width), np.float32)
    padded[:, :n_features, :n_outputs] = maps
    chunks = padded.reshape(n_leaves, depth, -1, OUTPUT_CHUNK).transpose(0, 2, 1, 3)
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


@njit(fastmath=CONTRACT, inline="always")
def _accumulate_outputs(y, x0, x1, x2, x3, k, m):
    """``y[r] += sum_j x_r[k + j] * m[j]`` for four patches r and five rows j of one map.

    `y` (4 * OUTPUT_CHUNK,), `x_r` (depth,), `m` (TILE_DEPTH * OUTPUT_CHUNK,) float32, flat for
    the reason given in `lanes.accumulate`.
    """
    a0, a1, a2, a3, a4 = x0[k], x0[k + 1], x0[k + 2], x0[k + 3], x0[k + 4]
    b0, b1, b2, b3, b4 = x1[k], x1[k + 1], x1[k + 2], x1[k + 3], x1[k + 4]
    c0, c1, c2, c3, c4 = x2[k], x2[k + 1], x2[k + 2], x2[k + 3], x2[k + 4]
    d0, d1, d2, d3, d4 = x3[k], x3[k + 1], x3[k + 2], x3[k + 3], x3[k + 4]
    n = OUTPUT_CHUNK
    for o in range(OUTPUT_CHUNK):
        u0, u1, u2, u3, u4 = m[o], m[n + o], m[2 * n + o], m[3 * n + o], m[4 * n + o]
        y0, y1, y2, y3 = y[o], y[n + o], y[2 * n + o], y[3 * n + o]
        y[o] = y0 + a0 * u0 + a1 * u1 + a2 * u2 + a3 * u3 + a4 * u4
        y[n + o] = y1 + b0 * u0 + b1 * u1 + b2 * u2 + b3 * u3 + b4 * u4
        y[2 * n + o] = y2 + c0 * u0 + c1 * u1 + c2 * u2 + c3 * u3 + c4 * u4
        y[3 * n + o] = y3 + d0 * u0 + d1 * u1 + d2 * u2 + d3 * u3 + d4 * u4


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def apply_leaf_maps(rows, positions, order, starts, maps, outputs):
    """``outputs[i] = maps[leaf of patch i].T @ rows[positions[i]]``.

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
        Patches.
    positions : (n,) int64
        Rows to map.
    order, starts : from `sort_by_label`
        Entries of `positions` by leaf.
    maps : (n_leaves, n_chunks, depth * OUTPUT_CHUNK) float32
        From `chunk_maps`.
    outputs : (n, n_chunks * OUTPUT_CHUNK) float32, overwritten
        What the maps' padding gives is zero.
    """
    n_leaves, n_chunks, size = maps.shape
    depth = size // OUTPUT_CHUNK
    n_features = min(depth, rows.shape[1])
    x = np.zeros((4, depth), np.float32)
    y = np.empty(4 * OUTPUT_CHUNK, np.float32)
    for leaf in range(n_leaves):
        for first in range(starts[leaf], starts[leaf + 1], 4):
            count = min(4, starts[leaf + 1] - first)
            for r in range(count):
                row = rows[positions[order[first + r]]]
                for k in range(n_features):
                    x[r, k] = row[k]
            for chunk in range(n_chunks):
                y[:] = 0.0
                table = maps[leaf, chunk]
                for k in range(0, depth, TILE_DEPTH):
                    five_rows = table[k * OUTPUT_CHUNK : (k + TILE_DEPTH) * OUTPUT_CHUNK]
                    _accumulate_outputs(y, x[0], x[1], x[2], x[3], k, five_rows)
                o = chunk * OUTPUT_CHUNK
                for r in range(count):
                    target = outputs[order[first + r]]
                    for c in range(OUTPUT_CHUNK):
                        target[o + c] = y[r * OUTPUT_CHUNK + c]
