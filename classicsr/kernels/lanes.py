"""The register-blocked product that every hot kernel is made of.

Patches are packed into *lane blocks*: arrays (n_blocks, n_rows, LANES) float32, where row k of a
block holds feature k of LANES patches. SIMD lanes are patches, so each patch goes through the
same sequence of operations wherever it lies in a block: results do not depend on tiles or
threads, bit for bit.
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


def n_blocks(n_patches: int) -> int:
    """Number of lane blocks that hold `n_patches` patches."""
    return -(-n_patches // LANES)


def pack_rows(rows: np.ndarray) -> np.ndarray:
    """Pack patches given as rows (n, d) into lane blocks (n_blocks, d', LANES) float32.

    d' is `d` rounded up to a multiple of TILE_DEPTH; the padding is zero.
    """
    n, d = rows.shape
    packed = np.zeros((n_blocks(n), round_up(d, TILE_DEPTH), LANES), np.float32)
    whole = n // LANES
    packed[:whole, :d] = rows[: whole * LANES].reshape(whole, LANES, d).transpose(0, 2, 1)
    if n > whole * LANES:
        packed[whole, :d, : n - whole * LANES] = rows[whole * LANES :].T
    return packed


def pad_weights(weights: np.ndarray) -> np.ndarray:
    """Zero-pad a weight matrix (rows, depth) to multiples of the micro-kernel's tile."""
    rows, depth = weights.shape
    padded = np.zeros((round_up(rows, TILE_ROWS), round_up(depth, TILE_DEPTH)), np.float32)
    padded[:rows, :depth] = weights
    return padded


@njit(fastmath=CONTRACT, inline="always")
def accumulate(sums, x0, x1, x2, x3, x4, w0, w1, w2, w3, k):
    """``sums[r] += sum_j w_r[k + j] * x_j`` over the lanes, r = 0..3, j = 0..4.

    `sums` (4, LANES) is overwritten; `x_j` (LANES,), `w_r` (depth,); all float32, C-contiguous.
    """
    s0, s1, s2, s3 = sums[0], sums[1], sums[2], sums[3]
    w00, w01, w02, w03, w04 = w0[k], w0[k + 1], w0[k + 2], w0[k + 3], w0[k + 4]
    w10, w11, w12, w13, w14 = w1[k], w1[k + 1], w1[k + 2], w1[k + 3], w1[k + 4]
    w20, w21, w22, w23, w24 = w2[k], w2[k + 1], w2[k + 2], w2[k + 3], w2[k + 4]
    w30, w31, w32, w33, w34 = w3[k], w3[k + 1], w3[k + 2], w3[k + 3], w3[k + 4]
    for p in range(LANES):
        u0, u1, u2, u3, u4 = x0[p], x1[p], x2[p], x3[p], x4[p]
        s0[p] = s0[p] + w00 * u0 + w01 * u1 + w02 * u2 + w03 * u3 + w04 * u4
        s1[p] = s1[p] + w10 * u0 + w11 * u1 + w12 * u2 + w13 * u3 + w14 * u4
        s2[p] = s2[p] + w20 * u0 + w21 * u1 + w22 * u2 + w23 * u3 + w24 * u4
        s3[p] = s3[p] + w30 * u0 + w31 * u1 + w32 * u2 + w33 * u3 + w34 * u4
