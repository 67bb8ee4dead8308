"""Coupled codes: a patch is a weighted sum of columns, its target the same sum of their partners.

Sparse coding and neighbour embedding share this one predictor. They differ in the coder: which
columns a patch is made of, and with what weights. Nothing here needs scikit-learn, so that a
model file is loaded and applied without paying for its import.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.regressors._piecewise import RowsPredictor

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Codes = tuple[Int32, Float32]
_CHUNK = 128  # patches coded at a time: their correlations with 1024 atoms take 512 kB


class Coder(Protocol):
    """Which columns a patch is made of, and with what weights."""

    low: Float32
    """Columns of the features, one per row."""
    chunk: int
    """Patches to code at a time."""

    def codes(self, rows: Float32, positions: Int64) -> Codes:
        """Columns (n, k) and weights (n, k) of the patches ``rows[positions]``."""
        ...


class CoupledCodes(RowsPredictor):
    """Codes over columns of features, applied to the paired columns of targets.

    Parameters
    ----------
    coder : Coder
    high : (n_columns, n_outputs) float32
        Partners of ``coder.low``.
    """

    def __init__(self, coder: Coder, high: Float32) -> None:
        from classicsr.kernels.linear import padded_outputs

        self.coder = coder
        self.high = high
        self.n_outputs = high.shape[1]
        padding = padded_outputs(self.n_outputs) - self.n_outputs
        self._columns = np.pad(high, ((0, 0), (0, padding))).astype(np.float32)

    def predict_rows(self, rows: Float32, positions: Int64, out: Float32) -> None:
        """Write the outputs of the patches ``rows[positions]`` to `out`.

        Parameters
        ----------
        rows : (n_rows, >= n_features) float32
        positions : (n,) int64
        out : (n, padded_outputs(n_outputs)) float32, overwritten
            The first `n_outputs` columns count.
        """
        from classicsr.kernels.columns import combine_columns

        wanted = (len(positions), self._columns.shape[1])
        if out.shape != wanted:  # kernels do not check bounds
            raise ValueError(f"The 'out' array must have shape {wanted}. Got {out.shape} instead.")
        for start in range(0, len(positions), self.coder.chunk):
            chunk = slice(start, start + self.coder.chunk)
            indices, weights = self.coder.codes(rows, positions[chunk])
            combine_columns(indices, weights, self._columns, out[chunk])


def code_rows(coder: Coder, X: Float32, n_jobs: int | None = None) -> Codes:
    """Codes of every row of X."""
    chunks = [np.arange(start, min(start + _CHUNK, len(X))) for start in range(0, len(X), _CHUNK)]
    parts = list(run_parallel(lambda chunk: coder.codes(X, chunk), chunks, n_jobs))
    indices, weights = zip(*parts, strict=True)
    return np.concatenate(indices), np.concatenate(weights)


def code_statistics(
    signals: Float32, indices: Int32, weights: Float32, n_columns: int
) -> tuple[Float64, Float64]:
    """Sums of ``a a'`` and ``a x'`` over signals x and their codes a, in float64.

    Parameters
    ----------
    signals : (n, d) float32
    indices : (n, k) int32; weights : (n, k) float32
        Codes over `n_columns` columns.

    Returns
    -------
    (n_columns, n_columns) and (n_columns, d) float64
    """
    from scipy import sparse

    rows = np.repeat(np.arange(len(signals)), indices.shape[1])
    codes = sparse.csr_matrix(
        (weights.ravel().astype(np.float64), (rows, indices.ravel())),
        shape=(len(signals), n_columns),
    )
    return (codes.T @ codes).toarray(), codes.T @ signals.astype(np.float64)


class _Atoms:
    """Dictionary atoms laid out to be correlated with patches."""

    def __init__(self, low: Float32) -> None:
        from classicsr.kernels.columns import block_columns

        self.low = np.ascontiguousarray(low, dtype=np.float32)
        self._blocks = block_columns(self.low)

    def correlations(self, rows: Float32, positions: Int64) -> Float32:
        """(n, n_atoms or more); the columns that pad the atoms are zero."""
        from classicsr.kernels.columns import correlate_columns
        from classicsr.kernels.lanes import LANES

        correlations = np.empty((len(positions), len(self._blocks) * LANES), np.float32)
        correlate_columns(rows, positions, self._blocks, correlations)
        return correlations

    def gram(self) -> Float32:
        """Correlations of the atoms with each other, padded on both axes."""
        part = self.correlations(self.low, np.arange(len(self.low)))
        return np.pad(part, ((0, part.shape[1] - len(part)), (0, 0)))


class PursuitCoder:
    """Orthogonal matching pursuit.

    Parameters
    ----------
    low : (n_atoms, d) float32, unit norm
    n_nonzero : int
        Atoms per patch, at most ``min(n_atoms, d)``.
    """

    chunk = _CHUNK

    def __init__(self, low: Float32, n_nonzero: int) -> None:
        self._atoms = _Atoms(low)
        self._gram = self._atoms.gram()
        self.low = self._atoms.low
        self.n_nonzero = n_nonzero

    def codes(self, rows: Float32, positions: Int64) -> Codes:
        """Atoms and coefficients of ``rows[positions]``."""
        from classicsr.kernels.omp import batch_omp

        indices = np.empty((len(positions), self.n_nonzero), np.int32)
        weights = np.empty((len(positions), self.n_nonzero), np.float32)
        batch_omp(self._atoms.correlations(rows, positions), self._gram, indices, weights)
        return indices, weights


class LassoCoder:
    """Sparse codes with an L1 penalty.

    Parameters
    ----------
    low : (n_atoms, d) float32, unit norm
    penalty : float
        For patches of unit norm: a patch and its multiples have the same code, scaled.
    fista : bool
        By accelerated proximal gradient steps instead of an active-set method.
    """

    chunk = _CHUNK

    def __init__(self, low: Float32, penalty: float, *, fista: bool = False) -> None:
        self._atoms = _Atoms(low)
        self._gram = self._atoms.gram()
        self.low = self._atoms.low
        self.penalty = penalty
        self.fista = fista

    def codes(self, rows: Float32, positions: Int64) -> Codes:
        """Atoms and coefficients of ``rows[positions]``."""
        from classicsr.kernels.columns import row_norms
        from classicsr.kernels.fista import batch_fista
        from classicsr.kernels.lasso import batch_lasso

        n_atoms, d = self.low.shape
        capacity = min(n_atoms, d) + 1  # a minimum needs no more than d, one is on its way in
        penalties = np.empty(len(positions), np.float32)
        row_norms(rows, positions, d, penalties)
        penalties *= np.float32(self.penalty)
        indices = np.empty((len(positions), capacity), np.int32)
        weights = np.empty((len(positions), capacity), np.float32)
        correlations = self._atoms.correlations(rows, positions)
        solve = batch_fista if self.fista else batch_lasso
        solve(correlations, self._gram, penalties, indices, weights)
        return indices, weights
