"""The frozen cases of the medical benchmark: which volumes, which part of them, which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classicsr.datasets import load_dataset

SIDE = 128  # samples of the middle part that is used, at most, along each axis
AXIS = 2  # the thick one
FEWEST = 5  # thick slices that must be left
WHOLE = ("saganon_t1_0p86mm", "box")  # volume and profile that are used whole
FOLDERS = ("mri_t1/test", "ct/test", "mri_multicontrast/test", "pet/test")
HIPPOCAMPUS = "mri_hippocampus/test"
PROFILES = ("box", "gaussian")

Volume = np.ndarray


@dataclass(frozen=True)
class Case:
    """A line of the tables: one volume, or several of one kind whose mean is reported.

    Attributes
    ----------
    name : str
    profile : {"box", "gaussian"}
        Slice profile.
    volumes : list of array
    labels : list of array
        One for each volume, or none.
    """

    name: str
    profile: str
    volumes: list[Volume]
    labels: list[Volume]

    @property
    def size(self) -> int:
        """Voxels."""
        return sum(volume.size for volume in self.volumes)

    def trimmed(self, factor: int) -> list[Volume]:
        """The volumes, cut to a multiple of the factor; none if too few slices are left."""
        if min(volume.shape[AXIS] for volume in self.volumes) // factor < FEWEST:
            return []
        return [volume[..., : trimmed_length(volume, factor)] for volume in self.volumes]


def trimmed_length(volume: Volume, factor: int) -> int:
    """Slices that make whole thick slices."""
    return volume.shape[AXIS] // factor * factor


def middle(volume: Volume, side: int = SIDE) -> Volume:
    """The central part of at most `side` samples along each axis."""
    starts = [max(0, (n - side) // 2) for n in volume.shape]
    return volume[tuple(slice(start, start + side) for start in starts)]


def cases() -> list[Case]:
    """All of them, the smallest first."""
    found = []
    for folder in FOLDERS:
        data = load_dataset(f"medical/{folder}")
        for name, volume in zip(data.names, data, strict=True):
            if "label" not in name:
                found += [
                    Case(name, profile, [_part(name, profile, volume)], []) for profile in PROFILES
                ]
    images, labels = hippocampi(HIPPOCAMPUS)
    found += [Case(f"hippocampus ({len(images)})", one, images, labels) for one in PROFILES]
    return sorted(found, key=lambda case: case.size)


def hippocampi(folder: str) -> tuple[list[Volume], list[Volume]]:
    """Images and label maps of a folder."""
    images, labels = (load_dataset(f"medical/{folder}/{part}") for part in ("images", "labels"))
    assert images.names == labels.names
    return [np.asarray(image, np.float32) for image in images], list(labels)


def _part(name: str, profile: str, volume: Volume) -> Volume:
    part = volume if (name, profile) == WHOLE else middle(volume)
    return np.ascontiguousarray(part, dtype=np.float32)
