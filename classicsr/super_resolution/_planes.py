"""Upscaling one plane in tiles or bands, so that memory is bounded whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.degradation import contributions
from classicsr.patches import Tile, mirrored, tiles
from classicsr.super_resolution._pixels import PixelSink, PixelSource

Float32 = NDArray[np.float32]
Progress = Callable[[int, int], None]
_BAND_PIXELS = 1 << 19  # output pixels of one band: 2 MB a channel


class TileMethod(Protocol):
    """What a method of a fixed integer scale does to one block.

    `halo` is the number of low-resolution pixels around a tile that its result depends on.
    """

    scale: int
    halo: int

    def upscale(self, block: Float32, *, interpolate_only: bool) -> Float32:
        """(h + 2 halo, w + 2 halo) -> (h * scale, w * scale)."""
        ...


@dataclass(frozen=True)
class Work:
    """How to run: threads, low-resolution tile size, and whom to tell."""

    n_jobs: int | None
    tile_shape: tuple[int, int]
    progress: Progress | None = None

    def run(self, function: Callable, items: Iterable) -> None:
        """Call `function` on each item, in worker threads, and report after each."""
        jobs = list(items)
        for done, _ in enumerate(run_parallel(function, jobs, self.n_jobs), start=1):
            if self.progress is not None:
                self.progress(done, len(jobs))


def upscale_plane(
    source: PixelSource, sink: PixelSink, method: TileMethod, learned: range, work: Work
) -> None:
    """Apply a tile method to a plane; channels outside `learned` are interpolated only."""
    height, width = source.shape

    def run(tile: Tile) -> None:
        rows = mirrored(tile.row - method.halo, tile.row + tile.height + method.halo, height)
        columns = mirrored(tile.column - method.halo, tile.column + tile.width + method.halo, width)
        block = source.read(rows, columns)
        planes = [method.upscale(p, interpolate_only=c not in learned) for c, p in enumerate(block)]
        sink.write(np.stack(planes), tile.row * method.scale, tile.column * method.scale)

    work.run(run, tiles(source.shape, work.tile_shape))


def resample_plane(
    source: PixelSource,
    sink: PixelSink,
    scales: tuple[float, float],
    kernel: str,
    work: Work,
) -> None:
    """Resample a plane by any factors, in bands of rows, into a sink of the wanted size."""
    from classicsr.kernels.resample import apply_banded

    height, width = source.shape
    out_height, out_width = sink.image.shape[:2]
    row_index, row_weight = contributions(height, out_height, scales[0], kernel)
    column_index, column_weight = contributions(width, out_width, scales[1], kernel)
    row_weight = row_weight.astype(np.float32)
    column_weight = column_weight.astype(np.float32)
    every_column = np.arange(width)

    def run(band: slice) -> None:
        indices = row_index[band]
        first, last = int(indices.min()), int(indices.max()) + 1
        block = source.read(np.arange(first, last), every_column)
        tall = np.empty((len(block), len(indices), width), np.float32)
        apply_banded(block, indices - first, row_weight[band], tall)
        result = np.empty((len(block), len(indices), out_width), np.float32)
        apply_banded(
            tall.reshape(-1, width, 1),
            column_index,
            column_weight,
            result.reshape(-1, out_width, 1),
        )
        sink.write(result, band.start, 0)

    step = max(1, _BAND_PIXELS // max(out_width, width))
    work.run(run, (slice(r, min(r + step, out_height)) for r in range(0, out_height, step)))
