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
from classicsr.neighbors import NeighborIndex
from classicsr.regressors._norms import unit_rows
from classicsr.regressors._piecewise import RowsPredictor

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Codes = tuple[Int32, Float32]
_CHUNK = 128  # patches coded at a time: their correlations with 1024 atoms take 512 kB
WEIGHT_SOLVERS = ("ls", "nnls", "lle")


class Coder(Protocol):
    """Which columns a patch is made of, and with what weights."""

    low: Float32
    """Columns of the features, one per row."""

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
        for start in range(0, len(positions), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            indices, weights = self.coder.codes(rows, positions[chunk])
            combine_columns(indices, weights, self._columns, out[chunk])


def code_rows(coder: Coder, X: Float32, n_jobs: int | None = None) -> Codes:
    """Codes of every row of X."""
    chunks = [np.arange(start, min(start + _CHUNK, len(X))) for start in range(0, len(X), _CHUNK)]
    parts = list(run_parallel(lambda chunk: coder.codes(X, chunk), chunks, n_jobs))
    indices, weights = zip(*parts, strict=True)
    return np.concatenate(indices), np.concatenate(weights)


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
    """

    def __init__(self, low: Float32, penalty: float) -> None:
        self._atoms = _Atoms(low)
        self._gram = self._atoms.gram()
        self.low = self._atoms.low
        self.penalty = penalty

    def codes(self, rows: Float32, positions: Int64) -> Codes:
        """Atoms and coefficients of ``rows[positions]``."""
        from classicsr.kernels.columns import row_norms
        from classicsr.kernels.lasso import batch_lasso

        n_atoms, d = self.low.shape
        capacity = min(n_atoms, d) + 1  # a minimum needs no more than d, one is on its way in
        penalties = np.empty(len(positions), np.float32)
        row_norms(rows, positions, d, penalties)
        penalties *= np.float32(self.penalty)
        indices = np.empty((len(positions), capacity), np.int32)
        weights = np.empty((len(positions), capacity), np.float32)
        correlations = self._atoms.correlations(rows, positions)
        batch_lasso(correlations, self._gram, penalties, indices, weights)
        return indices, weights


class NeighborCoder:
    """Weights that rebuild a patch from the nearest columns, up to sign.

    Parameters
    ----------
    low : (n_columns, d) float32, unit norm
    n_neighbors : int
        At most the number of columns.
    solver : {"ls", "nnls", "lle"}
        Least squares; with weights of the sign of the correlation; or that sum to one.
    index : NeighborIndex, optional
        Finds the nearest of many columns by inner product. Without it patches are correlated
        with every column, and the largest absolute correlations count.
    """

    def __init__(
        self, low: Float32, n_neighbors: int, solver: str, index: NeighborIndex | None = None
    ) -> None:
        self.low = np.ascontiguousarray(low, dtype=np.float32)
        self.n_neighbors = n_neighbors
        self.solver = solver
        self._index = index
        self._atoms = _Atoms(low) if index is None else None

    def codes(self, rows: Float32, positions: Int64) -> Codes:
        """Columns and weights of ``rows[positions]``."""
        from classicsr.kernels.weights import neighbor_weights

        indices = self._nearest(rows, positions)
        weights = np.empty(indices.shape, np.float32)
        solver = WEIGHT_SOLVERS.index(self.solver)
        neighbor_weights(rows, positions, self.low, solver, indices, weights)
        return indices, weights

    def _nearest(self, rows: Float32, positions: Int64) -> Int32:
        from classicsr.kernels.columns import strongest_columns

        if self._atoms is not None:
            indices = np.empty((len(positions), self.n_neighbors), np.int32)
            strongest_columns(self._atoms.correlations(rows, positions), indices)
            return indices
        assert self._index is not None
        directions = unit_rows(rows[positions, : self.low.shape[1]])
        found = self._index.search(directions, self.n_neighbors)[1]
        # an approximate search that found too few repeats one: a repeated column does no harm
        return np.where(found < 0, np.maximum(found[:, :1], 0), found).astype(np.int32)
