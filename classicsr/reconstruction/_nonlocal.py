"""Non-local upsampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_integer, is_number
from classicsr.degradation import Degradation, SliceProfileDegradation, project, resize
from classicsr.reconstruction._base import ReconstructionSR
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._nonlocal_means import local_deviation, nonlocal_means
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]
_LEVELS = (1.0, 0.5)  # of the width: at first wide, then narrow
_MOMENTUM = np.float32(0.5)
_SMALLEST_WIDTH = 1 / 256  # of the input's range: flatter places stay as they are
_BLOCK_MEAN = SliceProfileDegradation(1)


class NonLocalSR(ReconstructionSR):
    """Non-local upsampling (Manjon et al.): similar places lend each other detail.

    From the cubic interpolation, two steps in turn: non-local means, which make patches that
    look alike more alike, and the projection onto the images that agree with the input. The
    width of the weights follows the local contrast of the interpolated image; once the result
    has settled, it is halved and the iteration goes on until it has settled again.

    Different from the paper: patches are compared whatever their means (it skips pairs of
    different means to save time; without that the result is better), and the iteration is
    accelerated by momentum.

    Parameters
    ----------
    scale : number or one per axis
    strength : float
        First width of the weights, as a multiple of the local standard deviation. The default
        suits MRI; photographs, with their own forward model, gain from 0.7.
    search_radius : int
        Samples of the result on each side, per axis, in which similar places are looked for.
    n_iter : int
        Iterations at most.
    tolerance : float
        The result has settled when an iteration changes it by less than this share of the
        whole change since the start (means of absolute differences).
    degradation : Degradation, optional
        Forward model; default the mean over each block, None MATLAB's bicubic. Used at the
        scales asked for.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum.
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
        Of the array, or block of it, that was reconstructed last; one change per iteration, as
        a share of the whole change since the start.

    References
    ----------
    J. V. Manjon et al., "Non-local MRI upsampling", Medical Image Analysis 14(6), 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import NonLocalSR
    >>> thick = np.random.default_rng(0).random((10, 10, 5))
    >>> thin = NonLocalSR(scale=(1, 1, 3)).predict(thick)
    >>> bool(np.allclose(thin.reshape(10, 10, 5, 3).mean(axis=3), thick, atol=1e-5))
    True
    """

    method = "nlm"
    convergence_: Convergence

    def __init__(
        self,
        scale: Scale = 2,
        strength: float = 0.5,
        search_radius: int = 3,
        n_iter: int = 20,
        tolerance: float = 0.1,
        degradation: Degradation | None = _BLOCK_MEAN,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.strength = strength
        self.search_radius = search_radius
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
        self._require(is_number(self.strength, 0), "strength", "a number, 0 or more", self.strength)
        self._require(
            is_integer(self.search_radius, 1, 16), "search_radius", "1 to 16", self.search_radius
        )
        self._require(is_integer(self.n_iter, 0), "n_iter", "0 or more", self.n_iter)
        self._require(
            is_number(self.tolerance, 0), "tolerance", "a number, 0 or more", self.tolerance
        )

    def _reconstruct(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        darkest, span = low.min(), np.ptp(low)
        if span == 0:
            self.convergence_ = Convergence(converged=True)
            return np.full(shape, darkest)
        high, self.convergence_ = self._upsample((low - darkest) / span, model, shape)
        return high * span + darkest

    def _upsample(
        self, low: Float32, model: Degradation, shape: tuple[int, ...]
    ) -> tuple[Float32, Convergence]:
        """Result and record for a `low` that fills the unit interval."""
        cubic = resize(low, model._per_axis("scale", low.ndim), output_shape=shape)
        start = ahead = high = project(cubic, low, model)
        contrast = local_deviation(start)
        levels = [np.float32(self.strength * level) * contrast for level in _LEVELS]
        for widths in levels:
            widths[widths < _SMALLEST_WIDTH] = 0
        record = Convergence()
        for record.n_iter in range(1, self.n_iter + 1):
            smooth = nonlocal_means(ahead, levels[0], self.search_radius, self.n_jobs)
            before, high = high, project(smooth, low, model)
            ahead = high + _MOMENTUM * (high - before)
            whole = max(_mean_change(high, start), np.finfo(float).tiny)
            if record.check(_mean_change(high, before) / whole, self.tolerance):
                del levels[0]
                if not levels:
                    break
        record.converged = not levels
        return high, record


def _mean_change(a: Float32, b: Float32) -> float:
    return float(np.abs(a - b).mean(dtype=np.float64))
