"""``classicsr upscale`` from file to file, and every way in which it can go wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from classicsr import BicubicSR
from classicsr.io import read_image, read_volume


def test_image_equals_the_estimator(run, image_path, pixels, tmp_path):
    out = tmp_path / "out.png"
    outcome = run("upscale", image_path, "-o", out, "--model", "bicubic", "--scale", "3")
    assert (outcome.status, outcome.out) == (0, "")
    np.testing.assert_array_equal(read_image(out).array, BicubicSR().predict(pixels, scale=3))


@pytest.mark.parametrize(
    ("scale", "shape"), [("2.5", (45, 60)), ("2x3", (36, 72)), ("1.5x1", (27, 24)), ("1", (18, 24))]
)
def test_any_scale(run, image_path, tmp_path, scale, shape):
    out = tmp_path / "out.png"
    assert run("upscale", image_path, "-o", out, "--model", "lanczos", "--scale", scale).status == 0
    assert read_image(out).array.shape == shape


def test_images_are_doubled_by_default(run, image_path, tmp_path, bundle):
    out = tmp_path / "out.png"
    record = tmp_path / "record.json"
    assert run("upscale", image_path, "-o", out, "--json", record).status == 0
    (result,) = json.loads(record.read_text())["results"]
    assert result["model"] == "best-x2"
    assert read_image(out).array.shape == (36, 48)


def test_auto_takes_the_next_model(run, image_path, tmp_path, bundle):
    out = tmp_path / "out.png"
    outcome = run("upscale", image_path, "-o", out, "--scale", "2.2", "--json", "-")
    (result,) = json.loads(outcome.out)["results"]
    assert result["model"] == "best-x3"
    assert result["shape_out"] == [40, 53]


def test_record(run, image_path, volume_path, tmp_path):
    record = tmp_path / "record.json"
    out = tmp_path / "out"
    argv = ["upscale", image_path, volume_path, tmp_path / "gone.png", "-o", out]
    outcome = run(*argv, "--model", "bicubic", "--scale", "2", "--json", record)
    assert outcome.status == 1
    document = json.loads(record.read_text())
    assert set(document["versions"]) == {"classicsr", "numpy", "python"}
    image, volume, gone = document["results"]
    assert image["input"] == str(image_path)
    assert image["output"] == str(out / "input.png")
    assert (image["model"], image["method"], image["scale"]) == ("bicubic", "bicubic", 2)
    assert (image["shape_in"], image["shape_out"]) == ([18, 24], [36, 48])
    assert image["dtype"] == "uint8"
    assert image["plan"]
    assert image["seconds"] > 0
    assert image["warnings"] == []
    assert volume["spacing_in"] == [1, 1, 3]
    assert volume["spacing_out"] == [0.5, 0.5, 1.5]
    assert "no such file" in gone["error"]
    assert run(*argv, "--json", record).status == 2


@pytest.mark.parametrize("option", [("--scale", "1x1x3"), ("--spacing", "1"), ()])
def test_volume_to_isotropic_voxels(run, volume_path, tmp_path, option):
    out = tmp_path / "out.nii.gz"
    assert run("upscale", volume_path, "-o", out, "--model", "bicubic", *option).status == 0
    source, result = read_volume(volume_path), read_volume(out)
    assert result.shape == (7, 8, 15)
    np.testing.assert_allclose(result.spacing, 1)
    assert result.dtype == source.dtype
    # the centre of the first block of three voxels is the centre of the first thick one
    np.testing.assert_allclose(
        result.affine @ [0, 0, 1, 1], source.affine @ [0, 0, 0, 1], atol=1e-6
    )
    expected = BicubicSR().predict(source.frame(0), scale=(1, 1, 3))
    np.testing.assert_array_equal(result.frame(0), expected)


def test_auto_says_what_is_done_to_a_volume(run, volume_path, tmp_path, bundle):
    outcome = run("upscale", volume_path, "-o", tmp_path / "out.nii.gz")
    assert outcome.status == 0
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith(f"{volume_path}: ")


def test_frames_of_a_series_are_upscaled_one_by_one(run, tmp_path):
    import nibabel as nib

    data = np.random.default_rng(1).integers(0, 99, (4, 5, 3, 2)).astype(np.uint8)
    path, out = tmp_path / "series.nii", tmp_path / "out.nii"
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    assert run("upscale", path, "-o", out, "--model", "bicubic", "--scale", 2).status == 0
    result = read_volume(out)
    assert result.n_frames == 2
    for index in range(2):
        np.testing.assert_array_equal(
            result.frame(index), BicubicSR().predict(data[..., index], scale=(2, 2, 2))
        )


def test_isotropic_volume_needs_to_be_told(run, tmp_path):
    import nibabel as nib

    path = tmp_path / "iso.nii"
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.int16), np.eye(4)), path)
    outcome = run("upscale", path, "-o", tmp_path / "out.nii", "--model", "bicubic")
    assert outcome.status == 1
    assert "isotropic already, give --scale or --spacing" in outcome.err


def test_same_bytes_for_any_number_of_jobs(run, image_path, tmp_path):
    written = []
    for jobs in (1, 2, -1):
        out = tmp_path / f"out{jobs}.png"
        run("upscale", image_path, "-o", out, "--model", "bicubic", "--jobs", jobs)
        written.append(out.read_bytes())
    assert written[0] == written[1] == written[2]


def test_damaged_files_do_not_stop_the_others(run, image_path, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    good = image_path.read_bytes()
    (folder / "a_truncated.png").write_bytes(good[: len(good) // 2])
    (folder / "b_text.png").write_text("this is text")
    (folder / "c_empty.png").write_bytes(b"")
    (folder / "d_good.png").write_bytes(good)
    (folder / "e_image.nii.gz").write_bytes(good)
    (folder / "notes.txt").write_text("ignored")
    outcome = run("upscale", folder, "-o", out, "--model", "bicubic")
    assert outcome.status == 1
    lines = outcome.err.splitlines()
    assert len(lines) == 4
    for line, name in zip(lines, ["a_trunc", "b_text", "c_empty", "e_image"], strict=True):
        assert line.startswith(f"classicsr: {folder / name}")
    assert [path.name for path in out.iterdir()] == ["d_good.png"]


def test_a_folder_of_one_image_gives_a_folder(run, image_path, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    image_path.rename(folder / "only.png")
    assert run("upscale", folder, "-o", tmp_path / "out", "--model", "bicubic").status == 0
    assert (tmp_path / "out" / "only.png").exists()


def test_existing_output_is_kept(run, image_path, tmp_path):
    out = tmp_path / "out.png"
    out.write_text("precious")
    outcome = run("upscale", image_path, "-o", out, "--model", "bicubic")
    assert outcome.status == 1
    assert outcome.err.count("\n") == 1
    assert "--overwrite" in outcome.err
    assert out.read_text() == "precious"
    assert run("upscale", image_path, "-o", out, "--model", "bicubic", "--overwrite").status == 0
    assert read_image(out).array.shape == (36, 48)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder closed to everyone")
def test_unwritable_folder(run, image_path):
    outcome = run("upscale", image_path, "-o", "/proc/out.png", "--model", "bicubic")
    assert outcome.status == 1
    assert outcome.err.startswith(f"classicsr: {image_path}: /proc/out.png: ")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("target", ["missing/out.png", "input.png/out.png", "out.xyz", "out.nii"])
def test_impossible_output(run, image_path, tmp_path, target):
    before = sorted(tmp_path.iterdir())
    outcome = run("upscale", image_path, "-o", tmp_path / target, "--model", "bicubic")
    assert outcome.status == 1
    assert outcome.err.startswith(f"classicsr: {image_path}: ")
    assert outcome.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale", "0"], "must be a positive number"),
        (["--scale", "-2"], "must be a positive number"),
        (["--scale", "nan"], "must be a positive number"),
        (["--scale", "inf"], "must be a positive number"),
        (["--scale", "big"], "must be a positive number"),
        (["--scale", "1x2x3x4"], "one per axis"),
        (["--scale", "2", "--spacing", "1"], "not allowed with"),
        (["--jobs", "0"], "non-zero"),
        (["--model", "best-x9"], "did you mean 'best-x"),
        (["--scale", "5"], "available: x2, x3"),
        (["--scale", "1x7"], "available: x2, x3"),
        (["--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_wrong_usage_is_one_line(run, image_path, tmp_path, bundle, options, message):
    outcome = run("upscale", image_path, "-o", tmp_path / "out.png", *options)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert message in outcome.err
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("image", ["--scale", "1x1x3"], "one number or two"),
        ("image", ["--spacing", "1"], "--spacing is for volumes"),
        ("volume", ["--scale", "2x2"], "one number or three"),
    ],
)
def test_option_that_does_not_fit_the_kind(
    run, image_path, volume_path, tmp_path, name, option, message
):
    source = {"image": image_path, "volume": volume_path}[name]
    target = tmp_path / f"out{''.join(source.suffixes)}"
    outcome = run("upscale", source, "-o", target, "--model", "bicubic", *option)
    assert outcome.status == 1
    assert message in outcome.err
    assert not target.exists()


def test_inputs_of_one_name(run, image_path, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / image_path.name).write_bytes(image_path.read_bytes())
    outcome = run("upscale", image_path, folder, "-o", tmp_path / "out", "--model", "bicubic")
    assert outcome.status == 2
    assert "2 results would all be written to" in outcome.err
    assert not (tmp_path / "out").exists()


def test_several_inputs_into_one_file(run, image_path, volume_path, tmp_path):
    outcome = run("upscale", image_path, volume_path, "-o", tmp_path / "out.png")
    assert outcome.status == 2
    assert "folder" in outcome.err


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95 a pickle", b"\xff" * 64])
def test_hostile_model(run, image_path, tmp_path, content):
    model = tmp_path / "hostile.safetensors"
    model.write_bytes(content)
    outcome = run("upscale", image_path, "-o", tmp_path / "out.png", "--model", model)
    assert outcome.status == 2
    assert outcome.err.startswith(f"classicsr: {model}: ")
    assert not (tmp_path / "out.png").exists()
