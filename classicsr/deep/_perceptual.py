"""Perceptual loss: distance of the features of a VGG network that the user supplies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from classicsr._tensor_file import ModelFileError
from classicsr.deep._torch import import_torch
from classicsr.deep._weights import give_weights, problem_of, read_weights

_WIDTHS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512)
"""Features of the convolutions of VGG19 up to the fourth of the fifth stage; 0 halves the size."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PerceptualLoss:
    """Mean absolute difference of VGG54 features before activation.

    Parameters
    ----------
    path : path
        VGG19 weights, names as in torchvision ("features.0.weight", ...): ``.safetensors`` or a
        state dict. They are not bundled.
    device : torch.device

    References
    ----------
    X. Wang et al., "ESRGAN: Enhanced super-resolution generative adversarial networks",
    ECCV Workshops 2018.
    """

    def __init__(self, path: str | Path, device: Any) -> None:
        torch = import_torch()
        features = _vgg19()
        _load(features, Path(path))
        self._features = features.to(device).eval().requires_grad_(False)
        self._mean = torch.tensor(_MEAN, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(_STD, device=device).view(1, 3, 1, 1)

    def __call__(self, result: Any, target: Any) -> Any:
        return (self._of(result) - self._of(target)).abs().mean()

    def _of(self, images: Any) -> Any:
        return self._features((images.expand(-1, 3, -1, -1) - self._mean) / self._std)


def _vgg19() -> Any:
    nn = import_torch().nn
    layers: list[Any] = []
    inputs = 3
    for width in _WIDTHS:
        if not width:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers[:-1])


def _load(features: Any, path: Path) -> None:
    stored = read_weights(path)
    weights = {}
    for name, tensor in features.state_dict().items():
        array = stored.get(f"features.{name}")
        problem = "is missing" if array is None else problem_of(name, array, tuple(tensor.shape))
        if problem or array is None:
            raise ModelFileError(path, f"tensor 'features.{name}'", str(problem))
        weights[name] = array
    give_weights(features, weights)
