"""Options of ``classicsr upscale`` that say what the slices of a volume are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classicsr.super_resolution import SuperResolver


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

    axis: int | None
    profile: str | None
    thickness: float | None
    gap: float | None

    @classmethod
    def of(cls, args: argparse.Namespace) -> SliceOptions:
        """The values of the options."""
        return cls(args.axis, args.profile, args.thickness, args.gap)

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        return self != SliceOptions(None, None, None, None)

    def apply(
        self, estimator: SuperResolver, spacing: Sequence[float], scale: Sequence[float]
    ) -> None:
        """Set the parameters of `estimator` for a volume of voxels of `spacing` mm.

        Raises
        ------
        ValueError
            The estimator knows no slices, or a gap leaves none.
        """
        if "thickness" not in estimator.get_params(deep=False):
            raise ValueError("--axis, --profile, --thickness and --gap are for the method 'self'")
        axis = max(range(3), key=lambda a: scale[a]) if self.axis is None else self.axis
        values: dict[str, Any] = {"axis": self.axis, "profile": self.profile}
        if self.thickness is not None:
            values["thickness"] = self.thickness / spacing[axis]
        elif self.gap is not None:
            if self.gap >= spacing[axis]:
                raise ValueError(f"a --gap of {self.gap:g} mm leaves no slice: their distance is "
                                 f"{spacing[axis]:g} mm")  # fmt: skip
            values["thickness"] = 1 - self.gap / spacing[axis]
        estimator.set_params(**{key: one for key, one in values.items() if one is not None})


def add_slice_options(parser: argparse.ArgumentParser) -> None:
    """Add --axis, --profile, --thickness and --gap."""
    parser.add_argument(
        "--axis", type=int, choices=(0, 1, 2),
        help="thick axis of volumes for 'self' (default: the one that is enlarged most)",
    )  # fmt: skip
    parser.add_argument(
        "--profile", choices=("box", "gaussian"), help="slice profile for 'self' (default: box)"
    )
    thickness = parser.add_mutually_exclusive_group()
    thickness.add_argument(
        "--thickness", type=_millimetres, metavar="MM",
        help="slice thickness for 'self' (default: the distance between slices)",
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
