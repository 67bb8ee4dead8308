"""Sparse coding over a coupled dictionary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._validation import is_integer, is_number
from classicsr.degradation import Degradation
from classicsr.kernels.overlap import SPAN
from classicsr.regressors._coupled import CoupledCodes, LassoCoder, PursuitCoder
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._patch import PatchSuperResolver
from classicsr.super_resolution._stored import (
    TRAINING_RECORDS,
    Records,
    restore_patch_model,
    write_patch_model,
)


@dataclass(frozen=True)
class _Variant:
    """Registry name and what else makes a variant."""

    method: str
    solver: str
    learner: str
    n_back_projections: int


_VARIANTS = {
    "zeyde": _Variant("zeyde", "omp", "ksvd", 0),
    "yang": _Variant("scsr", "l1", "joint", 10),
}
_MOST_STEPS = 1000  # far more than ever fall: bounds the time that a model file can ask for


class CoupledDictionarySR(PatchSuperResolver):
    """Super-resolution by sparse coding over a coupled dictionary: Zeyde's method, or Yang's.

    Atoms of gradient features are learned first; atoms of residual patches fit the same codes by
    least squares. The code of a patch over the first dictionary, applied to the second, is its
    residual; overlapping patches are averaged and added to the bicubic image.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    variant : {"zeyde", "yang"}
        "zeyde": K-SVD and orthogonal matching pursuit. "yang" (ScSR): atoms learned from
        features and residuals together, codes with an L1 penalty, and back-projection.
    n_atoms : int
    n_nonzero : int
        Atoms per patch; "zeyde" only.
    penalty : float
        L1 penalty for features of unit norm: the smaller, the more atoms and the slower;
        "yang" only.
    n_iter : int, optional
        Iterations of K-SVD, default 20; or passes over the training patches ("yang"), default 1.
    n_back_projections : int, optional
        Steps that make the degraded result agree with the input; default 0 ("zeyde") or 10.
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
    Curves and Surfaces 2010; J. Yang, J. Wright, T. S. Huang, Y. Ma, "Image super-resolution
    via sparse representation", IEEE Trans. Image Process. 19(11), 2010.

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
        variant: str = "zeyde",
        n_atoms: int = 1024,
        n_nonzero: int = 3,
        penalty: float = 0.15,
        n_iter: int | None = None,
        n_back_projections: int | None = None,
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
        self.variant = variant
        self.n_atoms = n_atoms
        self.n_nonzero = n_nonzero
        self.penalty = penalty
        self.n_iter = n_iter
        self.n_back_projections = n_back_projections
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
        steps = self.n_back_projections
        checks = {
            "variant": (
                isinstance(self.variant, str) and self.variant in _VARIANTS,
                f"one of {', '.join(_VARIANTS)}",
            ),
            "n_nonzero": (is_integer(self.n_nonzero, 1), "a positive integer"),
            "penalty": (is_number(self.penalty, 1e-4), "0.0001 or more"),
            "n_back_projections": (
                steps is None or is_integer(steps, 0, _MOST_STEPS),
                f"an integer from 0 to {_MOST_STEPS}, or None",
            ),
        }
        for name, (accepted, rule) in checks.items():
            self._require(accepted, name, rule, getattr(self, name))

    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        from classicsr.regressors import CoupledDictionaryRegressor

        kind = _VARIANTS[self.variant]
        regressor = CoupledDictionaryRegressor(
            n_atoms=self.n_atoms,
            solver=kind.solver,
            learner=kind.learner,
            penalty=self.penalty,
            n_nonzero=self.n_nonzero,
            n_iter=self.n_iter,
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        self.map_: CoupledCodes = regressor.fit(X, Y).map_

    def _rows_regressor(self) -> CoupledCodes:
        return self.map_

    def _wanted_back_projections(self) -> int:
        steps = self.n_back_projections
        return _VARIANTS[self.variant].n_back_projections if steps is None else steps

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
            method=_VARIANTS[self.variant].method,
            records=_RECORDS,
            tensors=dictionary_tensors(self.map_),
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> CoupledDictionarySR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        variant = next(name for name, kind in _VARIANTS.items() if kind.method == model.method)
        estimator = restore_patch_model(cls(variant=variant), model, _RECORDS)
        model.require_tensors(["filters", "low_atoms", "high_atoms"])
        low, high = stored_dictionary(model, len(estimator.filters_), estimator.native_scale_)
        coder: PursuitCoder | LassoCoder
        if variant == "yang":
            coder = LassoCoder(low, estimator.penalty)
        else:
            coder = PursuitCoder(low, min(estimator.n_nonzero, *low.shape))
        estimator.map_ = CoupledCodes(coder, high)
        return estimator


_RECORDS: Records = {
    "n_atoms": (int,),
    "n_nonzero": (int,),
    "penalty": (float, int),
    "n_iter": (int, type(None)),
    "n_back_projections": (int, type(None)),
    **TRAINING_RECORDS,
}


def dictionary_tensors(codes: CoupledCodes, suffix: str = "") -> dict[str, NDArray]:
    """Both dictionaries as a model file holds them."""
    return {
        f"low_atoms{suffix}": codes.coder.low,
        f"high_atoms{suffix}": codes.high.astype(np.float16),
    }


def stored_dictionary(
    model: ModelFile, n_features: int, scale: int, suffix: str = ""
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The dictionaries of a stored model, checked."""
    low = model.tensor(f"low_atoms{suffix}", (None, n_features)).astype(np.float32)
    high = model.tensor(f"high_atoms{suffix}", (len(low), (SPAN * scale) ** 2)).astype(np.float32)
    return low, high
