"""K-SVD dictionary learning with batch OMP."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel

Float32 = NDArray[np.float32]
_CHUNK = 1024  # signals coded at a time: their correlations with 1024 atoms fill 4 MB


def omp_codes(
    signals: Float32,
    atoms: Float32,
    n_nonzero: int,
    n_jobs: int | None = None,
    *,
    wanted: Float32 | None = None,
) -> tuple[NDArray[np.int32], Float32]:
    """Orthogonal matching pursuit of every signal.

    Parameters
    ----------
    signals : (n, d) float32
    atoms : (n_atoms, d) float32, unit norm
    n_nonzero : int
        Atoms per signal, at most ``min(n_atoms, d)``.
    n_jobs : int, optional
    wanted : (n,) float32, optional
        Squared norm of each signal that is to be explained: no more atoms than that needs.

    Returns
    -------
    indices : (n, n_nonzero) int32
    coefficients : (n, n_nonzero) float32

    Examples
    --------
    >>> import numpy as np
    >>> indices, coefficients = omp_codes(np.eye(3, dtype="f4"), np.eye(3, dtype="f4"), 1)
    >>> indices.ravel().tolist()
    [0, 1, 2]
    """
    from classicsr.kernels.omp import batch_omp

    gram = atoms @ atoms.T
    indices = np.zeros((len(signals), n_nonzero), np.int32)
    coefficients = np.zeros((len(signals), n_nonzero), np.float32)

    def code(start: int) -> None:
        chunk = slice(start, start + _CHUNK)
        enough = None if wanted is None else wanted[chunk]
        batch_omp(signals[chunk] @ atoms.T, gram, indices[chunk], coefficients[chunk], enough)

    for _ in run_parallel(code, range(0, len(signals), _CHUNK), n_jobs):
        pass
    return indices, coefficients


def ksvd(
    signals: Float32,
    n_atoms: int,
    *,
    n_nonzero: int = 3,
    n_iter: int = 20,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Float32:
    """Learn a dictionary by approximate K-SVD.

    Starts from random distinct signals; atoms that no signal uses are replaced by the signals
    that are explained worst.

    Parameters
    ----------
    signals : (n, d) float32
    n_atoms : int
        Fewer atoms are returned when there are fewer signals that are not zero.
    n_nonzero : int
        Atoms per signal.
    n_iter : int
        Alternations of coding and atom updates.
    random_state : int or RandomState, optional
    n_jobs : int, optional
    progress : callable, optional
        Called with (iterations done, iterations in all).

    Returns
    -------
    (n_atoms, d) float32, unit norm

    References
    ----------
    M. Aharon, M. Elad, A. Bruckstein, "K-SVD", IEEE Trans. Signal Process. 54(11), 2006.
    R. Rubinstein, M. Zibulevsky, M. Elad, "Efficient implementation of the K-SVD algorithm
    using batch orthogonal matching pursuit", 2008.

    Examples
    --------
    >>> import numpy as np
    >>> signals = np.random.default_rng(0).standard_normal((200, 8)).astype("f4")
    >>> ksvd(signals, 16, n_iter=2, random_state=0).shape
    (16, 8)
    """
    from sklearn.utils import check_random_state

    from classicsr.kernels.linear import sort_by_label
    from classicsr.kernels.omp import update_atoms

    rng = check_random_state(random_state)
    norms = np.linalg.norm(signals, axis=1)
    candidates = np.flatnonzero(norms > 0)
    if len(candidates) == 0:
        return np.eye(1, signals.shape[1], dtype=np.float32)
    chosen = rng.permutation(candidates)[:n_atoms]
    atoms = signals[chosen] / norms[chosen, None]
    n_nonzero = min(n_nonzero, len(atoms), signals.shape[1])
    for iteration in range(n_iter):
        indices, coefficients = omp_codes(signals, atoms, n_nonzero, n_jobs)
        order, starts = sort_by_label(indices.ravel(), len(atoms))
        used = np.zeros(len(atoms), bool)
        used[indices[coefficients != 0]] = True
        update_atoms(signals, atoms, indices, coefficients, order, starts)
        replace_unused(atoms, used, signals, indices, coefficients, norms)
        if progress is not None:
            progress(iteration + 1, n_iter)
    return atoms


def replace_unused(
    atoms: Float32,
    used: NDArray[np.bool_],
    signals: Float32,
    indices: NDArray[np.int32],
    coefficients: Float32,
    norms: Float32,
) -> None:
    """Overwrite unused atoms with the normalised signals that are explained worst."""
    unused = np.flatnonzero(~used)
    if len(unused) == 0:
        return
    approximation = np.einsum("ns,nsd->nd", coefficients, atoms[indices])
    errors = ((signals - approximation) ** 2).sum(axis=1)
    worst = np.argsort(-errors, kind="stable")[: len(unused)]
    worst = worst[norms[worst] > 0]
    atoms[unused[: len(worst)]] = signals[worst] / norms[worst, None]
