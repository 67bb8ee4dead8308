"""One tile of filters that trees choose: leaves, posed patches, and their overlapping sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicsr.features import WINDOW_RADIUS, WINDOW_SIDE, interpolation_matrix
from classicsr.regressors._hash import image_shapes, symmetries
from classicsr.regressors._posed_tree import (
    CENTER,
    N_TAPS,
    SIDE,
    TAP_RADIUS,
    WINDOW_TAPS,
    PosedTree,
    PosedWalk,
    tap_offsets,
)
from classicsr.super_resolution._filter_bank import padded_pixels

Float32 = NDArray[np.float32]
RIM = 1
"""High-resolution pixels by which the patch of a low-resolution pixel is larger than its block."""


def patch_filters(filters: NDArray, scale: int, *, interpolate: bool) -> NDArray[np.float64]:
    """Filters of low-resolution pixels, weighted so that overlapping patches add up to the image.

    Parameters
    ----------
    filters : (n_leaves, (scale + 2 RIM)^2, N_TAPS) array
        Weights, for what the interpolated image lacks, of the differences from the centre.
    scale : int
    interpolate : bool
        Whether the image is that of the interpolation and what it lacks, or the latter alone.

    Returns
    -------
    (n_leaves, (scale + 2 RIM)^2, N_TAPS) float64
    """
    complete = filters + _cubic_filters(scale) * interpolate
    complete[..., CENTER] -= filters.sum(axis=-1, dtype=np.float64)
    places = np.arange(-RIM, scale + RIM)
    shared = (places < RIM) | (places >= scale - RIM)  # by the patches of two neighbours
    weights = np.where(shared, 0.5, 1.0)
    return complete * np.outer(weights, weights).reshape(-1, 1)


def _cubic_filters(scale: int) -> NDArray[np.float64]:
    """Cubic interpolation of each pixel of a patch: ((scale + 2 RIM)^2, N_TAPS)."""
    phases = interpolation_matrix(scale).reshape(scale, scale, WINDOW_SIDE, WINDOW_SIDE)
    near = slice(WINDOW_RADIUS - TAP_RADIUS, WINDOW_RADIUS + TAP_RADIUS + 1)
    places = range(-RIM, scale + RIM)
    windows = [
        np.roll(phases[p % scale, q % scale], (p // scale, q // scale), (0, 1))[near, near]
        for p in places
        for q in places
    ]
    return np.reshape(windows, (-1, SIDE**2))[:, WINDOW_TAPS]


def _used_taps(filters: NDArray) -> NDArray[np.int64]:
    """Taps that some filter uses, and the centre: the kernel needs one."""
    used = np.any(filters != 0, axis=(0, 1))
    used[CENTER] = True
    return np.flatnonzero(used)


class TreeFilterTiles:
    """Upscales blocks by filters that trees choose for every low-resolution pixel.

    Parameters
    ----------
    scale : int
    trees : sequence of PosedTree
    filters : sequence of (n_leaves, (scale + 2 RIM)^2, N_TAPS) float32
        Those of each tree; what they give is summed.
    """

    halo = TAP_RADIUS + RIM

    def __init__(self, scale: int, trees: Sequence[PosedTree], filters: Sequence[Float32]) -> None:
        from classicsr.kernels.posed_filters import vector_filters

        self.scale = scale
        self._trees = trees
        complete = [
            patch_filters(one, scale, interpolate=number == 0) for number, one in enumerate(filters)
        ]
        self._used = [_used_taps(one) for one in complete]
        self._filters = [
            vector_filters(one[..., used]) for one, used in zip(complete, self._used, strict=True)
        ]
        single = np.zeros((1, *filters[0].shape[1:]), np.float32)
        self._cubic = vector_filters(patch_filters(single, scale, interpolate=True))
        self._layouts: dict[int, _Layout] = {}

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) float32 -> (h * scale, w * scale) float32."""
        from classicsr.kernels.linear import sort_by_label
        from classicsr.kernels.posed import add_posed_patches
        from classicsr.kernels.posed_filters import filter_pixels

        pixels, pitch = padded_pixels(block), block.shape[1]
        height, width = (n - 2 * TAP_RADIUS for n in block.shape)
        start, n = TAP_RADIUS * (pitch + 1), (height - 1) * pitch + width
        layout = self._layout(pitch)
        shapes = image_shapes(pixels, pitch, start, n)
        patches = np.empty((n, self._cubic[0].size // N_TAPS), np.float32)
        if interpolate_only:
            order, starts = sort_by_label(np.zeros(n, np.int32), 1)
            tables = layout.disc, order, starts, self._cubic
            filter_pixels(pixels, start, shapes[0], *tables, patches, False)
        else:
            trees = zip(layout.walks, layout.taps, self._filters, strict=True)
            for number, (walk, taps, filters) in enumerate(trees):
                leaves = walk.leaves(pixels, start, shapes)
                tables = taps, *sort_by_label(leaves, len(filters)), filters
                filter_pixels(pixels, start, shapes[0], *tables, patches, number > 0)
        image = np.zeros((height * self.scale + 2 * RIM, layout.row), np.float32)
        add_posed_patches(patches, shapes[0], pitch, layout.spots, self.scale, height, width, image)
        inner = RIM * (self.scale + 1)
        return image[inner:-inner, inner:-inner]

    def _layout(self, pitch: int) -> _Layout:
        """Tables for blocks whose rows are `pitch` apart; tiles have one or two widths."""
        layouts = self._layouts
        if pitch not in layouts:
            row = (pitch - 2 * TAP_RADIUS) * self.scale + 2 * RIM
            rows, columns = np.divmod(symmetries(self.scale + 2 * RIM), self.scale + 2 * RIM)
            spots = np.ascontiguousarray(rows * row + columns)
            walks = [tree.laid_out(pitch) for tree in self._trees]
            disc = tap_offsets(pitch)
            taps = [np.ascontiguousarray(disc[:, used]) for used in self._used]
            layout = _Layout(walks, disc, taps, spots, row)
            self._layouts = {pitch: layout, **dict(list(layouts.items())[:1])}
            return layout
        return layouts[pitch]


@dataclass(frozen=True)
class _Layout:
    """Offsets in blocks of one width and in their results.

    `disc` (8, N_TAPS) and `spots` (8, n_outputs) say where the taps of a low-resolution pixel lie
    and where the pixels of its patch belong, for each pose; `taps` are those of `disc` that each
    tree's filters use. Rows of the result are `row` apart.
    """

    walks: Sequence[PosedWalk]
    disc: NDArray[np.int64]
    taps: Sequence[NDArray[np.int64]]
    spots: NDArray[np.int64]
    row: int
