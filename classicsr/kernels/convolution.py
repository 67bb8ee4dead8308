"""Convolution of images of many channels, all channels of a pixel next to each other."""

from __future__ import annotations

import numpy as np
from numba import njit

from .linear import padded_outputs
from .registers import OUTPUT_CHUNK, PATCHES, map_patches


def chunk_filters(filters: np.ndarray) -> np.ndarray:
    """Lay out filters (n_outputs, n_inputs, side, side) for `convolve`.

    Returns (n_chunks, side, side * n_inputs * OUTPUT_CHUNK) float32, zero-padded: a row of a
    filter meets pixels that follow one another.
    """
    n_outputs, n_inputs, side, _ = filters.shape
    width = padded_outputs(n_outputs)
    padded = np.zeros((side, side, n_inputs, width), np.float32)
    padded[..., :n_outputs] = filters.transpose(2, 3, 1, 0)
    chunks = padded.reshape(side, side * n_inputs, -1, OUTPUT_CHUNK).transpose(2, 0, 1, 3)
    return np.ascontiguousarray(chunks).reshape(width // OUTPUT_CHUNK, side, -1)


@njit(nogil=True, cache=True)
def convolve(image, filters, bias, rectify, result):
    """Correlation with square filters where they lie inside the image, plus a bias.

    Parameters
    ----------
    image : (h + side - 1, w + side - 1, n_inputs) float32
    filters : (n_chunks, side, side * n_inputs * OUTPUT_CHUNK) float32
        From `chunk_filters`.
    bias : (n_chunks * OUTPUT_CHUNK,) float32
    rectify : bool
        Whether negative results become zero.
    result : (h, w, n_chunks * OUTPUT_CHUNK) float32, overwritten
    """
    height, width, n_outputs = result.shape
    n_inputs = image.shape[2]
    pitch = image.shape[1] * n_inputs
    n_chunks, side, size = filters.shape
    pixels, table, results = image.reshape(-1), filters.reshape(-1), result.reshape(-1)
    for row in range(height):
        start = row * width * n_outputs
        for column in range(width):
            for o in range(n_outputs):
                results[start + column * n_outputs + o] = bias[o]
        # one row of the filters at a time: its table stays in the first-level cache
        for chunk in range(n_chunks):
            for k in range(side):
                first = (chunk * side + k) * size
                line = (row + k) * pitch
                for column in range(0, width, PATCHES):
                    # a group that is not full repeats its last pixel
                    c0, c1 = column, min(column + 1, width - 1)
                    c2, c3 = min(column + 2, width - 1), min(column + 3, width - 1)
                    at = (
                        line + c0 * n_inputs,
                        line + c1 * n_inputs,
                        line + c2 * n_inputs,
                        line + c3 * n_inputs,
                    )
                    c = start + chunk * OUTPUT_CHUNK
                    to = (
                        c + c0 * n_outputs,
                        c + c1 * n_outputs,
                        c + c2 * n_outputs,
                        c + c3 * n_outputs,
                    )
                    map_patches(pixels, at, size // OUTPUT_CHUNK, table, first, results, to, True)
        if rectify:
            for i in range(start, start + width * n_outputs):
                results[i] = max(results[i], np.float32(0))
