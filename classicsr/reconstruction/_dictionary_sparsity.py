"""Sparsity of overlapping patches over a dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget
from classicsr._validation import is_integer, is_number, require
from classicsr.regressors._ksvd import ksvd, omp_codes
from classicsr.regressors._norms import unit_rows

Float32 = NDArray[np.float32]
Corners = list[NDArray[np.int64]]
_GAIN = 1.15  # a patch is explained when its error is this many standard deviations of noise
_MOST_ATOMS = 16  # of one patch
_CHUNK = 1 << 14  # patches that are held at a time
_TRAINING_PATCHES = 8192
_TRAINING_ATOMS = 3  # of one patch, while the dictionary is learned


@dataclass(frozen=True, eq=False)
class DictionarySparsity:
    """Patches that few atoms of a dictionary explain, 2-D or 3-D.

    `prox` codes overlapping patches, without their means, by orthogonal matching pursuit until
    what is left is what noise of variance ``step * weight`` leaves, and averages them. It is the
    denoiser of Elad and Aharon, not exactly a proximal map: the problem is not convex.

    Parameters
    ----------
    weight : float, 0 or more
    atoms : (n_atoms, side, side[, side]) float32
        `learned` makes them from an image.
    stride : int
        Samples between patches, per axis.

    References
    ----------
    M. Elad, M. Aharon, "Image denoising via sparse and redundant representations over learned
    dictionaries", IEEE TIP 15(12), 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import DictionarySparsity
    >>> noisy = np.random.default_rng(0).normal(0, 0.1, (24, 24)).astype(np.float32)
    >>> prior = DictionarySparsity.learned(noisy, 0.1**2, n_atoms=16)
    >>> bool(prior.prox(noisy, 1.0).std() < 0.05)
    True
    """

    weight: float
    atoms: Float32
    stride: int = 2

    def __post_init__(self) -> None:
        owner = type(self).__name__
        atoms = np.asarray(self.atoms, np.float32)
        require(is_number(self.weight, 0), "weight", owner, "0 or more", self.weight)
        require(is_integer(self.stride, 1), "stride", owner, "1 or more", self.stride)
        finite = atoms.ndim > 1 and atoms.size > 0 and bool(np.isfinite(atoms).all())
        require(finite, "atoms", owner, "patches of finite numbers along axis 0", atoms.shape)
        object.__setattr__(self, "atoms", _unit_atoms(atoms))

    @classmethod
    def learned(
        cls,
        image: Float32,
        weight: float,
        *,
        side: int | None = None,
        n_atoms: int = 128,
        n_iter: int = 10,
        stride: int = 2,
        random_state: int = 0,
    ) -> Self:
        """The prior over a dictionary of patches of an image, by K-SVD.

        Parameters
        ----------
        image : 2-D or 3-D float32 array
        weight : float
        side : int, optional
            Samples of a patch along each axis; default 8 for images and 4 for volumes, less
            where the image is smaller.
        n_atoms, n_iter : int
        stride : int
        random_state : int
        """
        default = 8 if image.ndim == 2 else 4
        sides = tuple(min(side or default, n) for n in image.shape)
        corners = [np.arange(n - s + 1) for n, s in zip(image.shape, sides, strict=True)]
        rng = np.random.RandomState(random_state)
        shape = [len(along) for along in corners]
        n_chosen = min(_TRAINING_PATCHES, int(np.prod(shape)))
        chosen = np.unravel_index(rng.choice(int(np.prod(shape)), n_chosen, replace=False), shape)
        patches = np.lib.stride_tricks.sliding_window_view(image, sides)[chosen]
        rows = _centered(patches.reshape(n_chosen, -1))[0]
        with thread_budget(1):  # the rounding of BLAS depends on the number of threads
            atoms = ksvd(rows, n_atoms, n_nonzero=_TRAINING_ATOMS, n_iter=n_iter, random_state=rng)
        return cls(weight, atoms.reshape(-1, *sides), stride)

    def prox(self, x: Float32, step: float) -> Float32:
        """`x` without noise of variance ``step * weight``."""
        sides = self.atoms.shape[1:]
        if len(sides) != x.ndim or any(s > n for s, n in zip(sides, x.shape, strict=True)):
            raise ValueError(f"Patches of shape {sides} do not fit into an image of {x.shape}.")
        atoms = self.atoms.reshape(len(self.atoms), -1)
        leftover = _GAIN**2 * step * self.weight * atoms.shape[1]
        if leftover == 0:
            return x.copy()
        views = np.lib.stride_tricks.sliding_window_view(x, sides)
        total, counts = np.zeros_like(x), np.zeros_like(x)
        for corners in self._chunks(x.shape):
            patches = views[np.ix_(*corners)]
            with thread_budget(1):
                rows = _explained(patches.reshape(-1, atoms.shape[1]), atoms, leftover)
            columns = rows.T.reshape(*sides, *patches.shape[: x.ndim])
            for offset in np.ndindex(*sides):
                place = np.ix_(*(c + o for c, o in zip(corners, offset, strict=True)))
                total[place] += columns[offset]
                counts[place] += 1
        return total / counts

    def _chunks(self, shape: tuple[int, ...]) -> Iterator[Corners]:
        """Corners of the patches along each axis, some of the first axis at a time."""
        corners = [
            np.append(np.arange(0, n - side, self.stride), n - side)
            for n, side in zip(shape, self.atoms.shape[1:], strict=True)
        ]
        others = int(np.prod([len(along) for along in corners[1:]]))
        step = max(1, _CHUNK // others)
        for start in range(0, len(corners[0]), step):
            yield [corners[0][start : start + step], *corners[1:]]


def _explained(rows: Float32, atoms: Float32, leftover: float) -> Float32:
    """Each row as its mean and a few atoms, until the squared rest is below `leftover`."""
    rows, means = _centered(rows)
    wanted = np.sum(rows * rows, axis=1) - np.float32(leftover)
    busy = np.flatnonzero(wanted > 0)
    result = np.repeat(means, rows.shape[1], axis=1)
    n_nonzero = min(_MOST_ATOMS, *atoms.shape)
    indices, weights = omp_codes(rows[busy], atoms, n_nonzero, wanted=wanted[busy])
    for atom, weight in zip(indices.T, weights.T, strict=True):
        result[busy] += weight[:, None] * atoms[atom]
    return result


def _centered(rows: Float32) -> tuple[Float32, Float32]:
    means = rows.mean(axis=1, keepdims=True)
    return rows - means, means


def _unit_atoms(atoms: Float32) -> Float32:
    rows = _centered(atoms.reshape(len(atoms), -1))[0]
    return unit_rows(rows).reshape(atoms.shape)
