"""Is a difference between methods more than chance: intervals, paired tests, win counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
_RESAMPLES = 9999


def bootstrap_interval(values: ArrayLike) -> tuple[float, float] | None:
    """95 % confidence interval of the mean (percentile bootstrap); None for fewer than 2 values.

    Examples
    --------
    >>> from classicsr.report import bootstrap_interval
    >>> bootstrap_interval([1.0, 1.0, 1.0])
    (1.0, 1.0)
    """
    from scipy.stats import bootstrap

    sample = np.asarray(values, float)
    if len(sample) < 2:
        return None
    interval = bootstrap(
        (sample,), np.mean, n_resamples=_RESAMPLES, confidence_level=CONFIDENCE,
        method="percentile", batch=1000, random_state=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return float(interval.low), float(interval.high)


def wilcoxon_p(differences: ArrayLike) -> float:
    """Two-sided p-value of the signed-rank test that paired differences are centred at 0."""
    from scipy.stats import wilcoxon

    sample = np.asarray(differences, float)
    return float(wilcoxon(sample).pvalue) if np.any(sample) else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number, by Holm's step-down procedure.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 1979.

    Examples
    --------
    >>> from classicsr.report import holm
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    stepped = np.maximum.accumulate(np.minimum(1.0, np.asarray(p_values)[order] * factors))
    corrected = np.empty(len(order))
    corrected[order] = stepped
    return [float(p) for p in corrected]


def wins(values: NDArray[np.float64]) -> list[int]:
    """How often each row of (methods, images) is the largest; all share a tie."""
    if values.size == 0:
        return [0] * len(values)
    return [int(n) for n in (values == values.max(axis=0)).sum(axis=1)]
