"""Training pairs of networks, and batches of patches drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.deep._tiles import posed
from classicsr.degradation import resize

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class NetworkPair:
    """A low-resolution image (C, h, w) and the high-resolution one, (C, h * scale, w * scale)."""

    low: Float32
    high: Float32


class PatchSampler:
    """Random patches of image pairs in random poses, each image as likely as it is large.

    The patches of a step depend on the seed and the number of the step alone, so that training
    that was interrupted goes on as it would have.

    Parameters
    ----------
    pairs : sequence of NetworkPair
    scale : int
    patch_size : int
        Low-resolution pixels of a side; less where every image is smaller. Others that are
        smaller are left out.
    batch_size : int
    seed : int
    interpolated : bool
        Whether the network takes the bicubic image.
    residual : bool
        Whether the bicubic image is added to what the network gives.
    """

    def __init__(
        self,
        pairs: Sequence[NetworkPair],
        *,
        scale: int,
        patch_size: int,
        batch_size: int,
        seed: int,
        interpolated: bool,
        residual: bool,
    ) -> None:
        sides = [min(pair.low.shape[1:]) for pair in pairs]
        self.patch_size = min(patch_size, max(sides))
        pairs = [p for p, side in zip(pairs, sides, strict=True) if side >= self.patch_size]
        self._pairs = pairs
        self._scale = scale
        self._batch_size = batch_size
        self._seed = seed
        self._interpolated = interpolated
        self._residual = residual
        bases = interpolated or residual
        self._bases = [resize(pair.low, (1, scale, scale)) if bases else None for pair in pairs]
        sizes = np.array([pair.low[0].size for pair in pairs], np.float64)
        self._shares = sizes / sizes.sum()

    def batch(self, step: int) -> tuple[Float32, Float32, Float32]:
        """Input, what is added to the output (bicubic image, or zeros), and target."""
        rng = np.random.default_rng([self._seed, step])
        chosen = rng.choice(len(self._pairs), self._batch_size, p=self._shares)
        samples = [self._sample(int(index), rng) for index in chosen]
        inputs, bases, targets = (np.stack(part) for part in zip(*samples, strict=True))
        return inputs, bases, targets

    def _sample(self, index: int, rng: np.random.Generator) -> tuple[Float32, ...]:
        pair, size, scale = self._pairs[index], self.patch_size, self._scale
        row, column = (int(rng.integers(n - size + 1)) for n in pair.low.shape[1:])
        pose = int(rng.integers(8))

        def cut(image: Float32, factor: int) -> Float32:
            rows = slice(row * factor, (row + size) * factor)
            columns = slice(column * factor, (column + size) * factor)
            return posed(image[:, rows, columns], pose)

        target, base = cut(pair.high, scale), self._bases[index]
        bicubic = np.zeros_like(target) if base is None else cut(base, scale)
        inputs = bicubic if self._interpolated else cut(pair.low, 1)
        return inputs, bicubic if self._residual else np.zeros_like(target), target


def color_planes(image: Any, channel_mode: str) -> list[list[int]]:
    """Indices of the planes, as `unit_planes` gives them, that form each RGB training image."""
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] in (3, 4) and channel_mode == "luma":
        return [[0, 1, 2]]
    if array.ndim == 3 and array.shape[2] == 2 and channel_mode == "luma":
        return [[0, 0, 0]]
    return [[plane] * 3 for plane in range(array.shape[2] if array.ndim == 3 else 1)]
