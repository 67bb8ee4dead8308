"""A product that keeps all its sums in vector registers, and fetching ahead.

LLVM turns Numba's loops into vector code, but sums that live in arrays are read and written again
at every step. Here the vectors are written out, so that they stay in registers until they
are complete: twice the speed. Each function is plain Python, which says what it does, with a
compiled twin.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

PATCHES = 4
"""Patches that one product maps."""
VECTOR = 16
"""Lanes of a vector: the widest there is. LLVM splits it where the machine has narrower ones."""
OUTPUT_CHUNK = 48
"""Outputs computed together: three vectors for each patch, 12 independent chains of sums."""

_FLOAT, _INT = ir.FloatType(), ir.IntType(64)
_VECTOR = ir.VectorType(_FLOAT, VECTOR)
_ZERO = ir.Constant(_VECTOR, [0.0] * VECTOR)
_LANE = ir.IntType(32)


def map_patches(rows, at, depth, table, first, outputs, to, add):
    """``outputs[to[r] + o] = sum_k rows[at[r] + k] * table[first + k * OUTPUT_CHUNK + o]``.

    For r < PATCHES and o < OUTPUT_CHUNK; `add` adds to what is there. Bounds are not checked.

    Parameters
    ----------
    rows, table, outputs : (n,) float32
        `outputs` is updated.
    at, to : tuples of PATCHES int
        Patches may be repeated: all of `outputs` is read before any of it is written.
    depth, first : int
    add : bool
    """
    sums = [[outputs[t + o] if add else 0.0 for o in range(OUTPUT_CHUNK)] for t in to]
    for k in range(depth):
        start = first + k * OUTPUT_CHUNK
        for r in range(PATCHES):
            for o in range(OUTPUT_CHUNK):
                sums[r][o] += rows[at[r] + k] * table[start + o]
    for r in range(PATCHES):
        for o in range(OUTPUT_CHUNK):
            outputs[to[r] + o] = sums[r][o]


def prefetch(array, index):
    """Ask for the cache line of ``array[index]``, which will be needed soon; changes nothing."""


@overload(map_patches, inline="always")
def _map_patches(rows, at, depth, table, first, outputs, to, add):
    def compiled(rows, at, depth, table, first, outputs, to, add):
        if add:
            _add_products(rows, at, depth, table, first, outputs, to)
        else:
            _set_products(rows, at, depth, table, first, outputs, to)

    return compiled


@overload(prefetch, inline="always")
def _prefetch(array, index):
    return lambda array, index: _prefetch_line(array, index)  # type: ignore[call-arg]


def _products(add: bool) -> Any:
    """The intrinsic that computes `map_patches`."""

    @intrinsic
    def products(typing, rows, at, depth, table, first, outputs, to):
        signature = types.void(rows, at, types.intp, table, types.intp, outputs, to)

        def generate(context, builder, signature, arguments):
            def data(i):
                array = context.make_array(signature.args[i])
                return array(context, builder, arguments[i]).data

            def offset(pointer, offsets):
                parts = [builder.extract_value(offsets, r) for r in range(PATCHES)]
                return [builder.gep(pointer, [part]) for part in parts]

            _, at, depth, _, first, _, to = arguments
            table = builder.gep(data(3), [first])
            _emit(builder, offset(data(0), at), depth, table, offset(data(5), to), add)
            return context.get_dummy_value()

        return signature, generate

    return products


_set_products, _add_products = _products(add=False), _products(add=True)


def _emit(builder, rows, depth, table, outputs, add):
    """Write the loop over `depth`; the sums are its phi nodes."""
    columns = range(0, OUTPUT_CHUNK, VECTOR)
    start = [[_load(builder, y, c) if add else _ZERO for c in columns] for y in outputs]
    before = builder.block
    loop, done = builder.append_basic_block("depth"), builder.append_basic_block("done")
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(_INT)
    sums = [[builder.phi(_VECTOR) for _ in columns] for _ in rows]
    line = builder.gep(table, [builder.mul(k, _INT(OUTPUT_CHUNK))])
    weights = [_load(builder, line, c) for c in columns]
    fused = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    fma = cgutils.get_or_insert_function(builder.module, fused, f"llvm.fma.v{VECTOR}f32")
    totals = []
    for row, parts in zip(rows, sums, strict=True):
        x = _broadcast(builder, builder.load(builder.gep(row, [k])))
        pairs = zip(weights, parts, strict=True)
        totals.append([builder.call(fma, [x, weight, part]) for weight, part in pairs])
    following = builder.add(k, _INT(1))
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, done)

    k.add_incoming(_INT(0), before)
    k.add_incoming(following, loop)
    for phis, first, total in zip(sums, start, totals, strict=True):
        for phi, value, again in zip(phis, first, total, strict=True):
            phi.add_incoming(value, before)
            phi.add_incoming(again, loop)

    builder.position_at_end(done)
    for y, total in zip(outputs, totals, strict=True):
        for c, value in zip(columns, total, strict=True):
            builder.store(value, _pointer(builder, y, c), align=4)


def _pointer(builder, base, column):
    return builder.bitcast(builder.gep(base, [_INT(column)]), _VECTOR.as_pointer())


def _load(builder, base, column):
    return builder.load(_pointer(builder, base, column), align=4)


def _broadcast(builder, value):
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, value, _LANE(0))
    every = ir.Constant(ir.VectorType(_LANE, VECTOR), [0] * VECTOR)
    return builder.shuffle_vector(first, undefined, every)


@intrinsic
def _prefetch_line(typing, array, index):
    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        byte = ir.IntType(8).as_pointer()
        fetch = ir.FunctionType(ir.VoidType(), [byte, _LANE, _LANE, _LANE])
        function = cgutils.get_or_insert_function(builder.module, fetch, "llvm.prefetch.p0")
        where = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        to_read, keep, of_data = _LANE(0), _LANE(3), _LANE(1)
        builder.call(function, [where, to_read, keep, of_data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate
