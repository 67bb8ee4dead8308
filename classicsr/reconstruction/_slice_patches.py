"""Patches of a volume in thick slices, and what a reference has at their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation, resize
from classicsr.reconstruction._contrasts import local_fit
from classicsr.reconstruction._reference import Reference

Float32 = NDArray[np.float32]
_RIM = (2, 2)  # samples of a patch before and after its centre: across the slices, and along
_FINE_RIM = (2, 1)  # of what the reference has within the centre's slice
_WINDOW = (3, 5, 3)  # of local slopes: across the slices, along the patch, and the third axis


@dataclass(frozen=True, eq=False)
class ThickVolume:
    """A volume that is thick along one axis.

    Attributes
    ----------
    low : float32 array
    axis : int
        The thick one.
    model : Degradation
        What made it thick: changes `axis` alone.
    reference : Reference, optional
        On the grid of the volume before it was made thick.
    """

    low: Float32
    axis: int
    model: Degradation
    reference: Reference | None

    def patches(self, along: int) -> list[Float32]:
        """Views (thick, along, others, height, width) of patches in the plane of two axes.

        Those of the volume; with a reference also of the reference made as thick, of what that
        lacks, of the same in the contrast of the volume, and whether the reference is known.
        """
        own = _windows(oriented(self.low, self.axis, along), _RIM)
        if self.reference is None:
            return [own]
        measured, shape = self.reference.degraded(self.model), self.reference.image.shape
        scales = self.model._per_axis("scale", self.low.ndim)
        across, wide, third = _WINDOW
        sizes = [across if a == self.axis else wide if a == along else third for a in range(3)]
        slope = local_fit(measured.image, self.low, sizes)[0].astype(np.float32)
        missing = self.reference.image - resize(measured.image, scales, output_shape=shape)
        fitted = missing * resize(slope, scales, output_shape=shape)
        coarse, fine = (
            [oriented(one, self.axis, along) for one in several]
            for several in ((measured.image, measured.covered), (missing, fitted))
        )
        ratio = shape[self.axis] // self.low.shape[self.axis]
        return [
            own,
            _windows(coarse[0], _RIM),
            _windows(fine[0], _FINE_RIM, ratio),
            _windows(fine[1], _FINE_RIM, ratio),
            _windows(coarse[1], (0, 0)),
        ]


def features(patches: Sequence[Float32]) -> Float32:
    """Rows (n, n_features) float32 of patches (n, height, width) of each kind."""
    own = _differences(patches[0])
    if len(patches) == 1:
        return own
    measured, missing, fitted, known = patches[1:]
    rows = [_differences(measured), *(_flat(one) for one in (missing, fitted))]
    return np.concatenate([own, *(_flat(known) * one for one in rows)], axis=1)


def oriented(array: Float32, axis: int, along: int) -> Float32:
    """The thick axis first, the other one of the plane second, all others third."""
    moved = np.moveaxis(array, (axis, along), (0, 1))
    return np.ascontiguousarray(moved).reshape(*moved.shape[:2], -1)


def restored(stack: Float32, shape: Sequence[int], axis: int, along: int) -> Float32:
    """The array that `oriented` was given."""
    order = [axis, along, *(a for a in range(len(shape)) if a not in (axis, along))]
    moved = stack.reshape([shape[a] for a in order])
    return np.ascontiguousarray(moved.transpose(np.argsort(order)))


def _windows(stack: Float32, rims: tuple[int, int], step: int = 1) -> Float32:
    """Patches of `step` samples across, 1 along, and their rims, of a stack, as views."""
    padded = np.pad(stack, (*((rim, rim) for rim in rims), (0, 0)), mode="symmetric")
    size = (step + 2 * rims[0], 1 + 2 * rims[1])
    return np.lib.stride_tricks.sliding_window_view(padded, size, axis=(0, 1))[::step]


def _flat(patches: Float32) -> Float32:
    return patches.reshape(len(patches), -1)


def _differences(patches: Float32) -> Float32:
    """From the centre, which is left out."""
    flat = _flat(patches)
    centre = flat.shape[1] // 2
    differences = flat - flat[:, centre : centre + 1]
    return np.ascontiguousarray(np.delete(differences, centre, axis=1), dtype=np.float32)
