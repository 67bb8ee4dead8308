"""The register-blocked product that every hot kernel is made of.

Kernels take patches as rows and pack LANES of them at a time into a *lane block*: a flat array
(depth * LANES,) float32 whose k-th run of LANES holds feature k of each patch. SIMD lanes are
patches, so a patch goes through the same sequence of operations wherever it lies: results do not
depend on tiles or threads, bit for bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LANES = 128
"""Patches per block: a block of 30 features (15 kB) stays in the first-level cache."""
TILE_ROWS = 4
"""Output rows (filters, anchors) that one pass of the micro-kernel computes."""
TILE_DEPTH = 5
"""Input rows (taps, features) that one pass consumes; 4 x 5 weights fit the vector registers."""

# `contract` lets a*b+c become one fused operation. It is the same for every lane, and nothing is
# reordered, so results stay reproducible.
CONTRACT = {"contract"}


def round_up(n: int, step: int) -> int:
    """Smallest multiple of `step` that is at least `n`."""
    return -(-n // step) * step


def pad_weights(weights: np.ndarray) -> np.ndarray:
    """Zero-pad a weight matrix (rows, depth) to multiples of the micro-kernel's tile."""
    rows, depth = weights.shape
    padded = np.zeros((round_up(rows, TILE_ROWS), round_up(depth, TILE_DEPTH)), np.float32)
    padded[:rows, :depth] = weights
    return padded


@njit(inline="always")
def pack_lanes(rows, positions, first, count, block):
    """Copy patches ``rows[positions[first:first + count]]`` into the lanes of `block`.

    `block` (depth * LANES,) keeps what it held in further lanes, and below the features.
    """
    n_features = min(rows.shape[1], block.shape[0] // LANES)
    for lane in range(count):
        row = rows[positions[first + lane]]
        for k in range(n_features):
            block[k * LANES + lane] = row[k]


@njit(fastmath=CONTRACT, inline="always")
def accumulate(sums, x, w0, w1, w2, w3, k):
    """``sums[r] += sum_j w_r[k + j] * x[j]`` over the lanes, r = 0..3, j = 0..4.

    `sums` (TILE_ROWS * LANES,) is updated; `x` (TILE_DEPTH * LANES,), `w_r` (depth,) float32.
    Both are flat, so that the compiler sees two arrays and constant offsets, and does not
    test at each call whether ten of them overlap.
    """
    w00, w01, w02, w03, w04 = w0[k], w0[k + 1], w0[k + 2], w0[k + 3], w0[k + 4]
    w10, w11, w12, w13, w14 = w1[k], w1[k + 1], w1[k + 2], w1[k + 3], w1[k + 4]
    w20, w21, w22, w23, w24 = w2[k], w2[k + 1], w2[k + 2], w2[k + 3], w2[k + 4]
    w30, w31, w32, w33, w34 = w3[k], w3[k + 1], w3[k + 2], w3[k + 3], w3[k + 4]
    for p in range(LANES):
        u0, u1, u2 = x[p], x[LANES + p], x[2 * LANES + p]
        u3, u4 = x[3 * LANES + p], x[4 * LANES + p]
        s0, s1, s2, s3 = sums[p], sums[LANES + p], sums[2 * LANES + p], sums[3 * LANES + p]
        sums[p] = s0 + w00 * u0 + w01 * u1 + w02 * u2 + w03 * u3 + w04 * u4
        sums[LANES + p] = s1 + w10 * u0 + w11 * u1 + w12 * u2 + w13 * u3 + w14 * u4
        sums[2 * LANES + p] = s2 + w20 * u0 + w21 * u1 + w22 * u2 + w23 * u3 + w24 * u4
        sums[3 * LANES + p] = s3 + w30 * u0 + w31 * u1 + w32 * u2 + w33 * u3 + w34 * u4
