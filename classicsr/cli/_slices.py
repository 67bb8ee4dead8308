"""What the slices of a volume are: what the user says of them, else the file, else the distance."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classicsr.degradation import SliceProfileDegradation
    from classicsr.io import Volume
    from classicsr.super_resolution import SuperResolver

SLICE_AXIS = 2  # of volumes read from DICOM
_SAME = 0.01  # of the distance: what differs less is rounding


@dataclass(frozen=True)
class Slices:
    """The slices of one volume.

    Attributes
    ----------
    axis : int
        The thick one.
    distance, thickness : float
        In mm along it.
    profile : str
    source : {"option", "SliceThickness", "default"}
        Where the thickness is from.
    """

    axis: int
    distance: float
    thickness: float
    profile: str
    source: str

    @property
    def ratio(self) -> float:
        """Thickness over distance."""
        return self.thickness / self.distance

    @property
    def remark(self) -> str | None:
        """One line where the file tells of gaps or overlap."""
        if self.source != "SliceThickness" or self.thickness == self.distance:
            return None
        what = "with gaps" if self.ratio < 1 else "overlapping"
        return (
            f"slices are {self.thickness:g} mm thick and {self.distance:g} mm apart, {what} "
            "(SliceThickness; --thickness or --gap say otherwise)"
        )

    def record(self) -> dict[str, Any]:
        """As JSON values; overlap is a gap below 0."""
        return {
            "axis": self.axis,
            "profile": self.profile,
            "distance": self.distance,
            "thickness": self.thickness,
            "gap": self.distance - self.thickness,
            "thickness_from": self.source,
        }

    def degradation(self) -> SliceProfileDegradation:
        """The forward model, for any scale."""
        from classicsr.degradation import SliceProfileDegradation

        ratios = tuple(self.ratio if axis == self.axis else 1.0 for axis in range(3))
        return SliceProfileDegradation(1, self.profile, ratios)


@dataclass(frozen=True)
class SliceOptions:
    """What the user said of the slices; None where nothing was said.

    Attributes
    ----------
    axis : int
        The thick one.
    profile : str
    thickness, gap : float
        In mm; the distance between slices is that of the file.
    """

    axis: int | None = None
    profile: str | None = None
    thickness: float | None = None
    gap: float | None = None

    @classmethod
    def of(cls, args: argparse.Namespace) -> SliceOptions:
        """The values of the options."""
        return cls(getattr(args, "axis", None), args.profile, args.thickness, args.gap)

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        return self != SliceOptions()

    def slices_of(
        self,
        volume: Volume,
        axis: int,
        ratio: float = 1.0,
        profile: str = "box",
        *,
        ask_file: bool = True,
    ) -> Slices:
        """The slices of `volume` along `axis`; `ratio` and `profile` where nothing tells them.

        Raises
        ------
        ValueError
            A gap leaves no slice.
        """
        distance = volume.spacing[axis]
        thickness, source = ratio * distance, "default"
        if self.thickness is not None:
            thickness, source = self.thickness, "option"
        elif self.gap is not None:
            if self.gap >= distance:
                raise ValueError(f"a --gap of {self.gap:g} mm leaves no slice: their distance is "
                                 f"{distance:g} mm")  # fmt: skip
            thickness, source = distance - self.gap, "option"
        elif ask_file and volume.thickness is not None and axis == SLICE_AXIS:
            thickness, source = volume.thickness, "SliceThickness"
            if abs(thickness - distance) <= _SAME * distance:
                thickness = distance
        return Slices(axis, distance, thickness, self.profile or profile, source)

    def apply(
        self, estimator: SuperResolver, volume: Volume, scale: Sequence[float]
    ) -> tuple[SuperResolver, Slices | None]:
        """A copy of `estimator` that knows the slices of `volume`, and what they are.

        The estimator itself, and None, where it knows no slices. An estimator has one thickness
        for all axes, so that the file is asked only where no other axis is enlarged.

        Raises
        ------
        ValueError
            Options are given but the estimator knows no slices, or a gap leaves none.
        """
        known = estimator.get_params(deep=False)
        if "thickness" not in known:
            if self.given:
                raise ValueError(
                    "--axis, --profile, --thickness and --gap are for the method 'self'"
                )
            return estimator, None
        axis = max(range(3), key=lambda a: scale[a]) if self.axis is None else self.axis
        alone = all(scale[a] <= 1 for a in range(3) if a != axis)
        slices = self.slices_of(volume, axis, known["thickness"], known["profile"], ask_file=alone)
        values: dict[str, Any] = {"thickness": slices.ratio, "profile": slices.profile}
        if self.axis is not None:
            values["axis"] = axis
        return copy.copy(estimator).set_params(**values), slices


def add_slice_options(parser: argparse.ArgumentParser) -> None:
    """Add --profile, --thickness and --gap."""
    parser.add_argument(
        "--profile", choices=("box", "gaussian"), help="slice profile (default: box)"
    )
    thickness = parser.add_mutually_exclusive_group()
    thickness.add_argument(
        "--thickness", type=_millimetres, metavar="MM",
        help="slice thickness (default: what DICOM says, else the distance between slices)",
    )  # fmt: skip
    thickness.add_argument(
        "--gap", type=_millimetres, metavar="MM", help="or the gap between slices (default: none)"
    )


def _millimetres(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be a positive number of mm")
    return value
