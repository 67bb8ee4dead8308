"""Super-resolution with any prior, and what is told while it iterates."""

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone

from classicsr import RegularizedSR
from classicsr.cli import main
from classicsr.degradation import BicubicDegradation, SliceProfileDegradation, resize
from classicsr.metrics import psnr
from classicsr.reconstruction import HuberField, Tikhonov, WaveletSparsity, _base
from classicsr.reconstruction._frames import ShiftedDegradation
from classicsr.zoo import make_method

NAMES = ("tikhonov", "wavelet", "pnp")
PRIORS = ("tikhonov", "wavelet", "dictionary", "nlm")


@pytest.mark.parametrize("prior", PRIORS)
def test_better_than_interpolation(prior, make_texture):
    model, gains = BicubicDegradation((2.0, 2.0)), []
    for seed in range(3):
        high = 255 * make_texture((60, 56), seed)
        low = model.forward(high)
        result = RegularizedSR(2, prior).predict(low, data_range=(0, 255))
        cubic = resize(low, 2)
        gains.append(
            psnr(high, result, data_range=255, crop=2) - psnr(high, cubic, data_range=255, crop=2)
        )
    assert np.mean(gains) > 0.3


@pytest.mark.parametrize("prior", PRIORS)
def test_intensity_scale_and_shift(prior, make_texture):
    low = make_texture((20, 24), 0)
    sr = clone(RegularizedSR(2, prior))
    difference = (sr.predict(3000 * low - 1000) + 1000) / 3000 - sr.predict(low)
    assert np.abs(difference).mean() < 5e-3  # which atom comes first may turn on the last bit


@pytest.mark.parametrize("prior", PRIORS)
def test_odd_input(prior):
    sr = RegularizedSR(2, prior)
    np.testing.assert_allclose(sr.predict(np.full((5, 4), 3.5)), 3.5, atol=1e-5)
    assert sr.predict(np.full((1, 1), 9, np.uint8)).tolist() == [[9, 9], [9, 9]]
    assert sr.predict(np.zeros((6, 5, 3), np.uint8)).shape == (12, 10, 3)
    low = np.random.default_rng(0).random((9, 9))
    low[4, 5] = np.nan
    assert np.isnan(sr.predict(low)).sum() == 4


@pytest.mark.parametrize("prior", PRIORS)
def test_volumes(prior, make_texture):
    volume = np.stack([make_texture((9, 12), seed) for seed in range(6)], axis=-1)
    model = SliceProfileDegradation((1, 1, 3))
    result = RegularizedSR((1, 1, 3), prior, degradation=model).predict(volume)
    assert result.shape == (9, 12, 18)
    assert np.abs(model.forward(result) - volume).mean() < 0.03


@pytest.mark.parametrize("prior", PRIORS)
def test_bits_do_not_depend_on_threads_and_tiles(prior, make_texture, monkeypatch):
    low = np.stack([make_texture((20, 9), seed) for seed in range(5)], axis=-1)
    monkeypatch.setattr(_base, "_MAX_OUTPUTS", 1 << 12)  # several blocks
    monkeypatch.setattr(_base, "_HALO", 4)
    options = {"scale": (2, 2, 2), "prior": prior, "n_iter": 3}
    one = RegularizedSR(**options, n_jobs=1).predict(low)
    two = RegularizedSR(**options, n_jobs=2, tile_shape=(7, 9)).predict(low)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("prior", PRIORS[:2])
def test_several_frames_are_better_than_one(prior, make_texture):
    scene, rng = 255 * make_texture((64, 64), 5), np.random.default_rng(0)
    shifts = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)]
    model = BicubicDegradation((2.0, 2.0))
    frames = [ShiftedDegradation(model, shift).forward(scene) for shift in shifts]
    frames = [frame + rng.normal(0, 1, frame.shape) for frame in frames]
    sr = RegularizedSR(2, prior, data_range=(0, 255))
    single = psnr(scene, sr.predict(frames[0]), data_range=255, crop=6)
    assert psnr(scene, sr.reconstruct(frames, shifts), data_range=255, crop=6) > single + 0.7


def test_a_prior_with_a_name_is_the_prior(make_texture):
    low = make_texture((12, 14), 0)
    expected = RegularizedSR(2, "wavelet", weight=1e-3).predict(low)
    sr = clone(RegularizedSR(2, WaveletSparsity(1e-3)))
    np.testing.assert_array_equal(sr.predict(low), expected)
    smooth = RegularizedSR(2, Tikhonov(1e-3, order=2), solver="cg", n_iter=60).predict(low)
    huber = HuberField.slopes_and_curvatures(2, 1e-3, 100.0)
    assert np.abs(RegularizedSR(2, huber).predict(low) - smooth).mean() < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_command_line(name, tmp_path, make_texture):
    pixels = np.rint(255 * make_texture((14, 15), 0)).astype(np.uint8)
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(pixels).save(source)
    assert main(["upscale", str(source), "-o", str(target), "--model", name, "--scale", "3"]) == 0
    expected = make_method(name).predict(pixels, scale=3)
    np.testing.assert_array_equal(np.asarray(Image.open(target)), expected)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_within_blocks(n_jobs, make_texture, monkeypatch):
    told = []
    low = np.stack([make_texture((24, 20), seed) for seed in range(12)], axis=-1)
    sr = RegularizedSR((2, 2, 2), "nlm", n_iter=4, tolerance=0, n_jobs=n_jobs)
    sr.predict(low, progress=lambda *step: told.append(step))
    assert told == [(25, 100), (50, 100), (75, 100), (100, 100)]
    monkeypatch.setattr(_base, "_MAX_OUTPUTS", 1 << 14)
    monkeypatch.setattr(_base, "_HALO", 4)
    told.clear()
    sr.predict(low, progress=lambda *step: told.append(step))
    done = [step[0] for step in told]
    assert done == sorted(done)
    assert told[-1][0] == told[-1][1] == 25 * len(told)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prior": "lasso"}, "'prior' parameter of RegularizedSR must be a prior or one of tik"),
        ({"weight": -1.0}, "'weight' parameter"),
        ({"prior": Tikhonov(1), "weight": 1.0}, "'weight' parameter"),
        (
            {"prior": "nlm", "solver": "cg"},
            "'solver' parameter of minimize with the prior Denoiser",
        ),
        ({"prior": None}, "'prior' parameter of minimize"),
    ],
)
def test_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        RegularizedSR(**options).predict(np.random.default_rng(0).random((4, 4)))
