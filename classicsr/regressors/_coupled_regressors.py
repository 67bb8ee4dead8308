"""Sparse coding as a scikit-learn regressor."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from classicsr._validation import require
from classicsr.regressors._coupled import (
    Coder,
    CoupledCodes,
    LassoCoder,
    PursuitCoder,
    code_rows,
)
from classicsr.regressors._joint_dictionary import joint_dictionary
from classicsr.regressors._ksvd import ksvd
from classicsr.regressors._norms import unit_rows
from classicsr.regressors._online_dictionary import online_dictionary, shuffled_batches
from classicsr.regressors._zeyde import DictionaryRegressor, target_atoms

Float32 = NDArray[np.float32]
_COMMON: dict[str, list] = {
    **DictionaryRegressor._parameter_constraints,
    "n_atoms": [Interval(Integral, 1, None, closed="left")],
}


class CoupledDictionaryRegressor(DictionaryRegressor):
    """Sparse coding over a coupled dictionary.

    The atoms of the features are learned first; those of the targets fit the same codes by
    least squares. The code of a new patch over the first, applied to the second, is its target.

    Parameters
    ----------
    n_atoms : int
    solver : {"omp", "l1", "fista"}
        Sparse codes: orthogonal matching pursuit (Zeyde); or an L1 penalty (Yang), by an
        active-set method or, many times slower, by FISTA.
    penalty : float
        L1 penalty for patches whose features have unit norm; "l1" and "fista" only.
    learner : {"ksvd", "online", "joint"}
        How the atoms of the features are learned: K-SVD; mini-batches of patches of unit norm,
        coded as `solver` says (Mairal); or the same of features and targets stacked (Yang).
    n_nonzero : int
        Atoms per patch in K-SVD and in the codes of "omp".
    n_iter : int, optional
        Iterations of K-SVD, default 20, or passes over the patches otherwise, default 1.
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
    Fitting strategy: a seeded sample held in memory; `online_dictionary` itself takes a stream.

    References
    ----------
    R. Zeyde, M. Elad, M. Protter, "On single image scale-up using sparse-representations",
    Curves and Surfaces 2010; J. Yang, J. Wright, T. S. Huang, Y. Ma, "Image super-resolution
    via sparse representation", IEEE Trans. Image Process. 19(11), 2010 (L1, joint); J. Mairal,
    F. Bach, J. Ponce, G. Sapiro, "Online dictionary learning for sparse coding", ICML 2009.

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
        "solver": [StrOptions({"omp", "l1", "fista"})],
        "penalty": [Interval(Real, 0, None, closed="neither")],
        "learner": [StrOptions({"ksvd", "online", "joint"})],
        "n_iter": [*_COMMON["n_iter"], None],
    }

    def __init__(
        self,
        n_atoms: int = 1024,
        solver: str = "omp",
        penalty: float = 0.15,
        learner: str = "ksvd",
        n_nonzero: int = 3,
        n_iter: int | None = None,
        dictionary_samples: int = 200_000,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_atoms = n_atoms
        self.solver = solver
        self.penalty = penalty
        self.learner = learner
        self.n_nonzero = n_nonzero
        self.n_iter = n_iter
        self.dictionary_samples = dictionary_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> CoupledCodes:
        subset = self._subset(X, rng)
        X, Y = X[subset], Y[subset]
        low = self._low_atoms(X, Y, rng)
        coder = self._coder(low)
        indices, weights = code_rows(coder, X, self.n_jobs)
        return CoupledCodes(coder, target_atoms(Y, indices, weights, len(low)))

    def _low_atoms(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> Float32:
        default = 20 if self.learner == "ksvd" else 1
        n_iter = default if self.n_iter is None else self.n_iter
        options: dict[str, Any] = {"random_state": rng, "n_jobs": self.n_jobs}
        passes = self.learner == "ksvd" or n_iter > 0
        require(passes, "n_iter", type(self).__name__, "1 or more for this learner", n_iter)
        if self.learner == "joint":
            return joint_dictionary(X, Y, self.n_atoms, self._coder, n_iter=n_iter, **options)
        if self.learner == "online":
            batches = shuffled_batches(unit_rows(X), n_iter, rng)
            return online_dictionary(batches, self.n_atoms, self._coder, **options)
        return ksvd(X, self.n_atoms, n_nonzero=self.n_nonzero, n_iter=n_iter, **options)

    def _coder(self, low: Float32) -> Coder:
        if self.solver == "omp":
            return PursuitCoder(low, min(self.n_nonzero, *low.shape))
        return LassoCoder(low, self.penalty, fista=self.solver == "fista")
