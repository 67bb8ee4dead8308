"""Gradient features reduced by principal components, as a scikit-learn transformer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from classicsr.features._gradients import WINDOW_SIDE, gradient_matrix


class GradientPCA(TransformerMixin, BaseEstimator):
    """Gradients of the interpolated window, projected on their principal components.

    Both steps are linear, so they fold into one matrix on the low-resolution pixels.

    Parameters
    ----------
    scale : int
        Magnification: 2, 3 or 4.
    energy : float
        Share of the second moment (uncentred) that the components keep.

    Attributes
    ----------
    components_ : (n_components, n_pixels) float32
        ``transform(X) == X @ components_.T``.

    Notes
    -----
    Fitting strategy: exact mergeable statistics (the second moment of the windows).

    References
    ----------
    R. Zeyde, M. Elad, M. Protter, "On single image scale-up using sparse-representations",
    2010.

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).random((1000, 81), dtype="f4")
    >>> GradientPCA(scale=3, energy=0.9).fit_transform(windows).shape[0]
    1000
    """

    def __init__(self, scale: int = 3, energy: float = 0.999) -> None:
        self.scale = scale
        self.energy = energy

    def fit(self, X: ArrayLike, y: Any = None) -> GradientPCA:
        """Learn the components from windows.

        Parameters
        ----------
        X : (n, 81) array
            Low-resolution windows of 9 x 9 pixels, flattened.
        y : ignored

        Returns
        -------
        self
        """
        windows = validate_data(self, X, dtype=np.float64)
        return self.fit_moment(windows.T @ windows)

    def fit_moment(self, moment: NDArray[np.float64]) -> GradientPCA:
        """Learn the components from the sum of ``x x'`` over windows, (81, 81) float64."""
        n_pixels = WINDOW_SIDE**2
        if moment.shape != (n_pixels, n_pixels):
            raise ValueError(
                f"The windows of GradientPCA must have {n_pixels} pixels. "
                f"Got {moment.shape[-1]} instead."
            )
        self.components_ = principal_filters(gradient_matrix(self.scale), moment, self.energy)
        self.n_features_in_ = n_pixels
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Features (n, n_components) float32 of windows (n, 81)."""
        check_is_fitted(self)
        windows = validate_data(self, X, dtype=np.float32, reset=False)
        return windows @ self.components_.T


def principal_filters(
    gradients: NDArray[np.float64], moment: NDArray[np.float64], energy: float
) -> NDArray[np.float32]:
    """Gradients and their principal components folded into one matrix on the windows.

    Parameters
    ----------
    gradients : (n_gradients, n_pixels) float64
        From windows to gradient features.
    moment : (n_pixels, n_pixels) float64
        Sum of ``x x'`` over windows.
    energy : float
        Share of the features' second moment (uncentred) that the components keep.

    Returns
    -------
    (n_components, n_pixels) float32
    """
    values, vectors = np.linalg.eigh(gradients @ moment @ gradients.T)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    kept = np.searchsorted(np.cumsum(values), energy * values.sum()) + 1
    return (vectors[:, :kept].T @ gradients).astype(np.float32)
