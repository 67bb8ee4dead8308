"""Several images or volumes given by a user: checked, on one intensity scale, channels apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr._validation import is_number
from classicsr.reconstruction._base import ReconstructionSR
from classicsr.super_resolution._base import Scale
from classicsr.super_resolution._pixels import Intensity, NonFiniteMask

Float32 = NDArray[np.float32]


def checked_frames(frames: Sequence[ArrayLike], *, alike: bool) -> list[NDArray[Any]]:
    """The frames as arrays of numbers: at least one, none empty, and of one shape if `alike`."""
    arrays = [np.asarray(frame) for frame in frames]
    shapes = [array.shape for array in arrays]
    if not arrays or min(array.size for array in arrays) == 0 or (alike and len(set(shapes)) > 1):
        raise ValueError(
            f"Frames must be one or more arrays{' of one shape' if alike else ''}, not empty. "
            f"Got the shapes {shapes}."
        )
    if len({array.ndim for array in arrays}) > 1:
        raise ValueError(f"Frames must have as many axes as each other. Got the shapes {shapes}.")
    for array in arrays:
        if array.dtype.kind not in "biuf":
            raise TypeError(f"Frames must hold real numbers. Got dtype {array.dtype}.")
    return arrays


def enlarging_scales(
    sr: ReconstructionSR, shape: tuple[int, ...], scale: Scale | None, n_axes: int | None = None
) -> tuple[float, ...]:
    """Scale per spatial axis for arrays of `shape`, each 1 or more.

    `n_axes` tells a volume of few slices from an image with channels.
    """
    wanted = sr.scale if scale is None else scale
    if n_axes is not None and is_number(wanted):
        wanted = np.repeat(wanted, n_axes).tolist()
    scales = sr._scales(shape, wanted)[0]
    sr._require(min(scales) >= 1, "scale", "1 or more", scales)
    return scales


@dataclass(frozen=True)
class FrameSet:
    """Frames on the unit intensity scale.

    Attributes
    ----------
    frames : list of float32 arrays
        Channels last, one where there are none.
    channels : tuple of int
        What follows the spatial axes in the shape of the result.
    intensity : Intensity
    """

    frames: list[Float32]
    channels: tuple[int, ...]
    intensity: Intensity

    @classmethod
    def of(
        cls,
        sr: ReconstructionSR,
        arrays: list[NDArray[Any]],
        n_axes: int,
        data_range: tuple[float, float] | None,
    ) -> FrameSet:
        """Of arrays with `n_axes` spatial axes; NaN and Inf are filled from their neighbours."""
        channels = arrays[0].shape[n_axes:]
        filled = [NonFiniteMask(array, n_axes).image for array in arrays]
        every = np.concatenate([array.ravel() for array in filled])
        intensity = sr._intensity(every, data_range or sr.data_range)
        frames = [
            intensity.to_unit(array).reshape(*array.shape[:n_axes], -1) for array in filled
        ]  # fmt: skip
        return cls(frames, channels, intensity)

    @property
    def gray(self) -> list[Float32]:
        """The mean of the channels."""
        return [frame.mean(axis=-1) for frame in self.frames]

    def reconstructed(self, solve: Callable[[list[Float32]], Float32]) -> NDArray[Any]:
        """`solve` applied to each channel; in units and dtype of the frames."""
        results = [
            solve([np.ascontiguousarray(frame[..., channel]) for frame in self.frames])
            for channel in range(self.frames[0].shape[-1])
        ]
        image = np.stack(results, axis=-1).reshape(*results[0].shape, *self.channels)
        return self.intensity.from_unit(image)
