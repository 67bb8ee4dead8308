"""What an iteration did, and when it stops."""

from __future__ import annotations

from dataclasses import dataclass, field

CHECK_EVERY = 10
"""Iterations between two looks at the change."""


@dataclass
class Convergence:
    """Record of an iteration.

    Attributes
    ----------
    changes : list of float
        Root mean square of the change by one step, at every tenth of them, in units of the
        image.
    n_iter : int
    converged : bool
        Whether a change fell below the tolerance; otherwise the iterations ran out.
    """

    changes: list[float] = field(default_factory=list)
    n_iter: int = 0
    converged: bool = False

    def check(self, change: float, tolerance: float) -> bool:
        """Note a change; whether it is small enough to stop."""
        self.changes.append(float(change))
        self.converged = bool(change <= tolerance)
        return self.converged
