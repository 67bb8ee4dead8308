"""What each kernel of a prediction takes, and the least that it could take.

The floor of a kernel is the longer of two times: its arithmetic at the speed of a matrix product,
and the bytes that it reads and writes at the speed of a copy. What counts is what it is given,
padding included; a table is read once for a prediction, other arrays at every call.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from _timing import Figures, seconds_of

from classicsr._threads import thread_budget
from classicsr.kernels.registers import OUTPUT_CHUNK
from classicsr.super_resolution import SuperResolver

GEMM_SIDE = 1024  # large enough for full speed
COPIES = {"memory": 2**26, "tile": 2**22}  # bytes: beyond any cache; about the patches of a tile
TABLES = ("anchors", "filters", "links", "maps", "tests", "weights")
_SHAPE = 166  # operations of `local_shapes`: 14 for each of 9 gradients, and 40

Arguments = Mapping[str, Any]


def _compared(a: Arguments) -> int:
    """Patches times the anchors that each is compared with."""
    return int((np.diff(a["groups"]) * np.diff(a["link_starts"])).sum())


OPERATIONS: dict[str, Callable[[Arguments], int]] = {
    "correlate_bank": lambda a: 2 * a["responses"].size * len(a["offsets"]),
    "nearest_anchor": lambda a: 2 * _compared(a) * a["anchors"].shape[1],
    "convolve": lambda a: 2 * a["result"].size * a["filters"][0].size // OUTPUT_CHUNK,
    "apply_leaf_maps": lambda a: 2 * len(a["positions"]) * a["maps"][0].size,
    "add_overlap_average": lambda a: 11 * a["image"].size,  # nine patches, and their mean
    "local_shapes": lambda a: _SHAPE * a["shapes"].shape[1],
    "hash_shapes": lambda a: 3 * len(a["codes"]) * sum(
        len(a[name]) for name in ("cotangents", "strengths", "coherences", "curvatures")
    ),
    "apply_filters": lambda a: 2 * a["image"].size // a["scale"] ** 2 * a["filters"][0].size,
    "walk_pixels": lambda a: 6 * len(a["poses"]) * a["depth"],
    "filter_pixels": lambda a: 2 * len(a["patches"]) * a["filters"][0].size,
    "add_posed_patches": lambda a: a["height"] * a["width"] * a["spots"].shape[1],
}  # fmt: skip
"""Of one call, from its arguments; kernels that are not named move data."""


@dataclass
class Work:
    """All calls of a kernel in one prediction."""

    seconds: float = 0.0
    operations: int = 0
    bytes: int = 0

    def note(self, name: str, arguments: Arguments, result: Any, seconds: float) -> None:
        """Add a call."""
        is_first = self.seconds == 0
        self.seconds += seconds
        self.operations += OPERATIONS[name](arguments) if name in OPERATIONS else 0
        moved = [value for key, value in arguments.items() if is_first or key not in TABLES]
        moved += result if isinstance(result, tuple) else [result]
        self.bytes += sum(value.nbytes for value in moved if isinstance(value, np.ndarray))

    def floors(self, rates: Mapping[str, float]) -> tuple[float, float]:
        """Seconds of the arithmetic, and of the traffic, at the rates of `machine_rates`."""
        return self.operations / rates["gemm"], self.bytes / rates["tile"]


def machine_rates(runs: int) -> dict[str, float]:
    """Of one thread: float32 operations a second of a matrix product, bytes a second of copies."""
    ones = np.ones((GEMM_SIDE, GEMM_SIDE), np.float32)
    works = {"gemm": partial(np.matmul, ones, ones, out=np.empty_like(ones))}
    moved = {"gemm": 2 * GEMM_SIDE**3}
    for name, size in COPIES.items():
        works[name] = partial(np.copyto, np.empty(size, np.uint8), np.ones(size, np.uint8))
        moved[name] = 2 * size  # read and written
    with thread_budget(1):
        return {
            name: moved[name] / min(seconds_of(work) for _ in range(runs))
            for name, work in works.items()
        }


def kernel_works(sr: SuperResolver, low: np.ndarray, scale: int, runs: int) -> Figures:
    """Seconds of a prediction with one thread and the `Work` of its kernels; the median run."""
    sr.set_params(n_jobs=1)
    upscale = partial(sr.predict, low, scale=scale)
    upscale()  # compiles
    found = []
    for _ in range(runs):
        works: dict[str, Work] = {}
        with _watched(works):
            found.append((seconds_of(upscale), works))
    seconds, works = sorted(found, key=lambda one: one[0])[runs // 2]
    return {"seconds": seconds, "kernels": {name: asdict(work) for name, work in works.items()}}


@contextmanager
def _watched(works: dict[str, Work]) -> Iterator[None]:
    """Stop the time of every kernel that is called from Python, which must be compiled already."""
    held = [
        (module, name, value)
        for module_name, module in list(sys.modules.items())
        if module_name.startswith("classicsr.")
        for name, value in list(vars(module).items())
        if hasattr(value, "py_func")
    ]
    for module, name, kernel in held:
        setattr(module, name, _with_watch(kernel, works))
    try:
        yield
    finally:
        for module, name, kernel in held:
            setattr(module, name, kernel)


def _with_watch(kernel: Any, works: dict[str, Work]) -> Callable[..., Any]:
    signature, name = inspect.signature(kernel.py_func), kernel.py_func.__name__

    def run(*args: Any) -> Any:
        start = time.perf_counter()
        result = kernel(*args)
        seconds = time.perf_counter() - start
        arguments = signature.bind(*args).arguments
        works.setdefault(name, Work()).note(name, arguments, result, seconds)
        return result

    return run
