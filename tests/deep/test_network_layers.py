"""The networks are those of the papers: parameters, multiplications, reach, attention."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from classicsr.deep._architectures import ARCHITECTURES  # noqa: E402
from classicsr.deep.networks.fsrcnn import Deconvolution  # noqa: E402
from classicsr.deep.networks.swinir import WINDOW, TransformerLayer  # noqa: E402

WEIGHTS = {
    # IEEE TPAMI 2016, section 4.1 and table 1: 8,032 and 57,184
    ("srcnn", "9-1-5", 3): 8_032,
    ("srcnn", "9-5-5", 3): 57_184,
    # ECCV 2016, table 1: 12,464; "small" 3,937
    ("fsrcnn", "56-12-4", 3): 12_464,
    ("fsrcnn", "32-5-1", 3): 3_937,
    # VDSR as counted by Ahn et al., ECCV 2018, table 2: 665K
    ("vdsr", "20", 3): 665_000,
}
"""Weights without biases and slopes."""

PARAMETERS = {
    # Shi et al., CVPR 2016, give layers only; 5-3-3 with 64 and 32 features, biases included
    ("espcn", "5-3-3", 3): 25 * 64 + 64 + 9 * 64 * 32 + 32 + 9 * 32 * 9 + 9,
    # Ahn et al., ECCV 2018, table 2
    ("srdensenet", "all", 4): 2_015_000,
    # Lim et al., CVPRW 2017, table 1: 1.5M (x4) and 43M; baselines as counted by Hui et al. (IMDN)
    ("edsr", "baseline", 2): 1_370_000,
    ("edsr", "baseline", 3): 1_555_000,
    ("edsr", "baseline", 4): 1_518_000,
    ("edsr", "full", 2): 40_730_000,
    ("edsr", "full", 4): 43_090_000,
    # Zhang et al., ECCV 2018: 16M; as counted in SwinIR's table 2 (x2) and by the authors' code
    ("rcan", "10-20", 2): 15_440_000,
    ("rcan", "10-20", 4): 15_590_000,
    # SwinIR, table 3 (878K, 886K, 897K) leaves out the position biases: 24 layers, 6 heads, 225
    ("swinir", "light", 2): 878_000 + 24 * 6 * 225,
    ("swinir", "light", 3): 886_000 + 24 * 6 * 225,
    ("swinir", "light", 4): 897_000 + 24 * 6 * 225,
    # table 2: 11.8M
    ("swinir", "classical", 2): 11_800_000,
    # SRGAN's generator has 1.55M by its layers (Ledig et al. do not count), RRDB 16.7M (ESRGAN)
    ("srgan", "16", 4): 1_550_000,
    ("esrgan", "23", 4): 16_700_000,
}

MULTIPLICATIONS = {
    # for a result of 1280 x 720, in 1e9: Ahn et al., ECCV 2018, table 2
    ("srcnn", "9-5-5", 2): 52.7,
    ("vdsr", "20", 2): 612.6,
    # Hui et al., ACM MM 2019, table 5
    ("edsr", "baseline", 2): 316.3,
    ("edsr", "baseline", 4): 114.0,
}


def build(name, variant, scale):
    with torch.device("meta"):
        return ARCHITECTURES[name].build(variant, scale)


def example(name, scale, h, w, device):
    architecture = ARCHITECTURES[name]
    factor = scale if architecture.interpolated else 1
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, architecture.channels, h * factor, w * factor, generator=generator)
    return image.to(device)


@pytest.mark.parametrize(("name", "variant", "scale"), WEIGHTS)
def test_weights_are_those_of_the_paper(name, variant, scale):
    module = build(name, variant, scale)
    count = sum(p.numel() for p in module.parameters() if p.ndim > 1)
    assert count == pytest.approx(WEIGHTS[name, variant, scale], rel=0.01)


@pytest.mark.parametrize(("name", "variant", "scale"), PARAMETERS)
def test_parameters_are_those_of_the_paper(name, variant, scale):
    count = sum(p.numel() for p in build(name, variant, scale).parameters())
    assert count == pytest.approx(PARAMETERS[name, variant, scale], rel=0.01)


@pytest.mark.parametrize(("name", "variant", "scale"), MULTIPLICATIONS)
def test_multiplications_are_those_of_the_paper(name, variant, scale):
    from torch.utils.flop_counter import FlopCounterMode

    module = build(name, variant, scale)
    image = example(name, scale, 720 // scale, 1280 // scale, "meta")
    with FlopCounterMode(display=False) as counter:
        module(image)
    multiplications = counter.get_total_flops() / 2e9
    assert multiplications == pytest.approx(MULTIPLICATIONS[name, variant, scale], rel=0.01)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_results_have_the_right_shape(name):
    architecture = ARCHITECTURES[name]
    for variant in architecture.variants:
        for scale in architecture.scales[1::2]:
            y = build(name, variant, scale)(example(name, scale, 5, 9, "meta"))
            assert y.shape == (1, architecture.channels, 5 * scale, 9 * scale)


@pytest.mark.parametrize(
    "name", ["srcnn", "fsrcnn", "espcn", "vdsr", "srdensenet", "edsr", "equivariant"]
)
@pytest.mark.parametrize("scale", [2, 3])
def test_nothing_beyond_the_halo_is_seen(name, scale):
    """The gradient of a block of pixels ends within the halo, less than three pixels before it."""
    architecture = ARCHITECTURES[name]
    variant = next(iter(architecture.variants))
    module = architecture.build(variant, scale)
    for parameter in module.parameters():
        parameter.data.uniform_(0.01, 0.02)  # nothing cancels, no rectifier is idle
    halo = architecture.halo(variant, scale)
    factor = scale if architecture.interpolated else 1
    n = 2 * halo + 1
    x = torch.ones(1, architecture.channels, 3 * factor, n * factor, requires_grad=True)
    middle = slice(halo * scale, (halo + 1) * scale)
    module(x)[..., middle].sum().backward()
    seen = x.grad.abs().sum((0, 1, 2)).view(n, factor).sum(1).nonzero().flatten()
    reach = max(halo - int(seen.min()), int(seen.max()) - halo)
    assert halo - 5 <= reach <= halo - (3 if not architecture.interpolated else 2)


@pytest.mark.parametrize("scale", range(2, 9))
def test_deconvolution_is_the_transposed_convolution(scale):
    layer = Deconvolution(7, scale)
    x = torch.rand(2, 7, 5, 8)
    expected = torch.nn.ConvTranspose2d.forward(layer, x)
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shift", [0, WINDOW // 2])
def test_window_attention_pixel_by_pixel(shift):
    """Each pixel attends to those of its shifted window that are its neighbours in the image."""
    torch.manual_seed(0)
    width, heads, h, w = 12, 3, 2 * WINDOW, 3 * WINDOW
    layer = TransformerLayer(width, heads, shift).double()
    layer.attention.bias.data.normal_()
    x = torch.rand(1, h, w, width, dtype=torch.float64)
    normed = layer.norm1(x)[0]
    q, k, v = layer.attention.qkv(normed).view(h, w, 3, heads, -1).unbind(2)
    attended = torch.empty(h, w, heads, width // heads, dtype=torch.float64)
    for row in range(h):
        for column in range(w):
            rows, columns = window_of(row, h, shift), window_of(column, w, shift)
            logits, values = [], []
            for r in rows:
                for c in columns:
                    offset = (row - r + WINDOW - 1) * (2 * WINDOW - 1) + column - c + WINDOW - 1
                    dot = (q[row, column] * k[r, c]).sum(-1) / math.sqrt(width // heads)
                    logits.append(dot + layer.attention.bias[offset])
                    values.append(v[r, c])
            weights = torch.stack(logits).softmax(0)
            attended[row, column] = (weights[..., None] * torch.stack(values)).sum(0)
    y = x + layer.attention.proj(attended.view(1, h, w, width))
    expected = y + layer.mlp(layer.norm2(y))
    torch.testing.assert_close(layer(x), expected)


def window_of(position, n, shift):
    """The window of a position along an axis, cut at the border of the image."""
    start = (position - shift) // WINDOW * WINDOW + shift
    return range(max(0, start), min(n, start + WINDOW))
