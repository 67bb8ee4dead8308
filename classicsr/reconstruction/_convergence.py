"""What an iteration did, when it stops, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

CHECK_EVERY = 10
"""Iterations between two looks at the change."""

Callback = Callable[[int, int], None]

# beside the arguments, so that every method tells of its iterations without passing this on
_CALLBACK: ContextVar[Callback | None] = ContextVar("callback", default=None)


@contextmanager
def reporting(callback: Callback | None) -> Iterator[None]:
    """Within the block, iterations are told: ``callback(iteration, iterations at most)``.

    None leaves whoever is told already.
    """
    token = _CALLBACK.set(callback or _CALLBACK.get())
    try:
        yield
    finally:
        _CALLBACK.reset(token)


@dataclass
class Convergence:
    """Record of an iteration.

    Attributes
    ----------
    changes : list of float
        What `criterion` says, in units of the image, each time it was looked at: at every
        tenth iteration by most solvers.
    n_iter : int
    converged : bool
        Whether a change fell to the tolerance; otherwise the iterations ran out.
    criterion : str
        What is compared with the tolerance.
    objectives : list of float
        Values of what is minimised, as often as `changes`, where they were asked for.
    """

    changes: list[float] = field(default_factory=list)
    n_iter: int = 0
    converged: bool = False
    criterion: str = "root mean square change of the image by one step"
    objectives: list[float] = field(default_factory=list)
    objective: Callable[[NDArray[np.float32]], float] | None = field(default=None, repr=False)

    def iterations(self, n_iter: int) -> Iterator[int]:
        """Count from 1 to `n_iter`; each is told as it begins, those nested in it are not."""
        callback = _CALLBACK.get()
        _CALLBACK.set(None)
        try:
            for self.n_iter in range(1, n_iter + 1):
                if callback is not None:
                    callback(self.n_iter, n_iter)
                yield self.n_iter
        finally:
            _CALLBACK.set(callback)

    def check(
        self, change: float, tolerance: float, image: NDArray[np.float32] | None = None
    ) -> bool:
        """Note a change, and the objective of `image`; whether the change is small enough."""
        self.changes.append(float(change))
        if self.objective is not None and image is not None:
            self.objectives.append(self.objective(image))
        self.converged = bool(change <= tolerance)
        return self.converged
