"""Options that say what the slices of a volume are."""

import json

import numpy as np
import pytest

from classicsr import SelfVolumeSR
from classicsr.io import read_volume


def upscaled(run, volume_path, tmp_path, *options):
    out, record = tmp_path / "out.nii.gz", tmp_path / "record.json"
    outcome = run("upscale", volume_path, "-o", out, "--json", record, "--overwrite", *options)
    assert outcome.status == 0, outcome.err
    return read_volume(out).frame(0), json.loads(record.read_text())["results"][0]


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ((), {}),
        (("--profile", "gaussian"), {"profile": "gaussian"}),
        (("--thickness", "2.4"), {"thickness": 0.8}),
        (("--gap", "0.6", "--axis", "2"), {"thickness": 0.8, "axis": 2}),
    ],
)
def test_self_is_the_default_and_takes_the_slices(run, volume_path, tmp_path, options, parameters):
    result, record = upscaled(run, volume_path, tmp_path, *options)
    assert record["model"] == "self"
    assert record["learned"]["thick_axis"] == 2
    source = read_volume(volume_path).frame(0)
    expected = SelfVolumeSR((1, 1, 3), **parameters).predict(source)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model", "bicubic", "--gap", "1"), "are for the method 'self'"),
        (("--gap", "3"), "leaves no slice"),
    ],
)
def test_options_that_do_not_fit(run, volume_path, tmp_path, options, message):
    outcome = run("upscale", volume_path, "-o", tmp_path / "out.nii.gz", *options)
    assert outcome.status == 1
    assert message in outcome.err
    assert outcome.err.count("\n") <= 2


def test_slices_are_of_volumes(run, image_path, tmp_path, bundle):
    outcome = run("upscale", image_path, "-o", tmp_path / "out.png", "--thickness", "2")
    assert outcome.status == 1
    assert "are for volumes" in outcome.err


@pytest.mark.parametrize("options", [("--thickness", "-1"), ("--gap", "x"), ("--axis", "3"),
                                     ("--gap", "1", "--thickness", "1")])  # fmt: skip
def test_usage(run, volume_path, tmp_path, options):
    assert run("upscale", volume_path, "-o", tmp_path / "out.nii.gz", *options).status == 2


def test_one_slice(run, tmp_path):
    import nibabel as nib

    source, out = tmp_path / "one.nii.gz", tmp_path / "out.nii.gz"
    voxels = np.random.default_rng(0).integers(0, 900, (9, 8, 1)).astype(np.float32)
    nib.save(nib.Nifti1Image(voxels, np.diag([1.0, 1, 4, 1])), source)
    assert run("upscale", source, "-o", out).status == 0
    thin = read_volume(out).frame(0)
    np.testing.assert_allclose(thin.reshape(9, 8, 1, 4).mean(axis=3), voxels, atol=0.1)


# --- what DICOM says


@pytest.mark.parametrize(
    ("options", "thickness", "source"),
    [
        ((), 2.4, "SliceThickness"),
        (("--thickness", "4.5"), 4.5, "option"),
        (("--gap", "1.5"), 1.5, "option"),
    ],
)
def test_dicom_says_how_thick_slices_are(run, series, tmp_path, options, thickness, source):
    folder, voxels = series(spacing=(1, 1, 3), SliceThickness=2.4)
    out, record = tmp_path / "out.nii.gz", tmp_path / "record.json"
    outcome = run("upscale", folder, "-o", out, "--json", record, *options)
    assert outcome.status == 0, outcome.err
    expected = SelfVolumeSR((1, 1, 3), thickness=thickness / 3).predict(voxels)
    np.testing.assert_array_equal(read_volume(out).frame(0), expected)
    slices = json.loads(record.read_text())["results"][0]["slices"]
    assert (slices["axis"], slices["thickness_from"]) == (2, source)
    assert slices["thickness"] == pytest.approx(thickness)
    assert slices["gap"] == pytest.approx(3 - thickness)
    remark = "slices are 2.4 mm thick and 3 mm apart, with gaps"
    assert outcome.err.count(remark) == (source == "SliceThickness")


@pytest.mark.parametrize(
    ("spacing", "thickness", "options"),
    [
        (3, None, ()),
        (3, 3.0000002, ()),
        (3, 30.0, ()),  # which cannot be
        (3, 4.5, ("--model", "bicubic")),
        (3, 4.5, ("--spacing", "0.5x0.5x0.5")),  # pixels are not slices
        (0.5, 0.7, ("--axis", "0", "--scale", "2x1x1")),
    ],
)
def test_where_the_thickness_is_not_asked_for(run, series, tmp_path, spacing, thickness, options):
    folder, _ = series(spacing=(1, 1, spacing), SliceThickness=thickness)
    outcome = run("upscale", folder, "-o", tmp_path / "out.nii.gz", "--json", "-", *options)
    assert outcome.status == 0, outcome.err
    assert "mm thick" not in outcome.err
    assert ("which is ignored" in outcome.err) == (thickness == 30)
    slices = json.loads(outcome.out)["results"][0].get("slices")
    assert (slices is None) == ("bicubic" in options)
    if slices:
        assert slices["thickness"] == slices["distance"]


def test_a_series_says_nothing_of_the_next(run, series, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for name, thickness in (("a", 4.5), ("b", None)):
        series(spacing=(1, 1, 3), SliceThickness=thickness)[0].rename(scans / name)
    outcome = run("upscale", scans, "-o", tmp_path / "out", "--json", "-")
    first, second = (one["slices"] for one in json.loads(outcome.out)["results"])
    assert (first["thickness"], first["gap"]) == pytest.approx((4.5, -1.5))
    assert (second["thickness"], second["thickness_from"]) == (3, "default")
