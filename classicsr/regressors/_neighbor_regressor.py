"""Neighbour embedding as a scikit-learn regressor."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from classicsr.neighbors import Cells, ColumnIndex
from classicsr.neighbors._index import Kind
from classicsr.regressors._alignment import SMOOTHNESS, aligned_directions
from classicsr.regressors._coupled import CoupledCodes
from classicsr.regressors._laplacian import EigenmapSearch, laplacian_eigenmaps
from classicsr.regressors._neighbors import (
    ATOM_RIDGE,
    PATCH_RIDGE,
    SPACES,
    WEIGHT_SOLVERS,
    GraphSearch,
    NeighborCoder,
    Search,
)
from classicsr.regressors._norms import norms, unit_rows
from classicsr.regressors._partitions import half_sphere_kmeans
from classicsr.regressors._zeyde import DictionaryRegressor

Float32 = NDArray[np.float32]
_SPACE_SAMPLES = 20_000  # patches that the maps to a common space are learned from
_WEAK = 0.01  # share of patches, those of least norm, that are noise
_CENTER_SAMPLES = 20  # patches per cell that its centre is learned from


class NeighborEmbeddingRegressor(DictionaryRegressor):
    """Neighbour embedding: a patch is rebuilt from its nearest columns, its target from theirs.

    Columns are the atoms of a coupled dictionary, or training patches divided by the norm of
    their features.

    Parameters
    ----------
    solver : {"ls", "nnls", "lle"}
        Weights of the columns: least squares (NE+LS), non-negative least squares (NE+NNLS), or
        those of locally linear embedding, which sum to one (NE+LLE). An atom and its negative
        count as one, the one that agrees with the patch.
    n_neighbors : int
    columns : {"atoms", "patches"}
    n_atoms : int
        "atoms" only.
    index : {"exact", "ivf", "hnsw"}
        Search among patches: every one compared, those of 16 of ``2 sqrt(n)`` cells, or along a
        graph (FAISS; a patch and its negative do not count as one); "patches" only.
    space : {"features", "laplacian", "aligned", "cca"}
        Where columns are near: in the features themselves; in Laplacian eigenmaps of the
        columns; or in a common space of features and targets, by manifold alignment or
        canonical correlations. The weights are those of the features always. Spaces other
        than "features" compare every column.
    n_nonzero : int
        Atoms per patch when the dictionary is learned.
    n_iter : int
        Iterations of K-SVD.
    dictionary_samples : int
        Patches that the dictionary is learned from, or that are the columns (a seeded random
        subset).
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    map_ : CoupledCodes
        ``map_.coder.low`` (n_columns, n_features) and ``map_.high`` (n_columns, n_outputs) are
        the columns.

    Notes
    -----
    Fitting strategy: a seeded sample held in memory.

    References
    ----------
    H. Chang, D.-Y. Yeung, Y. Xiong, "Super-resolution through neighbor embedding", CVPR 2004;
    M. Bevilacqua, A. Roumy, C. Guillemot, M.-L. Alberi-Morel, "Low-complexity single-image
    super-resolution based on nonnegative neighbor embedding", BMVC 2012; R. Timofte, V. De
    Smet, L. Van Gool, ICCV 2013 (atoms as columns); M. Belkin, P. Niyogi, Neural Computation
    15(6), 2003 (Laplacian eigenmaps); J. Ham, D. Lee, L. Saul, AISTATS 2005 (alignment).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = NeighborEmbeddingRegressor("nnls", columns="patches").fit(X, X[:, :2])
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    map_: CoupledCodes
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **DictionaryRegressor._parameter_constraints,
        "n_atoms": [Interval(Integral, 1, None, closed="left")],
        "solver": [StrOptions(set(WEIGHT_SOLVERS))],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "columns": [StrOptions({"atoms", "patches"})],
        "index": [StrOptions({"exact", "ivf", "hnsw"})],
        "space": [StrOptions(set(SPACES))],
    }

    def __init__(
        self,
        solver: str = "lle",
        n_neighbors: int = 24,
        columns: str = "atoms",
        n_atoms: int = 1024,
        index: Kind = "exact",
        space: str = "features",
        n_nonzero: int = 3,
        n_iter: int = 20,
        dictionary_samples: int = 200_000,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.solver = solver
        self.n_neighbors = n_neighbors
        self.columns = columns
        self.n_atoms = n_atoms
        self.index = index
        self.space = space
        self.n_nonzero = n_nonzero
        self.n_iter = n_iter
        self.dictionary_samples = dictionary_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> CoupledCodes:
        if self.columns == "atoms":
            low, high = self._coupled_dictionary(X, Y, self.n_atoms, rng)
        else:
            low, high = _unit_pairs(X, Y, self._subset(X, rng))
        search: Search
        if self.space == "laplacian":
            search = EigenmapSearch(low, *laplacian_eigenmaps(low, rng))
        elif self.space in ("aligned", "cca"):
            search = ColumnIndex(self._directions(X, Y, low, rng))
        elif self.columns == "patches" and self.index == "ivf":
            low, high, search = _cell_search(low, high, rng)
        elif self.columns == "patches" and self.index == "hnsw":
            search = GraphSearch(low)
        else:
            search = ColumnIndex(low)
        ridge = ATOM_RIDGE if self.columns == "atoms" else PATCH_RIDGE
        n_neighbors = min(self.n_neighbors, len(low))
        return CoupledCodes(NeighborCoder(low, n_neighbors, self.solver, search, ridge), high)

    def _directions(
        self, X: Float32, Y: Float32, low: Float32, rng: np.random.RandomState
    ) -> Float32:
        chosen = np.sort(rng.permutation(len(X))[:_SPACE_SAMPLES])
        smoothness = SMOOTHNESS if self.space == "aligned" else 0.0
        return aligned_directions(*_unit_pairs(X, Y, chosen), low, smoothness)


def _unit_pairs(X: Float32, Y: Float32, chosen: NDArray[np.intp]) -> tuple[Float32, Float32]:
    """The chosen patches and their targets, divided by the norms of the patches; no weak ones."""
    lengths = norms(X[chosen])
    strong = lengths >= np.quantile(lengths, _WEAK)
    chosen, lengths = chosen[strong], lengths[strong]
    lengths[lengths == 0] = 1
    return unit_rows(X[chosen]), Y[chosen] / lengths[:, None]


def _cell_search(
    low: Float32, high: Float32, rng: np.random.RandomState
) -> tuple[Float32, Float32, ColumnIndex]:
    """Columns sorted by cell, their partners in the same order, and the search among them."""
    from classicsr.kernels.linear import sort_by_label

    n_cells = max(1, min(len(low) // 39, int(2 * len(low) ** 0.5)))
    samples = low[np.sort(rng.permutation(len(low))[: _CENTER_SAMPLES * n_cells])]
    centers = half_sphere_kmeans(samples, n_cells, rng)
    nearest = ColumnIndex(centers).search(low, np.arange(len(low)), 1)[0]
    order, starts = sort_by_label(nearest.ravel(), n_cells)
    low, high = low[order], high[order]
    return low, high, ColumnIndex(low, Cells(centers, starts))
