"""How far a result is likely to be from the truth: error as a measured function of a score.

The score of a pixel is a local root mean square, over three low-resolution pixels along every
axis, of what tells easy places from difficult ones. Scores and errors are divided by the contrast
of the input, so that the standard deviation goes with the scale of the intensities, whatever they
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
COVERAGE = 0.9
INTERVAL = 1.645
"""Half the width of an interval that holds `COVERAGE` of the errors, in standard deviations."""
_REACH = 1.5  # low-resolution pixels around a pixel that its score looks at
_N_KNOTS = 48


@dataclass(frozen=True)
class ErrorCurve:
    """Standard deviation of the error over the score, both relative to the contrast.

    Attributes
    ----------
    knots : (2, n) float32
        Scores, which rise, and standard deviations, which do not fall. Linear in between;
        constant below the first and proportional to the score beyond the last.
    """

    knots: Float32

    @classmethod
    def fit(cls, scores: Float32, errors: Float32) -> ErrorCurve:
        """The monotone curve through what covers `COVERAGE` of the absolute `errors` (n,)."""
        from sklearn.isotonic import IsotonicRegression

        order = np.argsort(scores, kind="stable")
        groups = np.array_split(order, min(_N_KNOTS, len(order)))
        at = np.array([scores[group].mean(dtype=np.float64) for group in groups])
        widths = [np.quantile(errors[group], COVERAGE) for group in groups]
        at, first = np.unique(at.astype(np.float32), return_index=True)
        stds = IsotonicRegression().fit_transform(at, np.array(widths)[first]) / INTERVAL
        return cls(np.stack([at, stds]).astype(np.float32))

    def conformal(self, scores: Float32, errors: Float32) -> ErrorCurve:
        """The curve scaled to cover `COVERAGE` of `errors` that it was not fitted to."""
        smallest = np.finfo(np.float32).tiny
        ratios = errors / np.maximum(INTERVAL * self.std(scores, 1.0), smallest)
        share = min(1.0, COVERAGE * (1 + 1 / len(ratios)))
        factor = np.float32(np.quantile(ratios, share, method="higher"))
        return ErrorCurve(np.stack([self.knots[0], factor * self.knots[1]]))

    def std(self, scores: Float32, contrast: float) -> Float32:
        """Standard deviations of pixels with these scores in an image of this contrast."""
        result = np.zeros_like(scores)
        if contrast == 0:
            return result
        at, stds = self.knots
        # row by row, because interpolation works in float64
        for row, out in zip(np.atleast_2d(scores), np.atleast_2d(result), strict=True):
            relative = row / np.float32(contrast)
            out[:] = contrast * np.interp(relative, at, stds)
            out *= np.maximum(1, relative / max(at[-1], np.finfo(np.float32).tiny))
        return result


def contrast(low: Float32) -> float:
    """Root mean square of the differences between neighbours, over all axes."""
    squares = (np.square(np.diff(low, axis=a)) for a in range(low.ndim) if low.shape[a] > 1)
    return float(np.sqrt(sum(float(square.mean(dtype=np.float64)) for square in squares)))


def activity(high: Float32) -> Float32:
    """What tells easy places from difficult ones in the result of any method: its Laplacian."""
    from scipy.ndimage import laplace

    result: Float32 = laplace(high, mode="reflect")
    return result


def local_rms(values: Float32, scales: Sequence[float]) -> Float32:
    """Root mean square of `values` over a box around each high-resolution pixel."""
    from scipy.ndimage import uniform_filter

    sides = [2 * int(_REACH * scale) + 1 for scale in scales]
    means = uniform_filter(np.square(values), sides, mode="reflect")
    np.maximum(means, 0, out=means)  # running sums may fall below by rounding
    rms: Float32 = np.sqrt(means, out=means)
    return rms
