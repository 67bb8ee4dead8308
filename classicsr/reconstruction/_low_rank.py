"""Low-rank and total-variation super-resolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_number
from classicsr.degradation import Degradation, SliceProfileDegradation
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm, squared_norm
from classicsr.reconstruction._nuclear_norm import NuclearNorm
from classicsr.reconstruction._total_variation import VariationSR
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]
_PENALTY = 0.003  # of the splitting, per unfolding: fastest on MRI at x2
_INNER_ITER = 10
_BLOCK_MEAN = SliceProfileDegradation(1)


class LowRankTVSR(VariationSR):
    """The image of low rank and total variation that explains the input (LRTV, Shi et al.).

    ``argmin_x |H x - y|^2 / 2 + weight * TV(x) + rank_weight * mean_i |X_i|_*``, where X_i is the
    volume unfolded along its axis i; an image is unfolded along its shorter axis alone. Solved
    by ADMM: a total-variation problem and one singular-value threshold per unfolding in turn.

    Different from the paper: of volumes TV is by default the generalised one of second order,
    which leaves slopes free of steps; intensities are not clipped, so that values below zero,
    as in CT, are kept.

    Parameters
    ----------
    scale : number or one per axis
    weight : float
        Of the total variation, for intensities in [0, 1].
    rank_weight : float
        Of the nuclear norms, for intensities in [0, 1]. More than the default pays only for
        scenes of truly low rank: of sharp, clean MRI it removes detail.
    order : {1, 2}, optional
    ratio, huber : float
        See `TotalVariationSR`.
    n_iter : int
        Iterations at most, each of 10 steps on the total variation.
    tolerance : float
        Stop when an iteration changes the image by less than this (root mean square, for
        intensities in [0, 1]).
    degradation : Degradation, optional
        Forward model H; default the mean over each block, None MATLAB's bicubic. Used at the
        scales asked for.
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
        Of the array, or block of it, that was reconstructed last; one change per iteration.

    References
    ----------
    F. Shi, J. Cheng, L. Wang, P.-T. Yap, D. Shen, "LRTV: MR image super-resolution with
    low-rank and total variation regularizations", IEEE TMI 34(12), 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import LowRankTVSR
    >>> LowRankTVSR(scale=(1, 1, 2)).predict(np.random.default_rng(0).random((6, 7, 4))).shape
    (6, 7, 8)
    """

    method = "lrtv"

    def __init__(
        self,
        scale: Scale = 2,
        weight: float = 1e-4,
        rank_weight: float = 1e-5,
        order: int | None = None,
        ratio: float = 3.0,
        huber: float = 0.03,
        n_iter: int = 50,
        tolerance: float = 1e-5,
        degradation: Degradation | None = _BLOCK_MEAN,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.weight = weight
        self.rank_weight = rank_weight
        self.order = order
        self.ratio = ratio
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
            is_number(self.rank_weight, 0), "rank_weight", "a number, 0 or more", self.rank_weight
        )

    def _minimize(self, data: DataTerm, start: Float32) -> tuple[Float32, Convergence]:
        axes = range(3) if start.ndim == 3 else [int(np.argmin(start.shape))]
        norms = [NuclearNorm(self.rank_weight / len(axes), axis) for axis in axes]
        duals = [np.zeros_like(start) for _ in norms]
        solver = self._variation(start.ndim).solver(
            data, start, anchor=start, anchor_weight=_PENALTY * len(norms)
        )
        record = Convergence()
        for _ in record.iterations(self.n_iter):
            before = solver.image.copy()
            solver.run(_INNER_ITER)
            solver.anchor = np.zeros_like(start)
            for norm, dual in zip(norms, duals, strict=True):
                dual += solver.image
                low_rank = norm.prox(dual, 1 / _PENALTY)
                dual -= low_rank
                solver.anchor += (low_rank - dual) / np.float32(len(norms))
            change = np.sqrt(squared_norm(solver.image - before) / before.size)
            if record.check(change, self.tolerance):
                break
        return solver.image, record
