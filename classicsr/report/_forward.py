"""Forward models by a short text, such as ``gaussian:1.2+noise:2``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from classicsr.degradation import (
    BicubicDegradation,
    Degradation,
    GaussianDegradation,
    KSpaceTruncation,
    SliceProfileDegradation,
    add_noise,
)

GRAMMAR = (
    "bicubic, gaussian[:WIDTH], slice[:box|gaussian[:THICKNESS]] or k-space, then +noise:PERCENT"
)
Scale = float | tuple[float, ...]


@dataclass(frozen=True)
class Forward:
    """How low-resolution images are made from high-resolution ones.

    Attributes
    ----------
    text : str
        As it was given: ``bicubic`` (MATLAB's ``imresize``), ``gaussian`` (full width at half
        maximum in low-resolution spacings, 1 by default), ``slice`` (profile and thickness in
        spacings; of a volume one number is the factor along the last axis alone) or ``k-space``;
        then ``+noise:P``, Gaussian noise whose standard deviation is P percent of the peak.
    kind, options : str and tuple of str
    noise : float
        Percent of the peak.

    Examples
    --------
    >>> from classicsr.report import Forward
    >>> Forward.parse("gaussian:1.5+noise:2").model((3, 3))
    GaussianDegradation(scale=(3.0, 3.0), fwhm=(4.5, 4.5))
    """

    text: str
    kind: str
    options: tuple[str, ...] = ()
    noise: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Forward:
        """Read the text of a forward model.

        Raises
        ------
        ValueError
            For a text that is not of this form, or values that no model takes.
        """
        linear, _, extra = text.partition("+")
        if linear.startswith("noise:"):
            linear, extra = "bicubic", text
        kind, *options = linear.split(":")
        name, _, percent = extra.partition(":")
        try:
            forward = cls(text, kind, tuple(options), float(percent) if extra else 0.0)
            forward.model((2.0, 2.0))
        except ValueError as error:
            raise ValueError(f"degradation {text!r}: {error} (forms: {GRAMMAR})") from error
        if name not in ("", "noise") or not 0 <= forward.noise <= 100:
            raise ValueError(f"degradation {text!r}: must be {GRAMMAR}")
        return forward

    def scales(self, scale: Scale, n_axes: int) -> tuple[float, ...]:
        """The factor of each axis of an image or of a volume."""
        if np.ndim(scale) == 0:
            along_last = self.kind == "slice" and n_axes == 3
            return (1.0, 1.0, float(scale)) if along_last else (float(scale),) * n_axes  # type: ignore[arg-type]
        factors = tuple(map(float, scale))  # type: ignore[arg-type]
        if len(factors) != n_axes:
            what = "a volume" if n_axes == 3 else "an image"
            raise ValueError(f"{len(factors)} factors do not fit {what} of {n_axes} axes")
        return factors

    def model(self, scales: tuple[float, ...] | float) -> Degradation:
        """The linear part at these factors."""
        numbers: Any = scales
        if self.kind == "bicubic" and not self.options:
            return BicubicDegradation(numbers)
        if self.kind == "k-space" and not self.options:
            return KSpaceTruncation(numbers)
        if self.kind == "gaussian" and len(self.options) <= 1:
            if not self.options:
                return GaussianDegradation(numbers)
            factors = np.asarray(numbers, float)
            widths = np.where(factors > 1, factors, 0) * float(self.options[0])
            return GaussianDegradation(numbers, widths.tolist())
        if self.kind == "slice" and len(self.options) <= 2:
            profile, thickness = (*self.options, *("box", "1")[len(self.options) :])
            return SliceProfileDegradation(numbers, profile, float(thickness))
        raise ValueError(f"{self.kind!r} with {len(self.options)} options is not known")

    def apply(
        self,
        reference: np.ndarray,
        scales: tuple[float, ...],
        peak: float,
        seeds: tuple[int, ...] = (0,),
    ) -> np.ndarray:
        """The low-resolution image; its noise is the same in every run."""
        low = self.model(scales).forward(reference)
        if self.noise:
            rng = np.random.default_rng(seeds)
            low = add_noise(low, self.noise / 100 * peak, random_state=rng)
        return low.astype(np.float32)
