"""RMSE, NRMSE, MAE, gradient error, MS-SSIM and figures of regions, against other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import normalized_root_mse

from classicsr.metrics import cnr, dice, enl, gradient_error, mae, ms_ssim, nrmse, psnr, rmse, ssim

RNG = np.random.default_rng(0)
REFERENCE = RNG.uniform(20, 220, (30, 41))
IMAGE = REFERENCE + RNG.normal(0, 9, REFERENCE.shape)


def test_errors_are_those_of_their_definitions():
    difference = IMAGE - REFERENCE
    assert rmse(REFERENCE, IMAGE) == pytest.approx(math.sqrt((difference**2).mean()))
    assert mae(REFERENCE, IMAGE) == pytest.approx(np.abs(difference).mean())
    assert 20 * math.log10(255 / rmse(REFERENCE, IMAGE)) == pytest.approx(
        psnr(REFERENCE, IMAGE, data_range=255)
    )


@pytest.mark.parametrize(
    ("ours", "theirs"), [("range", "min-max"), ("mean", "mean"), ("norm", "euclidean")]
)
def test_three_normalisations(ours, theirs):
    expected = normalized_root_mse(REFERENCE, IMAGE, normalization=theirs)
    assert nrmse(REFERENCE, IMAGE, normalization=ours) == pytest.approx(expected)


def test_crop_and_mask_hold_for_every_error():
    damaged = IMAGE.copy()
    damaged[0] = np.nan
    mask = np.isfinite(damaged)
    for figure in (rmse, nrmse, mae):
        assert figure(REFERENCE, damaged, mask=mask) == pytest.approx(
            figure(REFERENCE[1:], IMAGE[1:])
        )
        assert figure(REFERENCE, damaged, crop=1) == figure(
            REFERENCE[1:-1, 1:-1], IMAGE[1:-1, 1:-1]
        )
        with pytest.raises(ValueError, match="finite"):
            figure(REFERENCE, damaged)


def test_gradient_error_is_that_of_plain_loops():
    kernel = np.outer([1, 2, 1], [-1, 0, 1]) / 8
    difference = IMAGE - REFERENCE
    windows = np.lib.stride_tricks.sliding_window_view(difference, (3, 3))
    expected = np.mean([np.abs((windows * k).sum((2, 3))).mean() for k in (kernel, kernel.T)])
    assert gradient_error(REFERENCE, IMAGE) == pytest.approx(expected)
    assert gradient_error(REFERENCE, REFERENCE + 5) == pytest.approx(0)
    volume = np.moveaxis(np.broadcast_to(np.arange(5.0), (4, 6, 5)), 2, 1)
    assert gradient_error(0 * volume, 3 * volume) == pytest.approx(1)  # 3 along one of three axes


def test_gradient_error_needs_finite_neighbours():
    damaged = IMAGE.copy()
    damaged[4, 4] = np.nan
    mask = np.ones(IMAGE.shape, bool)
    mask[4, 4] = False
    with pytest.raises(ValueError, match="around the mask"):
        gradient_error(REFERENCE, damaged, mask=mask)
    mask[3:6, 3:6] = False
    assert gradient_error(REFERENCE, damaged, mask=mask) > 0


@pytest.mark.parametrize("shape", [(180, 177), (176, 240)])
def test_ms_ssim_agrees_with_torchmetrics(shape):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("torchmetrics.functional.image")
    reference = np.cumsum(RNG.normal(size=shape), axis=1) * 5 + 100
    image = reference + RNG.normal(0, 8, shape)
    expected = theirs.multiscale_structural_similarity_index_measure(
        torch.tensor(image)[None, None],
        torch.tensor(reference)[None, None],
        data_range=255.0,
        sigma=1.5,
        kernel_size=11,
    )
    assert ms_ssim(reference, image, data_range=255) == pytest.approx(float(expected), abs=1e-4)


def test_metrics_agree_with_torchmetrics():
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("torchmetrics.functional")
    a, b = (torch.tensor(one, dtype=torch.float64) for one in (IMAGE, REFERENCE))
    _, ssim_map = theirs.image.structural_similarity_index_measure(
        a[None, None], b[None, None], data_range=255.0, return_full_image=True
    )
    pairs = [
        (psnr, theirs.image.peak_signal_noise_ratio(a, b, data_range=255.0)),
        (ssim, ssim_map[..., 5:-5, 5:-5].mean()),  # its mean counts mirrored borders
    ]
    for ours, expected in pairs:
        assert ours(REFERENCE, IMAGE, data_range=255) == pytest.approx(float(expected), abs=1e-4)
    assert rmse(REFERENCE, IMAGE) == pytest.approx(
        float(theirs.mean_squared_error(a, b, squared=False)), abs=1e-4
    )
    assert mae(REFERENCE, IMAGE) == pytest.approx(float(theirs.mean_absolute_error(a, b)), abs=1e-4)


def test_single_scale_of_ms_ssim_is_ssim():
    from classicsr.metrics._ms_ssim import _means

    assert _means(REFERENCE, IMAGE, 255.0)[0] == pytest.approx(
        ssim(REFERENCE, IMAGE, data_range=255), abs=1e-9
    )


def test_ms_ssim_refuses_small_images():
    with pytest.raises(ValueError, match="176 samples"):
        ms_ssim(np.zeros((175, 200)), np.zeros((175, 200)), data_range=1)


def test_regions():
    image = np.array([[9.0, 11, 9, 11], [4, 6, 4, 6]])
    region = np.array([[1, 1, 1, 1], [0, 0, 0, 0]])
    assert cnr(image, region, region == 0) == 5
    assert enl(image, region) == 100
    assert enl(np.ones((2, 4)), region) == math.inf
    assert cnr(np.ones((2, 4)), region, region == 0) == 0
    with pytest.raises(ValueError, match="select something"):
        cnr(image, np.zeros((2, 4)), region)
    with pytest.raises(ValueError, match="shape"):
        enl(image, np.ones(3))


def test_dice_is_the_mean_over_the_labels_of_the_reference():
    assert dice([[0, 1], [1, 2]], [[0, 1], [0, 2]]) == pytest.approx((2 / 3 + 1) / 2)
    assert dice([1, 1], [3, 3]) == 0
    with pytest.raises(ValueError, match="label other than 0"):
        dice([0, 0], [1, 0])
