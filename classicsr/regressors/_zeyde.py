"""Zeyde's coupled dictionary: atoms of the features by K-SVD, atoms of the targets to match."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from classicsr.regressors._base import PatchRegressor
from classicsr.regressors._coupled import code_statistics
from classicsr.regressors._ksvd import ksvd, omp_codes

Float32 = NDArray[np.float32]


class DictionaryRegressor(PatchRegressor):
    """Base of the regressors that learn a sparse dictionary."""

    n_nonzero: int
    n_iter: Any
    dictionary_samples: int

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PatchRegressor._parameter_constraints,
        "n_nonzero": [Interval(Integral, 1, None, closed="left")],
        "n_iter": [Interval(Integral, 0, None, closed="left")],
        "dictionary_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def _subset(self, X: Float32, rng: np.random.RandomState) -> NDArray[np.intp]:
        if len(X) <= self.dictionary_samples:
            return np.arange(len(X))
        return np.sort(rng.choice(len(X), self.dictionary_samples, replace=False))

    def _atoms(self, X: Float32, n_atoms: int, rng: np.random.RandomState) -> Float32:
        return ksvd(
            X,
            n_atoms,
            n_nonzero=self.n_nonzero,
            n_iter=self.n_iter,
            random_state=rng,
            n_jobs=self.n_jobs,
        )

    def _coupled_dictionary(
        self, X: Float32, Y: Float32, n_atoms: int, rng: np.random.RandomState
    ) -> tuple[Float32, Float32]:
        """Atoms of the features (n_atoms, d) and of the targets (n_atoms, n_outputs)."""
        subset = self._subset(X, rng)
        low = self._atoms(X[subset], n_atoms, rng)
        indices, coefficients = omp_codes(
            X[subset], low, min(self.n_nonzero, *low.shape), self.n_jobs
        )
        return low, target_atoms(Y[subset], indices, coefficients, len(low))


def target_atoms(
    targets: Float32, indices: NDArray[np.int32], coefficients: Float32, n_atoms: int
) -> Float32:
    """Least-squares atoms ``D_h = Y' G' (G G')^-1`` that share the codes G of the features.

    Parameters
    ----------
    targets : (n, n_outputs) float32
    indices : (n, k) int32; coefficients : (n, k) float32
        Sparse codes.
    n_atoms : int

    References
    ----------
    R. Zeyde, M. Elad, M. Protter, "On single image scale-up using sparse-representations",
    Curves and Surfaces 2010.
    """
    gram, cross = code_statistics(targets, indices, coefficients, n_atoms)
    return np.linalg.lstsq(gram, cross, rcond=1e-10)[0].astype(np.float32)
