"""Total-variation super-resolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_integer, is_number
from classicsr.degradation import Degradation
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm
from classicsr.reconstruction._generalized_variation import GeneralizedVariation
from classicsr.reconstruction._total_variation_solver import TotalVariation
from classicsr.reconstruction._variational import VariationalSR
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]


class VariationSR(VariationalSR):
    """Base of the estimators with total variation of first or second order."""

    weight: float
    order: int | None
    ratio: float
    huber: float
    isotropic: bool = True

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for name in ("weight", "ratio", "huber"):
            value = getattr(self, name)
            self._require(is_number(value, 0), name, "a number, 0 or more", value)
        self._require(
            self.order is None or is_integer(self.order, 1, 2), "order", "1, 2 or None", self.order
        )

    def _variation(self, n_axes: int) -> TotalVariation | GeneralizedVariation:
        if (self.order or n_axes - 1) == 1:
            return TotalVariation(self.weight, self.isotropic, self.huber)
        return GeneralizedVariation(self.weight, self.ratio, self.huber)


class TotalVariationSR(VariationSR):
    """The image of least total variation that explains the input.

    ``argmin_x |H x - y|^2 / 2 + weight * sum |gradient of x|`` for images and volumes; of second
    order ``weight * min_v sum |changes of v| + ratio * sum |gradient of x - v|``, total
    generalised variation, for which slopes are no edges: it leaves them free of steps.

    Parameters
    ----------
    scale : number or one per axis
    weight : float
        Of the total variation, for intensities in [0, 1]. About 0.1 times the standard
        deviation of the noise or more; the default is for inputs without visible noise.
    isotropic : bool
        Lengths of gradients; else the sum of absolute differences along the axes.
    huber : float
        Gradients up to this length are penalised quadratically; 0 for plain total variation.
    n_iter : int
        Iterations at most.
    tolerance : float
        Stop when a step changes the image by less than this (root mean square, for
        intensities in [0, 1]).
    degradation : Degradation, optional
        Forward model H; default MATLAB's bicubic. Used at the scales asked for.
    data_range : (low, high), optional
        Intensity range that is brought to [0, 1]; default the type's for 8 bits, else the
        minimum and maximum of the image.
    channel_mode : {"luma", "independent"}
        Colour images: reconstructed luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Not used: volumes are reconstructed as a whole.
    tile_shape : (int, int)
        Not used.
    n_jobs : int, optional

    Attributes
    ----------
    convergence_ : Convergence
        Of the array, or block of it, that was reconstructed last.

    References
    ----------
    A. Marquina, S. Osher, "Image super-resolution by TV-regularization and Bregman iteration",
    J. Sci. Comput. 37, 2008; K. Bredies, K. Kunisch, T. Pock, "Total generalized variation",
    SIAM J. Imaging Sci. 3(3), 2010; L. Condat, "A primal-dual splitting method for convex
    optimization", J. Optim. Theory Appl. 158, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import TotalVariationSR
    >>> TotalVariationSR(scale=2).predict(np.eye(8)).shape
    (16, 16)
    """

    method = "tv"

    def __init__(
        self,
        scale: Scale = 2,
        weight: float = 1e-4,
        order: int | None = None,
        ratio: float = 3.0,
        isotropic: bool = True,
        huber: float = 0.03,
        n_iter: int = 500,
        tolerance: float = 2e-6,
        degradation: Degradation | None = None,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.weight = weight
        self.order = order
        self.ratio = ratio
        self.isotropic = isotropic
        self.huber = huber
        self.n_iter = n_iter
        self.tolerance = tolerance
        self.degradation = degradation
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._require(
            isinstance(self.isotropic, bool | np.bool_), "isotropic", "a bool", self.isotropic
        )

    def _minimize(self, data: DataTerm, start: Float32) -> tuple[Float32, Convergence]:
        solver = self._variation(start.ndim).solver(data, start)
        return solver.image, solver.run(self.n_iter, self.tolerance)
