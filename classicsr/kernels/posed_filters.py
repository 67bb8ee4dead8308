"""Filters of low-resolution pixels: sums in vector registers, taps by a table for each pose."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from .lanes import round_up
from .linear import fetch
from .registers import VECTOR, _broadcast, _load, _pointer

GROUP = 4
"""Pixels of one leaf that are filtered together: as many as there are registers to point at them
and their taps."""
MOST_VECTORS = 3
"""Vectors of outputs computed together: a tap is read once for all of them."""


def filter_group(pixels, at, depth, offsets, turn, table, first, n_vectors, outputs, to, add):
    """``outputs[to[r] + o] = sum_k pixels[at[r] + offsets[turn[r] + k]] * weight[k, o]``.

    The weight of tap k for output ``v * VECTOR + o`` is ``table[first + (v * depth + k) * VECTOR +
    o]``; r < GROUP, v < n_vectors and o < VECTOR. `add` adds to what is there. Bounds are not
    checked.

    Parameters
    ----------
    pixels, table, outputs : (n,) float32
        `outputs` is updated.
    at, turn, to : tuples of GROUP int
        Pixels may be repeated: all of `outputs` is read before any of it is written.
    depth, first : int
    offsets : (n,) int64
    n_vectors : int
        1 to MOST_VECTORS.
    add : bool
    """
    places = range(n_vectors * VECTOR)
    sums = [[outputs[t + o] if add else np.float32(0.0) for o in places] for t in to]
    for r in range(GROUP):
        for o in places:
            for k in range(depth):
                x = pixels[at[r] + offsets[turn[r] + k]]
                weight = table[first + (o // VECTOR * depth + k) * VECTOR + o % VECTOR]
                sums[r][o] += x * weight
    for r in range(GROUP):
        for o in places:
            outputs[to[r] + o] = sums[r][o]


@overload(filter_group, inline="always")
def _filter_group(pixels, at, depth, offsets, turn, table, first, n_vectors, outputs, to, add):
    def compiled(pixels, at, depth, offsets, turn, table, first, n_vectors, outputs, to, add):
        if n_vectors == 1:
            _one_vector(pixels, at, depth, offsets, turn, table, first, outputs, to, add)
        elif n_vectors == 2:
            _two_vectors(pixels, at, depth, offsets, turn, table, first, outputs, to, add)
        else:
            _three_vectors(pixels, at, depth, offsets, turn, table, first, outputs, to, add)

    return compiled


def _filter_registers(n_vectors: int) -> Any:
    """The intrinsic that is `filter_group` with all its sums in vector registers."""

    @intrinsic
    def filters(typing, pixels, at, depth, offsets, turn, table, first, outputs, to, add):
        number = types.intp
        given = (pixels, at, number, offsets, turn, table, number, outputs, to, types.boolean)
        signature = types.void(*given)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def data(i: int) -> Any:
                array = context.make_array(signature.args[i])
                return array(context, builder, arguments[i]).data

            def moved(pointer: Any, places: Any) -> list[Any]:
                parts = [builder.extract_value(places, r) for r in range(GROUP)]
                return [builder.gep(pointer, [part]) for part in parts]

            _, at, depth, _, turn, _, first, _, to, add = arguments
            size = builder.mul(depth, ir.IntType(64)(VECTOR))
            tables = [builder.gep(data(5), [first])]
            for _ in range(n_vectors - 1):
                tables.append(builder.gep(tables[-1], [size]))
            centers, offsets = moved(data(0), at), moved(data(3), turn)
            _emit_filters(builder, centers, depth, offsets, tables, moved(data(7), to), add)
            return context.get_dummy_value()

        return signature, generate

    return filters


_one_vector, _two_vectors, _three_vectors = (_filter_registers(n) for n in (1, 2, 3))


def _emit_filters(builder, centers, depth, offsets, tables, outputs, add):
    """Write the loop over `depth`; the sums are its phi nodes."""
    integer, vector = ir.IntType(64), ir.VectorType(ir.FloatType(), VECTOR)
    zero, numbers = ir.Constant(vector, [0.0] * VECTOR), range(len(tables))
    start = [
        [builder.select(add, _load(builder, output, n * VECTOR), zero) for n in numbers]
        for output in outputs
    ]
    before = builder.block
    loop, done = builder.append_basic_block("depth"), builder.append_basic_block("done")
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(integer)
    sums = [[builder.phi(vector) for _ in tables] for _ in centers]
    line = builder.mul(k, integer(VECTOR))
    weights = [_load(builder, builder.gep(table, [line]), 0) for table in tables]
    fused = ir.FunctionType(vector, [vector] * 3)
    fma = cgutils.get_or_insert_function(builder.module, fused, f"llvm.fma.v{VECTOR}f32")
    totals = []
    for center, offset, parts in zip(centers, offsets, sums, strict=True):
        tap = builder.load(builder.gep(offset, [k]))
        x = _broadcast(builder, builder.load(builder.gep(center, [tap])))
        pairs = zip(weights, parts, strict=True)
        totals.append([builder.call(fma, [x, weight, part]) for weight, part in pairs])
    following = builder.add(k, integer(1))
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, done)

    k.add_incoming(integer(0), before)
    k.add_incoming(following, loop)
    for phis, first, total in zip(sums, start, totals, strict=True):
        for phi, value, again in zip(phis, first, total, strict=True):
            phi.add_incoming(value, before)
            phi.add_incoming(again, loop)
    builder.position_at_end(done)
    for output, total in zip(outputs, totals, strict=True):
        for number, value in enumerate(total):
            builder.store(value, _pointer(builder, output, number * VECTOR), align=4)


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
def filter_pixels(pixels, start, poses, offsets, order, starts, filters, patches, add):
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
    patches : (n_positions, n_chunks * VECTOR) float32, updated
    add : bool
        Add to `patches` instead of overwriting them.
    """
    n_leaves, n_chunks, size = filters.shape
    depth, width = offsets.shape[1], patches.shape[1]
    around, table, results = offsets.reshape(-1), filters.reshape(-1), patches.reshape(-1)
    for leaf in range(n_leaves):
        last = starts[leaf + 1] - 1
        for first in range(starts[leaf], last + 1, GROUP):
            for later in range(first + GROUP, min(first + 2 * GROUP, len(order))):
                fetch(results, order[later] * width, width)
            # a group that is not full repeats its last pixel
            i0, i1 = order[first], order[min(first + 1, last)]
            i2, i3 = order[min(first + 2, last)], order[min(first + 3, last)]
            group = (i0, i1, i2, i3)
            at = _scaled(group, 1, start)
            to = _scaled(group, width, 0)
            turn = (
                np.int64(poses[i0]) * depth,
                np.int64(poses[i1]) * depth,
                np.int64(poses[i2]) * depth,
                np.int64(poses[i3]) * depth,
            )
            for chunk in range(0, n_chunks, MOST_VECTORS):
                bank = (leaf * n_chunks + chunk) * size
                there = _scaled(to, 1, chunk * VECTOR)
                count = min(MOST_VECTORS, n_chunks - chunk)
                filter_group(
                    pixels, at, depth, around, turn, table, bank, count, results, there, add
                )


@njit(inline="always")
def _scaled(places, factor, shift):
    """``places[r] * factor + shift``."""
    p0, p1, p2, p3 = places
    return (
        p0 * factor + shift,
        p1 * factor + shift,
        p2 * factor + shift,
        p3 * factor + shift,
    )
