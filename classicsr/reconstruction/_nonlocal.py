"""Non-local upsampling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr._validation import is_integer, is_number
from classicsr.degradation import (
    BicubicDegradation,
    Degradation,
    SliceProfileDegradation,
    project,
    resize,
    resized_shape,
)
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._frame_set import FrameSet, checked_frames, enlarging_scales
from classicsr.reconstruction._guided import GuidedSR
from classicsr.reconstruction._nonlocal_means import local_deviation, nonlocal_means
from classicsr.reconstruction._reference import Reference
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale

Float32 = NDArray[np.float32]
_LEVELS = (1.0, 0.5)  # of the width: at first wide, then narrow
_GUIDED = 2.8  # times the width where a reference is compared too: it tells what is alike
_REFERENCE = 0.7  # times the strength: width in units of the reference's local deviation
_MOMENTUM = np.float32(0.5)
_SMALLEST_WIDTH = 1 / 256  # of the input's range: flatter places stay as they are
_BLOCK_MEAN = SliceProfileDegradation(1)


class NonLocalSR(GuidedSR):
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

    def _reconstruct(
        self,
        low: Float32,
        model: Degradation,
        shape: tuple[int, ...],
        start: Float32 | None = None,
    ) -> Float32:
        return self._upsample([low], model, shape, start=start)

    def _reconstruct_guided(
        self, low: Float32, model: Degradation, reference: Reference, start: Float32 | None = None
    ) -> Float32:
        """Patches are alike where those of the reference are, too."""
        return self._upsample([low], model, reference.image.shape, reference, start)

    def reconstruct(
        self,
        frames: Sequence[ArrayLike],
        *,
        scale: Scale | None = None,
        data_range: tuple[float, float] | None = None,
    ) -> NDArray[Any]:
        """The first of several frames of one scene, with detail from all of them.

        Motion is not estimated and may be of any kind: places that look alike are found in
        every frame within the search radius (Protter et al.), and every frame is made to agree
        with its own measurement.

        Parameters
        ----------
        frames : sequence of arrays of one shape
            Images, or volumes, as for `predict`; channels are reconstructed alike.
        scale : number or one per axis, optional
            Instead of the estimator's own.
        data_range : (low, high), optional
            Intensity range, instead of the estimator's own.

        Returns
        -------
        array of shape ``round(n * scale)`` per spatial axis, in the dtype of the frames

        Raises
        ------
        ValueError
            For frames of different shapes or none, or a scale below 1.

        References
        ----------
        M. Protter, M. Elad, H. Takeda, P. Milanfar, "Generalizing the nonlocal-means to
        super-resolution reconstruction", IEEE TIP 18(1), 2009.

        Examples
        --------
        >>> import numpy as np
        >>> from classicsr import NonLocalSR
        >>> frames = [np.eye(8), np.roll(np.eye(8), 1, axis=0)]
        >>> NonLocalSR(scale=2).reconstruct(frames).shape
        (16, 16)
        """
        self._check_parameters()
        arrays = checked_frames(frames, alike=True)
        scales = enlarging_scales(self, arrays[0].shape, scale)
        model = (self.degradation or BicubicDegradation(1)).at_scale(scales)
        n_axes = len(scales)
        shape = resized_shape(arrays[0].shape[:n_axes], scales)
        stack = FrameSet.of(self, arrays, n_axes, data_range)
        return stack.reconstructed(lambda part: self._upsample(part, model, shape))

    def _upsample(
        self,
        frames: list[Float32],
        model: Degradation,
        shape: tuple[int, ...],
        reference: Reference | None = None,
        start: Float32 | None = None,
    ) -> Float32:
        """The first frame; the iteration works on intensities that fill the unit interval."""
        darkest = min(frame.min() for frame in frames)
        span = max(frame.max() for frame in frames) - darkest
        if span == 0:
            self.convergence_ = Convergence(converged=True)
            return np.full(shape, darkest)
        unit = [(frame - darkest) / span for frame in frames]
        scales = model._per_axis("scale", len(shape))
        cubic = [resize(frame, scales, output_shape=shape) for frame in unit]
        starts = cubic if start is None else [(start - darkest) / span]
        high, self.convergence_ = self._iterate(unit, model, cubic, starts, reference)
        return high[0] * span + darkest

    def _iterate(
        self,
        frames: list[Float32],
        model: Degradation,
        cubic: list[Float32],
        starts: list[Float32],
        reference: Reference | None,
    ) -> tuple[Float32, Convergence]:
        """All frames, first axis, and the record.

        Widths follow the contrast of the interpolation even where the iteration begins with
        something sharper, which would widen them.
        """

        def agreeing(images: Iterable[Float32]) -> Float32:
            pairs = zip(images, frames, strict=True)
            return np.stack([project(image, frame, model) for image, frame in pairs])

        contrast = np.stack([local_deviation(image) for image in agreeing(cubic)])
        start = ahead = high = agreeing(starts)
        strength = self.strength * (1.0 if reference is None else _GUIDED)
        levels = [np.float32(strength * level) * contrast for level in _LEVELS]
        for widths in levels:
            widths[widths < _SMALLEST_WIDTH] = 0
        guide = None if reference is None else self._guide(reference)
        record = Convergence()
        for _ in record.iterations(self.n_iter):
            smooth = nonlocal_means(
                ahead, levels[0], self.search_radius, self.n_jobs, stacked=True, reference=guide
            )
            before, high = high, agreeing(smooth)
            ahead = high + _MOMENTUM * (high - before)
            whole = max(_mean_change(high, start), np.finfo(float).tiny)
            if record.check(_mean_change(high, before) / whole, self.tolerance):
                del levels[0]
                if not levels:
                    break
        record.converged = not levels
        return high, record

    def _guide(self, reference: Reference) -> tuple[Float32, Float32]:
        """Its values and the widths of its weights: 0 where it is not known."""
        widths = np.float32(_REFERENCE * self.strength) * local_deviation(reference.image)
        return reference.image, np.maximum(widths, _SMALLEST_WIDTH) * reference.covered


def _mean_change(a: Float32, b: Float32) -> float:
    return float(np.abs(a - b).mean(dtype=np.float64))
