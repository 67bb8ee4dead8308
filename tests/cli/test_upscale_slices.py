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
