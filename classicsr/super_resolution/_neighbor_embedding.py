"""Neighbour embedding over the atoms of a coupled dictionary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._validation import is_integer
from classicsr.degradation import Degradation
from classicsr.regressors._coupled import WEIGHT_SOLVERS, CoupledCodes, NeighborCoder
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._coupled_dictionary import dictionary_tensors, stored_dictionary
from classicsr.super_resolution._patch import PatchSuperResolver
from classicsr.super_resolution._stored import (
    TRAINING_RECORDS,
    Records,
    restore_patch_model,
    write_patch_model,
)

_NEIGHBORS = {"ls": 12, "nnls": 24, "lle": 24}


class NeighborEmbeddingSR(PatchSuperResolver):
    """Super-resolution by neighbour embedding: NE+LS, NE+NNLS or NE+LLE.

    The features of a patch are rebuilt from the dictionary atoms that correlate with them most;
    the same weights of the paired residual atoms give its residual. Overlapping patches are
    averaged and added to the bicubic image.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    solver : {"ls", "nnls", "lle"}
        Weights: least squares, non-negative least squares, or those of locally linear
        embedding, which sum to one. An atom and its negative count as one.
    n_neighbors : int, optional
        Atoms per patch; default 12 ("ls"), 24 ("nnls", "lle").
    n_atoms : int
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
    H. Chang, D.-Y. Yeung, Y. Xiong, "Super-resolution through neighbor embedding", CVPR 2004
    (LLE); M. Bevilacqua, A. Roumy, C. Guillemot, M.-L. Alberi-Morel, "Low-complexity
    single-image super-resolution based on nonnegative neighbor embedding", BMVC 2012 (NNLS);
    R. Timofte, V. De Smet, L. Van Gool, "Anchored neighborhood regression for fast
    example-based super-resolution", ICCV 2013 (over dictionary atoms).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import NeighborEmbeddingSR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = NeighborEmbeddingSR(scale=2, n_atoms=16, n_levels=1, random_state=0)
    >>> sr.fit([image]).predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "ne"

    def __init__(
        self,
        scale: Scale = 2,
        solver: str = "lle",
        n_neighbors: int | None = None,
        n_atoms: int = 1024,
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
        self.solver = solver
        self.n_neighbors = n_neighbors
        self.n_atoms = n_atoms
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
        self._require(
            isinstance(self.solver, str) and self.solver in WEIGHT_SOLVERS,
            "solver",
            f"one of {', '.join(WEIGHT_SOLVERS)}",
            self.solver,
        )
        self._require(
            self.n_neighbors is None or is_integer(self.n_neighbors, 1),
            "n_neighbors",
            "a positive integer, or None",
            self.n_neighbors,
        )

    def _wanted_neighbors(self) -> int:
        return self.n_neighbors or _NEIGHBORS[self.solver]

    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        from classicsr.regressors import NeighborEmbeddingRegressor

        regressor = NeighborEmbeddingRegressor(
            self.solver,
            n_neighbors=self._wanted_neighbors(),
            n_atoms=self.n_atoms,
            n_iter=self.n_iter,
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        self.map_: CoupledCodes = regressor.fit(X, Y).map_

    def _rows_regressor(self) -> CoupledCodes:
        return self.map_

    def _label(self) -> str:
        return f"NE+{self.solver.upper()}"

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
            method=f"ne-{self.solver}",
            records=_RECORDS,
            tensors=dictionary_tensors(self.map_),
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> NeighborEmbeddingSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        solver = model.method.removeprefix("ne-")
        estimator = restore_patch_model(cls(solver=solver), model, _RECORDS)
        low, high = stored_dictionary(model, len(estimator.filters_), estimator.native_scale_)
        n_neighbors = min(estimator._wanted_neighbors(), len(low))
        estimator.map_ = CoupledCodes(NeighborCoder(low, n_neighbors, solver), high)
        return estimator


_RECORDS: Records = {
    "n_neighbors": (int, type(None)),
    "n_atoms": (int,),
    "n_iter": (int,),
    **TRAINING_RECORDS,
}
