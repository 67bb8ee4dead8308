"""PSNR and SSIM against scikit-image, slow references, and published figures."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classicsr.degradation import resize
from classicsr.metrics import luma, modcrop, psnr, ssim

DATA = os.environ.get("CLASSICSR_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="CLASSICSR_DATA is not set")


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    reference = resize(rng.integers(0, 256, (10, 12)), 4).clip(0, 255)
    image = (reference + rng.normal(0, 8, reference.shape)).clip(0, 255)
    return reference.round().astype(np.uint8), image.round().astype(np.uint8)


@pytest.fixture
def volumes():
    rng = np.random.default_rng(1)
    reference = resize(rng.normal(size=(5, 6, 5)), 3)
    return reference, reference + rng.normal(0, 0.1, reference.shape)


def test_psnr_equals_scikit_image(pair, volumes):
    from skimage.metrics import peak_signal_noise_ratio

    assert psnr(*pair) == pytest.approx(peak_signal_noise_ratio(*pair), rel=1e-12)
    expected = peak_signal_noise_ratio(*volumes, data_range=5.0)
    assert psnr(*volumes, data_range=5.0) == pytest.approx(expected, rel=1e-12)


def test_ssim_equals_scikit_image(pair, volumes):
    from skimage.metrics import structural_similarity

    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    assert ssim(*pair) == pytest.approx(structural_similarity(*pair, **settings), rel=1e-12)
    assert ssim(*volumes, data_range=4.0) == pytest.approx(
        structural_similarity(*volumes, data_range=4.0, **settings), rel=1e-12
    )


def slow_ssim_at(x, y, center, data_range):
    """The formula of the paper in one 11 x 11 window."""
    offsets = np.arange(-5, 6)
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / np.outer(line, line).sum()
    box = tuple(slice(c - 5, c + 6) for c in center)
    x, y = x[box].astype(float), y[box].astype(float)
    mx, my = (window * x).sum(), (window * y).sum()
    vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
    covariance = (window * (x - mx) * (y - my)).sum()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return ((2 * mx * my + c1) * (2 * covariance + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))


def test_ssim_in_a_mask(pair):
    mask = np.zeros(pair[0].shape, bool)
    mask[2, 2] = True  # its window crosses the border: does not count
    centers = [(5, 5), (17, 30), (34, 42)]
    for center in centers:
        mask[center] = True
    expected = np.mean([slow_ssim_at(*pair, center, 255) for center in centers])
    assert ssim(*pair, mask=mask) == pytest.approx(expected, rel=1e-9)


def test_psnr_in_a_mask_and_crop(pair):
    mask = np.random.default_rng(2).uniform(size=pair[0].shape) < 0.3
    squares = [
        (float(pair[0][i, j]) - float(pair[1][i, j])) ** 2
        for i in range(3, pair[0].shape[0] - 3)
        for j in range(3, pair[0].shape[1] - 3)
        if mask[i, j]
    ]
    expected = 10 * math.log10(255**2 / np.mean(squares))
    assert psnr(*pair, mask=mask, crop=3) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_crop_is_slicing(metric, pair):
    inner = [image[4:-4, 2:-2] for image in pair]
    assert metric(*pair, crop=(4, 2)) == metric(*inner)


def test_crop_spares_channels():
    rng = np.random.default_rng(0)
    reference, image = rng.integers(0, 256, (2, 20, 21, 3), dtype=np.uint8)
    assert psnr(reference, image, crop=2) == psnr(reference[2:-2, 2:-2], image[2:-2, 2:-2])


def test_identical_images():
    image = np.random.default_rng(0).normal(size=(12, 13))
    assert psnr(image, image, data_range=1) == math.inf
    assert ssim(image, image, data_range=1) == 1.0


def test_integer_range_is_that_of_the_type():
    """A difference in uint8 does not wrap around, and int16 spans 65535."""
    black, white = np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)
    assert psnr(black, white) == psnr(white, black) == 0.0
    low, high = np.full((4, 4), -32768, np.int16), np.full((4, 4), 32767, np.int16)
    assert psnr(low, high) == 0.0


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_not_a_number_counts_only_where_compared(metric):
    rng = np.random.default_rng(0)
    reference, image = rng.uniform(size=(2, 30, 30))
    image[0, :] = np.nan
    mask = np.zeros((30, 30), bool)
    mask[8:20, 8:20] = True
    clean = np.nan_to_num(image)
    expected = metric(reference, clean, data_range=1, mask=mask)
    assert metric(reference, image, data_range=1, mask=mask) == expected
    with pytest.raises(ValueError, match=r"image.*must be finite"):
        metric(reference, image, data_range=1)


def test_ssim_windows_must_be_finite():
    reference, image = np.random.default_rng(0).uniform(size=(2, 30, 30))
    reference[10, 10] = np.nan
    mask = np.zeros((30, 30), bool)
    mask[13, 13] = True  # itself finite, its window not
    with pytest.raises(ValueError, match="finite in every window"):
        ssim(reference, image, data_range=1, mask=mask)


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "'data_range' parameter of .* must be"),
        ({"data_range": 0}, "'data_range' parameter"),
        ({"data_range": math.nan}, "'data_range' parameter"),
        ({"data_range": 1, "crop": -1}, "'crop' parameter"),
        ({"data_range": 1, "crop": 1.5}, "'crop' parameter"),
        ({"data_range": 1, "crop": (1, 2, 3)}, "'crop' parameter"),
        ({"data_range": 1, "crop": 10}, "'crop' parameter"),
        ({"data_range": 1, "mask": np.zeros((20, 20), bool)}, "'mask' parameter"),
        ({"data_range": 1, "mask": np.ones((20, 2), bool)}, "'mask' parameter"),
        ({"data_range": 1, "crop": 1, "mask": np.eye(20) * np.arange(20) == 19}, "'mask'"),
    ],
)
def test_errors(metric, arguments, match):
    image = np.ones((20, 20))
    with pytest.raises(ValueError, match=match):
        metric(image, image, **arguments)


def test_shape_errors():
    with pytest.raises(ValueError, match="one shape"):
        psnr(np.ones((4, 4), np.uint8), np.ones((4, 5), np.uint8))
    with pytest.raises(ValueError, match="at least 11 samples"):
        ssim(np.ones((11, 10), np.uint8), np.ones((11, 10), np.uint8))
    mask = np.zeros((20, 20), bool)
    mask[0] = True
    with pytest.raises(ValueError, match="5 samples inside"):
        ssim(np.ones((20, 20), np.uint8), np.ones((20, 20), np.uint8), mask=mask)


@pytest.mark.parametrize(
    ("shape", "scale", "expected"),
    [
        ((10, 11), 3, (9, 9)),
        ((10, 11, 3), 4, (8, 8, 3)),
        ((10, 11, 5), 4, (8, 8, 4)),
        ((10, 11, 5), (1, 1, 2), (10, 11, 4)),
        ((10, 11), 1, (10, 11)),
    ],
)
def test_modcrop(shape, scale, expected):
    assert modcrop(np.ones(shape), scale).shape == expected


@pytest.mark.parametrize("scale", [1.5, 2.5, 3.3])
def test_modcrop_of_other_scales_survives_the_round_trip(scale):
    for n in range(5, 30):
        cropped = modcrop(np.ones((n, n)), scale)
        assert n - cropped.shape[0] <= scale
        assert resize(resize(cropped, 1 / scale), scale).shape == cropped.shape


def test_modcrop_errors():
    with pytest.raises(ValueError, match="too small for scale 3"):
        modcrop(np.ones((2, 10)), 3)
    with pytest.raises(ValueError, match="'scale' parameter of modcrop"):
        modcrop(np.ones((10, 10)), 0.5)


@needs_data
@pytest.mark.parametrize(("scale", "published"), [(2, 33.66), (3, 30.39), (4, 28.42)])
def test_published_bicubic_figures_of_set5(scale, published):
    """Luma, modcrop, float LR, output rounded, `scale` pixels shaved."""
    files = sorted(Path(DATA, "natural/Set5").glob("*.png"))
    assert len(files) == 5
    figures = []
    for path in files:
        rgb = np.asarray(Image.open(path).convert("RGB"))
        hr = modcrop(luma(rgb, rounded=True), scale)
        sr = resize(resize(hr, 1 / scale), scale).clip(0, 255).round()
        figures.append(psnr(hr, sr, data_range=255, crop=scale))
    assert np.mean(figures) == pytest.approx(published, abs=0.005)
