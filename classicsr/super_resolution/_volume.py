"""How a volume is upscaled: a plane slice by slice, then cubic interpolation along the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class VolumePlan:
    """Steps for one volume.

    Attributes
    ----------
    plane : (int, int)
        Axes of the slices.
    along : int
        The third axis.
    scales : three floats
        Per axis of the volume.
    """

    plane: tuple[int, int]
    along: int
    scales: tuple[float, ...]

    @property
    def plane_scales(self) -> tuple[float, float]:
        """Factors within the slices."""
        return self.scales[self.plane[0]], self.scales[self.plane[1]]


def plan_volume(
    scales: tuple[float, ...],
    spacing: Sequence[float] | None,
    plane: tuple[int, int] | None = None,
) -> VolumePlan:
    """Choose the plane of the slices.

    `plane` if it is given; else the two axes that are enlarged alike, where the third one stays
    as it is; else the two axes of the finest spacing (without a spacing, the first two).
    """
    enlarged = [axis for axis in range(3) if scales[axis] > 1]
    if plane is not None:
        first, second = plane
    elif len(enlarged) == 2 and scales[enlarged[0]] == scales[enlarged[1]]:
        first, second = enlarged
    else:
        order = sorted(range(3), key=lambda axis: spacing[axis] if spacing is not None else axis)
        first, second = sorted(order[:2])
    (along,) = {0, 1, 2} - {first, second}
    return VolumePlan((first, second), along, scales)
