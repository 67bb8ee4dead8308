"""One thread budget for BLAS, FAISS and our own workers; set on entry, restored on exit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_threads(n_jobs: int | None) -> int:
    """Number of threads that `n_jobs` asks for, with scikit-learn's meaning.

    None is 1; -1 is every core this process may use; -2 is all but one; 0 is an error.
    """
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise ValueError("The 'n_jobs' parameter must be a non-zero integer. Got 0 instead.")
    if n_jobs > 0:
        return n_jobs
    affinity = getattr(os, "sched_getaffinity", None)
    available = len(affinity(0)) if affinity else (os.cpu_count() or 1)
    return max(1, available + 1 + n_jobs)


@contextmanager
def thread_budget(n_jobs: int | None) -> Iterator[int]:
    """Limit BLAS (and FAISS where it is loaded) to `n_jobs` threads inside the block."""
    from threadpoolctl import threadpool_limits

    count = n_threads(n_jobs)
    faiss = sys.modules.get("faiss")
    before = faiss.omp_get_max_threads() if faiss else None
    with threadpool_limits(limits=count):
        try:
            if faiss:
                faiss.omp_set_num_threads(count)
            yield count
        finally:
            if faiss and before is not None:
                faiss.omp_set_num_threads(before)


def run_parallel(
    function: Callable[[Item], Result], items: Iterable[Item], n_jobs: int | None
) -> Iterator[Result]:
    """Yield ``function(item)`` in order; workers are threads, so kernels must release the GIL.

    BLAS is held at one thread while several workers run: they are the parallelism.
    """
    count = n_threads(n_jobs)
    if count == 1:
        yield from map(function, items)
        return
    with thread_budget(1), ThreadPoolExecutor(count) as pool:
        yield from pool.map(function, items)
