"""``--std`` and ``--detail``: maps beside the result."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from classicsr import AnchoredRegressionSR, load_model
from classicsr.io import read_image, read_volume


@pytest.fixture(scope="module")
def model_path(training_images, make_texture, tmp_path_factory):
    sr = AnchoredRegressionSR(2, "gr", n_levels=1, n_anchors=8, random_state=0)
    path = tmp_path_factory.mktemp("model") / "gr-x2.safetensors"
    sr.fit(training_images).calibrate([make_texture((60, 70), 900 + k) for k in range(6)])
    sr.save(path)
    return path


def test_maps_of_an_image(run, image_path, pixels, model_path, tmp_path):
    out, std, detail = (tmp_path / name for name in ("out.png", "std.tif", "detail.png"))
    record = tmp_path / "record.json"
    options = ("--model", model_path, "--std", std, "--detail", detail, "--json", record)
    assert run("upscale", image_path, "-o", out, *options).status == 0
    with pytest.warns(UserWarning, match="unlike"):
        expected = load_model(model_path).predict(pixels, return_std=True, return_detail=True)
    np.testing.assert_array_equal(read_image(out).array, expected[0])
    np.testing.assert_array_equal(read_image(std).array, expected[1])
    np.testing.assert_array_equal(
        read_image(detail).array, np.clip(np.rint(expected[2] + 128), 0, 255)
    )
    (found,) = json.loads(record.read_text())["results"]
    assert (found["std_output"], found["detail_output"]) == (str(std), str(detail))
    assert found["detail"]["null_space_share"] > 0
    assert found["novelty"].keys() == {"score", "limit"}


def test_maps_of_a_volume(run, model_path, tmp_path):
    rng = np.random.default_rng(0)
    image = nib.Nifti1Image(
        rng.integers(0, 900, (10, 12, 3)).astype(np.int16), np.diag([1.0, 1.0, 3.0, 1.0])
    )
    image.header.set_slope_inter(-2, 7)
    source = tmp_path / "in.nii.gz"
    nib.save(image, source)
    out, std, detail = (tmp_path / f"{name}.nii.gz" for name in ("out", "std", "detail"))
    options = ("--model", model_path, "--std", std, "--detail", detail, "--scale", "2x2x1")
    outcome = run("upscale", source, "-o", out, *options)
    assert outcome.status == 0
    assert "only a hint" in outcome.err
    result = read_volume(out)
    stored = read_volume(source).frame(0)
    with pytest.warns(UserWarning, match="hint"):
        expected = load_model(model_path).predict(
            stored, scale=(2, 2, 1), return_std=True, return_detail=True
        )
    for path, values, slope in ((std, expected[1], 2), (detail, expected[2], -2)):
        found = read_volume(path)
        assert (found.dtype, found.slope, found.inter) == (np.float32, slope, 0)
        np.testing.assert_allclose(found.affine, result.affine)
        np.testing.assert_allclose(found.frame(0), values, rtol=1e-6)


def test_folders_for_several(run, image_path, model_path, tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(image_path.read_bytes())
    out, std = tmp_path / "out", tmp_path / "std"
    argv = ["upscale", image_path, other, "-o", out, "--model", model_path, "--std", std]
    assert run(*argv).status == 0
    assert sorted(path.name for path in std.iterdir()) == ["input.png", "other.png"]


def test_refused(run, image_path, model_path, tmp_path):
    out, std = tmp_path / "out.png", tmp_path / "std.png"
    argv = ["upscale", image_path, "-o", out, "--model", model_path]
    assert run(*argv, "--std", out).status == 2
    std.write_bytes(b"mine")
    outcome = run(*argv, "--std", std)
    assert outcome.status == 1
    assert "exists already" in outcome.err
    assert (std.read_bytes(), out.exists()) == (b"mine", False)
    outcome = run(
        "upscale", image_path, "-o", out, "--model", "bicubic", "--std", tmp_path / "new.png"
    )
    assert outcome.status == 1
    assert "not calibrated" in outcome.err
    assert not out.exists()


def test_fit_and_calibrate(run, image_path, make_texture, tmp_path):
    from PIL import Image

    for seed in range(2):
        pixels = np.rint(255 * make_texture((50, 60), seed)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{seed}.png")
    model, std = tmp_path / "model.safetensors", tmp_path / "std.tif"
    argv = ["fit", image_path, "--method", "raisr", "--scale", "2", "-o", model]
    argv += ["--set", "n_angles=8", "--calibrate", tmp_path / "0.png"]
    assert run(*argv, tmp_path / "1.png").status == 0
    out = tmp_path / "out.png"
    assert run("upscale", image_path, "-o", out, "--model", model, "--std", std).status == 0
    assert read_image(std).array.shape == (36, 48)
    outcome = run(*argv, "--overwrite")  # a single image
    assert outcome.status == 2
    assert "two images or more" in outcome.err


def test_no_maps_of_volumes_with_colours(run, tmp_path):
    colours = np.zeros((6, 5, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colours, np.eye(4)), tmp_path / "rgb.nii.gz")
    options = ("--model", "bicubic", "--scale", 2, "--detail", tmp_path / "detail.nii.gz")
    outcome = run("upscale", tmp_path / "rgb.nii.gz", "-o", tmp_path / "out.nii.gz", *options)
    assert outcome.status == 1
    assert "holds colours, of which no map can be written" in outcome.err
    assert not (tmp_path / "out.nii.gz").exists()
