"""From training images and the parameters of `NetworkSR` to weights."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from copy import copy
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classicsr._tensor_file import ModelFileError
from classicsr.deep._architectures import Recipe
from classicsr.deep._checkpoint import Checkpoint
from classicsr.deep._losses import ADVERSARIAL, AdversarialGame
from classicsr.deep._perceptual import PerceptualLoss
from classicsr.deep._samples import NetworkPair, PatchSampler, color_planes
from classicsr.deep._torch import find_device, import_torch
from classicsr.deep._training import Trainer
from classicsr.deep._weights import (
    Weights,
    give_weights,
    problem_of,
    read_weights,
    weights_of,
)
from classicsr.degradation import resize
from classicsr.super_resolution._fixed_scale import _as_list

if TYPE_CHECKING:
    from classicsr.deep._network import NetworkSR
    from classicsr.super_resolution._base import Images
    from classicsr.super_resolution._planes import Progress


def fit_network(
    estimator: NetworkSR, X: Images, y: Images | None, scale: int, progress: Progress | None
) -> tuple[Weights, list[dict[str, float]]]:
    """Weights and log of the network that `estimator` describes."""
    from sklearn.utils import check_random_state

    recipe = _recipe(estimator)
    device = find_device(estimator.device)
    seed = int(check_random_state(estimator.random_state).randint(2**31 - 1))
    sampler = PatchSampler(
        _pairs(estimator, X, y, scale),
        scale=scale,
        patch_size=recipe.patch_size,
        batch_size=recipe.batch_size,
        seed=seed,
        interpolated=estimator._architecture.interpolated,
        residual=estimator._residual,
    )
    torch = import_torch()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = _initialised(estimator, scale)
        if estimator.initial_weights is not None:
            _take_over(module, Path(estimator.initial_weights))
        module = module.to(device)
        game = _game(estimator, recipe, sampler.patch_size * scale, device)
    trainer = Trainer(
        module,
        sampler,
        recipe,
        max_seconds=estimator.max_seconds,
        mixed_precision=estimator.mixed_precision,
        game=game,
        perceptual=_perceptual_loss(estimator, recipe, device),
        border=estimator._architecture.border * scale,
        checkpoint=_checkpoint(estimator, recipe, scale, seed),
    )
    history = trainer.run(progress or (lambda done, total: None))
    return weights_of(module), history


def _recipe(estimator: NetworkSR) -> Recipe:
    """The paper's recipe with the parameters that the estimator sets."""
    chosen = asdict(estimator._architecture.recipe)
    for name in chosen:
        value = getattr(estimator, name)
        chosen[name] = chosen[name] if value is None else value
    if isinstance(chosen["loss"], str):
        chosen["loss"] = {chosen["loss"]: 1.0}
    chosen["loss"] = {name: weight for name, weight in chosen["loss"].items() if weight}
    return Recipe(**chosen)


def _perceptual_loss(estimator: NetworkSR, recipe: Recipe, device: Any) -> PerceptualLoss | None:
    if "perceptual" not in recipe.loss:
        return None
    if estimator.vgg_weights is None:
        raise ValueError(
            "The perceptual loss needs 'vgg_weights', a file of VGG19 weights: they are not "
            "bundled. Or set 'loss' to terms without it, such as 'l1'."
        )
    return PerceptualLoss(Path(estimator.vgg_weights), device)


def _pairs(estimator: NetworkSR, X: Images, y: Images | None, scale: int) -> list[NetworkPair]:
    """Training pairs of one channel, or of three for networks of colour."""
    if estimator._architecture.channels == 1:
        groups = [[pair] for pair in estimator._training_pairs(X, y, scale)]
    else:
        lows = _as_list(X)
        highs = [None] * len(lows) if y is None else _as_list(y)
        if len(lows) != len(highs):
            raise ValueError(f"There must be as many images of y as of X, not {len(highs)}.")
        groups = [
            group
            for low, high in zip(lows, highs, strict=True)
            for group in _color_groups(estimator, low, high, scale)
        ]
    if not groups:
        raise ValueError("The training images are smaller than 3 low-resolution pixels.")
    return [
        NetworkPair(
            np.stack([pair.low for pair in group]),
            np.stack([resize(pair.low, scale) + pair.residual for pair in group]),
        )
        for group in groups
    ]


def _color_groups(estimator: NetworkSR, low: Any, high: Any, scale: int) -> list[list[Any]]:
    """Pairs of one channel each, three by three, of one image at every level of its pyramid."""
    channels = copy(estimator)
    channels.channel_mode = "independent"
    pairs = channels._training_pairs([low], None if high is None else [high], scale)
    colors = color_planes(low, estimator.channel_mode)
    n_planes = np.shape(low)[2] if np.ndim(low) == 3 else 1
    n_levels = len(pairs) // n_planes
    return [
        [pairs[plane * n_levels + level] for plane in color]
        for color in colors
        for level in range(n_levels)
    ]


def _initialised(estimator: NetworkSR, scale: int) -> Any:
    """The network with initial weights; one that gives residuals begins near bicubic."""
    nn = import_torch().nn
    module = estimator._architecture.build(estimator._variant, scale)
    if estimator._architecture.channels == 3:
        return module
    layers = [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    if not layers:  # a network with a start of its own
        return module
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    if estimator._residual:
        nn.init.normal_(layers[-1].weight, std=1e-3)
    return module


def _take_over(module: Any, path: Path) -> None:
    """Give a module those weights of a file that fit it."""
    shapes = {name: array.shape for name, array in weights_of(module).items()}
    found = {
        name: array
        for name, array in read_weights(path).items()
        if name in shapes and problem_of(name, array, shapes[name]) is None
    }
    if not found:
        raise ModelFileError(path, "weights", "of which none fits this network")
    give_weights(module, found)


def _game(estimator: NetworkSR, recipe: Recipe, side: int, device: Any) -> AdversarialGame | None:
    kind = next((name for name in ADVERSARIAL if name in recipe.loss), None)
    if kind is None:
        return None
    from classicsr.deep.networks.srgan import Discriminator

    discriminator = Discriminator(side, estimator._architecture.channels).to(device)
    return AdversarialGame(discriminator, kind == "relativistic", recipe.learning_rate)


def _digest(path: str | os.PathLike[str] | None) -> str | None:
    """Of the contents of a file."""
    return None if path is None else hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _checkpoint(estimator: NetworkSR, recipe: Recipe, scale: int, seed: int) -> Checkpoint | None:
    """Where training is kept; its identity is all that decides the weights."""
    if estimator.checkpoint is None:
        return None
    identity: Mapping[str, Any] = {
        "network": estimator.network,
        "variant": estimator._variant,
        "residual": estimator._residual,
        "scale": scale,
        "seed": seed,
        "initial_weights": _digest(estimator.initial_weights),
        **asdict(recipe),
    }
    return Checkpoint(Path(estimator.checkpoint), identity)
