"""SRGAN: a residual generator, and a discriminator that adversarial losses train with it."""

from __future__ import annotations

from torch import Tensor, nn

from classicsr.deep.networks._layers import PixelShuffleUpsampler, conv


class NormalizedBlock(nn.Module):
    """Two convolutions with batch normalisation, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(width, width), nn.BatchNorm2d(width), nn.PReLU(),
            conv(width, width), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class SRResNet(nn.Module):
    """The generator: 16 residual blocks.

    References
    ----------
    C. Ledig et al., "Photo-realistic single image super-resolution using a generative
    adversarial network", CVPR 2017.
    """

    def __init__(self, scale: int, width: int = 64, depth: int = 16) -> None:
        super().__init__()
        self.first = nn.Sequential(conv(3, width, 9), nn.PReLU())
        blocks = (NormalizedBlock(width) for _ in range(depth))
        self.body = nn.Sequential(*blocks, conv(width, width), nn.BatchNorm2d(width))
        self.upsample = PixelShuffleUpsampler(width, scale, activation=True)
        self.last = conv(width, 3, 9)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.last(self.upsample(x + self.body(x)))


_LAYERS = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2))
"""Features and stride of the convolutions of the discriminator after its first one."""


class Discriminator(nn.Module):
    """Eight convolutions from 64 to 512 features, halving the size four times, two dense layers.

    Returns one logit an image; `side` is that of the (square) images in pixels.
    """

    def __init__(self, side: int, channels: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = [conv(channels, 64), nn.LeakyReLU(0.2)]
        inputs = 64
        for outputs, stride in (
            (64, 2),
            (128, 1),
            (128, 2),
            (256, 1),
            (256, 2),
            (512, 1),
            (512, 2),
        ):
            layers += [
                nn.Conv2d(inputs, outputs, 3, stride, 1),
                nn.BatchNorm2d(outputs),
                nn.LeakyReLU(0.2),
            ]
            inputs = outputs
        self.features = nn.Sequential(*layers, nn.Flatten())
        remaining = -(-side // 16)  # each stride of 2 rounds up
        self.head = nn.Sequential(
            nn.Linear(512 * remaining**2, 1024), nn.LeakyReLU(0.2), nn.Linear(1024, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
