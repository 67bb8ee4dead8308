"""Training images of a cascade, kept in files: memory stays bounded whatever their number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classicsr.patches import TrainingPair, mirrored
from classicsr.super_resolution._planes import TileMethod

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class StoredImage:
    """What the stages so far make of one training image.

    Attributes
    ----------
    folder : Path
    name : str
    fold : int
        Estimates come from maps that were fitted without the images of this fold.
    shape : (int, int)
        Low-resolution pixels.
    """

    folder: Path
    name: str
    fold: int
    shape: tuple[int, int]

    @property
    def n_pixels(self) -> int:
        """Low-resolution pixels."""
        return self.shape[0] * self.shape[1]

    def write_pair(self, pair: TrainingPair, halo: int, first: TileMethod) -> None:
        """Keep a pair: its low-resolution image, mirrored `halo` pixels on, and its target."""
        rows, columns = (mirrored(-halo, n + halo, n) for n in pair.low.shape)
        block = np.ascontiguousarray(pair.low[np.ix_(rows, columns)])
        interpolated = first.upscale(block, interpolate_only=True)
        margin = (halo - first.halo) * first.scale
        self._write("high", pair.residual + inside(interpolated, margin))
        self._write("interpolated", interpolated)
        self._write("stage0", block)

    def high(self) -> Float32:
        """The high-resolution image."""
        return self._read("high")

    def interpolated(self) -> Float32:
        """The low-resolution image, interpolated, with the margin of the first stage's result."""
        return self._read("interpolated")

    def estimate(self, stage: int) -> Float32:
        """Result of a stage and a margin around it; of stage 0 the low-resolution image."""
        return self._read(f"stage{stage}")

    def write_estimate(self, stage: int, estimate: Float32) -> None:
        """Keep the result of a stage."""
        self._write(f"stage{stage}", estimate)

    def forget_estimate(self, stage: int) -> None:
        """Remove the result of a stage that no later one needs."""
        self._path(f"stage{stage}").unlink(missing_ok=True)

    def added(self, model: int) -> Float32:
        """What the parts so far of one of the models of a stage add."""
        return self._read(f"added{model}")

    def write_added(self, model: int, added: Float32) -> None:
        """Keep what the parts so far of one of the models of a stage add."""
        self._write(f"added{model}", added)

    def _path(self, kind: str) -> Path:
        return self.folder / f"{self.name}-{kind}.npy"

    def _read(self, kind: str) -> Float32:
        array: Float32 = np.load(self._path(kind), allow_pickle=False)
        return array

    def _write(self, kind: str, array: Float32) -> None:
        np.save(self._path(kind), array)


def inside(image: Float32, margin: int) -> Float32:
    """The image without a margin."""
    return image[margin : image.shape[0] - margin, margin : image.shape[1] - margin]
