"""--reference: another contrast guides the result."""

import json

import nibabel as nib
import numpy as np
import pytest

from classicsr import NonLocalSR
from classicsr.io import read_volume


@pytest.fixture
def reference_path(volume_path, tmp_path):
    """Another contrast of the same places, on the grid of thin slices."""
    thick = read_volume(volume_path)
    sharp = np.repeat(thick.frame(0).astype(np.float32), 3, axis=2)
    affine = thick.affine @ np.diag([1, 1, 1 / 3, 1])
    affine[:3, 3] -= affine[:3, 2]
    path = tmp_path / "t1.nii.gz"
    nib.save(nib.Nifti1Image(np.sqrt(np.abs(sharp)) * -50, affine), path)
    return path


def test_the_result_is_that_of_python(run, volume_path, reference_path, tmp_path):
    out, record = tmp_path / "out.nii.gz", tmp_path / "record.json"
    options = ("--model", "nlm", "--reference", reference_path, "--json", record)
    outcome = run("upscale", volume_path, "-o", out, *options)
    assert outcome.status == 0, outcome.err
    assert json.loads(record.read_text())["results"][0]["reference"] == str(reference_path)
    thick, sharp = read_volume(volume_path), read_volume(reference_path)
    sr, places = NonLocalSR((1, 1, 3)), (thick.affine, sharp.affine)
    expected = sr.predict(
        thick.frame(0), reference=sharp.frame(0), affine=places[0], reference_affine=places[1]
    )
    np.testing.assert_array_equal(read_volume(out).frame(0), expected)
    assert not np.array_equal(expected, sr.predict(thick.frame(0)))


def test_what_is_no_reference(run, volume_path, reference_path, image_path, tmp_path):
    series, out = tmp_path / "series.nii.gz", tmp_path / "out.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((8, 8, 8, 3), np.float32), np.eye(4)), series)
    far = tmp_path / "far.nii.gz"
    place = np.eye(4)
    place[:3, 3] = 9000
    nib.save(nib.Nifti1Image(np.random.default_rng(0).random((8, 8, 8)), place), far)
    for source, options, message in (
        (volume_path, ("--reference", series), "holds 3 frames"),
        (volume_path, ("--reference", far), "no place in common"),
        (volume_path, ("--reference", image_path), str(image_path)),
        (volume_path, ("--reference", tmp_path / "none.nii.gz"), "none.nii.gz"),
        (volume_path, ("--reference", reference_path, "--model", "bicubic"), "'self' and 'nlm'"),
        (image_path, ("--reference", reference_path), "for volumes"),
    ):
        outcome = run("upscale", source, "-o", out, "--model", "nlm", *options)
        assert outcome.status == 1
        assert message in outcome.err
        assert not out.exists()


def test_usage(run, volume_path, tmp_path):
    assert run("upscale", volume_path, "-o", tmp_path / "out.nii.gz", "--register").status == 2
