"""SRDenseNet: densely connected blocks whose features all reach the reconstruction."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from classicsr.deep.networks._layers import STAGES, conv

N_BLOCKS, N_LAYERS, GROWTH, BOTTLENECK = 8, 8, 16, 256


class DenseBlock(nn.Module):
    """Each layer sees the output of those before it in the block, the first one `inputs`."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.first = conv(inputs, GROWTH)
        self.layers = nn.ModuleList(conv(GROWTH * n, GROWTH) for n in range(1, N_LAYERS))

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = [torch.relu(self.first(x))]
        for layer in self.layers:
            outputs.append(torch.relu(layer(torch.cat(outputs, 1))))
        return outputs


class SRDenseNet(nn.Module):
    """The paper's "All": low-level features and those of every block, one after another.

    The paper does not say what enters a block and counts no parameters. Here it is the newest
    features, those of the last layer before it, which gives 2.03 million parameters for x4;
    Ahn et al. (ECCV 2018) state 2.015 million.

    References
    ----------
    T. Tong, G. Li, X. Liu, Q. Gao, "Image super-resolution using dense skip connections",
    ICCV 2017.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        width = GROWTH * N_LAYERS
        self.low = conv(1, width)
        self.blocks = nn.ModuleList(DenseBlock(GROWTH if n else width) for n in range(N_BLOCKS))
        self.bottleneck = conv(width * (N_BLOCKS + 1), BOTTLENECK, 1)
        self.upsample = nn.ModuleList(
            nn.ConvTranspose2d(BOTTLENECK, BOTTLENECK, 3, factor, 1, output_padding=factor - 1)
            for factor in STAGES[scale]
        )
        self.last = conv(BOTTLENECK, 1)

    def forward(self, x: Tensor) -> Tensor:
        features = [torch.relu(self.low(x))]
        for block in self.blocks:
            features += block(features[-1])
        x = torch.relu(self.bottleneck(torch.cat(features, 1)))
        for stage in self.upsample:
            x = torch.relu(stage(x))
        return self.last(x)
