"""``classicsr fit`` and ``classicsr evaluate``: a model is made, described, used and measured."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from classicsr import load_model


@pytest.fixture
def training(tmp_path):
    from PIL import Image

    folder = tmp_path / "training"
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(3):
        blocks = random.integers(0, 255, (12, 12), dtype=np.uint8)
        picture = Image.fromarray(blocks).resize((96, 96), Image.Resampling.BICUBIC)
        picture.save(folder / f"image{index}.png")
    return folder


FAST = ["--set", "n_anchors=16", "--set", "n_levels=1", "--jobs", "1"]


def test_fit_then_use(run, training, image_path, tmp_path):
    model = tmp_path / "gr.safetensors"
    outcome = run("fit", training, "--method", "gr", "--scale", 2, "-o", model, "--seed", 3, *FAST)
    assert (outcome.status, outcome.out) == (0, "")
    estimator = load_model(model)
    assert estimator.native_scale_ == 2
    described = json.loads(run("info", model, "--json").out)
    assert described["method"] == "gr"
    assert described["parameters"]["n_anchors"] == 16
    assert described["provenance"]["n_images"] == 3
    assert described["provenance"]["seed"] == 3
    out = tmp_path / "out.png"
    assert run("upscale", image_path, "-o", out, "--model", model).status == 0
    from classicsr.io import read_image

    assert read_image(out).array.shape == (36, 48)


def test_same_seed_same_tensors(run, training, tmp_path):
    hashes = []
    for name in ("a", "b"):
        model = tmp_path / f"{name}.safetensors"
        run("fit", training, "--method", "gr", "--scale", 2, "-o", model, *FAST)
        hashes.append({k: v.tobytes() for k, v in _tensors(model).items()})
    assert hashes[0] == hashes[1]


def test_methods_without_training_are_calibrated(run, training, tmp_path):
    model = tmp_path / "tv.safetensors"
    run("fit", training, "--method", "tv", "--scale", 3, "--set", "n_iter=5", "-o", model,
        "--calibrate")  # fmt: skip
    described = json.loads(run("info", model, "--json").out)
    assert described["parameters"]["n_iter"] == 5
    assert described["provenance"]["calibration_data"] == [str(training)]
    assert "calibration.activity" in described["tensors"]
    out, std = tmp_path / "out.png", tmp_path / "std.tif"
    argv = ["upscale", training / "image0.png", "-o", out, "--model", model, "--std", std]
    assert run(*argv).status == 0
    shapes = [Image.open(path).size for path in (training / "image0.png", out, std)]
    assert shapes[1] == shapes[2] == tuple(3 * n for n in shapes[0])  # the scale of the file


def _tensors(path):
    from classicsr._model_file import read_model

    return read_model(path).tensors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "aplis", "--scale", "2"], "did you mean 'aplus'"),
        (["--method", "bicubic", "--scale", "2"], "needs no training"),
        (["--method", "gr", "--scale", "2", "--calibrate"], "other than those of the training"),
        (["--method", "gr", "--scale", "2.5"], "must be an integer"),
        (["--method", "gr", "--scale", "1"], "must be an integer"),
        (["--method", "gr", "--scale", "2", "--set", "anchors"], "key=value"),
        (["--method", "gr", "--scale", "2", "--set", "anchors=3"], "valid: "),
        (["--method", "gr", "--scale", "2", "--set", "scale=3"], "valid: "),
    ],
)
def test_wrong_usage_of_fit(run, training, tmp_path, options, message):
    model = tmp_path / "m.safetensors"
    outcome = run("fit", training, "-o", model, *options)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert message in outcome.err
    assert not model.exists()


def test_targets_of_fit_are_checked_before_the_work(run, training, tmp_path):
    existing = tmp_path / "m.safetensors"
    existing.write_text("precious")
    for target, message in [
        (existing, "--overwrite"),
        (tmp_path / "m.pkl", "must end in .safetensors"),
        (tmp_path / "gone" / "m.safetensors", "does not exist"),
    ]:
        outcome = run("fit", training, "--method", "gr", "--scale", "2", "-o", target)
        assert outcome.status == 2
        assert message in outcome.err
    assert existing.read_text() == "precious"


@pytest.mark.parametrize("command", ["fit", "evaluate"])
def test_unknown_data(run, tmp_path, monkeypatch, command):
    monkeypatch.delenv("CLASSICSR_DATA", raising=False)
    options = {
        "fit": ["--method", "gr", "-o", tmp_path / "m.safetensors"],
        "evaluate": ["--model", "bicubic"],
    }[command]
    outcome = run(command, "natural/Nowhere", "--scale", "2", *options)
    assert outcome.status == 1
    assert outcome.err.count("\n") == 1
    assert "CLASSICSR_DATA" in outcome.err


def test_damaged_training_image_is_named(run, training, tmp_path):
    (training / "image1.png").write_text("text")
    model = tmp_path / "m.safetensors"
    outcome = run("fit", training, "--method", "gr", "--scale", "2", "-o", model)
    assert outcome.status == 1
    assert "image1.png" in outcome.err
    assert not model.exists()


def test_evaluate_table_and_json(run, training, tmp_path):
    record = tmp_path / "figures.json"
    outcome = run(
        "evaluate", training, "--scale", 2,
        "--model", "bicubic", "--model", "lanczos", "--lr", "uint8", "--json", record,
    )  # fmt: skip
    assert outcome.status == 0
    protocol, headings, *rows = outcome.out.splitlines()
    assert "x2 bicubic, uint8 low resolution" in protocol
    assert headings.split()[:2] == ["image", "bicubic"]
    assert [row.split()[0] for row in rows] == ["image0.png", "image1.png", "image2.png", "mean"]
    document = json.loads(record.read_text())
    figures = [row["psnr"] for row in document["results"]["bicubic"]]
    assert document["mean"]["bicubic"]["psnr"] == pytest.approx(np.mean(figures))
    assert rows[-1].split()[1] == f"{np.mean(figures):.2f}"


def test_evaluate_prints_json_alone(run, training):
    outcome = run("evaluate", training, "--scale", 2, "--model", "bicubic", "--json", "-")
    assert json.loads(outcome.out)["scale"] == 2


def test_infinite_figures_are_null_in_json(run, tmp_path):
    from PIL import Image

    path = tmp_path / "flat.png"
    Image.new("L", (40, 40), 7).save(path)
    outcome = run("evaluate", path, "--scale", 2, "--model", "bicubic", "--json", "-")
    document = json.loads(outcome.out, parse_constant=pytest.fail)
    assert document["results"]["bicubic"][0]["psnr"] is None


def test_volumes_of_others_teach_thin_slices(run, volume_path, tmp_path):
    import nibabel as nib

    smooth = np.cumsum(np.random.default_rng(0).standard_normal((14, 14, 14)), axis=0)
    training = tmp_path / "other.nii.gz"
    nib.save(nib.Nifti1Image(smooth.astype(np.float32), np.eye(4)), training)
    model, out = tmp_path / "thin.safetensors", tmp_path / "thin.nii.gz"
    fitted = run(
        "fit", training, "--method", "volume-forest", "--scale", "1x1x3", "-o", model,
        "--set", "n_samples=2000", "--jobs", "1",
    )  # fmt: skip
    assert (fitted.status, fitted.out) == (0, "")
    assert load_model(model).regression_.shape.block == (1, 1, 3)
    done = run("upscale", volume_path, "-o", out, "--model", model, "--scale", "1x1x3")
    assert done.status == 0
    assert nib.load(out).shape == (7, 8, 15)
    refused = run(
        "fit", training, "--method", "gr", "--scale", "1x1x3", "-o", tmp_path / "a.safetensors"
    )
    assert refused.status == 2
    assert "'mixed'" in refused.err
    assert run("fit", training, "--method", "mixed", "--scale", "1x1x1", "-o", out).status == 2
