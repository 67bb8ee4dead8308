"""DICOM series, label maps and time series from file to file."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from classicsr import BicubicSR, upscale_labels
from classicsr.io import read_volume


@pytest.fixture
def labels():
    return np.random.default_rng(3).integers(0, 3, (7, 8, 5)).astype(np.int16)


def save(path, voxels, affine=None):
    nib.save(nib.Nifti1Image(voxels, np.diag([1.0, 1, 3, 1]) if affine is None else affine), path)
    return path


# --- DICOM


@pytest.mark.parametrize("name", ["out.nii.gz", "out", "out.v2"])
def test_a_series_becomes_nifti_or_a_derived_series(run, series, tmp_path, name):
    folder, voxels = series()
    out = tmp_path / name
    outcome = run(
        "upscale", folder, "-o", out, "--model", "bicubic", "--scale", "1x1x2", "--json", "-"
    )
    assert (outcome.status, outcome.err) == (0, "")
    result = read_volume(out)
    np.testing.assert_array_equal(result.frame(0), BicubicSR().predict(voxels, scale=(1, 1, 2)))
    (record,) = json.loads(outcome.out)["results"]
    assert record["spacing_out"] == pytest.approx([1, 1, 1])
    if out.is_dir():
        import pydicom

        data = pydicom.dcmread(next(out.iterdir()))
        assert data.DerivationDescription.endswith(": bicubic 1x1x2")
    else:
        assert result.header["descrip"].item().endswith(b": bicubic 1x1x2")


def test_a_folder_of_series_and_files(run, series, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("a", "b"):
        shutil.move(series()[0], scans / name)
    next((scans / "b").iterdir()).unlink()
    save(scans / "c.nii", np.zeros((4, 4, 4), np.uint8))
    outcome = run("upscale", scans, "-o", tmp_path / "out", "--model", "bicubic", "--scale", 2)
    if outcome.status:  # the slice that is gone was not an outer one
        assert "1 slice(s) missing" in outcome.err
        assert outcome.err.count("\n") == 1
    assert {"a", "c.nii"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert read_volume(tmp_path / "out" / "a").shape == (14, 12, 10)


def test_warnings_name_the_folder_once(run, series, tmp_path):
    folder, _ = series(SpacingBetweenSlices=5)
    outcome = run("upscale", folder, "-o", tmp_path / "o", "--model", "bicubic", "--scale", 2)
    assert outcome.status == 0
    assert outcome.err.count(str(folder)) == 1
    assert "warning: slices are 2 mm apart" in outcome.err


# --- label maps


def test_labels_of_a_volume(run, volume_path, labels, tmp_path):
    source, out = save(tmp_path / "labels.nii.gz", labels), tmp_path / "labels-out.nii.gz"
    options = ("--model", "bicubic", "--spacing", 1, "--labels", source, "--labels-out", out)
    outcome = run("upscale", volume_path, "-o", tmp_path / "out.nii.gz", *options, "--json", "-")
    assert outcome.status == 0
    result, image = read_volume(out), read_volume(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(result.frame(0), upscale_labels(labels, (1, 1, 3)))
    assert (result.dtype, result.shape) == (labels.dtype, image.shape)
    np.testing.assert_array_equal(result.affine, image.affine)
    (record,) = json.loads(outcome.out)["results"]
    assert record["labels_output"] == str(out)


def test_labels_of_an_image(run, image_path, tmp_path):
    labels = np.random.default_rng(3).integers(0, 3, (18, 24)).astype(np.uint8)
    source, out = tmp_path / "labels.png", tmp_path / "labels-out.png"
    Image.fromarray(labels).save(source)
    options = ("--scale", 2, "--model", "bicubic", "--labels", source, "--labels-out")
    assert run("upscale", image_path, "-o", tmp_path / "out.png", *options, out).status == 0
    np.testing.assert_array_equal(np.asarray(Image.open(out)), upscale_labels(labels, 2))
    outcome = run("upscale", image_path, "-o", tmp_path / "b.png", *options, tmp_path / "l.jpg")
    assert outcome.status == 1
    assert "a format without loss" in outcome.err
    assert not (tmp_path / "b.png").exists()


def test_labels_of_a_series(run, series, labels, tmp_path):
    folder, voxels = series()
    source = save(tmp_path / "labels.nii", labels[:, :6], read_volume(folder).affine)
    options = ("--model", "bicubic", "--scale", 2, "--labels", source, "--labels-out")
    assert run("upscale", folder, "-o", tmp_path / "o", *options, tmp_path / "l.nii").status == 0
    assert read_volume(tmp_path / "l.nii").shape == tuple(2 * n for n in voxels.shape)


@pytest.mark.parametrize(
    ("shape", "affine", "message"),
    [
        ((7, 8, 4), None, "do not lie on the voxels"),
        ((7, 8, 5), np.diag([-1.0, 1, 3, 1]), "do not lie on the voxels"),
    ],
)
def test_labels_of_another_grid(run, volume_path, tmp_path, shape, affine, message):
    source = save(tmp_path / "labels.nii", np.zeros(shape, np.uint8), affine)
    options = ("--model", "bicubic", "--labels", source, "--labels-out", tmp_path / "l.nii")
    outcome = run("upscale", volume_path, "-o", tmp_path / "out.nii", *options)
    assert outcome.status == 1
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "out.nii").exists()


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        (1, ["--labels", "a.nii"], "--labels and --labels-out go together"),
        (1, ["--labels-out", "a.nii"], "--labels and --labels-out go together"),
        (2, ["--labels", "a.nii", "--labels-out", "b.nii"], "--labels goes with one input"),
        (1, ["--labels", "a.nii", "--labels-out", "out.nii"], "2 results would all be written"),
    ],
)
def test_wrong_usage_of_labels(run, volume_path, inputs, options, message):
    outcome = run("upscale", *[volume_path] * inputs, "-o", "out.nii", *options)
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert message in outcome.err


# --- time series


def test_the_time_step_is_kept(run, tmp_path):
    image = nib.Nifti1Image(np.arange(96, dtype=">i2").reshape(4, 4, 3, 2), np.eye(4))
    image.header.set_zooms((1, 1, 3, 2.5))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "bold.nii.gz")
    out = tmp_path / "out.nii.gz"
    assert run("upscale", tmp_path / "bold.nii.gz", "-o", out, "--model", "tv").status == 0
    header = nib.load(out).header
    assert header.get_data_shape() == (4, 4, 9, 2)
    assert header.get_zooms() == (1, 1, 1, 2.5)
    assert header.get_xyzt_units() == ("mm", "sec")
