"""What every patch-level estimator shares: validation, threads, prediction by what was fitted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from classicsr._threads import thread_budget
from classicsr.regressors._piecewise import RowsPredictor

Float32 = NDArray[np.float32]


class PatchRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator, ABC):
    """Base of the patch regressors: `_learn` returns what predicts rows, kept as ``map_``."""

    random_state: Any
    n_jobs: int | None
    map_: RowsPredictor

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from patches.

        Parameters
        ----------
        X : (n_patches, n_features) array
            Low-resolution features; computed in float32.
        y : (n_patches, n_outputs) or (n_patches,) array
            High-resolution targets.

        Returns
        -------
        self
        """
        self._validate_params()
        features, targets = validate_data(
            self, X, y, dtype=np.float32, order="C", multi_output=True, y_numeric=True
        )
        self._single_output = targets.ndim == 1
        targets = np.ascontiguousarray(targets.reshape(len(features), -1), dtype=np.float32)
        with thread_budget(self.n_jobs):
            self.map_ = self._learn(features, targets, check_random_state(self.random_state))
        return self

    @abstractmethod
    def _learn(self, X: Float32, Y: Float32, rng: np.random.RandomState) -> RowsPredictor:
        """What predicts targets Y from features X."""

    def predict(self, X: ArrayLike) -> NDArray:
        """Targets of patches, computed in float32.

        Parameters
        ----------
        X : (n_patches, n_features) array

        Returns
        -------
        (n_patches, n_outputs) or (n_patches,) array
            float32 for float32 input, else float64 as scikit-learn's regressors return.
        """
        check_is_fitted(self, "map_")
        features = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        outputs = self.map_.predict(features).astype(features.dtype, copy=False)
        return outputs[:, 0] if self._single_output else outputs
