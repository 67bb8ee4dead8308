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
from classicsr.reconstruction._frame_set import FrameSet, checked_frames, enlarging_scales
from classicsr.reconstruction._frames import Layout, ShiftedDegradation, ShiftedFrames, register
from classicsr.reconstruction._placement import Grid, PlacedFrames
from classicsr.reconstruction._rigid_registration import register_rigid
from classicsr.super_resolution._base import Scale

Float32 = NDArray[np.float32]
_REGISTRATIONS = ("phase", "rigid")
_REFINEMENTS = 2  # of places that were found: aliasing misleads registration


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
        start = resize(low, model._per_axis("scale", low.ndim), output_shape=shape)
        return self._solve(DataTerm([low], [model], shape), start)

    def _solve(self, data: DataTerm, start: Float32) -> Float32:
        image, self.convergence_ = self._minimize(data, start)
        return image

    def reconstruct(
        self,
        frames: Sequence[ArrayLike],
        shifts: Sequence[Sequence[float]] | None = None,
        *,
        affines: Sequence[ArrayLike] | None = None,
        grid: tuple[Sequence[int], ArrayLike] | None = None,
        degradations: Sequence[Degradation] | None = None,
        registration: str = "phase",
        scale: Scale | None = None,
        data_range: tuple[float, float] | None = None,
    ) -> NDArray[Any]:
        """One image from several low-resolution frames, or stacks of slices, of one scene.

        Parameters
        ----------
        frames : sequence of arrays
            Images, or volumes, as for `predict`; channels are reconstructed alike. NaN and
            Inf are filled from their neighbours. Of one shape, unless `affines` are given.
        shifts : sequence of one float per spatial axis for each frame, optional
            In low-resolution samples: sample i of frame k lies at ``i + shifts[k]`` on the
            grid of the result.
        affines : sequence of (n + 1, n + 1) arrays for n spatial axes, one per frame, optional
            Sample indices to world coordinates, as in NIfTI files. Spacings may differ: the
            forward model reduces each frame along its own axes by its own spacing over that of
            the result, such as orthogonal stacks of thick slices.
        grid : (shape, affine), optional
            Of the result, where there are affines; by default the grid of the first frame,
            made finer by `scale`.
        degradations : sequence of Degradation, one per frame, optional
            Where there are affines: instead of the estimator's, for stacks whose slices differ
            in profile or thickness. Scales are left out of account, as those of the estimator's.
        registration : {"phase", "rigid"}
            Where nothing says where frames lie, shifts are found by phase correlation with the
            first one. "rigid": rotations and shifts are found by SimpleITK, starting where
            `affines` say. Both are refined until frames and result agree.
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
            For frames whose shapes do not go together, a scale below 1, or shifts, affines,
            degradations or a grid that do not fit the frames.
        ImportError
            For rigid registration without SimpleITK (extra ``registration``).

        References
        ----------
        A. Gholipour, J. Estroff, S. Warfield, "Robust super-resolution volume reconstruction
        from slice acquisitions", IEEE TMI 29(10), 2010.

        Examples
        --------
        >>> import numpy as np
        >>> from classicsr import TotalVariationSR
        >>> frames = [np.eye(8), np.roll(np.eye(8), 1, axis=0)]
        >>> TotalVariationSR(scale=2).reconstruct(frames, [(0, 0), (-1, 0)]).shape
        (16, 16)
        """
        self._check_parameters()
        self._require(
            registration in _REGISTRATIONS, "registration", "phase or rigid", registration
        )
        self._require(shifts is None or affines is None, "shifts", "None beside affines", shifts)
        arrays = checked_frames(frames, alike=affines is None)
        if affines is None and registration == "rigid" and shifts is None:
            n_axes = len(self._scales(arrays[0].shape, scale)[0])
            affines = [np.eye(n_axes + 1)] * len(arrays)
        if affines is None:
            self._require(grid is None, "grid", "None without affines", grid)
            self._require(
                degradations is None, "degradations", "None without affines", degradations
            )
            layout, one = self._shifted(arrays, shifts, scale, data_range)
        else:
            kinds = self._kinds(degradations, len(arrays))
            layout, one = self._placed(
                arrays, affines, kinds, grid, registration, scale, data_range
            )
        return one.reconstructed(lambda part: self._solve(layout.data(part), layout.start(part)))

    def _shifted(
        self,
        arrays: list[NDArray[Any]],
        shifts: Sequence[Sequence[float]] | None,
        scale: Scale | None,
        data_range: tuple[float, float] | None,
    ) -> tuple[Layout, FrameSet]:
        scales = enlarging_scales(self, arrays[0].shape, scale)
        n_axes = len(scales)
        frames = FrameSet.of(self, arrays, n_axes, data_range)
        self._require(
            shifts is None
            or is_sequence_of(
                shifts, len(arrays), lambda shift: is_sequence_of(shift, n_axes, is_number)
            ),
            "shifts",
            f"{len(arrays)} times {n_axes} numbers, one per frame and axis",
            shifts,
        )
        model = (self.degradation or BicubicDegradation(1)).at_scale(scales)
        places = register(frames.gray) if shifts is None else shifts
        models = tuple(ShiftedDegradation(model, tuple(map(float, place))) for place in places)
        layout = ShiftedFrames(models, resized_shape(arrays[0].shape[:n_axes], scales))
        return (self._refined(layout, frames.gray) if shifts is None else layout), frames

    def _placed(
        self,
        arrays: list[NDArray[Any]],
        affines: Sequence[ArrayLike],
        kinds: tuple[Degradation, ...],
        grid: tuple[Sequence[int], ArrayLike] | None,
        registration: str,
        scale: Scale | None,
        data_range: tuple[float, float] | None,
    ) -> tuple[Layout, FrameSet]:
        owner, n_axes = type(self).__name__, len(np.atleast_1d(affines[0])) - 1
        self._require(len(affines) == len(arrays), "affines", "one per frame", len(affines))
        grids = [
            Grid.of(array.shape[:n_axes], affine, "affines", owner)
            for array, affine in zip(arrays, affines, strict=True)
        ]
        frames = FrameSet.of(self, arrays, n_axes, data_range)
        if grid is None:
            scene = grids[0].finer(enlarging_scales(self, arrays[0].shape, scale, n_axes))
        else:
            self._require(
                is_sequence_of(grid, 2, np.iterable) and len(grid[0]) == n_axes,
                "grid",
                f"a shape of {n_axes} axes and an affine",
                grid,
            )
            scene = Grid.of(*grid, "grid", owner)
        if registration != "rigid":
            return PlacedFrames(kinds, tuple(grids), scene), frames
        found = tuple(register_rigid(frames.gray, grids))
        return self._refined(PlacedFrames(kinds, found, scene), frames.gray), frames

    def _kinds(
        self, degradations: Sequence[Degradation] | None, n_frames: int
    ) -> tuple[Degradation, ...]:
        if degradations is None:
            return (self.degradation or BicubicDegradation(1),) * n_frames
        usable = is_sequence_of(degradations, n_frames, lambda one: isinstance(one, Degradation))
        self._require(usable, "degradations", "one Degradation per frame", degradations)
        return tuple(degradations)

    def _refined(self, layout: Layout, frames: list[Float32]) -> Layout:
        for _ in range(_REFINEMENTS):
            image = self._solve(layout.data(frames), layout.start(frames))
            layout = layout.refined(image, frames)
        return layout
