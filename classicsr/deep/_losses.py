"""Losses of networks: a weighted sum of named terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from classicsr.deep._torch import import_torch

Term = Callable[[Any, Any], Any]
ADVERSARIAL = ("adversarial", "relativistic")


def _l1(result: Any, target: Any) -> Any:
    return (result - target).abs().mean()


def _mse(result: Any, target: Any) -> Any:
    return (result - target).square().mean()


def _charbonnier(result: Any, target: Any) -> Any:
    return ((result - target).square() + 1e-6).sqrt().mean()


def _edge(result: Any, target: Any) -> Any:
    """Mean absolute difference of the Sobel gradients."""
    torch = import_torch()
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=result.device) / 8
    filters = torch.stack([sobel, sobel.T])[:, None]
    difference = (result - target).flatten(0, 1)[:, None]
    return torch.nn.functional.conv2d(difference, filters.to(difference.dtype)).abs().mean()


def _total_variation(result: Any, target: Any) -> Any:
    """Mean absolute difference of neighbouring pixels of the result."""
    return result.diff(dim=-1).abs().mean() + result.diff(dim=-2).abs().mean()


PIXEL_TERMS: Mapping[str, Term] = {
    "l1": _l1,
    "mse": _mse,
    "charbonnier": _charbonnier,
    "edge": _edge,
    "tv": _total_variation,
}
TERMS = (*PIXEL_TERMS, "perceptual", *ADVERSARIAL)


class AdversarialGame:
    """A discriminator, its optimiser and both sides' losses.

    "adversarial" judges images one by one (SRGAN); "relativistic" whether an image is more
    real than the others are on average (ESRGAN).
    """

    def __init__(self, discriminator: Any, relativistic: bool, learning_rate: float) -> None:
        torch = import_torch()
        self.discriminator = discriminator
        self.optimizer = torch.optim.Adam(discriminator.parameters(), learning_rate)
        self._relativistic = relativistic
        self._cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits

    def generator_loss(self, result: Any, target: Any) -> Any:
        """How well the discriminator tells results from real images."""
        made = self.discriminator(result)
        if not self._relativistic:
            return self._judged(made, real=True)
        real = self.discriminator(target).detach()
        return self._relative(made, real)

    def train_discriminator(self, result: Any, target: Any) -> float:
        """One step of the discriminator; its loss."""
        made, real = self.discriminator(result.detach()), self.discriminator(target)
        if self._relativistic:
            loss = self._relative(real, made)
        else:
            loss = self._judged(real, real=True) + self._judged(made, real=False)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def _judged(self, logits: Any, *, real: bool) -> Any:
        return self._cross_entropy(logits, logits.new_full(logits.shape, float(real)))

    def _relative(self, winner: Any, loser: Any) -> Any:
        """Loss of the side that wants `winner` to look more real than `loser`."""
        ahead = self._judged(winner - loser.mean(), real=True)
        behind = self._judged(loser - winner.mean(), real=False)
        return (ahead + behind) / 2
