"""Sparse coding over a coupled dictionary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._validation import is_integer
from classicsr.degradation import Degradation
from classicsr.kernels.overlap import SPAN
from classicsr.regressors._coupled import CoupledCodes, PursuitCoder
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._patch import PatchSuperResolver
from classicsr.super_resolution._stored import (
    TRAINING_RECORDS,
    Records,
    restore_patch_model,
    write_patch_model,
)


class CoupledDictionarySR(PatchSuperResolver):
    """Super-resolution by sparse coding over a coupled dictionary (Zeyde, Elad, Protter).

    K-SVD learns atoms of gradient features; atoms of residual patches fit the same codes by
    least squares. The code of a patch by orthogonal matching pursuit, applied to the second
    dictionary, is its residual; overlapping patches are averaged and added to the bicubic image.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    n_atoms : int
    n_nonzero : int
        Atoms per patch.
    n_iter : int
        Iterations of K-SVD.
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_samples : int or None
        Training patches at most (a seeded random subset); None takes all.
    n_levels, level_ratio : int, float
        Pyramid of the training images: levels, and size of each relative to the one before.
    energy : float
        Share of the features' second moment that their principal components keep.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum. The method is
        equivariant to intensity scale and shift, so at prediction it only matters for rounding.
    channel_mode : {"luma", "independent"}
        Colour images: learned luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Axes of the slices of a volume; default the two of finest spacing.
    tile_shape : (int, int)
        Low-resolution pixels of a tile. Changes memory and speed, never the result.
    random_state : int, RandomState or None
    n_jobs : int, optional
        Threads. Never changes the result.

    Attributes
    ----------
    map_ : CoupledCodes
        Both dictionaries.
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    References
    ----------
    R. Zeyde, M. Elad, M. Protter, "On single image scale-up using sparse-representations",
    Curves and Surfaces 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import CoupledDictionarySR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = CoupledDictionarySR(scale=2, n_atoms=16, n_levels=1, random_state=0)
    >>> sr.fit([image]).predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "zeyde"

    def __init__(
        self,
        scale: Scale = 2,
        n_atoms: int = 1024,
        n_nonzero: int = 3,
        n_iter: int = 20,
        degradation: Degradation | None = None,
        n_samples: int | None = 200_000,
        n_levels: int = 12,
        level_ratio: float = 0.98,
        energy: float = 0.999,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.n_atoms = n_atoms
        self.n_nonzero = n_nonzero
        self.n_iter = n_iter
        self.degradation = degradation
        self.n_samples = n_samples
        self.n_levels = n_levels
        self.level_ratio = level_ratio
        self.energy = energy
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        accepted = is_integer(self.n_nonzero, 1)
        self._require(accepted, "n_nonzero", "a positive integer", self.n_nonzero)

    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        from classicsr.regressors import CoupledDictionaryRegressor

        regressor = CoupledDictionaryRegressor(
            n_atoms=self.n_atoms,
            n_nonzero=self.n_nonzero,
            n_iter=self.n_iter,
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        self.map_: CoupledCodes = regressor.fit(X, Y).map_

    def _rows_regressor(self) -> CoupledCodes:
        return self.map_

    def _label(self) -> str:
        return "sparse coding"

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Residual atoms are stored in float16, which costs less than 0.01 dB.

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.
        """
        self._check_fitted()
        write_patch_model(
            self,
            path,
            method=self.method,
            records=_RECORDS,
            tensors=dictionary_tensors(self.map_),
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> CoupledDictionarySR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        estimator = restore_patch_model(cls(), model, _RECORDS)
        low, high = stored_dictionary(model, len(estimator.filters_), estimator.native_scale_)
        coder = PursuitCoder(low, min(estimator.n_nonzero, *low.shape))
        estimator.map_ = CoupledCodes(coder, high)
        return estimator


_RECORDS: Records = {
    "n_atoms": (int,),
    "n_nonzero": (int,),
    "n_iter": (int,),
    **TRAINING_RECORDS,
}


def dictionary_tensors(codes: CoupledCodes) -> dict[str, NDArray]:
    """Both dictionaries as a model file holds them."""
    return {"low_atoms": codes.coder.low, "high_atoms": codes.high.astype(np.float16)}


def stored_dictionary(
    model: ModelFile, n_features: int, scale: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The dictionaries of a stored model, checked."""
    model.require_tensors(["filters", "low_atoms", "high_atoms"])
    low = model.tensor("low_atoms", (None, n_features)).astype(np.float32)
    high = model.tensor("high_atoms", (len(low), (SPAN * scale) ** 2)).astype(np.float32)
    return low, high
