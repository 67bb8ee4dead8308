"""Columns of neighbour embedding, and what their search needs, as model files hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.neighbors import Cells, ColumnIndex
from classicsr.regressors._coupled import CoupledCodes
from classicsr.regressors._laplacian import EigenmapSearch
from classicsr.regressors._neighbors import (
    ATOM_RIDGE,
    PATCH_RIDGE,
    GraphSearch,
    NeighborCoder,
    Search,
)
from classicsr.super_resolution._coupled_dictionary import dictionary_tensors, stored_dictionary

Float32 = NDArray[np.float32]


def neighbor_tensors(codes: CoupledCodes, columns: str, space: str) -> dict[str, NDArray]:
    """Tensors of fitted codes; a graph is not stored but built again."""
    coder = codes.coder
    assert isinstance(coder, NeighborCoder)
    search, tensors = coder.search, dictionary_tensors(codes)
    if columns == "patches":  # there may be a million
        tensors["low_atoms"] = coder.low.astype(np.float16)
    if isinstance(search, EigenmapSearch):
        tensors |= {"coordinates": search.coordinates, "decay": search.decay}
    elif isinstance(search, ColumnIndex) and space != "features":
        tensors["directions"] = search.columns
    elif isinstance(search, ColumnIndex) and search.cells is not None:
        cells = search.cells
        tensors |= {"cell_centers": cells.centers, "cell_starts": cells.starts}
    return tensors


def stored_codes(
    model: ModelFile,
    *,
    shape: tuple[int, int],
    columns: str,
    index: str,
    space: str,
    solver: str,
    n_neighbors: int,
) -> CoupledCodes:
    """The codes of a stored model, every tensor checked.

    `shape` are the number of features and the scale; the others are parameters of the
    estimator, checked before.
    """
    low, high = stored_dictionary(model, *shape)
    search = _stored_search(model, low, index if columns == "patches" else "exact", space)
    ridge = ATOM_RIDGE if columns == "atoms" else PATCH_RIDGE
    coder = NeighborCoder(low, min(n_neighbors, len(low)), solver, search, ridge)
    return CoupledCodes(coder, high)


def _stored_search(model: ModelFile, low: Float32, index: str, space: str) -> Search:
    names = ["filters", "low_atoms", "high_atoms"]
    if space == "laplacian":
        model.require_tensors([*names, "coordinates", "decay"])
        coordinates = model.tensor("coordinates", (len(low), None))
        decay = model.tensor("decay", (coordinates.shape[1],))
        if decay.min() <= 0:
            raise model.error("tensor 'decay'", "must be positive")
        return EigenmapSearch(low, coordinates, decay)
    if space != "features":
        model.require_tensors([*names, "directions"])
        return ColumnIndex(model.tensor("directions", low.shape).astype(np.float32))
    if index == "ivf":
        model.require_tensors([*names, "cell_centers", "cell_starts"])
        return ColumnIndex(low, _stored_cells(model, low))
    model.require_tensors(names)
    return GraphSearch(low) if index == "hnsw" else ColumnIndex(low)


def _stored_cells(model: ModelFile, low: Float32) -> Cells:
    centers = model.tensor("cell_centers", (None, low.shape[1])).astype(np.float32)
    starts = model.tensor("cell_starts", (len(centers) + 1,), "i").astype(np.int64)
    if starts[0] != 0 or starts[-1] != len(low) or (starts[1:] < starts[:-1]).any():
        raise model.error("tensor 'cell_starts'", "must rise from 0 to the number of columns")
    return Cells(centers, starts)
