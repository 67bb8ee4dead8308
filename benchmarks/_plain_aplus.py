"""What A+ costs otherwise: a plain NumPy + FAISS implementation, and the bare matrix products.

Both use the anchors and maps of a fitted `AnchoredRegressionSR` and the same number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import faiss
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from classicsr import AnchoredRegressionSR
from classicsr._threads import thread_budget
from classicsr.degradation import resize
from classicsr.features._gradients import derivative_filters, gradient_matrix

Float32 = NDArray[np.float32]
_CHUNK_ROWS = 16  # low-resolution rows whose patches are gathered at a time
_SPAN = 3  # low-resolution pixels along a side of a patch


class PlainAplus:
    """A+ as a NumPy user would write it: float32, im2col in chunks of rows, FAISS flat search.

    The image's border is handled by repeating the edge of the interpolated image, so that only
    the interior compares with `AnchoredRegressionSR`.
    """

    def __init__(self, sr: AnchoredRegressionSR) -> None:
        self.scale = sr.native_scale_
        self.maps = sr.map_.maps
        # the model holds projection @ gradients as one matrix: take the projection out again
        gradients = gradient_matrix(self.scale)
        self.projection = (sr.filters_ @ np.linalg.pinv(gradients)).astype(np.float32)
        anchors = sr.map_.partition.anchors
        self.index = faiss.IndexFlatIP(anchors.shape[1])
        self.index.add(np.concatenate([anchors, -anchors]))

    def predict(self, low: Float32, threads: int) -> Float32:
        """Upscale a luma in [0, 1]; both axes times the scale."""
        with thread_budget(threads):
            middle = resize(low, self.scale)
            middle += self._residual(middle)
            return middle

    def _residual(self, middle: Float32) -> Float32:
        scale = self.scale
        height, width = middle.shape[0] // scale, middle.shape[1] // scale
        maps = self._gradients(np.pad(middle, 2 * scale, mode="edge"))
        total = np.zeros((height + _SPAN - 1, width + _SPAN - 1, scale, scale), np.float32)
        for first in range(0, height, _CHUNK_ROWS):
            rows = min(_CHUNK_ROWS, height - first)
            patches = self._regress(self._features(maps, first, rows, width))
            patches = patches.reshape(rows, width, _SPAN, scale, _SPAN, scale)
            for i in range(_SPAN):
                for j in range(_SPAN):
                    total[first + i : first + i + rows, j : j + width] += patches[:, :, i, :, j]
        total /= _SPAN**2
        return total[1:-1, 1:-1].transpose(0, 2, 1, 3).reshape(middle.shape)

    def _gradients(self, padded: Float32) -> Float32:
        """(4, H + 2 scale, W + 2 scale) derivatives of an image padded by twice the scale."""
        scale = self.scale
        height, width = (n - 2 * scale for n in padded.shape)
        maps = []
        for taps in derivative_filters(scale):
            vertical = np.zeros((height, width), np.float32)
            horizontal = np.zeros((height, width), np.float32)
            for offset, weight in taps.items():
                at = scale + offset
                vertical += np.float32(weight) * padded[at : at + height, scale:-scale]
                horizontal += np.float32(weight) * padded[scale:-scale, at : at + width]
            maps += [vertical, horizontal]
        return np.stack(maps)

    def _features(self, maps: Float32, first: int, rows: int, width: int) -> Float32:
        """Projected gradients (rows * width, d) of the patches of some low-resolution rows."""
        scale, side = self.scale, _SPAN * self.scale
        band = maps[:, first * scale : (first + rows - 1) * scale + side]
        windows = sliding_window_view(band, (side, side), axis=(1, 2))[:, ::scale, ::scale]
        return windows.transpose(1, 2, 0, 3, 4).reshape(rows * width, -1) @ self.projection.T

    def _regress(self, features: Float32) -> Float32:
        """Residual patches (n, side^2)."""
        _, nearest = self.index.search(features, 1)
        anchor = nearest[:, 0] % len(self.maps)
        order = np.argsort(anchor, kind="stable")
        starts = np.flatnonzero(np.diff(anchor[order], prepend=-1, append=len(self.maps)))
        patches = np.empty((len(features), self.maps.shape[2]), np.float32)
        for first, last in pairwise(starts):
            rows = order[first:last]
            patches[rows] = features[rows] @ self.maps[anchor[rows[0]]]
        return patches


class MatrixProducts:
    """Only the sgemm calls of A+, in their own shapes, in chunks that stay in cache.

    Parameters
    ----------
    n_patches, n_features, n_outputs : int
    n_anchors : int
        Anchors that each patch is compared with.
    chunk : int
        Rows per call.
    """

    n_taps = 77  # low-resolution pixels that the features of a patch depend on

    def __init__(
        self, n_patches: int, n_features: int, n_outputs: int, n_anchors: int, chunk: int
    ) -> None:
        rng = np.random.default_rng(0)
        self.n_chunks = -(-n_patches // chunk)
        self.chunk = chunk
        depths = (self.n_taps, n_features, n_features)
        widths = (n_features, n_anchors, n_outputs)
        self.factors = [
            (
                rng.standard_normal((chunk, depth), dtype=np.float32),
                rng.standard_normal((depth, width), dtype=np.float32),
            )
            for depth, width in zip(depths, widths, strict=True)
        ]

    def run(self, threads: int) -> None:
        """Multiply as often as the image needs; each thread calls a one-thread BLAS."""
        with thread_budget(1), ThreadPoolExecutor(threads) as pool:
            list(pool.map(self._some, self._shares(threads)))

    def _shares(self, threads: int) -> Iterator[int]:
        for thread in range(threads):
            yield (self.n_chunks + thread) // threads

    def _some(self, n_chunks: int) -> None:
        outputs = [np.empty((self.chunk, right.shape[1]), np.float32) for _, right in self.factors]
        for _ in range(n_chunks):
            for (left, right), out in zip(self.factors, outputs, strict=True):
                np.matmul(left, right, out=out)
