"""Filters of low-resolution pixels in their canonical pose, chosen by a tree of pixel tests.

A pose is one of the eight flips and turns of a window. Nothing is flipped in memory: windows are
read, and patches written, through a table of offsets for each pose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from .lanes import round_up
from .registers import VECTOR, _broadcast, _load, _pointer

GROUP = 8
"""Pixels of one leaf that are filtered together: so many independent chains of sums."""
_TILT = np.float32(0.41)  # tangent of the middle of an octant
_ONE, _TWO = np.uint64(1), np.uint64(2)


@njit(inline="always")
def _slope(pixels, at, compass, pose):
    """Slope along the middle of the first octant, in the pose."""
    along = pixels[at + compass[pose, 0]] - pixels[at + compass[pose, 1]]
    across = pixels[at + compass[pose, 2]] - pixels[at + compass[pose, 3]]
    return along + _TILT * across


@njit(inline="always")
def _next(pixels, at, steps, limits, node, sense, strength):
    """The node after `node` on a pixel's way down; unsigned, see `tree.walk_tree`."""
    row, pair = node << _TWO, node << _ONE
    one, other = pixels[np.uint64(at + steps[row])], pixels[np.uint64(at + steps[row | _ONE])]
    above = sense * (one - other) > limits[pair] * strength - limits[pair | _ONE]
    return np.uint64(steps[row | _TWO]) + np.uint64(above)


@njit(nogil=True, cache=True)
def walk_pixels(pixels, start, shapes, compass, steps, limits, depth, leaves):
    """Leaf of a tree at which each of consecutive pixels ends.

    At node i, where ``first, second, child, _ = steps[i]``, a pixel goes to `child` if the
    difference of the pixels at the offsets `first` and `second`, counted in the direction of its
    slope, is at most ``limits[i, 0] * strength - limits[i, 1]``, else to the node after it. Four
    pixels go down together, so that their memory accesses overlap.

    Parameters
    ----------
    pixels : (n,) float32
    start : int
        First position.
    shapes : (N_SHAPES, n_positions) float32
        From `hashing.local_shapes`.
    compass : (8, 4) int64
        Offsets of the neighbours to the right, left, below and above in each pose.
    steps : (8 * n_nodes, 4) int32
        The nodes for each pose; the last column is the number of a leaf. A leaf has itself as
        child: pixels wait there.
    limits : (8 * n_nodes, 2) float32
    depth : int
        Steps to the deepest leaf.
    leaves : (n_positions,) int32, overwritten
    """
    n, n_nodes = leaves.shape[0], steps.shape[0] // 8
    moves, bounds = steps.reshape(-1), limits.reshape(-1)
    for first in range(0, n, 4):
        i0, i1, i2, i3 = first, min(first + 1, n - 1), min(first + 2, n - 1), min(first + 3, n - 1)
        p0, p1 = np.int64(shapes[0, i0]), np.int64(shapes[0, i1])
        p2, p3 = np.int64(shapes[0, i2]), np.int64(shapes[0, i3])
        a0, a1, a2, a3 = start + i0, start + i1, start + i2, start + i3
        minus, plus = np.float32(-1.0), np.float32(1.0)
        u0 = minus if _slope(pixels, a0, compass, p0) < 0 else plus
        u1 = minus if _slope(pixels, a1, compass, p1) < 0 else plus
        u2 = minus if _slope(pixels, a2, compass, p2) < 0 else plus
        u3 = minus if _slope(pixels, a3, compass, p3) < 0 else plus
        s0 = np.sqrt(shapes[3, i0] + shapes[4, i0])
        s1 = np.sqrt(shapes[3, i1] + shapes[4, i1])
        s2 = np.sqrt(shapes[3, i2] + shapes[4, i2])
        s3 = np.sqrt(shapes[3, i3] + shapes[4, i3])
        n0, n1 = np.uint64(p0 * n_nodes), np.uint64(p1 * n_nodes)
        n2, n3 = np.uint64(p2 * n_nodes), np.uint64(p3 * n_nodes)
        for _ in range(depth):
            n0 = _next(pixels, a0, moves, bounds, n0, u0, s0)
            n1 = _next(pixels, a1, moves, bounds, n1, u1, s1)
            n2 = _next(pixels, a2, moves, bounds, n2, u2, s2)
            n3 = _next(pixels, a3, moves, bounds, n3, u3, s3)
        leaves[i3], leaves[i2] = steps[n3, 3], steps[n2, 3]
        leaves[i1], leaves[i0] = steps[n1, 3], steps[n0, 3]


def filter_group(pixels, at, depth, offsets, turn, table, first, outputs, to):
    """``outputs[to[r] + o] = sum_k pixels[at[r] + offsets[turn[r] + k]] * table[first + ...]``.

    The weight of tap k for output o is ``table[first + k * VECTOR + o]``; r < GROUP and
    o < VECTOR. Bounds are not checked.

    Parameters
    ----------
    pixels, table, outputs : (n,) float32
        `outputs` is updated.
    at, turn, to : tuples of GROUP int
    depth, first : int
    offsets : (n,) int64
    """
    for r in range(GROUP):
        for o in range(VECTOR):
            total = np.float32(0.0)
            for k in range(depth):
                x = pixels[at[r] + offsets[turn[r] + k]]
                total += x * table[first + k * VECTOR + o]
            outputs[to[r] + o] = total


@overload(filter_group, inline="always")
def _filter_group(pixels, at, depth, offsets, turn, table, first, outputs, to):
    def compiled(pixels, at, depth, offsets, turn, table, first, outputs, to):
        _filter_registers(pixels, at, depth, offsets, turn, table, first, outputs, to)  # type: ignore[call-arg]

    return compiled


