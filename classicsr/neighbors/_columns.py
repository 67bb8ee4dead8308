"""Columns that correlate most with patches, up to sign: every one compared, or a few cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """Columns sorted by the centre that correlates with them most.

    Attributes
    ----------
    centers : (n_cells, d) float32
    starts : (n_cells + 1,) int64
        Columns ``starts[c]`` to ``starts[c + 1]`` belong to cell c.
    """

    centers: Float32
    starts: Int64


class ColumnIndex:
    """Search by largest absolute correlation; a patch and its negative have the same neighbours.

    Patches are compared with a cell's columns many at a time, as a matrix product, so that
    columns are read once for all of them. A patch's result does not depend on the others.

    Parameters
    ----------
    columns : (n_columns, d) float32
    cells : Cells, optional
        Makes the search approximate: only columns of the cells whose centres correlate most
        with a patch are compared. Without them all are.
    n_probes : int
        Cells compared.

    Examples
    --------
    >>> import numpy as np
    >>> index = ColumnIndex(np.eye(4, dtype="f4"))
    >>> index.search(-np.eye(4, dtype="f4"), np.array([2]), 1)[0].tolist()
    [[2]]
    """

    def __init__(self, columns: Float32, cells: Cells | None = None, n_probes: int = 16) -> None:
        from classicsr.kernels.columns import block_columns

        self.columns = columns
        self.cells = cells
        self.n_probes = n_probes
        self._blocks = block_columns(columns)
        self._centers = None if cells is None else ColumnIndex(cells.centers)

    def search(self, rows: Float32, positions: Int64, n_neighbors: int) -> tuple[Int32, Float32]:
        """Columns of ``rows[positions]``, best first, and the magnitudes of their correlations.

        Parameters
        ----------
        rows : (n_rows, >= d) float32
        positions : (n,) int64
        n_neighbors : int
            At most the number of columns.

        Returns
        -------
        indices : (n, n_neighbors) int32
            Where the cells hold too few, the best is repeated.
        magnitudes : (n, n_neighbors) float32
            -1 for such repetitions.
        """
        from classicsr.kernels.cells import search_cells
        from classicsr.kernels.linear import sort_by_label

        n = len(positions)
        if self.cells is None or self._centers is None:
            n_probes, bounds = 1, np.array([0, len(self.columns)], np.int64)
            probes = np.zeros((n, 1), np.int32)
        else:
            bounds = self.cells.starts
            n_probes = min(self.n_probes, len(bounds) - 1)
            probes = self._centers.search(rows, positions, n_probes)[0]
        indices = np.zeros((n, n_neighbors), np.int32)
        best = np.full((n, n_neighbors), -1, np.float32)
        order, starts = sort_by_label(probes.ravel(), len(bounds) - 1)
        search_cells(rows, positions, order, starts, n_probes, self._blocks, bounds, indices, best)
        return np.where(best < 0, indices[:, :1], indices), best
