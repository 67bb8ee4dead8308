"""Base of the methods that minimise, or satisfy, a data term over one or several frames."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr._validation import is_integer, is_number, is_sequence_of
from classicsr.degradation import BicubicDegradation, Degradation, resize, resized_shape
from classicsr.reconstruction._base import ReconstructionSR
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm
from classicsr.reconstruction._frames import ShiftedDegradation, refined, register
from classicsr.super_resolution._base import Scale
from classicsr.super_resolution._pixels import NonFiniteMask

Float32 = NDArray[np.float32]
_REFINEMENTS = 2  # of shifts that were found: aliasing misleads phase correlation


class VariationalSR(ReconstructionSR):
    """Base of the estimators that start from the cubic interpolation and iterate on a data term.

    A subclass says how in `_minimize`.

    Attributes
    ----------
    convergence_ : Convergence
        Of the array, or block of it, that was reconstructed last.
    """

    n_iter: int
    tolerance: float
    convergence_: Convergence

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._require(is_integer(self.n_iter, 0), "n_iter", "0 or more", self.n_iter)
        self._require(
            is_number(self.tolerance, 0), "tolerance", "a number, 0 or more", self.tolerance
        )

    @abstractmethod
    def _minimize(self, data: DataTerm, start: Float32) -> tuple[Float32, Convergence]:
        """The image that the method makes of the data term."""

    def _reconstruct(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        return self._solve(DataTerm([low], [model], shape), model)

    def _solve(self, data: DataTerm, model: Degradation) -> Float32:
        scales = model._per_axis("scale", len(data.shape))
        start = resize(data.frames[0], scales, output_shape=data.shape)
        image, self.convergence_ = self._minimize(data, start)
        return image

    def reconstruct(
        self,
        frames: Sequence[ArrayLike],
        shifts: Sequence[Sequence[float]] | None = None,
        *,
        scale: Scale | None = None,
        data_range: tuple[float, float] | None = None,
    ) -> NDArray[Any]:
        """One image from several low-resolution frames of the same scene.

        Parameters
        ----------
        frames : sequence of arrays, all of one shape
            Images, or volumes, as for `predict`; channels are reconstructed alike. NaN and
            Inf are filled from their neighbours.
        shifts : sequence of one float per spatial axis for each frame, optional
            In low-resolution samples: sample i of frame k lies at ``i + shifts[k]`` on the
            grid of the result. By default found by phase correlation with the first frame,
            and refined until frames and result agree.
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
            For frames of different shapes or none, a scale below 1, or shifts that are not one
            number per axis and frame.

        Examples
        --------
        >>> import numpy as np
        >>> from classicsr import TotalVariationSR
        >>> frames = [np.eye(8), np.roll(np.eye(8), 1, axis=0)]
        >>> TotalVariationSR(scale=2).reconstruct(frames, [(0, 0), (-1, 0)]).shape
        (16, 16)
        """
        self._check_parameters()
        stack = _stacked(frames)
        scales = self._scales(stack.shape[1:], scale)[0]
        self._require(min(scales) >= 1, "scale", "1 or more", scales)
        n_axes = len(scales)
        stack = NonFiniteMask(stack, stack.ndim).image
        intensity = self._intensity(stack, data_range or self.data_range)
        low = intensity.to_unit(stack).reshape(*stack.shape[: 1 + n_axes], -1)
        model = (self.degradation or BicubicDegradation(1)).at_scale(scales)
        shape = resized_shape(stack.shape[1 : 1 + n_axes], scales)
        models = self._moved_models(model, shifts, low.mean(axis=-1), shape)
        channels = [
            self._solve(DataTerm(list(np.ascontiguousarray(low[..., c])), models, shape), model)
            for c in range(low.shape[-1])
        ]
        result = np.stack(channels, axis=-1).reshape(*shape, *stack.shape[1 + n_axes :])
        return intensity.from_unit(result)

    def _moved_models(
        self,
        model: Degradation,
        shifts: Sequence[Sequence[float]] | None,
        frames: Float32,
        shape: tuple[int, ...],
    ) -> list[ShiftedDegradation]:
        if shifts is None:
            models = [ShiftedDegradation(model, shift) for shift in register(list(frames))]
            for _ in range(_REFINEMENTS):
                image = self._solve(DataTerm(list(frames), models, shape), model)
                models[1:] = [
                    refined(one, image, frame)
                    for one, frame in zip(models[1:], frames[1:], strict=True)
                ]
            return models
        n_axes = frames.ndim - 1
        self._require(
            is_sequence_of(
                shifts, len(frames), lambda shift: is_sequence_of(shift, n_axes, is_number)
            ),
            "shifts",
            f"{len(frames)} times {n_axes} numbers, one per frame and axis",
            shifts,
        )
        return [ShiftedDegradation(model, tuple(map(float, shift))) for shift in shifts]


def _stacked(frames: Sequence[ArrayLike]) -> NDArray[Any]:
    arrays = [np.asarray(frame) for frame in frames]
    if not arrays or len({array.shape for array in arrays}) != 1 or arrays[0].size == 0:
        raise ValueError(
            f"Frames must be one or more arrays of one shape, not empty. "
            f"Got the shapes {[array.shape for array in arrays]}."
        )
    stack = np.stack(arrays)
    if stack.dtype.kind not in "biuf":
        raise TypeError(f"Frames must hold real numbers. Got dtype {stack.dtype}.")
    return stack
