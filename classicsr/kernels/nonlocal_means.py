"""Non-local means: every sample a weighted mean of those whose neighbourhoods look alike."""

from __future__ import annotations

import numpy as np
from numba import njit

from .gaussian import exponential
from .lanes import CONTRACT

PATCH_SIZE = 27
"""Samples of a patch, 3 per axis; along an axis of stride 0 the same one counts three times."""
_SMALLEST_WEIGHT = np.float32(1e-30)  # nothing is alike, and `exponential` ends at 1e-38


@njit(fastmath=CONTRACT, inline="always")
def _row_distances(image, first, offset, plane, row, sums, distances):
    """Squared distances between two runs of samples, summed over 3 planes and 3 rows.

    One run begins at `first`, the other at ``first + offset``; `sums` is work space for the
    sums over planes, a row larger than `distances` on each side.
    """
    start = first - row
    before, before_far = image[start - plane :], image[start - plane + offset :]
    here, here_far = image[start:], image[start + offset :]
    after, after_far = image[start + plane :], image[start + plane + offset :]
    for p in range(sums.shape[0]):
        d0, d1, d2 = before[p] - before_far[p], here[p] - here_far[p], after[p] - after_far[p]
        sums[p] = d0 * d0 + d1 * d1 + d2 * d2
    second, third = sums[row:], sums[2 * row :]
    for p in range(distances.shape[0]):  # not in place: rows that overlap are not vectorised
        distances[p] = sums[p] + second[p] + third[p]


@njit(fastmath=CONTRACT, inline="always")
def _scale_distances(widths, first, inverse):
    """What takes sums over two patches to ``d / (2 h^2)``: 0 where the width h is."""
    factor = np.float32(2 * PATCH_SIZE)
    for g in range(inverse.shape[0]):
        for p in range(inverse.shape[1]):
            h = widths[g, first + p]
            inverse[g, p] = np.float32(1) / (factor * h * h) if h > 0 else np.float32(0)


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def average_similar(images, widths, offsets, plane, row, first, result):
    """Replace a run of samples by weighted means of the samples at `offsets` from them.

    The weight is ``exp(-max(sum of d / (2 h^2) - 1, 0))`` over all images, where d is the mean
    squared difference of the two patches of 3 samples per axis and h the width at the sample
    that is replaced. A sample counts for itself as much as the most similar other one; where no
    other is similar it stays.

    Parameters
    ----------
    images : (n_images, n) float32
        Volumes with a rim, rows one after another: the one that is averaged, and others of the
        same places that are compared as well.
    widths : (n_images, n) float32
        h of every sample; where it is 0 the sample stays, or that other volume does not count.
    offsets : (m,) int64
        Flat offsets of the samples that are averaged, without 0.
    plane, row : int
        Flat offsets of neighbours along the first and the second axis; 0 for an axis of one
        sample.
    first : int
        Flat position of the first sample.
    result : (n_samples,) float32, overwritten
    """
    n = result.shape[0]
    sums = np.empty(n + 2 + 2 * row, np.float32)
    distances = np.empty(n + 2, np.float32)
    inverse = np.zeros((images.shape[0], n), np.float32)
    gaps = np.empty(n, np.float32)
    total = np.zeros(n, np.float32)
    largest = np.zeros(n, np.float32)
    zero, one = np.float32(0), np.float32(1)
    own, next_distances, last_distances = images[0, first:], distances[1:], distances[2:]
    _scale_distances(widths, first, inverse)
    for p in range(n):
        result[p] = zero
    for k in range(offsets.shape[0]):
        for p in range(n):
            gaps[p] = -one
        for g in range(images.shape[0]):
            _row_distances(images[g], first - 1, offsets[k], plane, row, sums, distances)
            scales = inverse[g]
            for p in range(n):
                distance = distances[p] + next_distances[p] + last_distances[p]
                gaps[p] += distance * scales[p]
        other = images[0, first + offsets[k] :]
        for p in range(n):
            weight = exponential(-max(gaps[p], zero))
            total[p] += weight
            largest[p] = max(largest[p], weight)
            result[p] += weight * other[p]
    for p in range(n):
        if inverse[0, p] > zero and largest[p] > _SMALLEST_WEIGHT:
            result[p] = (result[p] + largest[p] * own[p]) / (total[p] + largest[p])
        else:
            result[p] = own[p]
