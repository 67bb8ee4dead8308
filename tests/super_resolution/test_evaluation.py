"""`score` and `evaluate` against the protocol written out by hand."""

import numpy as np
import pytest

from classicsr import BicubicSR, evaluate
from classicsr.degradation import resize
from classicsr.metrics import luma, ssim


def slow_psnr(reference, image, crop, peak):
    inner = np.s_[crop:-crop, crop:-crop]
    difference = reference.astype(float)[inner] - image.astype(float)[inner]
    return 10 * np.log10(peak**2 / (difference**2).mean())


@pytest.fixture(scope="module")
def high(make_texture):
    """8-bit RGB, sizes that no scale divides."""
    return [
        (np.stack([make_texture((43, 53), 3 * s + c) for c in range(3)], axis=-1) * 255).astype(
            np.uint8
        )
        for s in range(2)
    ]


def test_score_of_8_bit_colour_is_that_of_rounded_luma(high, sr2):
    high = [image[:42, :52] for image in high]
    low = [BicubicSR(0.5).predict(image) for image in high]
    expected = [
        slow_psnr(luma(hi, rounded=True), luma(sr2.predict(lo), rounded=True), 2, 255)
        for lo, hi in zip(low, high, strict=True)
    ]
    assert sr2.score(low, high) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(
    ("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65535), (np.int16, 65535)]
)
def test_score_of_grey_integers_uses_the_peak_of_the_type(dtype, peak, make_texture, sr3):
    high = (make_texture((30, 36), 1) * 250).astype(dtype)
    low = BicubicSR(1 / 3).predict(high)
    expected = slow_psnr(high, sr3.predict(low), 3, peak)
    assert sr3.score([low], [high]) == pytest.approx(expected)


def test_score_of_floats_uses_their_range(make_texture, sr2):
    high = make_texture((30, 36), 1) * 700 - 20
    low = resize(high, 0.5)
    peak = float(high.max() - high.min())
    assert sr2.score([low], [high]) == pytest.approx(slow_psnr(high, sr2.predict(low), 2, peak))
    ranged = BicubicSR(2, data_range=(0, 1000))
    assert ranged.score([low], [high]) == pytest.approx(
        slow_psnr(high, ranged.predict(low), 2, 1000)
    )


def test_score_of_what_does_not_fit(make_texture):
    image = make_texture((20, 20), 0)
    with pytest.raises(ValueError, match=r"\(40, 40\).*\(39, 40\)"):
        BicubicSR(2).score([image], [np.zeros((39, 40))])
    with pytest.raises(ValueError, match="one high-resolution image per low-resolution one"):
        BicubicSR(2).score([image, image], [image])


@pytest.mark.parametrize("lr", ["float", "uint8"])
@pytest.mark.parametrize("scale", [2, 3])
def test_evaluate_follows_the_protocol(lr, scale, high, sr3):
    rows = evaluate(sr3, zip("ab", high, strict=True), scale, lr=lr)
    assert [row["name"] for row in rows] == ["a", "b"]
    for row, image in zip(rows, high, strict=True):
        height, width = (n // scale * scale for n in image.shape[:2])
        reference = luma(image, rounded=True)[:height, :width]
        low = resize(reference, 1 / scale)
        if lr == "uint8":
            low = np.clip(np.rint(low), 0, 255)
        result = sr3.predict(low.astype(np.float32), scale=scale, data_range=(0, 255))
        result = np.clip(np.rint(result.astype(float)), 0, 255)
        assert row["psnr"] == pytest.approx(slow_psnr(reference, result, scale, 255), abs=0.02)
        expected = ssim(reference, result, data_range=255, crop=scale)
        assert row["ssim"] == pytest.approx(expected, abs=1e-3)
        assert 0 < row["seconds"] < 60


def test_evaluate_grey_and_16_bit_images(make_texture):
    grey = (make_texture((30, 33), 4) * 255).astype(np.uint8)
    deep = grey.astype(np.uint16) * 257
    first, second = (evaluate(BicubicSR(), [("x", image)], 3)[0] for image in (grey, deep))
    assert first["psnr"] == pytest.approx(second["psnr"])
    assert first["ssim"] == pytest.approx(second["ssim"])


def test_evaluate_refuses_an_unknown_low_resolution():
    with pytest.raises(ValueError, match="'lr' parameter of evaluate"):
        evaluate(BicubicSR(), [], 2, lr="uint16")


@pytest.mark.parametrize(("scale", "expected"), [(2, 33.66), (3, 30.39), (4, 28.42)])
def test_bicubic_on_set5_is_the_published_figure(scale, expected, data_root):
    from classicsr.datasets import load_dataset

    images = load_dataset("natural/Set5")
    rows = evaluate(BicubicSR(), zip(images.names, images, strict=True), scale)
    assert len(rows) == 5
    assert np.mean([row["psnr"] for row in rows]) == pytest.approx(expected, abs=0.01)
