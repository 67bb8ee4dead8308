"""Reference of ``classicsr upscale``: the volume in another contrast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classicsr.io import Volume
    from classicsr.super_resolution import SuperResolver


@dataclass(frozen=True)
class ReferenceVolume:
    """A file, and whether registration may move what is in it."""

    path: Path
    register: bool

    def request(self, estimator: SuperResolver, like: Volume) -> dict[str, Any]:
        """What `predict` is asked for; raises ValueError where the file is no reference."""
        from classicsr.io import read_volume
        from classicsr.reconstruction._guided import GuidedSR

        if not isinstance(estimator, GuidedSR):
            raise ValueError("--reference is for the methods 'self' and 'nlm'")
        volume = read_volume(self.path)
        if volume.channels or volume.n_frames != 1:
            what = "colours" if volume.channels else f"{volume.n_frames} frames"
            raise ValueError(f"{self.path}: holds {what}, a reference is one volume")
        return {
            "reference": volume.frame(0),
            "affine": like.affine,
            "reference_affine": volume.affine,
            "registration": "rigid" if self.register else "none",
        }
