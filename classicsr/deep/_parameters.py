"""Checks of the parameters of `NetworkSR`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from classicsr._validation import is_integer, is_number
from classicsr.deep._architectures import ARCHITECTURES
from classicsr.deep._losses import ADVERSARIAL, TERMS
from classicsr.deep._torch import DEVICES
from classicsr.deep._training import OPTIMIZERS, SCHEDULES

if TYPE_CHECKING:
    from classicsr.deep._network import NetworkSR

_CHOICES: dict[str, tuple] = {
    "residual": (None, True, False),
    "self_ensemble": (True, False),
    "mixed_precision": (True, False),
    "optimizer": (None, *OPTIMIZERS),
    "schedule": (None, *SCHEDULES),
    "device": DEVICES,
}
_COUNTS = {"n_steps": 1, "batch_size": 1, "patch_size": 2}
_LOSS_RULE = (
    f"one of {', '.join(TERMS)}, weights of 0 or more by these names (at most one of "
    f"{' and '.join(ADVERSARIAL)}), or None"
)


def check_network(sr: NetworkSR) -> None:
    """Raise a ValueError for a parameter that is out of range."""
    _one_of(sr, "network", tuple(ARCHITECTURES))
    _one_of(sr, "variant", (None, *ARCHITECTURES[sr.network].variants))
    for name, values in _CHOICES.items():
        _one_of(sr, name, values)
    accepted = sr.residual is not False or not ARCHITECTURES[sr.network].compiled
    sr._require(accepted, "residual", f"True or None for {sr.network}", sr.residual)
    for name, low in _COUNTS.items():
        value = getattr(sr, name)
        accepted = value is None or is_integer(value, low)
        sr._require(accepted, name, f"an integer of {low} or more, or None", value)
    for name in ("learning_rate", "clip", "max_seconds"):
        value = getattr(sr, name)
        accepted = value is None or is_number(value, 0)
        sr._require(accepted, name, "a number of 0 or more, or None", value)
    sr._require(_is_loss(sr.loss), "loss", _LOSS_RULE, sr.loss)


def _one_of(sr: NetworkSR, name: str, values: tuple) -> None:
    value = getattr(sr, name)
    # types as well, because 1 equals True
    accepted = any(type(value) is type(one) and value == one for one in values)
    sr._require(accepted, name, f"one of {', '.join(map(str, values))}", value)


def _is_loss(loss: Any) -> bool:
    if loss is None or isinstance(loss, str):
        return loss is None or loss in TERMS
    return (
        isinstance(loss, Mapping)
        and any(loss.values())
        and all(name in TERMS and is_number(weight, 0) for name, weight in loss.items())
        and not set(ADVERSARIAL) <= loss.keys()
    )
