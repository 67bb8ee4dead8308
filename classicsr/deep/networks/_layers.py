"""Layers that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STAGES = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
"""Factors of the upsampling stages of a scale."""

RGB_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean colour of the images of DIV2K."""


def conv(inputs: int, outputs: int, side: int = 3) -> nn.Conv2d:
    """A convolution that keeps the size: zeros beyond the border."""
    return nn.Conv2d(inputs, outputs, side, padding=side // 2)


class PixelShuffleUpsampler(nn.Sequential):
    """A convolution and a pixel shuffle for each stage (Shi et al. 2016)."""

    def __init__(self, width: int, scale: int, activation: bool = False) -> None:
        layers: list[nn.Module] = []
        for factor in STAGES[scale]:
            layers += [conv(width, width * factor**2), nn.PixelShuffle(factor)]
            layers += [nn.PReLU()] * activation
        super().__init__(*layers)


class ColourMean(nn.Module):
    """Removes and restores the mean colour; not learned and not stored.

    `peak` is the largest intensity that the layers between see.
    """

    mean: Tensor

    def __init__(self, peak: float) -> None:
        super().__init__()
        self.peak = peak
        mean = torch.tensor(RGB_MEAN).view(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)

    def remove(self, x: Tensor) -> Tensor:
        """Colours in [0, 1] to centred ones."""
        return (x - self.mean) * self.peak

    def restore(self, x: Tensor) -> Tensor:
        """The inverse of `remove`."""
        return x / self.peak + self.mean
