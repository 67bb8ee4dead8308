"""What all methods of the room have in common: the registry, the image contract, odd input."""

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone

from classicsr.cli import main
from classicsr.degradation import (
    BicubicDegradation,
    GaussianDegradation,
    SliceProfileDegradation,
    resize,
)
from classicsr.metrics import psnr
from classicsr.reconstruction import _base
from classicsr.zoo import load_model, make_method

NAMES = ("ibp", "pocs", "tv", "map")
VARIATIONAL = ("pocs", "tv", "map")


@pytest.mark.parametrize("name", NAMES)
def test_better_than_interpolation(name, make_texture):
    model, gains = BicubicDegradation((2.0, 2.0)), []
    for seed in range(3):
        high = 255 * make_texture((60, 56), seed)
        low = model.forward(high)
        result = load_model(name).predict(low, scale=2, data_range=(0, 255))
        cubic = resize(low, 2)
        gains.append(
            psnr(high, result, data_range=255, crop=2) - psnr(high, cubic, data_range=255, crop=2)
        )
    assert np.mean(gains) > 0.3


@pytest.mark.parametrize("name", NAMES)
def test_intensity_scale_and_shift(name, make_texture):
    low = make_texture((20, 24), 0)
    sr = clone(make_method(name, scale=2))
    expected = sr.predict(low)
    np.testing.assert_allclose(sr.predict(3000 * low - 1000), 3000 * expected - 1000, atol=0.05)
    np.testing.assert_allclose(sr.predict(-low), -expected, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_wide_integers_are_taken_as_they_are(name, make_texture):
    """A scan of 12 bits in a type of 16 is treated as the same scan in floats."""
    low = np.rint(300 * make_texture((16, 18), 0) - 100).astype(np.int16)
    sr = make_method(name, scale=2)
    result = sr.predict(low)
    assert result.dtype == np.int16
    assert np.abs(result - sr.predict(low.astype(float))).max() <= 0.75
    if name in VARIATIONAL:
        assert np.abs(sr.reconstruct([low], [(0, 0)]).astype(float) - result).max() <= 1
    flat = np.full((5, 6), 7, np.int16)
    np.testing.assert_array_equal(sr.predict(flat), 7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [(1, 1, 3), (2, 2, 2), (1.5, 1, 2)])
def test_volumes(name, scale, make_texture):
    volume = np.stack([make_texture((9, 12), seed) for seed in range(8)], axis=-1)
    model = SliceProfileDegradation(scale)
    result = make_method(name, scale=scale, degradation=model).predict(volume)
    assert result.shape == tuple(int(n * s + 0.5) for n, s in zip(volume.shape, scale, strict=True))
    assert np.abs(model.forward(result) - volume).mean() < 0.03


def test_plan_is_for_the_volume_as_a_whole():
    sr = make_method("tv")
    assert sr.plan((20, 20, 5), (1, 1, 3)) == "tv x1x1x3"
    assert sr.plan((20, 20)) == "tv x2x2"


@pytest.mark.parametrize("name", NAMES)
def test_odd_input(name):
    sr = make_method(name, scale=2)
    np.testing.assert_allclose(sr.predict(np.full((5, 4), 3.5)), 3.5, atol=1e-6)
    assert sr.predict(np.full((1, 1), 9, np.uint8)).tolist() == [[9, 9], [9, 9]]
    assert sr.predict(np.zeros((6, 5, 3), np.uint8)).shape == (12, 10, 3)
    low = np.random.default_rng(0).random((9, 9))
    low[4, 5] = np.nan
    result = sr.predict(low)
    assert np.isnan(result).sum() == 4
    assert np.nanmax(np.abs(result)) < 2


@pytest.mark.parametrize("name", NAMES)
def test_bits_do_not_depend_on_threads_and_tiles(name, make_texture, monkeypatch):
    low = np.stack([make_texture((44, 40), seed) for seed in range(20)], axis=-1)
    monkeypatch.setattr(_base, "_MAX_OUTPUTS", 1 << 17)  # several blocks
    monkeypatch.setattr(_base, "_HALO", 4)
    options = {"scale": (2, 2, 2), "n_iter": 6}
    one = make_method(name, **options, n_jobs=1).predict(low)
    two = make_method(name, **options, n_jobs=2, tile_shape=(7, 9)).predict(low)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", NAMES)
def test_command_line(name, tmp_path, make_texture):
    pixels = np.rint(255 * make_texture((14, 15), 0)).astype(np.uint8)
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(pixels).save(source)
    assert main(["upscale", str(source), "-o", str(target), "--model", name, "--scale", "3"]) == 0
    expected = make_method(name).predict(pixels, scale=3)
    np.testing.assert_array_equal(np.asarray(Image.open(target)), expected)


def moved_frames(make_texture, shifts, noise=2.0):
    from classicsr.reconstruction._frames import ShiftedDegradation

    scene, rng = 255 * make_texture((96, 96), 5), np.random.default_rng(0)
    models = [ShiftedDegradation(BicubicDegradation((2.0, 2.0)), shift) for shift in shifts]
    frames = [model.forward(scene) for model in models]
    return scene, [frame + rng.normal(0, noise, frame.shape) for frame in frames]


@pytest.mark.parametrize(("name", "options"), [("tv", {"weight": 0.002}), ("map", {})])
@pytest.mark.parametrize("known", [True, False])
def test_several_frames_are_better_than_one(name, options, known, make_texture):
    shifts = [(0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5)]
    scene, frames = moved_frames(make_texture, shifts)
    sr = make_method(name, scale=2, data_range=(0, 255), **options)
    single = psnr(scene, sr.predict(frames[0]), data_range=255, crop=6)
    result = sr.reconstruct(frames, shifts if known else None)
    assert psnr(scene, result, data_range=255, crop=6) > single + 1.3


@pytest.mark.parametrize("name", VARIATIONAL)
def test_one_frame_is_an_image(name, make_texture):
    low = make_texture((12, 14), 1)
    sr = make_method(name, scale=2)
    np.testing.assert_allclose(sr.reconstruct([low], [(0, 0)]), sr.predict(low), atol=1e-6)
    volume = np.stack([low] * 5)
    result = sr.reconstruct([volume, volume], [(0, 0, 0)] * 2, scale=(1, 2, 2))
    assert result.shape == (5, 24, 28)
    color = np.stack([low, 1 - low, low], axis=-1)
    assert sr.reconstruct([color, color], [(0, 0)] * 2).shape == (24, 28, 3)


@pytest.mark.parametrize(
    ("frames", "shifts", "message"),
    [
        ([], None, "one or more arrays of one shape"),
        ([np.zeros((3, 4)), np.zeros((4, 3))], None, "one or more arrays of one shape"),
        ([np.zeros((3, 4))] * 2, [(0, 0)], "'shifts' parameter of TotalVariationSR"),
        ([np.zeros((3, 4))] * 2, [(0, 0), (0, np.nan)], "'shifts' parameter"),
        ([np.zeros((3, 4))] * 2, [(0, 0), (0, 0, 1)], "'shifts' parameter"),
    ],
)
def test_frames_that_do_not_fit(frames, shifts, message):
    with pytest.raises(ValueError, match=message):
        make_method("tv").reconstruct(frames, shifts)


def test_frames_must_be_numbers():
    with pytest.raises(TypeError, match="real numbers"):
        make_method("tv").reconstruct([np.array([["a"]])])


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [("map", "prior", "cauchy"), ("map", "strength", -1), ("map", "threshold", 0),
     ("map", "noise", "a"), ("pocs", "slack", -1), ("pocs", "relaxation", 2),
     ("pocs", "clip", None), ("pocs", "n_iter", 1.5), ("map", "tolerance", np.nan)],
)  # fmt: skip
def test_parameters(name, parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
        make_method(name, **{parameter: value}).predict(np.zeros((4, 4)))


def test_stronger_noise_means_a_stronger_prior(make_texture):
    """With the noise known the data term is trusted less; of one frame half of it is found."""
    rng = np.random.default_rng(0)
    low = make_texture((48, 50), 0) + rng.normal(0, 0.05, (48, 50))
    told = make_method("map", noise=0.05, data_range=(0, 1)).predict(low)
    estimated = make_method("map", data_range=(0, 1)).predict(low)
    exact = make_method("map", noise=0.0, data_range=(0, 1)).predict(low)
    model = BicubicDegradation(2)

    def misfit(x):
        return np.sqrt(np.mean((model.forward(x) - low) ** 2))

    assert misfit(exact) < 0.005 < misfit(told)
    half = make_method("map", noise=0.025, data_range=(0, 1)).predict(low)
    assert misfit(estimated) == pytest.approx(misfit(half), rel=0.1)


def test_several_frames_tell_their_noise(make_texture):
    from classicsr.reconstruction import BayesianSR

    found = []

    class Watched(BayesianSR):
        def _unexplained(self, data, field, image):
            found.append(super()._unexplained(data, field, image))
            return found[-1]

    shifts = [(0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5)]
    for noise in (2.0, 8.0):
        _, frames = moved_frames(make_texture, shifts, noise)
        Watched(scale=2, data_range=(0, 255)).reconstruct(frames, shifts)
        assert 255 * found[-1] == pytest.approx(noise, rel=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_a_narrower_model_than_the_true_one_is_safe(name, make_texture):
    high = 255 * make_texture((64, 60), 2)
    low = GaussianDegradation(2, fwhm=2.0).forward(high)

    def quality(width):
        sr = make_method(name, degradation=GaussianDegradation(2, fwhm=width), data_range=(0, 255))
        return psnr(high, sr.predict(low), data_range=255, crop=4)

    cubic = psnr(high, resize(low, 2), data_range=255, crop=4)
    assert quality(2.0) > quality(1.5) > cubic > quality(3.5)


def test_slack_is_kept(make_texture):
    low = make_texture((20, 22), 0)
    result = make_method("pocs", slack=0.05, tolerance=1e-7).predict(low)
    deviation = np.abs(BicubicDegradation(2).forward(result) - low)
    assert 0.04 < deviation.max() < 0.0505
    assert result.min() >= low.min()
    assert result.max() <= low.max()
