"""Low-resolution pixels in their canonical pose: their way down a tree, and their patches' sum.

A pose is one of the eight flips and turns of a window. Nothing is flipped in memory: windows are
read, and patches written, through a table of offsets for each pose.
"""

from __future__ import annotations

import numpy as np
from numba import njit

WALKERS = 8
"""Pixels that go down a tree together."""
_TILT = np.float32(0.41)  # tangent of the middle of an octant
_OFFSET = 24
"""Bits of an offset in a packed test; the other 15 are the child's."""


def packed_tests(offsets: np.ndarray, children: np.ndarray) -> np.ndarray:
    """Offsets (..., n_nodes, 2) of the pixels of each test and its first child, in one int64 each.

    A test that arrives in one piece is a third less to load.
    """
    if np.abs(offsets).max() >> _OFFSET - 1:
        raise ValueError("The tiles are too wide: choose a smaller 'tile_shape'.")
    first, second = offsets[..., 0], offsets[..., 1]
    mask = (1 << _OFFSET) - 1
    return first & mask | (second & mask) << _OFFSET | children << 2 * _OFFSET


@njit(inline="always")
def _down(pixels, at, tests, limits, base, node, sense, strength):
    """The node after `node` on the way down of the pixel at `at`."""
    test = tests[np.uint64(base + node)]
    one, other = test << 64 - _OFFSET >> 64 - _OFFSET, test << 64 - 2 * _OFFSET >> 64 - _OFFSET
    difference = sense * (pixels[np.uint64(at + one)] - pixels[np.uint64(at + other)])
    value = np.float32(1.0) if one == other else difference
    return (test >> 2 * _OFFSET) + np.int64(value > limits[np.uint64(node)] * strength)


@njit(nogil=True, cache=True)
def slope_senses(pixels, pitch, start, poses, senses):
    """1, or -1 where the slope along the middle of the first octant, in the pose, falls.

    Parameters are those of `walk_pixels`; `senses` (n_positions,) float32 is overwritten.
    """
    zero, one, two, four = np.float32(0.0), np.float32(1.0), np.float32(2.0), np.float32(4.0)
    for i in range(senses.shape[0]):
        x, y = pixels[start + i + 1], pixels[start + i + pitch]
        x, y = x - pixels[start + i - 1], y - pixels[start + i - pitch]
        left = poses[i] >= four
        turned = poses[i] - (four if left else zero)
        up = turned >= two
        steep = turned - (two if up else zero) >= one
        x, y = -x if left else x, -y if up else y
        along, across = y if steep else x, x if steep else y
        senses[i] = -one if along + _TILT * across < zero else one


@njit(nogil=True, cache=True)
def walk_pixels(pixels, start, poses, senses, strengths, tests, limits, numbers, depth, leaves):
    """Leaf of a tree at which each of consecutive pixels ends.

    A pixel goes to the first child of a node if the difference of the two pixels of the test,
    counted in the sense of its slope, is at most the node's limit times its strength, else to the
    second. WALKERS pixels go down together, so that their memory accesses overlap.

    Parameters
    ----------
    pixels : (n,) float32
    start : int
        First position.
    poses, senses, strengths : (n_positions,) float32
    tests : (8 * n_nodes,) int64
        From `packed_tests`, for each pose. The difference of a pixel and itself counts as 1. A
        leaf has itself as first child: pixels wait there.
    limits : (n_nodes,) float32
        Those of leaves are so large that nothing exceeds them.
    numbers : (n_nodes,) int32
        Of the leaves.
    depth : int
        Steps to the deepest leaf.
    leaves : (n_positions,) int32, overwritten
    """
    n, n_nodes = leaves.shape[0], limits.shape[0]
    for first in range(0, n, WALKERS):
        i0, i1, i2, i3 = first, min(first + 1, n - 1), min(first + 2, n - 1), min(first + 3, n - 1)
        i4, i5 = min(first + 4, n - 1), min(first + 5, n - 1)
        i6, i7 = min(first + 6, n - 1), min(first + 7, n - 1)
        b0, u0, s0 = np.int64(poses[i0]) * n_nodes, senses[i0], strengths[i0]
        b1, u1, s1 = np.int64(poses[i1]) * n_nodes, senses[i1], strengths[i1]
        b2, u2, s2 = np.int64(poses[i2]) * n_nodes, senses[i2], strengths[i2]
        b3, u3, s3 = np.int64(poses[i3]) * n_nodes, senses[i3], strengths[i3]
        b4, u4, s4 = np.int64(poses[i4]) * n_nodes, senses[i4], strengths[i4]
        b5, u5, s5 = np.int64(poses[i5]) * n_nodes, senses[i5], strengths[i5]
        b6, u6, s6 = np.int64(poses[i6]) * n_nodes, senses[i6], strengths[i6]
        b7, u7, s7 = np.int64(poses[i7]) * n_nodes, senses[i7], strengths[i7]
        n0 = n1 = n2 = n3 = n4 = n5 = n6 = n7 = 0
        for _ in range(depth):
            n0 = _down(pixels, start + i0, tests, limits, b0, n0, u0, s0)
            n1 = _down(pixels, start + i1, tests, limits, b1, n1, u1, s1)
            n2 = _down(pixels, start + i2, tests, limits, b2, n2, u2, s2)
            n3 = _down(pixels, start + i3, tests, limits, b3, n3, u3, s3)
            n4 = _down(pixels, start + i4, tests, limits, b4, n4, u4, s4)
            n5 = _down(pixels, start + i5, tests, limits, b5, n5, u5, s5)
            n6 = _down(pixels, start + i6, tests, limits, b6, n6, u6, s6)
            n7 = _down(pixels, start + i7, tests, limits, b7, n7, u7, s7)
        leaves[i7], leaves[i6] = numbers[n7], numbers[n6]
        leaves[i5], leaves[i4] = numbers[n5], numbers[n4]
        leaves[i3], leaves[i2] = numbers[n3], numbers[n2]
        leaves[i1], leaves[i0] = numbers[n1], numbers[n0]


@njit(nogil=True, cache=True)
def add_posed_patches(patches, poses, pitch, spots, scale, height, width, image):
    """Add the patch of each low-resolution pixel to an image, in raster order of the pixels.

    Parameters
    ----------
    patches : (n, >= n_outputs) float32
        That of low-resolution pixel (i, j) is number ``i * pitch + j``.
    poses : (n,) float32
    pitch : int
    spots : (8, n_outputs) int64
        Where each element belongs, from the first pixel of the block, for each pose.
    scale, height, width : int
        Size in low-resolution pixels.
    image : (height * scale + rim, width * scale + rim) float32, updated
    """
    target, n_outputs = image.reshape(-1), spots.shape[1]
    for i in range(height):
        for j in range(width):
            patch, p = patches[i * pitch + j], i * pitch + j
            spot = spots[np.int64(poses[p])]
            corner = i * scale * image.shape[1] + j * scale
            for k in range(n_outputs):
                target[np.uint64(corner + spot[k])] += patch[k]
