"""Progress of blocks that are worked on by iterations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from classicsr.reconstruction._convergence import Callback, reporting

_STEPS = 100  # that a block counts


class BlockProgress:
    """Tells ``progress(steps done, steps in all)`` as the iterations within blocks go on.

    Blocks may run at the same time: it is told from their threads, by one at a time.
    """

    def __init__(self, progress: Callback | None, n_blocks: int) -> None:
        self._progress = progress
        self._total = _STEPS * n_blocks
        self._done = 0
        self._lock = Lock()

    @contextmanager
    def block(self) -> Iterator[None]:
        """Around the work on one block."""
        if self._progress is None:
            yield
            return
        progress, before = self._progress, 0

        def tell(steps: int) -> None:
            nonlocal before
            if steps > before:  # an estimator that iterates twice does not go back
                with self._lock:
                    self._done += steps - before
                    progress(self._done, self._total)
                before = steps

        with reporting(lambda k, n: tell((k - 1) * _STEPS // n)):
            yield
        tell(_STEPS)
