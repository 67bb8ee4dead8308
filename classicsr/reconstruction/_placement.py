"""Frames and stacks of slices that lie anywhere in a scene: their grids and forward models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr._validation import is_integer, require
from classicsr.degradation import Degradation, resized_shape
from classicsr.io import upscaled_affine
from classicsr.reconstruction._data_term import DataTerm
from classicsr.reconstruction._frames import refined

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
_DIGITS = 6  # of a sample: what stored affines resolve, so that grids that coincide do so exactly
_FLAT = 1e-3  # volume that the unit vectors of a grid's axes span
_WHOLE = 0.999  # share of a sample's profile that must lie within the scene


@dataclass(frozen=True, eq=False)
class Grid:
    """Samples at regular places.

    Attributes
    ----------
    shape : tuple of int
    affine : (n + 1, n + 1) float64 array
        Sample indices to world coordinates.
    """

    shape: tuple[int, ...]
    affine: Float64

    @classmethod
    def of(cls, shape: Sequence[int], affine: ArrayLike, name: str, owner: str) -> Self:
        """A grid as users give it; ValueError where `shape` and `affine` do not make one."""
        matrix, n = np.asarray(affine), len(shape)
        usable = (
            n in (2, 3)
            and all(is_integer(length, 1) for length in shape)
            and matrix.shape == (n + 1, n + 1)
            and matrix.dtype.kind in "iuf"
            and bool(np.isfinite(matrix).all())
            and bool((matrix[-1] == np.eye(n + 1)[-1]).all())
        )
        rule = "a shape and an affine of 2 or 3 axes: a finite matrix that can be inverted"
        require(usable, name, owner, rule, (shape, affine))
        matrix = matrix.astype(np.float64)
        spacing = np.linalg.norm(matrix[:-1, :-1], axis=0)
        flat = spacing.min() == 0 or abs(np.linalg.det(matrix[:-1, :-1] / spacing)) < _FLAT
        require(not flat, name, owner, rule, (shape, affine))
        return cls(tuple(map(int, shape)), matrix)

    def finer(self, scales: Sequence[float]) -> Self:
        """The grid of the same blocks, each divided `scales` times per axis."""
        return replace(
            self,
            shape=resized_shape(self.shape, scales),
            affine=upscaled_affine(self.affine, scales),
        )

    def indices_from(self, other: Grid) -> Float64:
        """Matrix from the indices of another grid to those of this one."""
        return np.round(np.linalg.solve(self.affine, other.affine), _DIGITS)


def sample(image: Float32, matrix: Float64, shape: tuple[int, ...]) -> Float32:
    """The image at the points ``matrix @ (index, 1)`` of an array of `shape`, by cubic pieces."""
    result = np.zeros(shape, np.float32)
    _interpolate(image, matrix, result, transpose=False)
    return result


def spread(samples: Float32, matrix: Float64, shape: tuple[int, ...]) -> Float32:
    """Transpose of `sample`: back onto an image of `shape`."""
    result = np.zeros(shape, np.float32)
    _interpolate(result, matrix, samples, transpose=True)
    return result


def _interpolate(image: Float32, matrix: Float64, samples: Float32, *, transpose: bool) -> None:
    from classicsr.kernels.affine import interpolate

    n_axes, missing = image.ndim, (1,) * (3 - image.ndim)
    spatial = np.eye(4)[:3]
    spatial[3 - n_axes :, 3 - n_axes :] = matrix[:n_axes]
    interpolate(
        np.ascontiguousarray(image, np.float32).reshape(missing + image.shape),
        spatial,
        np.ascontiguousarray(samples, np.float32).reshape(missing + samples.shape),
        transpose,
    )


def inside(matrix: Float64, shape: tuple[int, ...], scene: tuple[int, ...]) -> Float32:
    """1 at the points of a grid that lie within the blocks of the scene, else 0."""
    within = np.ones(shape, np.bool_)
    for row, n in zip(matrix[:-1], scene, strict=True):
        place = np.full((1,) * len(shape), row[-1])
        for axis, (step, length) in enumerate(zip(row, shape, strict=False)):
            along = [-1 if a == axis else 1 for a in range(len(shape))]
            place = place + step * np.arange(length).reshape(along)
        within &= (place >= -0.5) & (place <= n - 0.5)
    return within.astype(np.float32)


@dataclass(frozen=True, eq=False)
class PlacedDegradation:
    """A forward model on a grid of its own in the scene: ``y = C S B T x``.

    The scene x is interpolated (T) on the frame's own axes, as finely as the scene is sampled,
    blurred by the profile along them and reduced (S B). Samples that reach beyond the scene are
    left out (C): they are 0 whatever x.

    Attributes
    ----------
    model : Degradation
        S B, with one scale per axis of the frame.
    frame, scene : Grid
    matrix : array
        From the indices of the frame's fine grid to those of the scene.
    covered : float32 array of the frame's shape
        C: 1 where a sample is used.

    References
    ----------
    A. Gholipour, J. Estroff, S. Warfield, "Robust super-resolution volume reconstruction from
    slice acquisitions", IEEE TMI 29(10), 2010.
    """

    model: Degradation
    frame: Grid
    scene: Grid
    matrix: Float64
    covered: Float32

    @classmethod
    def place(cls, kind: Degradation, frame: Grid, scene: Grid) -> Self:
        """The model of one frame, with as many fine samples per sample as the scene has."""
        steps = np.linalg.norm(scene.indices_from(frame)[:-1, :-1], axis=0)
        scales = np.maximum(np.round(steps, _DIGITS), 1.0).tolist()
        model, fine = kind.at_scale(scales), frame.finer(scales)
        matrix = scene.indices_from(fine)
        seen = model.forward(inside(matrix, fine.shape, scene.shape))
        return cls(model, frame, scene, matrix, (seen >= _WHOLE).astype(np.float32))

    def forward(self, x: Float32) -> Float32:
        """The frame of the scene `x`."""
        fine = sample(x, self.matrix, self._fine_shape)
        return np.asarray(self.model.forward(fine) * self.covered, np.float32)

    def adjoint(self, y: Float32, shape: tuple[int, ...]) -> Float32:
        """Transpose of `forward`."""
        fine = self.model.adjoint(y * self.covered, self._fine_shape)
        return spread(fine, self.matrix, shape)

    def moved(self, change: Float64) -> Self:
        """The frame moved rigidly: rotations about its centre, then shifts along the axes.

        In samples of the scene; a rotation by 1 moves the corners of the frame by one.
        """
        n = len(self.scene.shape)
        spacing = np.linalg.norm(self.scene.affine[:-1, :-1], axis=0).min()
        corner = self.frame.affine[:-1, :-1] @ (np.array(self.frame.shape) / 2)
        centre = self.frame.affine @ np.append((np.array(self.frame.shape) - 1) / 2, 1)
        turns = np.asarray(change[:-n]) * spacing / max(float(np.linalg.norm(corner)), spacing)
        motion = rigid(turns, np.asarray(change[-n:]) * spacing, centre[:-1])
        frame = replace(self.frame, affine=motion @ self.frame.affine)
        fine = frame.finer(self.model._per_axis("scale", n))
        return replace(self, frame=frame, matrix=self.scene.indices_from(fine))

    @property
    def n_motions(self) -> int:
        """Length of the change that `moved` takes."""
        n = len(self.scene.shape)
        return n * (n + 1) // 2

    @property
    def _fine_shape(self) -> tuple[int, ...]:
        return resized_shape(self.frame.shape, self.model._per_axis("scale", self.covered.ndim))


@dataclass(frozen=True, eq=False)
class PlacedFrames:
    """Frames of any shapes, spacings and profiles, each with its place in the world."""

    kinds: tuple[Degradation, ...]
    grids: tuple[Grid, ...]
    scene: Grid

    @cached_property
    def models(self) -> list[PlacedDegradation]:
        """One forward model per frame."""
        pairs = zip(self.kinds, self.grids, strict=True)
        return [PlacedDegradation.place(kind, grid, self.scene) for kind, grid in pairs]

    def data(self, frames: Sequence[Float32]) -> DataTerm:
        """See `Layout`."""
        pairs = zip(frames, self.models, strict=True)
        seen = [frame * model.covered for frame, model in pairs]
        return DataTerm(seen, self.models, self.scene.shape)

    def start(self, frames: Sequence[Float32]) -> Float32:
        """See `Layout`; the mean of the frames that reach a place."""
        total = np.zeros(self.scene.shape, np.float32)
        count = np.zeros(self.scene.shape, np.float32)
        for frame, grid in zip(frames, self.grids, strict=True):
            matrix = grid.indices_from(self.scene)
            reached = inside(matrix, self.scene.shape, grid.shape)
            total += reached * sample(frame, matrix, self.scene.shape)
            count += reached
        total /= np.maximum(count, 1)
        return total

    def refined(self, image: Float32, frames: Sequence[Float32]) -> Self:
        """See `Layout`."""
        pairs = zip(self.models[1:], frames[1:], strict=True)
        moved = (refined(model, image, frame).frame for model, frame in pairs)
        return replace(self, grids=(self.grids[0], *moved))


def rigid(turns: Float64, shift: Float64, centre: Float64) -> Float64:
    """Matrix of a rotation about `centre` (radians, one per pair of axes), then a shift."""
    from scipy.linalg import expm

    n = len(centre)
    generator = np.zeros((n, n))
    for angle, (a, b) in zip(turns, combinations(range(n), 2), strict=True):
        generator[a, b], generator[b, a] = -angle, angle
    motion = np.eye(n + 1)
    motion[:n, :n] = expm(generator)
    motion[:n, n] = centre + shift - motion[:n, :n] @ centre
    return motion
