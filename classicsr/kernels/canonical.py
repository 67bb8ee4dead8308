"""Turning patches into their canonical pose, and results back.

The features of a patch are responses of filters that a flip, a turn or a change of sign of the
image maps onto themselves, up to sign and exchange of two filters. So a pose is applied to the
features, and nothing is turned in the image.
"""

from __future__ import annotations

import numpy as np
from numba import njit

N_POSES = 16
"""Flip left to right (1), flip upside down (2), exchange of the axes (4), change of sign (8)."""


@njit(nogil=True, cache=True)
def pose_rows(rows, positions, guides, signs, partners, senses, posed, poses):
    """Features of patches in their canonical pose, and the pose that each one is in.

    A pose makes the slopes to the right and down positive, the first the larger one, and the
    curvature positive.

    Parameters
    ----------
    rows : (n_rows, >= n_features) float32
    positions : (n,) int64
        Rows to pose.
    guides : (3,) int64
        Features that are the slope to the right, the slope down, the curvature.
    signs : (N_POSES, n_features) float32
        Signs that a pose gives to features, before the exchange.
    partners : (n_features,) int64
        The feature that takes the place of each one in the exchange.
    senses : (n_features,) float32
        Signs of the exchange.
    posed : (n, n_features) float32, overwritten
    poses : (n,) int32, overwritten
    """
    n_features = posed.shape[1]
    for i in range(positions.shape[0]):
        row, out = rows[positions[i]], posed[i]
        right, down, curvature = row[guides[0]], row[guides[1]], row[guides[2]]
        negative = curvature < 0
        pose = 8 if negative else 0
        if (right < 0) != negative:
            pose |= 1
        if (down < 0) != negative:
            pose |= 2
        if abs(down) > abs(right):
            pose |= 4
        sign = signs[pose]
        if pose & 4:
            for k in range(n_features):
                p = partners[k]
                out[k] = row[p] * sign[p] * senses[k]
        else:
            for k in range(n_features):
                out[k] = row[k] * sign[k]
        poses[i] = pose


@njit(nogil=True, cache=True)
def compress_rows(posed, chosen, weights, steepness, queries):
    """Rows to search with: weighted features whose norm n becomes ``log(1 + steepness n)``.

    Parameters
    ----------
    posed : (n, n_features) float32
    chosen : (n_chosen,) int64
        Features that count.
    weights : (n_chosen,) float32
        Theirs.
    steepness : float32
    queries : (n, n_chosen + 1) float32, overwritten
        The last column is 1.
    """
    n_chosen = chosen.shape[0]
    for i in range(posed.shape[0]):
        row, out = posed[i], queries[i]
        energy = np.float32(0.0)
        for k in range(n_chosen):
            out[k] = row[chosen[k]] * weights[k]
            energy += out[k] * out[k]
        norm = np.sqrt(energy)
        factor = np.log1p(steepness * norm) / norm if norm > 0 else np.float32(0.0)
        for k in range(n_chosen):
            out[k] *= factor
        out[n_chosen] = 1.0


@njit(nogil=True, cache=True)
def unpose_rows(outputs, poses, places, n_outputs):
    """Put patches that were predicted in their canonical pose back, in place.

    Parameters
    ----------
    outputs : (n, >= n_outputs) float32, updated
    poses : (n,) int32
    places : (N_POSES // 2, n_outputs) int64
        Where each pixel of a patch lies in each pose, signs apart.
    n_outputs : int
    """
    patch = np.empty(n_outputs, np.float32)
    for i in range(outputs.shape[0]):
        out, place = outputs[i], places[poses[i] & 7]
        sign = np.float32(-1.0) if poses[i] & 8 else np.float32(1.0)
        for k in range(n_outputs):
            patch[k] = sign * out[k]
        for k in range(n_outputs):
            out[place[k]] = patch[k]
