"""Online dictionary learning: atoms from a stream of batches, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget
from classicsr.regressors._coupled import Coder, code_rows, code_statistics
from classicsr.regressors._ksvd import replace_unused
from classicsr.regressors._norms import norms, unit_rows

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
_FORGETTING = 8.0  # batch t shrinks what came before by (1 - 1/t)^8: early codes are poor ones
_BATCH = 1024


def online_dictionary(
    batches: Iterable[Float32],
    n_atoms: int,
    coder: Callable[[Float32], Coder],
    *,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> Float32:
    """Learn a dictionary from a stream of batches of signals.

    Each batch is coded over the atoms of the moment and added to the statistics ``A = sum a a'``
    and ``B = sum a x'`` of codes a and signals x; one sweep of block coordinate descent then
    moves the atoms to the minimum of the error that these statistics describe. An atom that no
    code uses is replaced by the signal of the batch that is explained worst.

    Parameters
    ----------
    batches : iterable of (n, d) float32
        The atoms start from distinct signals of the first ones; a batch is not kept.
    n_atoms : int
        Fewer atoms are returned when there are fewer signals that are not zero.
    coder : callable
        Makes a `Coder` of atoms (n_atoms, d) of unit norm, such as
        ``lambda atoms: LassoCoder(atoms, 0.15)``.
    random_state : int or RandomState, optional
    n_jobs : int, optional
        Threads. Never changes the result.

    Returns
    -------
    (n_atoms, d) float32, unit norm

    Raises
    ------
    ValueError
        There is no batch.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online dictionary learning for sparse coding",
    ICML 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.regressors._coupled import LassoCoder
    >>> signals = np.random.default_rng(0).standard_normal((200, 8)).astype("f4")
    >>> batches = [signals[:100], signals[100:]]
    >>> online_dictionary(batches, 16, lambda atoms: LassoCoder(atoms, 0.1), random_state=0).shape
    (16, 8)
    """
    from sklearn.utils import check_random_state

    stream = iter(batches)
    atoms, head = _first_atoms(stream, n_atoms, check_random_state(random_state))
    gram = np.zeros((len(atoms), len(atoms)))
    cross = np.zeros(atoms.shape)
    with thread_budget(1):  # sums of BLAS depend on its threads
        for t, batch in enumerate(chain(head, stream), start=1):
            indices, weights = code_rows(coder(atoms), batch, n_jobs)
            of_batch = code_statistics(batch, indices, weights, len(atoms))
            memory = (1 - 1 / t) ** _FORGETTING
            gram = memory * gram + of_batch[0]
            cross = memory * cross + of_batch[1]
            _update_atoms(atoms, gram, cross)
            used = np.diagonal(gram) > 0
            replace_unused(atoms, used, batch, indices, weights, norms(batch))
    return atoms


def shuffled_batches(
    signals: Float32, n_epochs: int, random_state: np.random.RandomState, size: int = _BATCH
) -> Iterator[Float32]:
    """The signals in batches, in a new random order in each epoch."""
    for _ in range(n_epochs):
        order = random_state.permutation(len(signals))
        for start in range(0, len(signals), size):
            yield signals[order[start : start + size]]


def _first_atoms(
    stream: Iterator[Float32], n_atoms: int, rng: np.random.RandomState
) -> tuple[Float32, list[Float32]]:
    """Random distinct signals of unit norm, and the batches that were read to have enough."""
    head: list[Float32] = []
    found = 0
    while found < n_atoms and (batch := next(stream, None)) is not None:
        head.append(batch)
        found += int(np.count_nonzero(norms(batch)))
    if not head:
        raise ValueError("The 'batches' parameter of online_dictionary must hold a batch.")
    if not found:
        return np.eye(1, head[0].shape[1], dtype=np.float32), head
    signals = np.concatenate(head)
    candidates = np.flatnonzero(norms(signals))
    return unit_rows(signals[rng.permutation(candidates)[:n_atoms]]), head


def _update_atoms(atoms: Float32, gram: Float64, cross: Float64) -> None:
    """One sweep: each atom in turn, in place, to where the others and the codes want it."""
    rows = gram.astype(np.float32)  # so that no product converts the atoms
    for j in np.flatnonzero(np.diagonal(gram) > 0):
        wanted = atoms[j] + (cross[j] - rows[j] @ atoms) / gram[j, j]
        length = np.sqrt((wanted**2).sum())
        if length > 0:
            atoms[j] = wanted / length
