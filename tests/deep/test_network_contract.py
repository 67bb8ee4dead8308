"""Networks keep the image-level contract: types, tiles, colours, scales, threads, seeds."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from classicsr import load_model  # noqa: E402
from classicsr.cli import main  # noqa: E402
from classicsr.deep import NetworkSR  # noqa: E402
from classicsr.deep import _architectures as architectures  # noqa: E402
from classicsr.deep._tiles import posed, unposed  # noqa: E402
from classicsr.zoo import METHODS, make_method, method_name  # noqa: E402

TOLERANCE = 1e-5
QUICK = {"n_steps": 2, "batch_size": 2, "patch_size": 12, "loss": "l1", "random_state": 0}


@pytest.fixture(scope="module")
def fitted(training_images):
    """A network of a few steps by name; its weights are far enough from zero to matter."""
    made = {}

    def get(network, scale=2, **params):
        key = (network, scale, *params.items())
        if key not in made:
            sr = NetworkSR(scale, network, **QUICK, **params).fit(training_images[:2])
            made[key] = sr
        return made[key]

    return get


def changed(sr, **params):
    """A copy with other parameters."""
    return pickle.loads(pickle.dumps(sr)).set_params(**params)


@pytest.mark.parametrize("network", ["srcnn", "fsrcnn", "espcn", "vdsr", "edsr"])
def test_tiles_join_exactly(network, fitted, make_texture):
    sr, image = fitted(network), make_texture((47, 59), 5)
    whole = sr.predict(image)
    assert whole.shape == (94, 118)
    for tile_shape in ((13, 21), (47, 7)):
        tiled = changed(sr, tile_shape=tile_shape).predict(image)
        np.testing.assert_allclose(tiled, whole, atol=TOLERANCE)


def test_far_sighted_networks_have_tiles_of_their_own(fitted, make_texture, monkeypatch):
    sr, image = fitted("swinir"), make_texture((20, 30), 5)
    whole = sr.predict(image)
    np.testing.assert_array_equal(changed(sr, tile_shape=(8, 8)).predict(image), whole)
    monkeypatch.setattr("classicsr.deep._tiles.OWN_TILE", 16)
    small_tiles = changed(sr).predict(image)
    assert np.abs(small_tiles - whole).max() < 0.2  # each has a halo of 32 pixels
    assert architectures.ARCHITECTURES["esrgan"].halo("23", 4) is None


def test_threads_change_no_more_than_rounding(fitted, make_texture):
    sr, image = fitted("fsrcnn"), make_texture((60, 70), 5)
    results = [changed(sr, n_jobs=n).predict(image) for n in (1, 2, 3)]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], atol=TOLERANCE)


@pytest.mark.parametrize("network", ["espcn", "edsr"])
def test_colours_alpha_and_types(network, fitted, make_texture):
    sr = fitted(network)
    rgba = np.stack([make_texture((14, 18), seed) for seed in range(4)], axis=-1)
    image = np.rint(255 * rgba).astype(np.uint8)
    result = sr.predict(image)
    assert result.shape == (28, 36, 4)
    assert result.dtype == np.uint8
    alpha = load_model("bicubic").predict(image[..., 3], scale=2)
    np.testing.assert_allclose(result[..., 3].astype(int), alpha, atol=1)
    rgb = sr.predict(image[..., :3])
    np.testing.assert_array_equal(rgb, result[..., :3])
    alike = changed(sr, channel_mode="independent").predict(image[..., :3])
    np.testing.assert_array_equal(alike[..., 1], sr.predict(image[..., 1]))


def test_a_network_of_colours_takes_them_together(fitted, make_texture):
    """Red of the result depends on the green of the input, and grey stays one channel."""
    sr = fitted("edsr")
    rgb = np.stack([make_texture((14, 18), seed) for seed in range(3)], axis=-1)
    other = rgb.copy()
    other[..., 1] = 1 - rgb[..., 1]
    one, two = (sr.predict(image, data_range=(0, 1)) for image in (rgb, other))
    assert np.abs(one[..., 0] - two[..., 0]).max() > 1e-3
    grey = rgb[..., :1].repeat(3, axis=-1)
    expected = sr.predict(grey, data_range=(0, 1)).mean(axis=-1)
    np.testing.assert_allclose(sr.predict(rgb[..., 0], data_range=(0, 1)), expected, atol=TOLERANCE)


def test_luma_networks_leave_the_chroma_to_interpolation(fitted, make_texture):
    from classicsr.metrics import rgb_to_ycbcr

    rgb = np.stack([make_texture((14, 18), seed) for seed in range(3)], axis=-1)
    results = [
        rgb_to_ycbcr(sr.predict(rgb, scale=2, data_range=(0, 1)), peak=1.0)
        for sr in (fitted("espcn"), load_model("bicubic"))
    ]
    np.testing.assert_allclose(results[0][..., 1:], results[1][..., 1:], atol=TOLERANCE)


@pytest.mark.parametrize("image", [np.full((6, 7), 3.5), np.array([[2.0]]), np.zeros((1, 9))])
def test_constant_and_tiny_images(image, fitted):
    for network in ("srcnn", "fsrcnn", "swinir"):
        result = fitted(network).predict(image)
        assert result.shape == tuple(2 * n for n in image.shape)
        assert np.isfinite(result).all()


def test_missing_pixels_stay_where_they_are(fitted, make_texture):
    image = make_texture((20, 20), 5)
    image[4, 6] = np.nan
    result = fitted("fsrcnn").predict(image)
    expected = np.zeros((40, 40), bool)
    expected[8:10, 12:14] = True
    np.testing.assert_array_equal(np.isnan(result), expected)


def test_scales_between_volumes_and_consistency(fitted, make_texture):
    sr, image = fitted("espcn", 3), make_texture((20, 20), 5)
    assert sr.predict(image, scale=2.5).shape == (50, 50)
    assert sr.predict(np.zeros((6, 7, 5)), scale=(3, 3, 2)).shape == (18, 21, 10)
    assert "espcn x3" in sr.plan((20, 20))
    record = {}
    sr.predict(image, consistent=True, record=record)
    assert record["consistency"]["after"]["max"] < 1e-4
    with pytest.raises(ValueError, match="reaches x3"):
        sr.predict(image, scale=4)


def test_self_ensemble_turns_with_the_image(fitted, make_texture):
    sr, image = changed(fitted("srcnn"), self_ensemble=True), make_texture((18, 25), 5)
    result = sr.predict(image)
    for pose in range(1, 8):
        turned = sr.predict(np.ascontiguousarray(posed(image, pose)))
        np.testing.assert_allclose(unposed(turned, pose), result, atol=TOLERANCE)
    assert np.abs(result - fitted("srcnn").predict(image)).max() > 1e-6


def test_same_seed_same_weights(training_images):
    def weights(seed):
        params = {**QUICK, "random_state": seed}
        return NetworkSR(2, "fsrcnn", **params).fit(training_images[:1]).weights_

    first, again, other = weights(3), weights(3), weights(4)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not all(np.array_equal(first[name], other[name]) for name in first)


def test_scikit_learn_knows_it(fitted):
    from sklearn.base import clone

    sr = clone(fitted("fsrcnn"))
    assert not hasattr(sr, "weights_")
    assert sr.get_params()["patch_size"] == 12
    for name in ("srcnn", "esrgan"):
        assert method_name(make_method(name)) == name


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"network": "resnet"}, "'network' parameter of NetworkSR must be one of srcnn"),
        ({"variant": "full"}, "'variant' .* None, 56-12-4"),
        ({"loss": {"l1": -1}}, "'loss'"),
        ({"loss": {"adversarial": 1, "relativistic": 1}}, "'loss'"),
        ({"loss": {"l1": 0}}, "'loss'"),
        ({"n_steps": 0}, "'n_steps'"),
        ({"self_ensemble": 1}, "'self_ensemble'"),
        ({"device": "tpu"}, "'device'"),
        ({"learning_rate": float("nan")}, "'learning_rate'"),
        ({"scale": 9}, "'scale'"),
        ({"network": "edsr", "scale": 5}, "one of 2, 3, 4, 8 for edsr"),
    ],
)
def test_wrong_parameters(params, message, training_images):
    with pytest.raises(ValueError, match=message):
        NetworkSR(**params).fit(training_images[:1])


def test_no_gpu_is_said(training_images, monkeypatch, fitted, tmp_path, capsys):
    from PIL import Image

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="finds no GPU"):
        NetworkSR(device="cuda", **QUICK).fit(training_images[:1])
    with pytest.raises(ValueError, match="finds no GPU"):
        changed(fitted("espcn"), device="cuda").predict(training_images[0])
    image = tmp_path / "a.png"
    Image.fromarray((255 * training_images[0]).astype(np.uint8)).save(image)
    command = ["fit", image, "--method", "espcn", "--scale", 2, "-o", tmp_path / "m.safetensors"]
    assert main([*map(str, command), "--set", "device=cuda"]) != 0
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "finds no GPU" in line


def test_without_torch_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    from PIL import Image

    monkeypatch.setitem(sys.modules, "torch", None)
    picture = tmp_path / "a.png"
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(picture)
    model = tmp_path / "m.safetensors"
    status = main(["fit", str(picture), "--method", "vdsr", "--scale", "2", "-o", str(model)])
    assert status == 1
    message = capsys.readouterr().err.strip()
    assert message.count("\n") == 0
    assert "pip install 'classicsr[torch]'" in message
    assert not model.exists()


def test_nothing_else_imports_torch():
    code = (
        "import sys, classicsr\nfrom classicsr.zoo import METHODS, make_method\n"
        "[make_method(name) for name in METHODS]\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_command_line_fits_and_applies_a_network(tmp_path, training_images):
    from PIL import Image

    picture, model = tmp_path / "a.png", tmp_path / "m.safetensors"
    Image.fromarray(np.rint(255 * training_images[0]).astype(np.uint8)).save(picture)
    settings = ["--set", "n_steps=2", "--set", 'loss={"l1": 1, "edge": 0.1}']
    fit = ["fit", str(picture), "--method", "espcn", "--scale", "2", "-o", str(model), *settings]
    assert main(fit) == 0
    out = tmp_path / "b.png"
    assert main(["upscale", str(picture), "-o", str(out), "--model", str(model)]) == 0
    with Image.open(out) as result:
        assert result.size == (180, 144)


def test_registry_holds_every_network():
    assert set(architectures.ARCHITECTURES) == {
        name for name, method in METHODS.items() if "network" in method.parameters
    }
