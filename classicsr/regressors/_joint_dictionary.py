"""Yang's joint dictionary: atoms that are sparse for features and targets together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._coupled import Coder
from classicsr.regressors._norms import unit_rows
from classicsr.regressors._online_dictionary import online_dictionary, shuffled_batches

Float32 = NDArray[np.float32]


def joint_dictionary(
    X: Float32,
    Y: Float32,
    n_atoms: int,
    coder: Callable[[Float32], Coder],
    *,
    n_iter: int,
    random_state: np.random.RandomState,
    n_jobs: int | None = None,
) -> Float32:
    """Atoms of the features, learned from the codes that features and targets share.

    Both are stacked, with equal energies, and each stacked patch is divided by its norm. Of the
    atoms the part that belongs to the features is returned: their partners are better fitted,
    by `target_atoms`, to the codes that the features alone have, as those of a new patch.

    Parameters
    ----------
    X : (n, d) float32; Y : (n, n_outputs) float32
    n_atoms : int
    coder : callable
        Makes a `Coder` of stacked atoms.
    n_iter : int
        Passes over the patches.
    random_state : RandomState
    n_jobs : int, optional

    Returns
    -------
    (n_atoms, d) float32, unit norm

    References
    ----------
    J. Yang, J. Wright, T. S. Huang, Y. Ma, "Image super-resolution via sparse representation",
    IEEE Trans. Image Process. 19(11), 2010.
    """
    energies = [float(np.square(part, dtype=np.float64).sum()) for part in (X, Y)]
    balance = np.sqrt(energies[0] / energies[1]) if energies[1] > 0 else 1.0
    rows = unit_rows(np.hstack([X, np.float32(balance) * Y]))
    atoms = online_dictionary(
        shuffled_batches(rows, n_iter, random_state),
        n_atoms,
        coder,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return unit_rows(atoms[:, : X.shape[1]])
