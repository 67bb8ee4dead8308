"""Label maps of ``classicsr upscale``: checked before the work, written after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classicsr.cli._common import Scale
    from classicsr.io import Picture, Volume


class LabelImage:
    """The label map of an image; raises ValueError where it is none."""

    def __init__(self, paths: tuple[Path, Path], like: Picture) -> None:
        from classicsr.io import read_image

        source, self.target = paths
        self.picture = read_image(source)
        shape, wanted = self.picture.array.shape, like.array.shape[:2]
        if shape != wanted:
            raise ValueError(f"{source}: labels of shape {shape} do not fit an image of {wanted}")
        if self.target.suffix.lower() in (".jpg", ".jpeg", ".webp"):
            raise ValueError(f"{self.target}: labels need a format without loss, such as .png")

    def write(self, scale: Scale, overwrite: bool) -> None:
        """Upscale and write it."""
        from classicsr.io import write_image
        from classicsr.super_resolution import upscale_labels

        labels = upscale_labels(self.picture.array, scale)
        write_image(self.target, labels, self.picture, scale, overwrite=overwrite)


class LabelVolume:
    """The label map of a volume; raises ValueError where it is none."""

    def __init__(self, paths: tuple[Path, Path], like: Volume) -> None:
        from classicsr.io import read_volume

        source, self.target = paths
        self.volume = read_volume(source)
        if not self.volume.has_grid_of(like):
            raise ValueError(f"{source}: the labels do not lie on the voxels of {like.path}")
        if self.volume.channels:
            raise ValueError(f"{source}: holds colours, not labels")

    def write(self, scale: tuple[float, float, float], overwrite: bool) -> None:
        """Upscale and write it, frame by frame."""
        from classicsr.io import write_volume
        from classicsr.super_resolution import upscale_labels

        frames = range(self.volume.n_frames)
        write_volume(
            self.target,
            (upscale_labels(self.volume.frame(index), scale) for index in frames),
            self.volume,
            scale,
            description="labels, shape-based interpolation",
            overwrite=overwrite,
        )
