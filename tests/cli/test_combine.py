"""``classicsr combine``: several images or stacks in, one file out."""

import json

import nibabel
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from classicsr.cli import main
from classicsr.degradation import SliceProfileDegradation
from classicsr.io import read_volume, upscaled_affine


def write_stack(path, array, affine):
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return str(path)


@pytest.fixture
def stacks(tmp_path):
    """A scene, and two stacks of it that are thick along different axes."""
    scene = gaussian_filter(np.random.default_rng(0).normal(size=(16, 16, 16)), 1.2)
    scene = (1000 * (scene - scene.min()) / np.ptp(scene)).astype(np.float32)
    paths = []
    for axis in (2, 0):
        thick = np.where(np.arange(3) == axis, 4, 1)
        low = SliceProfileDegradation(tuple(thick)).forward(scene)
        affine = upscaled_affine(np.diag([2.0, 2, 2, 1]), 1 / thick)
        paths.append(write_stack(tmp_path / f"{axis}.nii.gz", low, affine))
    return scene, paths


def test_stacks(stacks, tmp_path):
    scene, paths = stacks
    target = tmp_path / "out.nii.gz"
    assert main(["combine", *paths, "-o", str(target), "--model", "tv"]) == 0
    volume = read_volume(target)
    assert volume.spacing == (2, 2, 2)
    np.testing.assert_allclose(volume.affine, np.diag([2.0, 2, 2, 1]), atol=1e-5)
    error = volume.frame(0) - scene
    single = np.repeat(nibabel.load(paths[0]).get_fdata(), 4, axis=2) - scene
    assert error.std() < 0.5 * single.std()
    command = ["combine", *paths, "-o", str(target), "--model", "tv", "--spacing", "2x2x4"]
    assert main([*command, "--overwrite"]) == 0
    assert read_volume(target).shape == (16, 16, 8)


def test_slices_that_overlap(tmp_path):
    """Told how thick its slices are, a result is closer to the scene; the record says the same."""
    scene = gaussian_filter(np.random.default_rng(1).normal(size=(16, 16, 16)), 1.2)
    scene = (1000 * (scene - scene.min()) / np.ptp(scene)).astype(np.float32)
    paths = []
    for axis in (2, 0):
        factors = tuple(4 if a == axis else 1 for a in range(3))
        low = SliceProfileDegradation(factors, "gaussian", 1.75).forward(scene)
        affine = upscaled_affine(np.diag([2.0, 2, 2, 1]), 1 / np.array(factors))
        paths.append(write_stack(tmp_path / f"{axis}.nii.gz", low, affine))
    target, record = tmp_path / "out.nii.gz", tmp_path / "record.json"
    command = ["combine", *paths, "-o", str(target), "--overwrite", "--json", str(record)]
    errors = []
    for options in ([], ["--thickness", "14", "--profile", "gaussian"]):
        assert main([*command, *options]) == 0
        errors.append((read_volume(target).frame(0) - scene).std())
    assert errors[1] < 0.8 * errors[0]
    (done,) = json.loads(record.read_text())["results"]
    first, second = done["inputs"]
    assert (first["input"], first["spacing_in"]) == (paths[0], [2, 2, 8])
    assert first["slices"] | {"axis": 0} == second["slices"]
    assert second["slices"] == {
        "axis": 0, "profile": "gaussian", "distance": 8, "thickness": 14, "gap": -6,
        "thickness_from": "option",
    }  # fmt: skip
    assert (done["model"], done["registration"], done["warnings"]) == ("map", "none", [])
    assert (done["shape_out"], done["spacing_out"]) == ([16, 16, 16], [2, 2, 2])


def test_dicom_stacks(series, tmp_path, capsys):
    folders = [str(series(spacing=(1, 1, 3), SliceThickness=one)[0]) for one in (2.4, None)]
    target = str(tmp_path / "out.nii.gz")
    assert main(["combine", *folders, "-o", target, "--model", "tv", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("slices are 2.4 mm thick and 3 mm apart") == 1
    (done,) = json.loads(captured.out)["results"]
    assert [one["slices"]["thickness"] for one in done["inputs"]] == pytest.approx([2.4, 3])
    assert done["shape_out"] == list(read_volume(target).shape) == [7, 6, 15]
    assert main(["combine", *folders, "-o", target, "--overwrite", "--model", "nlm"]) == 2
    assert "one slice thickness" in capsys.readouterr().err


@pytest.mark.parametrize(("model", "register"), [("map", None), ("tv", "none"), ("nlm", None)])
def test_images(model, register, tmp_path, make_texture):
    pixels = np.rint(255 * make_texture((20, 22), 0)).astype(np.uint8)
    paths = [str(tmp_path / f"{k}.png") for k in range(2)]
    for k, path in enumerate(paths):
        Image.fromarray(np.roll(pixels, k, axis=1)).save(path)
    target, record = tmp_path / "out.png", tmp_path / "record.json"
    more = [] if register is None else ["--register", register]
    command = ["combine", *paths, "-o", str(target), "--model", model, "--json", str(record)]
    assert main([*command, *more]) == 0
    assert Image.open(target).size == (44, 40)
    (done,) = json.loads(record.read_text())["results"]
    assert [one["input"] for one in done["inputs"]] == paths
    assert (done["scale"], done["shape_out"], done["dtype"]) == (2, [40, 44], "uint8")
    assert main([*command, "--overwrite", "--thickness", "2"]) == 2


def test_wrong_usage(stacks, tmp_path, capsys):
    _, (first, second) = stacks
    target = ["-o", str(tmp_path / "out.nii.gz")]
    picture = str(tmp_path / "a.png")
    wide = str(tmp_path / "b.png")
    Image.new("L", (8, 8)).save(picture)
    Image.new("L", (9, 8)).save(wide)
    lost = write_stack(tmp_path / "lost.nii.gz", np.zeros((4, 4, 4), np.float32), None)
    series = write_stack(tmp_path / "4d.nii.gz", np.zeros((4, 4, 4, 2), np.float32), np.eye(4))
    other = write_stack(tmp_path / "int.nii.gz", np.zeros((4, 4, 4), np.int16), np.eye(4))
    cases = [
        ([first, *target], "two files or more", 2),
        ([first, picture, *target], "not both", 2),
        ([first, lost, *target], "has no affine", 2),
        ([first, series, *target], "2 frames", 2),
        ([first, other, *target], "data type", 2),
        ([first, second, *target, "--spacing", "1x1"], "one number or three", 2),
        ([first, second, *target, "--gap", "8"], "leaves no slice", 2),
        ([first, second, *target, "--model", "nlm"], "one shape", 1),
        ([picture, picture, "-o", str(tmp_path / "o.png"), "--spacing", "1"], "--spacing", 2),
        ([picture, wide, "-o", str(tmp_path / "o.png")], "one shape", 1),
        ([first, str(tmp_path / "none.nii"), *target], "none.nii", 1),
    ]
    for arguments, message, status in cases:
        assert main(["combine", *arguments]) == status, arguments
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
