"""Thick volumes of known truth: one that is as sharp along all axes, made thick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation, resize, resized_shape
from classicsr.reconstruction._reference import Reference

if TYPE_CHECKING:
    from classicsr.reconstruction._self_learning import SelfLearning

Float32 = NDArray[np.float32]
FEWEST = 6
"""Samples along every axis of what is thick: with fewer, noise decides."""
_SIDE = 64  # samples of the truth along an axis: seconds


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A volume whose truth is known, made thick.

    Attributes
    ----------
    learning : SelfLearning
        For its thick axis.
    thick, truth : float32 arrays
    model : Degradation
        From `truth` to `thick`.
    guide : Reference or None
        On the grid of `truth`.
    """

    learning: SelfLearning
    thick: Float32
    truth: Float32
    model: Degradation
    guide: Reference | None = None


def held_out(
    learning: SelfLearning, low: Float32, model: Degradation, reference: Reference | None = None
) -> Iterator[HeldOut]:
    """The volume reduced to the resolution of its slices, made thick along other axes in turn.

    It is as sharp along all axes. Nothing comes where it is too small, or nothing was learned.
    """
    if learning.axis is None or learning.regression is None:
        return
    widths = slice_distances(model, learning.axis, low.ndim)
    centre, axes = _centre(low.shape, widths), tuple(widths)
    shrink = [1 / width for width in widths.values()]
    coarse = resize(low[centre], shrink, axes=axes)
    if reference is not None:
        lengths = [coarse.shape[axis] for axis in axes]
        reference = reference.part(centre).resized(shrink, lengths, axes)
    scales = model._per_axis("scale", low.ndim)
    for axis in widths:
        order = [{axis: learning.axis, learning.axis: axis}.get(a, a) for a in range(low.ndim)]
        factors = [scales[a] for a in order]
        counts = [int(n / factor) for n, factor in zip(coarse.shape, factors, strict=True)]
        if min(counts) < FEWEST:
            continue
        place = tuple(slice(n) for n in resized_shape(counts, factors))
        truth, at_scale = np.ascontiguousarray(coarse[place]), model.at_scale(factors)
        guide = reference and reference.part(place)
        turned = replace(learning, axis=axis)
        yield HeldOut(turned, at_scale.forward(truth), truth, at_scale, guide)


def slice_distances(model: Degradation, axis: int, n_axes: int) -> dict[int, float]:
    """Distance of the slices in samples of each axis that is sharp."""
    scales = model._per_axis("scale", n_axes)
    return {a: scales[axis] / scales[a] for a in range(n_axes) if a != axis}


def _centre(shape: Sequence[int], widths: Mapping[int, float]) -> tuple[slice, ...]:
    """The part of a volume that remains small where its sharp axes are reduced `widths` times."""
    spans = []
    for axis, n in enumerate(shape):
        length = min(n, int(_SIDE * widths.get(axis, 1)))
        spans.append(slice((n - length) // 2, (n - length) // 2 + length))
    return tuple(spans)
