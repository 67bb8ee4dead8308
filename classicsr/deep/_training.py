"""Training of a network: steps, losses, learning rate, log, checkpoints."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from classicsr.deep._architectures import Recipe
from classicsr.deep._checkpoint import Checkpoint, TrainingState
from classicsr.deep._losses import ADVERSARIAL, PIXEL_TERMS, AdversarialGame, Term
from classicsr.deep._samples import PatchSampler
from classicsr.deep._torch import import_torch

SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "constant": lambda share: 1.0,
    "cosine": lambda share: 0.5 * (1 + math.cos(math.pi * share)),
    "warm": lambda share: min(1.0, share / 0.03) * 0.5 * (1 + math.cos(math.pi * share)),
    # VDSR: a tenth after every quarter
    "step": lambda share: 0.1 ** min(3, int(4 * share)),
}
"""Factor of the learning rate after a share of the training."""
OPTIMIZERS = ("adam", "sgd")
_LOG_LINES = 200
_CHECKPOINT_SECONDS = 60.0
_log = logging.getLogger("classicsr.deep")


class Trainer:
    """Trains one module on the batches of a sampler.

    Parameters
    ----------
    module : torch.nn.Module
    sampler : PatchSampler
    recipe : Recipe
    max_seconds : float, optional
        Ends training, and the schedule with it.
    mixed_precision : bool
        The network computes in bfloat16.
    game : AdversarialGame, optional
        For adversarial losses.
    perceptual : callable, optional
        For the perceptual loss.
    border : int
        High-resolution pixels at each side of a patch that do not count.
    checkpoint : Checkpoint, optional
        Written once a minute and at the end; training goes on from it where it exists.
    """

    def __init__(
        self,
        module: Any,
        sampler: PatchSampler,
        recipe: Recipe,
        *,
        max_seconds: float | None = None,
        mixed_precision: bool = False,
        game: AdversarialGame | None = None,
        perceptual: Term | None = None,
        border: int = 0,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self._module = module
        self._sampler = sampler
        self._recipe = recipe
        self._max_seconds = max_seconds
        self._game = game
        self._device = next(module.parameters()).device
        self._mixed_precision = mixed_precision
        self._optimizer = _optimizer(module, recipe)
        self._terms: dict[str, Term] = {**PIXEL_TERMS}
        if perceptual is not None:
            self._terms["perceptual"] = perceptual
        if game is not None:
            self._terms |= dict.fromkeys(ADVERSARIAL, game.generator_loss)
        self._inner = (..., slice(border, -border or None), slice(border, -border or None))
        self._checkpoint = checkpoint
        self._sums: dict[str, float] = {}

    def run(self, tell: Callable[[int, int], None]) -> list[dict[str, float]]:
        """Train to the end of the recipe; the log, a line for each interval."""
        recipe = self._recipe
        done = self._restored()
        interval = max(1, recipe.n_steps // _LOG_LINES)
        begun = time.perf_counter() - done.seconds
        saved = time.perf_counter()
        logged = done.step
        self._module.train()
        share = self._share(done)
        while share < 1:
            rate = recipe.learning_rate * SCHEDULES[recipe.schedule](share)
            self._step(done.step, rate)
            done.step += 1
            done.seconds = time.perf_counter() - begun
            share = self._share(done)
            tell(done.step, recipe.n_steps)
            if done.step - logged == interval or share >= 1:
                self._log(done, done.step - logged, rate)
                logged = done.step
                if time.perf_counter() - saved > _CHECKPOINT_SECONDS:
                    self._save(done)
                    saved = time.perf_counter()
        self._save(done)
        self._module.eval()
        return done.history

    def _share(self, done: TrainingState) -> float:
        """How much of the training is done, by steps or by time, whichever is further."""
        limit = self._max_seconds
        return max(done.step / self._recipe.n_steps, done.seconds / limit if limit else 0.0)

    def _step(self, number: int, rate: float) -> None:
        torch = import_torch()
        batch = (torch.from_numpy(part).to(self._device) for part in self._sampler.batch(number))
        inputs, base, target = batch
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._mixed_precision):
            result = (base + self._module(inputs))[self._inner]
            target = target[self._inner]
            parts = {
                name: weight * self._terms[name](result.float(), target)
                for name, weight in self._recipe.loss.items()
            }
            total = sum(parts.values())
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        if self._recipe.clip:
            torch.nn.utils.clip_grad_norm_(self._module.parameters(), self._recipe.clip)
        self._optimizer.step()
        for name, value in parts.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value.detach())
        if self._game is not None:
            lost = self._game.train_discriminator(result.float(), target)
            self._sums["discriminator"] = self._sums.get("discriminator", 0.0) + lost

    def _log(self, done: TrainingState, n_steps: int, rate: float) -> None:
        means = {name: total / n_steps for name, total in self._sums.items()}
        self._sums = {}
        if not all(map(math.isfinite, means.values())):
            raise ValueError(
                f"Training diverged at step {done.step}: the loss is not finite. Choose a smaller "
                "'learning_rate'."
            )
        line = {"step": done.step, "seconds": done.seconds, "learning_rate": rate, **means}
        done.history.append(line)
        _log.info("%s", ", ".join(f"{name} {value:.6g}" for name, value in line.items()))

    @property
    def _parts(self) -> dict[str, tuple[Any, Any]]:
        parts = {"network": (self._module, self._optimizer)}
        if self._game is not None:
            parts["discriminator"] = (self._game.discriminator, self._game.optimizer)
        return parts

    def _restored(self) -> TrainingState:
        if self._checkpoint is None or not self._checkpoint.path.exists():
            return TrainingState()
        return self._checkpoint.read(self._parts)

    def _save(self, done: TrainingState) -> None:
        if self._checkpoint is not None:
            self._checkpoint.write(self._parts, done)


def _optimizer(module: Any, recipe: Recipe) -> Any:
    torch = import_torch()
    if recipe.optimizer == "adam":
        return torch.optim.Adam(module.parameters(), recipe.learning_rate)
    return torch.optim.SGD(
        module.parameters(), recipe.learning_rate, momentum=0.9, weight_decay=1e-4
    )
