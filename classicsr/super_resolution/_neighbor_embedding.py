"""Neighbour embedding over the atoms of a coupled dictionary, or over training patches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._validation import is_integer
from classicsr.degradation import Degradation
from classicsr.neighbors._index import Kind
from classicsr.regressors._coupled import CoupledCodes
from classicsr.regressors._neighbors import SPACES, WEIGHT_SOLVERS
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._neighbor_model import neighbor_tensors, stored_codes
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

    The features of a patch are rebuilt from its nearest columns: dictionary atoms, or training
    patches. The same weights of the paired residuals give its residual. Overlapping patches
    are averaged and added to the bicubic image.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    solver : {"ls", "nnls", "lle"}
        Weights: least squares, non-negative least squares, or those of locally linear
        embedding, which sum to one. An atom and its negative count as one.
    n_neighbors : int, optional
        Columns per patch; default 12 ("ls"), 24 ("nnls", "lle").
    columns : {"atoms", "patches"}
        The atoms of a dictionary, or the training patches themselves (all `n_samples`).
    n_atoms : int
        "atoms" only.
    index : {"exact", "ivf", "hnsw"}
        Search among patches: every one compared; those of a few of many cells, which costs 0.01
        dB over a million patches; or along a graph (FAISS, built anew when a model is loaded).
        "patches" in the space "features" only.
    space : {"features", "laplacian", "aligned", "cca"}
        Where columns are near: in the features, by correlation; in Laplacian eigenmaps of the
        columns; or in a common space of features and residuals, by manifold alignment or
        canonical correlations.
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
        The columns and their search.
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    References
    ----------
    H. Chang, D.-Y. Yeung, Y. Xiong, "Super-resolution through neighbor embedding", CVPR 2004
    (LLE); M. Bevilacqua, A. Roumy, C. Guillemot, M.-L. Alberi-Morel, "Low-complexity
    single-image super-resolution based on nonnegative neighbor embedding", BMVC 2012 (NNLS);
    R. Timofte, V. De Smet, L. Van Gool, "Anchored neighborhood regression for fast
    example-based super-resolution", ICCV 2013 (over dictionary atoms); M. Belkin, P. Niyogi,
    "Laplacian eigenmaps for dimensionality reduction and data representation", Neural
    Computation 15(6), 2003; J. Ham, D. Lee, L. Saul, "Semisupervised alignment of manifolds",
    AISTATS 2005.

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
        columns: str = "atoms",
        n_atoms: int = 1024,
        index: Kind = "ivf",
        space: str = "features",
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
        self.columns = columns
        self.n_atoms = n_atoms
        self.index = index
        self.space = space
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
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            known = isinstance(value, str) and value in choices
            self._require(known, name, f"one of {', '.join(choices)}", value)
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
            columns=self.columns,
            n_atoms=self.n_atoms,
            index=self.index,
            space=self.space,
            n_iter=self.n_iter,
            dictionary_samples=len(X),
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        self.map_: CoupledCodes = regressor.fit(X, Y).map_

    def _rows_regressor(self) -> CoupledCodes:
        return self.map_

    def _label(self) -> str:
        return f"NE+{self.solver.upper()}"

    def _method_name(self) -> str:
        """Registry name of the model file."""
        names = {"laplacian": "ne-laplacian", "aligned": "ne-aligned", "cca": "ne-aligned"}
        return names.get(self.space, f"ne-{self.solver}")

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Residuals, and features of patches, are stored in float16, which costs less than 0.01 dB.

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
            method=self._method_name(),
            records=_RECORDS,
            tensors=neighbor_tensors(self.map_, self.columns, self.space),
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> NeighborEmbeddingSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        # the first models did not store their solver: the method tells it
        solver = model.method.removeprefix("ne-")
        unfitted = cls(solver=solver if solver in WEIGHT_SOLVERS else "lle")
        estimator = restore_patch_model(unfitted, model, _RECORDS)
        if estimator._method_name() != model.method:
            raise model.error("parameters", f"are not those of {model.method!r}")
        estimator.map_ = stored_codes(
            model,
            shape=(len(estimator.filters_), estimator.native_scale_),
            columns=estimator.columns,
            index=estimator.index,
            space=estimator.space,
            solver=estimator.solver,
            n_neighbors=estimator._wanted_neighbors(),
        )
        return estimator


_CHOICES = {
    "solver": WEIGHT_SOLVERS,
    "columns": ("atoms", "patches"),
    "index": ("exact", "ivf", "hnsw"),
    "space": SPACES,
}
_RECORDS: Records = {
    **dict.fromkeys(_CHOICES, (str,)),
    "n_neighbors": (int, type(None)),
    "n_atoms": (int,),
    "n_iter": (int,),
    **TRAINING_RECORDS,
}
