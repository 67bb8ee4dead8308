"""Thick volumes of known truth, made of one that is thick along another axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation, resized_shape
from classicsr.reconstruction._reference import Reference

if TYPE_CHECKING:
    from classicsr.reconstruction._self_learning import SelfLearning

Float32 = NDArray[np.float32]
_FEWEST = 6  # samples along every axis of what is thick: with fewer, noise decides
_SIDE = 64  # samples of the truth along an axis: seconds


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A volume whose truth is known, made thick.

    Attributes
    ----------
    learning : SelfLearning
        For its thick axis.
    thick, truth : float32 arrays
    model : Degradation
        From `truth` to `thick`.
    reference : Reference or None
        On the grid of `truth`.
    """

    learning: SelfLearning
    thick: Float32
    truth: Float32
    model: Degradation
    reference: Reference | None = None


def rehearsals(
    learning: SelfLearning,
    low: Float32,
    model: Degradation,
    n_jobs: int | None,
    reference: Reference | None = None,
) -> Iterator[Rehearsal]:
    """The estimate of a part of `low`, made thick along each sharp axis in turn.

    Along these axes it shows what was measured, as sharp or as smooth as it is. (A volume that
    is reduced until it is as sharp along all axes looks sharper than it is where it was
    oversampled.) The part is that of most detail. Nothing comes where nothing was learned or the
    volume is too small.

    Parameters
    ----------
    learning : SelfLearning
    low : (X, Y, Z) array, float32
    model : Degradation
        From the volume that is sought to `low`.
    n_jobs : int, optional
    reference : Reference, optional
        On the grid of the volume that is sought.
    """
    axis = learning.axis
    if axis is None or learning.regression is None:
        return
    scales = model._per_axis("scale", low.ndim)
    thin = [scales[axis] / min(scales) if a == axis else 1.0 for a in range(low.ndim)]
    most = (max(1, int(_SIDE / scale)) for scale in thin)
    lengths = [min(n, length) for n, length in zip(low.shape, most, strict=True)]
    place = _liveliest(low, lengths, axis)
    part, shape = np.ascontiguousarray(low[place]), resized_shape(lengths, thin)
    guide = reference and _part_of(reference, place, scales, shape)
    estimate = learning.estimate(part, model.at_scale(thin), shape, n_jobs, guide)
    for sharp in range(low.ndim):
        if sharp == axis:
            continue
        factors = [scales[axis] / scales[a] if a == sharp else 1.0 for a in range(low.ndim)]
        counts = [int(n / factor) for n, factor in zip(shape, factors, strict=True)]
        if min(counts) < _FEWEST:
            continue
        kept = tuple(slice(n) for n in resized_shape(counts, factors))
        truth, thick_model = np.ascontiguousarray(estimate[kept]), model.at_scale(factors)
        turned = replace(learning, axis=sharp)
        thick = thick_model.forward(truth)
        yield Rehearsal(turned, thick, truth, thick_model, guide and guide.part(kept))


def _liveliest(low: Float32, lengths: Sequence[int], axis: int) -> tuple[slice, ...]:
    """The part of these lengths that changes most along the sharp axes: errors are made there."""
    from scipy.ndimage import uniform_filter1d

    changes = np.zeros_like(low)
    for a in range(low.ndim):
        if a != axis:
            changes += np.square(np.gradient(low, axis=a))
    for a, length in enumerate(lengths):
        sums = uniform_filter1d(changes, length, axis=a)  # of windows around each sample
        first = length // 2
        changes = np.moveaxis(sums, a, 0)[first : first + low.shape[a] - length + 1]
        changes = np.moveaxis(changes, 0, a)
    starts = np.unravel_index(np.argmax(changes), changes.shape)
    return tuple(slice(s, s + length) for s, length in zip(starts, lengths, strict=True))


def _part_of(
    reference: Reference, place: tuple[slice, ...], scales: Sequence[float], shape: Sequence[int]
) -> Reference:
    """Of a part of the thick volume, on the grid of its estimate."""
    spans = zip(place, scales, strict=True)
    fine = tuple(slice(round(s.start * scale), round(s.stop * scale)) for s, scale in spans)
    part = reference.part(fine)
    return part.resized(np.divide(shape, part.image.shape).tolist(), shape)
