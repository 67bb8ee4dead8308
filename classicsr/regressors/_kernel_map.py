"""Kernel regression over a sparse basis, as it is applied: no scikit-learn, no statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._piecewise import RowsPredictor

Float32 = NDArray[np.float32]


class KernelMap(RowsPredictor):
    """A linear map plus odd Gaussians of the direction of a patch.

    A patch x of norm r and direction ``u = x / r`` gets
    ``r (u' linear + sum_j k(u, points_j) coefficients_j)``, where
    ``k(u, c) = exp(-gamma |u - c|^2) - exp(-gamma |u + c|^2)``.

    Parameters
    ----------
    points : (n_basis, n_features) float32
    coefficients : (n_basis, n_outputs) float32
    linear : (n_features, n_outputs) float32
    gamma : float
    """

    def __init__(
        self, points: Float32, coefficients: Float32, linear: Float32, gamma: float
    ) -> None:
        from classicsr.kernels.gaussian import block_coefficients, pad_points
        from classicsr.kernels.lanes import pad_weights

        self.points, self.coefficients, self.linear = points, coefficients, linear
        self.gamma = gamma
        self.n_features, self.n_outputs = linear.shape
        self._tables = (
            pad_weights(linear.T),
            *pad_points(points, gamma),
            block_coefficients(coefficients),
        )

    def predict_rows(self, rows: Float32, positions: NDArray[np.int64], out: Float32) -> None:
        """Write the outputs of the patches ``rows[positions]`` to `out`.

        Parameters
        ----------
        rows : (n_rows, >= n_features) float32
        positions : (n,) int64
        out : (n, padded_outputs(n_outputs)) float32, overwritten
            The first `n_outputs` columns count.
        """
        from classicsr.kernels.gaussian import apply_gaussians
        from classicsr.kernels.linear import padded_outputs

        wanted = (len(positions), padded_outputs(self.n_outputs))
        if out.shape != wanted:  # kernels do not check bounds
            raise ValueError(f"The 'out' array must have shape {wanted}. Got {out.shape} instead.")
        if rows.shape[1] < self.n_features:
            raise ValueError(f"Patches must have {self.n_features} features. Got {rows.shape[1]}.")
        apply_gaussians(rows, positions, self.n_features, *self._tables, out)
