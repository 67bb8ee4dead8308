"""Averaging overlapping high-resolution patches onto the image grid."""

from __future__ import annotations

import numpy as np
from numba import njit

from .lanes import CONTRACT

SPAN = 3
"""Patches cover SPAN x SPAN low-resolution pixels."""


@njit(nogil=True, cache=True)
def interleave_phases(phases, first, pitch, scale, image):
    """Turn the phases of an interpolated image into the image.

    Parameters
    ----------
    phases : (n, >= scale * scale) float32
        Column ``p * scale + q`` is pixel (p, q) of the block of a low-resolution pixel.
    first, pitch : int
        Row of `phases` of low-resolution pixel (0, 0), and from one image row to the next.
    scale : int
    image : (height * scale, width * scale) float32, overwritten
    """
    height, width = image.shape[0] // scale, image.shape[1] // scale
    for i in range(height):
        for j in range(width):
            block = phases[first + i * pitch + j]
            for p in range(scale):
                for q in range(scale):
                    image[i * scale + p, j * scale + q] = block[p * scale + q]


@njit(fastmath=CONTRACT, inline="always")
def _add_rows(patches, image, scale):
    """`add_overlap_average` for a `scale` known when compiling, so that its loops unroll."""
    weight = np.float32(1.0 / (SPAN * SPAN))
    side = SPAN * scale
    height, width = image.shape[0] // scale, image.shape[1] // scale
    for i in range(height):
        for p in range(scale):
            line = image[i * scale + p]
            for j in range(width):
                for q in range(scale):
                    total = np.float32(0.0)
                    for di in range(SPAN):
                        for dj in range(SPAN):
                            source = ((SPAN - 1 - di) * scale + p) * side + (SPAN - 1 - dj) * scale
                            total += patches[i + di, j + dj, source + q]
                    line[j * scale + q] += weight * total


@njit(fastmath=CONTRACT, nogil=True, cache=True)
def add_overlap_average(patches, scale, image):
    """Add to each pixel the mean of all patches that cover it.

    Patch (i, j) covers the high-resolution blocks of a SPAN x SPAN neighbourhood of
    low-resolution pixels, so SPAN^2 patches cover every pixel. They are added in raster order
    of the patches, whatever the tile: the bits do not depend on where tiles end.

    Parameters
    ----------
    patches : (height + SPAN - 1, width + SPAN - 1, >= side * side) float32
        side = SPAN * scale; a rim of SPAN // 2 patches around the tile is included.
    scale : int
    image : (height * scale, width * scale) float32, updated
    """
    if scale == 2:
        _add_rows(patches, image, 2)
    elif scale == 3:
        _add_rows(patches, image, 3)
    elif scale == 4:
        _add_rows(patches, image, 4)
    else:
        _add_rows(patches, image, scale)
