"""FSRCNN: an hourglass of convolutions at low resolution, then a deconvolution."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import conv2d, pad, pixel_shuffle

from classicsr.deep.networks._layers import conv

_SIDE, _PADDING = 9, 4


class Deconvolution(nn.ConvTranspose2d):
    """9 x 9 with the scale as stride, computed as one convolution for each pixel of a block.

    The same sums, several times as fast on a CPU.
    """

    def __init__(self, width: int, scale: int) -> None:
        super().__init__(width, 1, _SIDE, scale, _PADDING, output_padding=scale - 1)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        scale = self.scale
        reach = -(-(_PADDING + scale - 1) // scale)
        before = reach * scale - _PADDING
        n_taps = 2 * reach + 1
        after = n_taps * scale - _SIDE - before
        weight = pad(self.weight, (before, after, before, after))
        phases = weight.view(-1, n_taps, scale, n_taps, scale).permute(2, 4, 0, 1, 3)
        filters = phases.reshape(scale**2, -1, n_taps, n_taps).flip(2, 3)
        return pixel_shuffle(conv2d(x, filters, padding=reach), scale) + self.bias


class FSRCNN(nn.Sequential):
    """Feature extraction, shrinking, `depth` mappings, expanding, deconvolution.

    References
    ----------
    C. Dong, C. C. Loy, X. Tang, "Accelerating the super-resolution convolutional neural
    network", ECCV 2016.
    """

    def __init__(self, scale: int, width: int, shrunk: int, depth: int) -> None:
        layers: list[nn.Module] = [conv(1, width, 5), nn.PReLU(width)]
        layers += [conv(width, shrunk, 1), nn.PReLU(shrunk)]
        for _ in range(depth):
            layers += [conv(shrunk, shrunk), nn.PReLU(shrunk)]
        layers += [conv(shrunk, width, 1), nn.PReLU(width)]
        super().__init__(*layers, Deconvolution(width, scale))