@intrinsic
def _filter_registers(typing, pixels, at, depth, offsets, turn, table, first, outputs, to):
    """`filter_group` with all its sums in vector registers."""
    signature = types.void(pixels, at, types.intp, offsets, turn, table, types.intp, outputs, to)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(i: int) -> Any:
            array = context.make_array(signature.args[i])
            return array(context, builder, arguments[i]).data

        def moved(pointer: Any, places: Any) -> list[Any]:
            parts = [builder.extract_value(places, r) for r in range(GROUP)]
            return [builder.gep(pointer, [part]) for part in parts]

        _, at, depth, _, turn, _, first, _, to = arguments
        _emit_filter(
            builder,
            moved(data(0), at),
            depth,
            moved(data(3), turn),
            builder.gep(data(5), [first]),
            moved(data(7), to),
        )
        return context.get_dummy_value()

    return signature, generate


def _emit_filter(builder, centers, depth, offsets, table, outputs):
    """Write the loop over `depth`; the sums are its phi nodes."""
    integer, vector = ir.IntType(64), ir.VectorType(ir.FloatType(), VECTOR)
    before = builder.block
    loop, done = builder.append_basic_block("depth"), builder.append_basic_block("done")
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(integer)
    sums = [builder.phi(vector) for _ in centers]
    weights = _load(builder, builder.gep(table, [builder.mul(k, integer(VECTOR))]), 0)
    fused = ir.FunctionType(vector, [vector] * 3)
    fma = cgutils.get_or_insert_function(builder.module, fused, f"llvm.fma.v{VECTOR}f32")
    totals = []
    for center, offset, part in zip(centers, offsets, sums, strict=True):
        tap = builder.load(builder.gep(offset, [k]))
        x = _broadcast(builder, builder.load(builder.gep(center, [tap])))
        totals.append(builder.call(fma, [x, weights, part]))
    following = builder.add(k, integer(1))
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, done)

    k.add_incoming(integer(0), before)
    k.add_incoming(following, loop)
    for phi, total in zip(sums, totals, strict=True):
        phi.add_incoming(ir.Constant(vector, [0.0] * VECTOR), before)
        phi.add_incoming(total, loop)
    builder.position_at_end(done)
    for output, total in zip(outputs, totals, strict=True):
        builder.store(total, _pointer(builder, output, 0), align=4)


def vector_filters(filters: np.ndarray) -> np.ndarray:
    """Lay out filters (n_leaves, n_outputs, n_taps) for `filter_pixels`.

    Returns (n_leaves, n_chunks, n_taps * VECTOR) float32, zero-padded.
    """
    n_leaves, n_outputs, n_taps = filters.shape
    padded = np.zeros((n_leaves, round_up(n_outputs, VECTOR), n_taps), np.float32)
    padded[:, :n_outputs] = filters
    chunks = padded.reshape(n_leaves, -1, VECTOR, n_taps).swapaxes(2, 3)
    return np.ascontiguousarray(chunks).reshape(n_leaves, -1, n_taps * VECTOR)


@njit(nogil=True, cache=True)
def filter_pixels(pixels, start, poses, offsets, order, starts, filters, patches):
    """Patch of each of consecutive pixels, in its pose.

    Parameters
    ----------
    pixels : (n,) float32
    start : int
        First position.
    poses : (n_positions,) float32
    offsets : (8, n_taps) int64
        Of each tap from the position, for each pose.
    order, starts : from `linear.sort_by_label`
        Positions by leaf.
    filters : (n_leaves, n_chunks, n_taps * VECTOR) float32
        From `vector_filters`.
    patches : (n_positions, n_chunks * VECTOR) float32, overwritten
    """
    n_leaves, n_chunks, size = filters.shape
    depth, width = offsets.shape[1], patches.shape[1]
    around, table, results = offsets.reshape(-1), filters.reshape(-1), patches.reshape(-1)
    for leaf in range(n_leaves):
        last = starts[leaf + 1] - 1
        for first in range(starts[leaf], last + 1, GROUP):
            # a group that is not full repeats its last pixel
            i0, i1 = order[first], order[min(first + 1, last)]
            i2, i3 = order[min(first + 2, last)], order[min(first + 3, last)]
            i4, i5 = order[min(first + 4, last)], order[min(first + 5, last)]
            i6, i7 = order[min(first + 6, last)], order[min(first + 7, last)]
            group = (i0, i1, i2, i3, i4, i5, i6, i7)
            at = _scaled(group, 1, start)
            to = _scaled(group, width, 0)
            turn = (
                np.int64(poses[i0]) * depth,
                np.int64(poses[i1]) * depth,
                np.int64(poses[i2]) * depth,
                np.int64(poses[i3]) * depth,
                np.int64(poses[i4]) * depth,
                np.int64(poses[i5]) * depth,
                np.int64(poses[i6]) * depth,
                np.int64(poses[i7]) * depth,
            )
            for chunk in range(n_chunks):
                bank = (leaf * n_chunks + chunk) * size
                there = _scaled(to, 1, chunk * VECTOR)
                filter_group(pixels, at, depth, around, turn, table, bank, results, there)


@njit(inline="always")
def _scaled(places, factor, shift):
    """``places[r] * factor + shift``."""
    p0, p1, p2, p3, p4, p5, p6, p7 = places
    return (
        p0 * factor + shift,
        p1 * factor + shift,
        p2 * factor + shift,
        p3 * factor + shift,
        p4 * factor + shift,
        p5 * factor + shift,
        p6 * factor + shift,
        p7 * factor + shift,
    )


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
