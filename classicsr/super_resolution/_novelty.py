"""How unlike an image is to those that a model is known to work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classicsr.super_resolution._uncertainty import contrast

Float32 = NDArray[np.float32]
_STEP = 3
"""Low-resolution pixels from one described block to the next; blocks are twice as wide."""
N_DESCRIPTORS = 5
_N_BLOCKS = 2048  # kept of the calibration images
_FLOOR = 1e-3  # share of the image's own energy below which blocks count as empty
_USUAL = 0.98  # share of calibration images that count as known
_CLOSE = 1e-3  # distances below this are all the same


class Novelty(NamedTuple):
    """How unlike an image is to the calibration images.

    Attributes
    ----------
    score : float
        Geometric mean of the distances of its blocks to the nearest known ones; 1 is typical.
    limit : float
        What 98 % of calibration images stay below, of those that gave no known blocks.
    map : float32 array of the image's spatial shape
        Distance of the blocks around every pixel, in the unit of the score.
    """

    score: float
    limit: float
    map: Float32


@dataclass(frozen=True)
class KnownBlocks:
    """Descriptors of blocks of images, and distances to them.

    Attributes
    ----------
    vectors : (n, N_DESCRIPTORS) float32
    typical, limit : float
        Distances that half and `_USUAL` of held-out images stay below.
    """

    vectors: Float32
    typical: float = 1.0
    limit: float = 1.0

    @classmethod
    def fit(
        cls,
        images: Sequence[list[Float32]],
        held_out: Sequence[list[Float32]],
        rng: np.random.RandomState,
    ) -> KnownBlocks:
        """Blocks of `images`; distances are those of `held_out`; each a list of planes."""
        described = [describe(plane) for planes in images for plane in planes]
        every = np.concatenate([blocks.reshape(-1, N_DESCRIPTORS) for blocks in described])
        kept = rng.permutation(len(every))[:_N_BLOCKS]
        # as they are stored
        known = cls(every[np.sort(kept)].astype(np.float16).astype(np.float32))
        scores = [_typical_distance(known.distances(planes)) for planes in held_out]
        typical, limit = np.quantile(scores, [0.5, _USUAL])
        return cls(known.vectors, float(typical), float(limit))

    def novelty(self, planes: Sequence[Float32]) -> Novelty:
        """Novelty of one image, given as planes (H, W) of one shape: slices of a volume, say."""
        distances = self.distances(planes)
        maps = [_at_pixels(one, planes[0].shape) for one in distances]
        return Novelty(
            _typical_distance(distances) / self.typical,
            self.limit / self.typical,
            np.stack(maps) / np.float32(self.typical),
        )

    def distances(self, planes: Sequence[Float32]) -> list[Float32]:
        """Distance of each block of each plane to the nearest known block."""
        from classicsr.neighbors import NeighborIndex

        center, spread = self.vectors.mean(axis=0), self.vectors.std(axis=0) + _FLOOR
        index = NeighborIndex((self.vectors - center) / spread, n_jobs=1)
        distances: list[Float32] = []
        for plane in planes:
            blocks = describe(plane)
            queries = (blocks.reshape(-1, N_DESCRIPTORS) - center) / spread
            squares, _ = index.search(queries, 1)
            distances.append(np.sqrt(np.maximum(squares, _CLOSE**2)).reshape(blocks.shape[:2]))
        return distances


def _typical_distance(distances: Sequence[Float32]) -> float:
    """Geometric mean: a few odd blocks do not make an image odd."""
    logarithms = np.concatenate([np.log(one).ravel() for one in distances])
    return float(np.exp(logarithms.mean(dtype=np.float64)))


def describe(plane: Float32) -> Float32:
    """Descriptors (rows, columns, N_DESCRIPTORS) of the blocks of a plane.

    Roughness, by finer and two coarser differences relative to the gradients; and how unevenly
    gradients are distributed, by the first and the fourth moment of their size. They stay the
    same when intensities are scaled, shifted or negated.
    """
    from scipy.ndimage import laplace, uniform_filter

    padding = [(0, max(2 * _STEP - n, -n % _STEP)) for n in plane.shape]
    image = np.pad(plane, padding, mode="symmetric")
    image = (image - image.mean(dtype=np.float64)).astype(np.float32)
    image /= np.float32(contrast(image) or 1.0)
    energy = _squared_differences(image, 1)
    others = [np.square(laplace(image))]
    others += [_squared_differences(uniform_filter(image, side), side) for side in (3, 5)]
    mean = _block_means(energy) + _FLOOR
    descriptors = [
        *(np.log((_block_means(other) + _FLOOR) / mean) for other in others),
        (_block_means(np.sqrt(energy)) + np.sqrt(_FLOOR)) / np.sqrt(mean),
        np.log((_block_means(np.square(energy)) + _FLOOR**2) / np.square(mean)),
    ]
    return np.stack(descriptors, axis=-1)


def _squared_differences(image: Float32, step: int) -> Float32:
    """Sum over both axes of the squared difference to the pixel `step` further on."""
    result = np.zeros_like(image)
    result[:-step] += np.square(image[step:] - image[:-step])
    result[:, :-step] += np.square(image[:, step:] - image[:, :-step])
    return result


def _block_means(values: Float32) -> Float32:
    """Means over blocks that overlap by half."""
    height, width = (n // _STEP for n in values.shape)
    return _pair_means(values.reshape(height, _STEP, width, _STEP).mean(axis=(1, 3)))


def _pair_means(values: Float32) -> Float32:
    """Means of 2 x 2 neighbours."""
    rows = values[1:] + values[:-1]
    means: Float32 = np.float32(0.25) * (rows[:, 1:] + rows[:, :-1])
    return means


def _at_pixels(values: Float32, shape: tuple[int, ...]) -> Float32:
    """Values of blocks (rows, columns) as the mean of the blocks that cover each pixel."""
    large = _pair_means(np.pad(values, 1, mode="edge"))
    return large.repeat(_STEP, axis=0).repeat(_STEP, axis=1)[: shape[0], : shape[1]]
