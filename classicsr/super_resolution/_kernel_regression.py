"""Kernel ridge regression with a sparse basis."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._validation import is_number
from classicsr.degradation import Degradation
from classicsr.kernels.overlap import SPAN
from classicsr.regressors._kernel_map import KernelMap
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._patch import PatchSuperResolver
from classicsr.super_resolution._stored import (
    TRAINING_RECORDS,
    Records,
    restore_patch_model,
    write_patch_model,
)

_SHARPEST = 1e4
"""Gaussians of a larger `gamma` are narrower than float32 tells directions apart."""
_FARTHEST = 100.0
"""Points start at distance 1 from zero and stay near it."""


class KernelRegressionSR(PatchSuperResolver):
    """Super-resolution by kernel ridge regression with a sparse basis (Kim, Kwon).

    The residual patch is a linear map of the gradient features plus a sum of Gaussians of their
    direction, whose centres gradient descent has placed; overlapping patches are averaged and
    added to the bicubic image.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    n_basis : int
        Gaussians. Time and size of the model are proportional to it.
    gamma : float
        A Gaussian is ``exp(-gamma |u - c|^2)``, for the direction u of the features.
    ridge : float
        Weight of the squared norm of the function, per sum of the features' squared norms.
    n_iter : int
        Passes of the gradient descent over the samples.
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
    map_ : KernelMap
        Basis, coefficients and linear map.
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    References
    ----------
    K. I. Kim, Y. Kwon, "Single-image super-resolution using sparse regression and natural image
    prior", IEEE Trans. Pattern Anal. Mach. Intell. 32(6), 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import KernelRegressionSR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = KernelRegressionSR(scale=2, n_basis=32, n_levels=1, random_state=0)
    >>> sr.fit([image]).predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "krr"

    def __init__(
        self,
        scale: Scale = 2,
        n_basis: int = 1024,
        gamma: float = 4.5,
        ridge: float = 1e-7,
        n_iter: int = 8,
        degradation: Degradation | None = None,
        n_samples: int | None = 500_000,
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
        self.n_basis = n_basis
        self.gamma = gamma
        self.ridge = ridge
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
        rule = f"above 0 and at most {_SHARPEST:g}"
        accepted = is_number(self.gamma, 0, _SHARPEST) and self.gamma > 0
        self._require(accepted, "gamma", rule, self.gamma)

    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        from classicsr.regressors import SparseKernelRegressor

        regressor = SparseKernelRegressor(
            n_basis=self.n_basis,
            gamma=self.gamma,
            ridge=self.ridge,
            n_iter=self.n_iter,
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        self.map_ = regressor.fit(X, Y).map_

    def _rows_regressor(self) -> KernelMap:
        return self.map_

    def _label(self) -> str:
        return "kernel regression"

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Basis, coefficients and linear map are stored in float16, which costs less than 0.01 dB.

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.
        """
        self._check_fitted()
        names = ("points", "coefficients", "linear")
        write_patch_model(
            self,
            path,
            method=self.method,
            records=_RECORDS,
            tensors={name: getattr(self.map_, name).astype(np.float16) for name in names},
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> KernelRegressionSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        estimator = restore_patch_model(cls(), model, _RECORDS)
        n_features, n_outputs = len(estimator.filters_), (SPAN * estimator.native_scale_) ** 2
        model.require_tensors(["filters", "points", "coefficients", "linear"])
        points = model.tensor("points", (None, n_features)).astype(np.float32)
        if np.abs(points).max() > _FARTHEST:
            raise model.error("tensor 'points'", f"must lie within {_FARTHEST:g} of zero")
        coefficients = model.tensor("coefficients", (len(points), n_outputs)).astype(np.float32)
        linear = model.tensor("linear", (n_features, n_outputs)).astype(np.float32)
        estimator.map_ = KernelMap(points, coefficients, linear, float(estimator.gamma))
        return estimator


_RECORDS: Records = {
    "n_basis": (int,),
    "gamma": (int, float),
    "ridge": (int, float),
    "n_iter": (int,),
    **TRAINING_RECORDS,
}
