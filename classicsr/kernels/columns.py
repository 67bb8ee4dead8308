"""Correlating patches with paired columns, and summing the columns that their weights name."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT, LANES, TILE_DEPTH, TILE_ROWS, accumulate, round_up

_WIDTH = 16  # columns that are skipped together if none of them is strong enough


def block_columns(columns: np.ndarray) -> np.ndarray:
    """Lay out columns (n, d) for `correlate_columns`: here SIMD lanes are columns.

    Returns (n_blocks, depth * LANES) float32, zero-padded.
    """
    n, d = columns.shape
    padded = np.zeros((round_up(n, LANES), round_up(d, TILE_DEPTH)), np.float32)
    padded[:n, :d] = columns
    blocks = padded.reshape(-1, LANES, padded.shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(blocks).reshape(len(blocks), -1)


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def correlate_columns(rows, positions, blocks, correlations):
    """Inner products of patches and columns; a pair has the same bits wherever it lies.

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
    positions : (n,) int64
        Rows to correlate.
    blocks : (n_blocks, depth * LANES) float32
        From `block_columns`.
    correlations : (n, n_blocks * LANES) float32, overwritten
        What the padding gives is zero.
    """
    n = positions.shape[0]
    depth = blocks.shape[1] // LANES
    n_features = min(depth, rows.shape[1])
    n_padded = (n + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS
    x = np.zeros((n_padded, depth), np.float32)
    for i in range(n):
        row = rows[positions[i]]
        for k in range(n_features):
            x[i, k] = row[k]
    sums = np.empty(TILE_ROWS * LANES, np.float32)
    for b in range(blocks.shape[0]):
        block = blocks[b]
        for first in range(0, n, TILE_ROWS):
            sums[:] = 0.0
            x0, x1, x2, x3 = x[first], x[first + 1], x[first + 2], x[first + 3]
            for k in range(0, depth, TILE_DEPTH):
                five = block[k * LANES : (k + TILE_DEPTH) * LANES]
                accumulate(sums, five, x0, x1, x2, x3, k)
            for r in range(min(TILE_ROWS, n - first)):
                target = correlations[first + r, b * LANES : (b + 1) * LANES]
                for lane in range(LANES):
                    target[lane] = sums[r * LANES + lane]


@njit(nogil=True, cache=True)
def merge_strongest(values, first, chosen, best):
    """Let values of columns `first`, `first` + 1, ... into the strongest seen so far.

    `chosen` (k,) int32 are those columns, best first, and `best` (k,) float32 their magnitudes;
    both are updated. On ties the column that was seen first stays.
    """
    magnitudes = np.zeros(_WIDTH, np.float32)
    last = best.shape[0] - 1
    for start in range(0, values.shape[0], _WIDTH):
        count = min(_WIDTH, values.shape[0] - start)
        if count == _WIDTH:  # a constant number of rounds vectorises
            for lane in range(_WIDTH):
                magnitudes[lane] = abs(values[start + lane])
        else:
            for lane in range(count):
                magnitudes[lane] = abs(values[start + lane])
        largest = np.float32(0.0)
        for lane in range(_WIDTH):
            largest = max(largest, magnitudes[lane])
        if largest <= best[last]:
            continue
        for lane in range(count):
            magnitude = magnitudes[lane]
            if magnitude > best[last]:
                slot = last
                while slot > 0 and best[slot - 1] < magnitude:
                    best[slot] = best[slot - 1]
                    chosen[slot] = chosen[slot - 1]
                    slot -= 1
                best[slot] = magnitude
                chosen[slot] = first + start + lane


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def combine_columns(indices, weights, columns, outputs):
    """``outputs[n] = sum_i weights[n, i] * columns[indices[n, i]]``, summed in the order of i.

    Parameters
    ----------
    indices : (n, k) int32; weights : (n, k) float32
    columns : (n_columns, width) float32
    outputs : (n, width) float32, overwritten
    """
    width = columns.shape[1]
    for n in range(indices.shape[0]):
        target = outputs[n]
        for o in range(width):
            target[o] = 0.0
        for i in range(indices.shape[1]):
            weight = weights[n, i]
            if weight != 0.0:
                column = columns[indices[n, i]]
                for o in range(width):
                    target[o] += weight * column[o]


@njit(nogil=True, cache=True)
def row_norms(rows, positions, n_features, norms):
    """Euclidean norms (n,) float32 of the first `n_features` entries of ``rows[positions]``."""
    for i in range(positions.shape[0]):
        row = rows[positions[i]]
        total = 0.0
        for k in range(n_features):
            total += np.float64(row[k]) * row[k]
        norms[i] = np.sqrt(total)
