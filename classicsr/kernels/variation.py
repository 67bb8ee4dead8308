"""Priors on differences of neighbours: primal-dual steps for total variation, Huber potentials.

A primal-dual step is one pass over memory. The dual variable holds one array per axis. A plane of
the image descends along the divergence of the dual as it still is; then the dual of the plane
before it, whose neighbour behind is known now, ascends along the gradient of the extrapolated image
and is projected. Only two extrapolated planes are kept. Gradients are forward differences, zero at
the far border.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT


@njit(fastmath=CONTRACT, error_model="numpy", nogil=True, cache=True)
def primal_dual(image, force, dual, steps, radius, isotropic):
    """One primal-dual step, in place.

    ``x' = (x - t (force + D'p)) * shrink``, ``p' = project((p + s D (x' + m (x' - x))) * smooth)``.

    Parameters
    ----------
    image : (depth, height, width) float32, updated
        An image is fastest as a volume of height 1.
    force : array like `image`
        Gradient of the smooth part of the objective.
    dual : (3, depth, height, width) float32, updated
        Zero at the far border of its axis.
    steps : (5,) float32
        t, shrink, m, s, smooth.
    radius : float32
        Positive; the dual vectors are projected onto the ball (isotropic) or cube of this size.
    isotropic : bool
    """
    depth, height, width = image.shape
    ahead = np.empty((2, height, width + 1), image.dtype)
    nothing = np.zeros(width, image.dtype)
    for k in range(depth + 1):
        for i in range(height if k < depth else 0):
            before = dual[0, k - 1, i] if k > 0 else nothing
            above = dual[1, k, i - 1] if i > 0 else nothing
            _descend(
                image[k, i], force[k, i], dual[0, k, i], before, dual[1, k, i], above,
                dual[2, k, i], steps, ahead[k % 2, i],
            )  # fmt: skip
        for i in range(height if k > 0 else 0):
            here = ahead[(k - 1) % 2, i]
            below = ahead[(k - 1) % 2, i + 1] if i + 1 < height else here
            behind = ahead[k % 2, i] if k < depth else here
            _ascend(
                dual[0, k - 1, i], dual[1, k - 1, i], dual[2, k - 1, i], here, behind, below,
                steps, radius, isotropic,
            )  # fmt: skip


@njit(fastmath=CONTRACT, inline="always")
def _descend(image, force, through, before, vertical, above, along, steps, ahead):
    step, shrink, momentum = steps[0], steps[1], steps[2]
    slope = force[0] + before[0] - through[0] + above[0] - vertical[0] - along[0]
    value = (image[0] - step * slope) * shrink
    ahead[0] = value + momentum * (value - image[0])
    image[0] = value
    for j in range(1, image.shape[0]):
        slope = force[j] + before[j] - through[j] + above[j] - vertical[j] + along[j - 1] - along[j]
        value = (image[j] - step * slope) * shrink
        ahead[j] = value + momentum * (value - image[j])
        image[j] = value
    ahead[image.shape[0]] = ahead[image.shape[0] - 1]


@njit(fastmath=CONTRACT, inline="always")
def _ascend(through, vertical, along, here, behind, below, steps, radius, isotropic):
    step, smooth = steps[3], steps[4]
    for j in range(vertical.shape[0]):
        a = (through[j] + step * (behind[j] - here[j])) * smooth
        b = (vertical[j] + step * (below[j] - here[j])) * smooth
        c = (along[j] + step * (here[j + 1] - here[j])) * smooth
        if isotropic:
            scale = radius / max(np.sqrt(a * a + b * b + c * c), radius)
            through[j], vertical[j], along[j] = a * scale, b * scale, c * scale
        else:
            through[j] = min(max(a, -radius), radius)
            vertical[j] = min(max(b, -radius), radius)
            along[j] = min(max(c, -radius), radius)


@njit(fastmath=CONTRACT, error_model="numpy", nogil=True, cache=True)
def add_huber_gradient(image, offset, order, threshold, weight, gradient):
    """Add the gradient of ``weight * sum huber(difference)`` over differences that fit inside.

    Huber's function is ``t^2 / (2 threshold)`` up to the threshold, a straight line beyond it.

    Parameters
    ----------
    image, gradient : (depth, height, width) float32; `gradient` is updated
    offset : (3,) int64
        To the neighbour; the first entry that is not zero is positive.
    order : {1, 2}
        ``x[i + offset] - x[i]``, or ``x[i + 2 offset] - 2 x[i + offset] + x[i]``.
    threshold, weight : float32
        Positive threshold.
    """
    depth, height, width = image.shape
    dk, di, dj = offset
    first = max(0, -order * dj)
    count = width - order * abs(dj)
    slope = np.empty(max(count, 0), image.dtype)
    for k in range(depth - order * dk):
        for i in range(max(0, -order * di), min(height, height - order * di) if count > 0 else 0):
            here = image[k, i, first : first + count]
            start = first + dj
            there = image[k + dk, i + di, start : start + count]
            if order == 1:
                for j in range(count):
                    slope[j] = there[j] - here[j]
            else:
                start += dj
                beyond = image[k + 2 * dk, i + 2 * di, start : start + count]
                for j in range(count):
                    slope[j] = beyond[j] - 2 * there[j] + here[j]
            _clip_and_scale(slope, threshold, weight)
            sign = 1 if order == 2 else -1
            _add(gradient[k, i, first : first + count], slope, sign)
            there = gradient[k + dk, i + di, first + dj : first + dj + count]
            _add(there, slope, 1 if order == 1 else -2)
            if order == 2:
                _add(gradient[k + 2 * dk, i + 2 * di, start : start + count], slope, 1)


@njit(fastmath=CONTRACT, inline="always")
def _clip_and_scale(slope, threshold, weight):
    factor = weight / threshold
    for j in range(slope.shape[0]):
        slope[j] = min(max(slope[j], -threshold), threshold) * factor


@njit(fastmath=CONTRACT, inline="always")
def _add(target, values, factor):
    for j in range(values.shape[0]):
        target[j] += np.float32(factor) * values[j]
