"""Sparse coding and neighbour embedding as scikit-learn regressors."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from classicsr.neighbors import NeighborIndex
from classicsr.neighbors._index import Kind
from classicsr.regressors._coupled import (
    WEIGHT_SOLVERS,
    Coder,
    CoupledCodes,
    LassoCoder,
    NeighborCoder,
    PursuitCoder,
    code_rows,
)
from classicsr.regressors._norms import norms, unit_rows
from classicsr.regressors._zeyde import DictionaryRegressor, target_atoms

Float32 = NDArray[np.float32]
_COMMON: dict[str, list] = {
    **DictionaryRegressor._parameter_constraints,
    "n_atoms": [Interval(Integral, 1, None, closed="left")],
}


class CoupledDictionaryRegressor(DictionaryRegressor):
    """Sparse coding over a coupled dictionary.

    The atoms of the features are learned by K-SVD, those of the targets fit the same codes by
    least squares. The code of a new patch over the first, applied to the second, is its target.

    Parameters
    ----------
    n_atoms : int
    solver : {"omp", "l1"}
        Sparse codes: orthogonal matching pursuit (Zeyde), or an L1 penalty.
    penalty : float
        L1 penalty for patches whose features have unit norm; "l1" only.
    n_nonzero : int
        Atoms per patch when the dictionary is learned, and of the codes of "omp".
    n_iter : int
        Iterations of K-SVD.
    dictionary_samples : int
        Patches that the dictionary is learned from (a seeded random subset).
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    map_ : CoupledCodes
        ``map_.coder.low`` (n_atoms, n_features) and ``map_.high`` (n_atoms, n_outputs) are the
        dictionaries.

    Notes
    -----
    Fitting strategy: a seeded sample held in memory.

    References
    ----------
    R. Zeyde, M. Elad, M. Protter, "On single image scale-up using sparse-representations",
    Curves and Surfaces 2010; J. Yang, J. Wright, T. S. Huang, Y. Ma, "Image super-resolution
    via sparse representation", IEEE Trans. Image Process. 19(11), 2010 (L1).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((500, 6))
    >>> model = CoupledDictionaryRegressor(n_atoms=32, random_state=0).fit(X, X[:, :2])
    >>> model.predict(X[:3]).shape
    (3, 2)
    """

    map_: CoupledCodes
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **_COMMON,
        "solver": [StrOptions({"omp", "l1"})],
        "penalty": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        n_atoms: int = 1024,
        solver: str = "omp",
        penalty: float = 0.15,
        n_nonzero: int = 3,
        n_iter: int = 20,
        dictionary_samples: int = 200_000,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_atoms = n_atoms
        self.solver = solver
        self.penalty = penalty
        self.n_nonzero = n_nonzero
        self.n_iter = n_iter
        self.dictionary_samples = dictionary_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> CoupledCodes:
        subset = self._subset(X, rng)
        low = self._atoms(X[subset], self.n_atoms, rng)
        coder = self._coder(low)
        indices, weights = code_rows(coder, X[subset], self.n_jobs)
        return CoupledCodes(coder, target_atoms(Y[subset], indices, weights, len(low)))

    def _coder(self, low: Float32) -> Coder:
        if self.solver == "l1":
            return LassoCoder(low, self.penalty)
        return PursuitCoder(low, min(self.n_nonzero, *low.shape))


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
        Search among patches: exact, or approximate and faster; "patches" only.
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
    Smet, L. Van Gool, ICCV 2013 (atoms as columns).

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
        **_COMMON,
        "solver": [StrOptions(set(WEIGHT_SOLVERS))],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "columns": [StrOptions({"atoms", "patches"})],
        "index": [StrOptions({"exact", "ivf", "hnsw"})],
    }

    def __init__(
        self,
        solver: str = "lle",
        n_neighbors: int = 24,
        columns: str = "atoms",
        n_atoms: int = 1024,
        index: Kind = "exact",
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
        self.n_nonzero = n_nonzero
        self.n_iter = n_iter
        self.dictionary_samples = dictionary_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> CoupledCodes:
        index = None
        if self.columns == "atoms":
            low, high = self._coupled_dictionary(X, Y, self.n_atoms, rng)
        else:
            subset = self._subset(X, rng)
            lengths = norms(X[subset])
            low = unit_rows(X[subset])
            lengths[lengths == 0] = 1
            high = Y[subset] / lengths[:, None]
            index = NeighborIndex(low, kind=self.index, metric="inner_product", n_jobs=self.n_jobs)
        n_neighbors = min(self.n_neighbors, len(low))
        return CoupledCodes(NeighborCoder(low, n_neighbors, self.solver, index), high)
