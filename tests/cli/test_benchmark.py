"""``classicsr benchmark`` on small images."""

from __future__ import annotations

import json

import numpy as np
import pytest


def test_a_report_of_one_image(run, tmp_path, image_path):
    out = tmp_path / "out"
    options = ("--scale", "2", "-o", out, "--repeats", 0, "--jobs", 1)
    outcome = run("benchmark", "--methods", "bicubic", "--data", image_path, *options)
    assert (outcome.status, outcome.err) == (0, "")
    assert "bicubic" in outcome.out
    document = json.loads((out / "results.json").read_text())
    assert [row["image"] for row in document["rows"]] == ["input"]
    assert document["rows"][0]["data"] == image_path.parent.name
    assert (out / "results.csv").exists()


def test_a_folder_of_mixed_formats_names_what_failed(run, tmp_path, image_path, volume_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    (tmp_path / "text.txt").write_text("not for us")
    options = ("--scale", "2", "-o", tmp_path / "out", "--repeats", 0, "--jobs", 1)
    outcome = run("benchmark", "--methods", "bicubic", "--data", tmp_path, *options)
    assert outcome.status == 1
    assert len(outcome.err.splitlines()) == 1
    assert "broken.png" in outcome.err
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert {row["image"]: row["error"] is None for row in rows} == {
        "input": True,
        "thick": True,
        "broken": False,
    }


@pytest.mark.parametrize(
    ("argument", "value", "reason"),
    [
        ("--methods", "bicubik", "did you mean 'bicubic'?"),
        ("--metrics", "psnr,beauty", "beauty"),
        ("--degradation", "fog", "'fog'"),
        ("--masks", "no-such-folder", "is not a folder"),
        ("--scale", "1", "1 or more"),
    ],
)
def test_wrong_usage_is_one_line(run, tmp_path, image_path, argument, value, reason):
    options = {"--methods": "bicubic", "--data": image_path, "--scale": "2"} | {argument: value}
    arguments = [one for pair in options.items() for one in pair]
    outcome = run("benchmark", *arguments, "-o", tmp_path / "out")
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 1
    assert reason in outcome.err
    assert not (tmp_path / "out").exists()


def test_sets_are_named_by_their_folders(tmp_path, image_path):
    from classicsr.cli._data import find_sets

    names = ("ct/test", "oct/test", "mri")
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        np.save(tmp_path / name / "other.npy", np.zeros(1))
        (tmp_path / name / "a.png").write_bytes(image_path.read_bytes())
    sets = find_sets([str(tmp_path / name) for name in names] + [str(image_path)])
    assert {key: [path.name for path in paths] for key, paths in sets.items()} == {
        "ct/test": ["a.png"],
        "oct/test": ["a.png"],
        "mri": ["a.png"],
        tmp_path.name: ["input.png"],
    }
