"""The networks by name: what each is built from, sees, and is trained with. No torch here."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_HALO = 80
"""Deeper networks are run in tiles of their own, whose results do not join exactly."""
OWN_TILE, OWN_HALO = 192, 32


@dataclass(frozen=True)
class Variant:
    """One size of a network.

    `options` go to its constructor. A pixel depends on `low_reach` pixels to each side on the
    low-resolution grid (None: on all), and on `high_reach` more on the high-resolution one.
    """

    options: Mapping[str, Any]
    low_reach: int | None
    high_reach: int = 0


@dataclass(frozen=True)
class Recipe:
    """How the paper trains, where the estimator's parameters do not say otherwise.

    `patch_size` counts low-resolution pixels.
    """

    loss: Mapping[str, float]
    learning_rate: float
    patch_size: int
    optimizer: str = "adam"
    schedule: str = "cosine"
    batch_size: int = 16
    n_steps: int = 100_000
    clip: float | None = None


@dataclass(frozen=True)
class Architecture:
    """One network of the registry.

    Attributes
    ----------
    network : str
        ``"module:class"`` below `classicsr.deep.networks`.
    variants : mapping
        Sizes by name; the first one is the default.
    recipe : Recipe
    channels : int
        1 for luma, 3 for RGB.
    interpolated : bool
        Whether it sees the image after bicubic interpolation.
    scales : tuple of int
    border : int
        Low-resolution pixels of training patches that do not count, because padding shows there.
    compiled : bool
        Whether it runs by kernels of the project, without PyTorch.
    """

    network: str
    variants: Mapping[str, Variant]
    recipe: Recipe
    channels: int = 3
    interpolated: bool = False
    scales: tuple[int, ...] = field(default=(2, 3, 4, 8))
    border: int = 0
    compiled: bool = False

    @property
    def residual(self) -> bool:
        """Whether it gives, by default, what bicubic interpolation lacks."""
        return self.channels == 1

    def halo(self, variant: str, scale: int) -> int | None:
        """Low-resolution pixels around a tile that it depends on; None where they are too many.

        Three more than its layers reach, for bicubic interpolation.
        """
        reach = self.variants[variant]
        if reach.low_reach is None:
            return None
        halo = reach.low_reach + math.ceil(reach.high_reach / scale) + 3
        return halo if halo <= MAX_HALO else None

    def build(self, variant: str, scale: int) -> Any:
        """A new `torch.nn.Module`."""
        module, _, name = self.network.partition(":")
        made = importlib.import_module(f"classicsr.deep.networks.{module}")
        return getattr(made, name)(scale, **self.variants[variant].options)


_L1 = {"l1": 1.0}
_EVERY_SCALE = tuple(range(2, 9))

ARCHITECTURES: Mapping[str, Architecture] = {
    "srcnn": Architecture(
        "srcnn:SRCNN",
        {"9-5-5": Variant({"side": 5}, 0, 8), "9-1-5": Variant({"side": 1}, 0, 6)},
        Recipe({"mse": 1.0}, 5e-4, patch_size=24),
        channels=1, interpolated=True, scales=_EVERY_SCALE,
    ),
    "fsrcnn": Architecture(
        "fsrcnn:FSRCNN",
        {
            "56-12-4": Variant({"width": 56, "shrunk": 12, "depth": 4}, 6, 5),
            "32-5-1": Variant({"width": 32, "shrunk": 5, "depth": 1}, 3, 5),
        },
        Recipe({"mse": 1.0}, 1e-3, patch_size=24),
        channels=1, scales=_EVERY_SCALE,
    ),
    "espcn": Architecture(
        "espcn:ESPCN", {"5-3-3": Variant({}, 4)},
        Recipe({"mse": 1.0}, 1e-3, patch_size=24),
        channels=1, scales=_EVERY_SCALE,
    ),
    "vdsr": Architecture(
        "vdsr:VDSR", {"20": Variant({"depth": 20}, 0, 20)},
        Recipe(
            {"mse": 1.0}, 0.1, patch_size=21, optimizer="sgd", schedule="step", batch_size=64,
            clip=0.4,
        ),
        channels=1, interpolated=True, scales=_EVERY_SCALE,
    ),
    "equivariant": Architecture(
        "equivariant:EquivariantNet", {"48-8": Variant({"n_fields": 6, "depth": 8}, 11)},
        Recipe(_L1, 2e-3, patch_size=32, schedule="warm", batch_size=4),
        channels=1, scales=_EVERY_SCALE, border=2, compiled=True,
    ),
    "srdensenet": Architecture(
        "srdensenet:SRDenseNet", {"all": Variant({}, 67, 2)},
        Recipe({"mse": 1.0}, 1e-4, patch_size=25),
        channels=1,
    ),
    "edsr": Architecture(
        "edsr:EDSR",
        {
            "baseline": Variant({"width": 64, "depth": 16, "residual_scale": 1.0}, 36, 1),
            "full": Variant({"width": 256, "depth": 32, "residual_scale": 0.1}, 68, 1),
        },
        Recipe(_L1, 1e-4, patch_size=48, n_steps=300_000),
    ),
    "rcan": Architecture(
        "rcan:RCAN", {"10-20": Variant({}, None)},
        Recipe(_L1, 1e-4, patch_size=48, n_steps=500_000),
    ),
    "swinir": Architecture(
        "swinir:SwinIR",
        {
            "light": Variant(
                {"width": 60, "n_groups": 4, "depth": 6, "heads": 6, "light": True}, None
            ),
            "classical": Variant(
                {"width": 180, "n_groups": 6, "depth": 6, "heads": 6, "light": False}, None
            ),
        },
        Recipe(_L1, 2e-4, patch_size=64, batch_size=32, n_steps=500_000),
    ),
    "srgan": Architecture(
        "srgan:SRResNet", {"16": Variant({}, 39, 4)},
        Recipe(
            {"perceptual": 6e-3, "adversarial": 1e-3}, 1e-4, patch_size=24, n_steps=200_000
        ),
    ),
    "esrgan": Architecture(
        "rrdb:RRDBNet", {"23": Variant({}, None)},
        Recipe(
            {"perceptual": 1.0, "relativistic": 5e-3, "l1": 1e-2}, 1e-4, patch_size=32,
            n_steps=400_000,
        ),
    ),
}  # fmt: skip
