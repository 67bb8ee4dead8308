"""A reference: an image of the same scene in another contrast, on the grid of the result."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr._validation import require
from classicsr.degradation import Degradation, resize
from classicsr.reconstruction._placement import Grid, inside, sample
from classicsr.super_resolution._pixels import NonFiniteMask

Float32 = NDArray[np.float32]
_FEWEST_VALUES = 17  # integers of fewer values are labels
_KNOWN = np.float32(0.999)  # share of an interpolated value that must come from known ones
_MOSTLY = 0.95  # share of the result that a reference should cover


@dataclass(frozen=True, eq=False)
class Reference:
    """Another contrast at the places of the result.

    Attributes
    ----------
    image : float32 array
        From 0 to 1.
    covered : float32 array of the same shape
        1 where the reference is known, else 0.
    """

    image: Float32
    covered: Float32

    @classmethod
    def place(cls, image: Float32, known: Float32, matrix: NDArray[Any], shape: Any) -> Self:
        """Sample `image`, where `known` is 1, at ``matrix @ (index, 1)`` of a grid of `shape`."""
        from scipy.ndimage import gaussian_filter

        steps = np.linalg.norm(matrix[:-1, :-1], axis=1)
        widths = np.maximum(steps - 1, 0) / 2  # against aliasing where it is finer than the grid
        smooth = gaussian_filter(image, widths) if widths.any() else image
        covered = sample(known, matrix, shape) >= _KNOWN
        covered &= inside(matrix, shape, image.shape) > 0
        return cls(sample(smooth, matrix, shape), covered.astype(np.float32))

    def part(self, place: tuple[slice, ...]) -> Reference:
        """Of a block of the result."""
        return Reference(self.image[place], self.covered[place])

    def resized(
        self, scales: Sequence[float], shape: Sequence[int], axes: Sequence[int] | None = None
    ) -> Reference:
        """On a coarser or finer grid of the same field of view; see `resize`."""
        image, covered = (
            resize(one, scales, axes=axes, output_shape=shape) for one in (self.image, self.covered)
        )
        return Reference(image, (covered >= _KNOWN).astype(np.float32))

    def degraded(self, model: Degradation) -> Reference:
        """As `model` measures it."""
        covered = model.forward(self.covered) >= _KNOWN
        return Reference(model.forward(self.image), covered.astype(np.float32))


@dataclass(frozen=True, eq=False)
class GivenReference:
    """A reference as the user gives it: checked, on the unit scale, not yet placed.

    Attributes
    ----------
    image, known : float32 arrays
        Values from 0 to 1, and where there are any.
    affine : array, optional
        Indices of the input to world coordinates.
    reference_affine : array, optional
        Indices of the reference to world coordinates. Without both, it shows what the input
        does from edge to edge.
    registration : str
    """

    image: Float32
    known: Float32
    affine: ArrayLike | None
    reference_affine: ArrayLike | None
    registration: str

    @classmethod
    def of(
        cls,
        reference: ArrayLike,
        affine: ArrayLike | None,
        reference_affine: ArrayLike | None,
        registration: str,
        owner: str,
    ) -> Self:
        """Checked; ValueError or TypeError in one line."""
        array = np.asarray(reference)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"A reference must hold real numbers. Got dtype {array.dtype}.")
        usable = array.ndim in (2, 3) and array.size > 0
        require(usable, "reference", owner, "an image or a volume", f"shape {array.shape}")
        both = (affine is None) == (reference_affine is None)
        require(both, "affine", owner, "given with 'reference_affine' or not at all", affine)
        modes = ("none", "rigid")
        known_mode = isinstance(registration, str) and registration in modes
        require(known_mode, "registration", owner, "none or rigid", registration)
        finite = np.isfinite(array)
        require(bool(finite.any()), "reference", owner, "finite somewhere", "NaN and Inf only")
        n_values = _FEWEST_VALUES if array.dtype.kind == "f" else len(np.unique(array))
        if 1 < n_values < _FEWEST_VALUES:
            raise ValueError(
                f"A reference must be an image of another contrast. Got {n_values} different "
                "integers, as of a label map."
            )
        filled = NonFiniteMask(array, array.ndim).image.astype(np.float64)
        filled -= filled.min()
        unit = filled / (filled.max() or 1.0)
        return cls(
            unit.astype(np.float32),
            finite.astype(np.float32),
            affine,
            reference_affine,
            registration,
        )

    def placed(
        self, low: Float32, scales: Sequence[float], shape: Sequence[int], owner: str
    ) -> Reference:
        """On the grid of `shape` that divides the samples of `low` `scales` times.

        Raises
        ------
        ValueError
            Where axes differ in number, or it covers nothing of the result.
        ImportError
            For rigid registration without SimpleITK (extra ``registration``).

        Warns
        -----
        UserWarning
            Where it covers less than 95 % of the result.
        """
        if self.image.ndim != low.ndim:
            raise ValueError(
                f"A reference must have the {low.ndim} axes of the input. "
                f"Got shape {self.image.shape}."
            )
        ours, theirs = self._grids(low, scales, owner)
        if self.registration == "rigid":
            from classicsr.reconstruction._rigid_registration import register_rigid

            theirs = register_rigid([low, self.image], [ours, theirs])[1]
        matrix = theirs.indices_from(ours.finer(scales))
        reference = Reference.place(self.image, self.known, matrix, tuple(shape))
        share = float(reference.covered.mean(dtype=np.float64))
        if share == 0:
            raise ValueError("The reference and the input have no place in common.")
        if share < _MOSTLY:
            warnings.warn(
                f"The reference covers {share:.0%} of the result; the rest is made without it.",
                stacklevel=2,
            )
        return reference

    def _grids(self, low: Float32, scales: Sequence[float], owner: str) -> tuple[Grid, Grid]:
        """Of the input and of the reference; without affines, in samples of the result."""
        if self.affine is not None and self.reference_affine is not None:
            pairs = (self.affine, "affine"), (self.reference_affine, "reference_affine")
            ours, theirs = (
                Grid.of(image.shape, affine, name, owner)
                for image, (affine, name) in zip((low, self.image), pairs, strict=True)
            )
            return ours, theirs
        coarse = Grid.of(low.shape, np.diag([*scales, 1.0]), "scale", owner)
        finer = coarse.finer(np.divide(self.image.shape, low.shape).tolist())
        return coarse, finer
