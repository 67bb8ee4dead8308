"""Sparse coding in two stages, each over a coupled dictionary of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._validation import is_integer
from classicsr.degradation import Degradation
from classicsr.regressors._coupled import CoupledCodes, PursuitCoder
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._coupled_dictionary import dictionary_tensors, stored_dictionary
from classicsr.super_resolution._staged import StagedPatchSuperResolver, stored_stage_filters
from classicsr.super_resolution._stored import (
    TRAINING_RECORDS,
    Records,
    restore_patch_model,
    write_patch_model,
)

_SECOND = "_second"
"""Ends the names of the second stage's tensors."""


class DualDictionarySR(StagedPatchSuperResolver):
    """Super-resolution by dual dictionary learning (DDL): sparse coding in two stages.

    The first coupled dictionary turns the bicubic image into one with the middle frequencies, as
    `CoupledDictionarySR` does. The second one learns what that estimate lacks on the training
    images, from gradient features of the estimate, and adds the high frequencies.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    n_atoms : int
        Of each dictionary.
    n_nonzero : int
        Atoms per patch.
    n_iter : int
        Iterations of K-SVD.
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_samples : int or None
        Training patches of each stage at most (seeded random subsets); None takes all.
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
        Both dictionaries of the first stage.
    refinements_ : list of one (filters, CoupledCodes)
        The second stage.
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    Notes
    -----
    Unlike in the paper, patches of the first stage are the residual of the bicubic image, not of
    a band-passed one, and features are principal components of gradients in both stages.

    References
    ----------
    J. Zhang, C. Zhao, R. Xiong, S. Ma, D. Zhao, "Image super-resolution via dual-dictionary
    learning and sparse representation", ISCAS 2012; R. Zeyde, M. Elad, M. Protter, "On single
    image scale-up using sparse-representations", Curves and Surfaces 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import DualDictionarySR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = DualDictionarySR(scale=2, n_atoms=16, n_levels=1, random_state=0)
    >>> sr.fit([image]).predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "ddl"

    def __init__(
        self,
        scale: Scale = 2,
        n_atoms: int = 1024,
        n_nonzero: int = 3,
        n_iter: int = 20,
        degradation: Degradation | None = None,
        n_samples: int | None = 200_000,
        n_levels: int = 4,
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

    def _n_stages(self) -> int:
        return 2

    def _fit_stage(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> CoupledCodes:
        from classicsr.regressors import CoupledDictionaryRegressor

        regressor = CoupledDictionaryRegressor(
            n_atoms=self.n_atoms,
            n_nonzero=self.n_nonzero,
            n_iter=self.n_iter,
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        return regressor.fit(X, Y).map_

    def _label(self) -> str:
        return "dual dictionaries"

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
        filters, codes = self.refinements_[0]
        write_patch_model(
            self,
            path,
            method=self.method,
            records=_RECORDS,
            tensors={
                **dictionary_tensors(self.map_),
                f"filters{_SECOND}": filters,
                **dictionary_tensors(codes, _SECOND),
            },
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> DualDictionarySR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        estimator = restore_patch_model(cls(), model, _RECORDS)
        names = ("filters", "low_atoms", "high_atoms")
        model.require_tensors([f"{name}{suffix}" for suffix in ("", _SECOND) for name in names])
        scale, n_nonzero = estimator.native_scale_, estimator.n_nonzero
        filters = stored_stage_filters(model, scale, _SECOND)
        first, second = (
            pursuit_codes(*stored_dictionary(model, len(bank), scale, suffix), n_nonzero)
            for bank, suffix in ((estimator.filters_, ""), (filters, _SECOND))
        )
        estimator.map_ = first
        estimator.refinements_ = [(filters, second)]
        return estimator


_RECORDS: Records = {
    "n_atoms": (int,),
    "n_nonzero": (int,),
    "n_iter": (int,),
    **TRAINING_RECORDS,
}


def pursuit_codes(
    low: NDArray[np.float32], high: NDArray[np.float32], n_nonzero: int
) -> CoupledCodes:
    """Codes by matching pursuit over a coupled dictionary."""
    return CoupledCodes(PursuitCoder(low, min(n_nonzero, *low.shape)), high)
