"""Super-resolution with any prior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_number
from classicsr.degradation import Degradation
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm
from classicsr.reconstruction._denoiser import Denoiser
from classicsr.reconstruction._dictionary_sparsity import DictionarySparsity
from classicsr.reconstruction._minimize import SOLVERS, minimize
from classicsr.reconstruction._tikhonov import Tikhonov
from classicsr.reconstruction._variational import VariationalSR
from classicsr.reconstruction._wavelet_sparsity import WaveletSparsity
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]
# default weight, and the prior of this weight for an image like the one that is begun with
_PRIORS: dict[str, tuple[float, Callable[[float, Float32], Any]]] = {
    "tikhonov": (1e-3, lambda weight, start: Tikhonov(weight)),
    "wavelet": (1e-4, lambda weight, start: WaveletSparsity(weight)),
    "dictionary": (1e-5, lambda weight, start: DictionarySparsity.learned(start, weight)),
    "nlm": (1e-5, lambda weight, start: Denoiser(weight)),
}
_NAMES = {"tikhonov": "tikhonov", "wavelet": "wavelet", "nlm": "pnp"}


class RegularizedSR(VariationalSR):
    """The image that explains the input and pleases a prior, of any kind.

    ``argmin_x |H x - y|^2 / 2 + prior(x)``, by the solver that suits the prior (`minimize`).

    Parameters
    ----------
    scale : number or one per axis
    prior : str or object
        "tikhonov" (squared gradients), "wavelet" (sparse coefficients), "dictionary" (sparse
        patches over a dictionary learned from the interpolated image), "nlm" (plug-and-play with
        non-local means); or any prior that `minimize` takes, with its own weight.
    weight : float, optional
        Of a prior that is given by name, for intensities in [0, 1]; the default is for inputs
        without visible noise.
    solver : {"auto", "primal-dual", "cg", "fista", "admm"}
        See `minimize`.
    n_iter : int
        Iterations at most. The default suits the priors that have names; a `HuberField` or
        `TotalVariation` takes hundreds.
    tolerance : float
        Of the criterion that `convergence_` names, for intensities in [0, 1].
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
    A. N. Tikhonov, "Solution of incorrectly formulated problems and the regularization method",
    Soviet Math. Dokl. 4, 1963; M. A. T. Figueiredo, R. D. Nowak, "An EM algorithm for
    wavelet-based image restoration", IEEE TIP 12(8), 2003; M. Elad, M. Aharon, "Image denoising
    via sparse and redundant representations over learned dictionaries", IEEE TIP 15(12), 2006;
    S. V. Venkatakrishnan, C. A. Bouman, B. Wohlberg, "Plug-and-play priors for model based
    reconstruction", GlobalSIP 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import RegularizedSR
    >>> from classicsr.reconstruction import WaveletSparsity
    >>> RegularizedSR(scale=2, prior=WaveletSparsity(0.001, "haar")).predict(np.eye(8)).shape
    (16, 16)
    """

    method = "regularized"

    def __init__(
        self,
        scale: Scale = 2,
        prior: Any = "tikhonov",
        weight: float | None = None,
        solver: str = "auto",
        n_iter: int = 20,
        tolerance: float = 1e-5,
        degradation: Degradation | None = None,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.prior = prior
        self.weight = weight
        self.solver = solver
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
        named = isinstance(self.prior, str)
        self._require(
            self.prior in _PRIORS if named else True,
            "prior",
            f"a prior or one of {', '.join(_PRIORS)}",
            self.prior,
        )
        self._require(
            self.weight is None or (named and is_number(self.weight, 0)),
            "weight",
            "None, or 0 or more for a prior given by name",
            self.weight,
        )
        self._require(
            isinstance(self.solver, str) and self.solver in SOLVERS,
            "solver",
            f"one of {', '.join(SOLVERS)}",
            self.solver,
        )

    def _registry_name(self) -> str:
        if not isinstance(self.prior, str) or self.prior not in _NAMES:
            raise TypeError(f"A model file cannot hold the prior {self.prior!r}.")
        return _NAMES[self.prior]

    def _minimize(self, data: DataTerm, start: Float32) -> tuple[Float32, Convergence]:
        return minimize(
            data,
            self._made_prior(start),
            start,
            solver=self.solver,
            n_iter=self.n_iter,
            tolerance=self.tolerance,
        )

    def _made_prior(self, start: Float32) -> Any:
        if not isinstance(self.prior, str):
            return self.prior
        default, make = _PRIORS[self.prior]
        return make(default if self.weight is None else self.weight, start)
