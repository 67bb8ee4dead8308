"""Thick volumes of known truth, made of one that is thick along another axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation, resized_shape
from classicsr.reconstruction._held_out import FEWEST, HeldOut

if TYPE_CHECKING:
    from classicsr.reconstruction._self_learning import SelfLearning

Float32 = NDArray[np.float32]
_SIDE = 64  # samples of the truth along an axis: seconds


def rehearsals(
    learning: SelfLearning, low: Float32, model: Degradation, n_jobs: int | None
) -> Iterator[HeldOut]:
    """The estimate of the middle of `low`, made thick along each sharp axis in turn.

    Along these axes it shows what was measured, as sharp or as smooth as it is; a volume that
    is reduced until it is as sharp along all axes looks sharper than it is where it was
    oversampled. Nothing comes where nothing was learned or the volume is too small.

    Parameters
    ----------
    learning : SelfLearning
    low : (X, Y, Z) array, float32
    model : Degradation
        From the volume that is sought to `low`.
    n_jobs : int, optional
    """
    axis = learning.axis
    if axis is None or learning.regression is None:
        return
    scales = model._per_axis("scale", low.ndim)
    thin = [scales[axis] / min(scales) if a == axis else 1.0 for a in range(low.ndim)]
    middle = _middle(low, thin)
    shape = resized_shape(middle.shape, thin)
    estimate = learning.estimate(middle, model.at_scale(thin), shape, n_jobs)
    for sharp in range(low.ndim):
        if sharp == axis:
            continue
        factors = [scales[axis] / scales[a] if a == sharp else 1.0 for a in range(low.ndim)]
        counts = [int(n / factor) for n, factor in zip(shape, factors, strict=True)]
        if min(counts) < FEWEST:
            continue
        place = tuple(slice(n) for n in resized_shape(counts, factors))
        truth, thick_model = np.ascontiguousarray(estimate[place]), model.at_scale(factors)
        turned = replace(learning, axis=sharp)
        yield HeldOut(turned, thick_model.forward(truth), truth, thick_model)


def _middle(low: Float32, scales: list[float]) -> Float32:
    """The part of `low` that becomes at most `_SIDE` samples along each axis."""
    lengths = [min(n, int(_SIDE / scale)) for n, scale in zip(low.shape, scales, strict=True)]
    starts = [(n - length) // 2 for n, length in zip(low.shape, lengths, strict=True)]
    places = zip(starts, lengths, strict=True)
    return np.ascontiguousarray(low[tuple(slice(at, at + length) for at, length in places)])
