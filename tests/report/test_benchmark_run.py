"""Whole runs: child processes, the cache, what is done about failures and kills."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from classicsr import BicubicSR
from classicsr.io import read_image
from classicsr.report import Plan, benchmark
from classicsr.report import _children as children
from classicsr.report import _run as runs
from classicsr.super_resolution import evaluate


def plan_of(folder: Path, *methods: str, **changes) -> Plan:
    options = {"metrics": ["psnr", "rmse"], "repeats": 1, "n_jobs": 1, "scales": [2]} | changes
    return Plan(methods or ("bicubic",), {"images": sorted(folder.iterdir())}, **options)


def figures(results) -> list[tuple]:
    return [(row.method, row.image, row.scale, row.metrics, row.error) for row in results.rows]


def in_this_process(monkeypatch, before=lambda n_done: None):
    """Run tasks without child processes; `before` sees how many records there were."""
    from classicsr.report._worker import records_of

    count = 0

    def run_child(task):
        nonlocal count
        for record in records_of(task):
            before(count)
            count += 1
            yield record

    monkeypatch.setattr(runs, "run_child", run_child)
    return lambda: count


def test_a_run_is_the_evaluation_of_each_image_and_is_remembered(
    image_folder, tmp_path, monkeypatch
):
    plan = plan_of(image_folder)
    first = benchmark(plan, tmp_path)
    images = [(path.stem, read_image(path).array) for path in plan.data["images"]]
    expected = [row["psnr"] for row in evaluate(BicubicSR(), images, 2)]
    assert [row.metrics["psnr"] for row in first.rows] == expected
    assert all(row.upscale_seconds > 0 and row.peak_bytes > 1e7 for row in first.rows)
    assert first.rows[0].plan == "cubic x2x2"

    count = in_this_process(monkeypatch)
    assert benchmark(plan, tmp_path) == first
    assert count() == 0


def test_a_killed_run_goes_on_and_ends_with_the_same_numbers(image_folder, tmp_path, monkeypatch):
    plan = plan_of(image_folder, "bicubic", "lanczos", repeats=0)
    count = in_this_process(monkeypatch)
    whole = figures(benchmark(plan, tmp_path / "whole"))
    assert count() == 6

    def stop(n_done: int) -> None:
        if n_done == 4:
            raise KeyboardInterrupt

    in_this_process(monkeypatch, stop)
    with pytest.raises(KeyboardInterrupt):
        benchmark(plan, tmp_path / "killed")
    count = in_this_process(monkeypatch)
    assert figures(benchmark(plan, tmp_path / "killed")) == whole
    assert count() == 2


def test_figures_do_not_depend_on_the_number_of_jobs(image_folder, tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    one, two = (
        figures(benchmark(plan_of(image_folder, "nlm", n_jobs=n, repeats=0), tmp_path / str(n)))
        for n in (1, 2)
    )
    assert one == two


def test_other_content_under_the_same_name_is_measured_again(
    image_folder, tmp_path, monkeypatch, write_png, make_texture
):
    count = in_this_process(monkeypatch)
    plan = plan_of(image_folder, repeats=0)
    before = figures(benchmark(plan, tmp_path))
    write_png(image_folder / "b.png", make_texture((40, 36), 9))
    after = figures(benchmark(plan_of(image_folder, repeats=0), tmp_path))
    assert count() == 4
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_a_failed_method_is_a_row_with_its_reason(image_folder, tmp_path, monkeypatch):
    count = in_this_process(monkeypatch)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no model")
    (image_folder / "notes.png").write_text("not a picture")
    plan = plan_of(image_folder, "bicubic", "anr", str(broken), repeats=0)
    results = benchmark(plan, tmp_path / "out")
    by_method = {row.method: row for row in results.rows if row.image == "a"}
    assert by_method["bicubic"].error is None
    assert "no training images were given" in by_method["anr"].error
    assert by_method["broken"].error.startswith("broken.safetensors")
    unreadable = [row for row in results.rows if row.image == "notes"]
    assert all(row.error and str(tmp_path) not in row.error for row in unreadable)
    assert count() == 4  # failures are not remembered: they are tried again
    benchmark(plan, tmp_path / "out")
    assert count() == 5


def test_methods_are_fitted_once(image_folder, tmp_path, monkeypatch, make_texture, write_png):
    train = [write_png(tmp_path / "train" / f"{k}.png", make_texture((90, 90), k)) for k in (5, 6)]
    from classicsr.report import _models as models

    in_this_process(monkeypatch)
    monkeypatch.setattr(models, "run_child", runs.run_child)
    monkeypatch.setattr(models, "bundled_models", dict)
    plan = plan_of(image_folder, "raisr", train=train, repeats=0)
    first = benchmark(plan, tmp_path / "out")
    assert {row.error for row in first.rows} == {None}
    assert first.rows[0].model == "fitted on 2 images, trained for bicubic"
    assert first.rows[0].fit_seconds >= 0
    assert first.rows[0].model_bytes > 1000

    def must_not_run(task):
        raise AssertionError

    monkeypatch.setattr(models, "run_child", must_not_run)
    assert benchmark(plan, tmp_path / "out") == first


def test_an_image_that_kills_its_process_costs_one_row(image_folder, tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "for image in json.load(sys.stdin)['images']:\n"
        "    if image['path'].endswith('b.png'):\n"
        "        print('{\"metr', end='', flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
        "    record = {'metrics': {'psnr': 1.0}, 'samples': 4, 'picture': ''}\n"
        "    print(json.dumps(record), flush=True)\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(children.sys, "executable", str(program))
    monkeypatch.setattr(runs._Run, "_showcases", lambda run, groups: [])
    results = benchmark(plan_of(image_folder, repeats=0), tmp_path / "out")
    assert [row.metrics.get("psnr") for row in results.rows] == [1, None, 1]
    assert "killed" in results.rows[1].error


def test_a_child_that_complains_is_quoted(tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(children.sys, "executable", str(program))
    with pytest.raises(ChildProcessError, match="status 3: no such library"):
        list(children.run_child({"threads": 1}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"methods": ["aplos"]}, "did you mean"),
        ({"methods": []}, "at least one name"),
        ({"methods": ["a/m.safetensors", "b/m.safetensors"]}, "different names"),
        ({"scales": [0.5]}, "1 or more"),
        ({"scales": [1]}, "1 or more"),
        ({"metrics": ["psnrr"]}, "'metrics' parameter"),
        ({"metrics": []}, "at least one name"),
        ({"degradations": ["fog"]}, "degradation 'fog'"),
        ({"degradations": []}, "at least one"),
        ({"data": {"none": []}}, "at least one file"),
        ({"repeats": -1}, "0 or more"),
        ({"lr": "int"}, "'float' or 'uint8'"),
    ],
)
def test_plans_that_are_refused(image_folder, changes, reason):
    options = {"methods": ["bicubic"], "data": {"a": [image_folder / "a.png"]}, "scales": [2]}
    with pytest.raises(ValueError, match=reason):
        Plan(**options | changes)


def test_only_a_clean_bicubic_run_takes_bundled_models_where_there_are_training_images(
    image_folder, tmp_path, monkeypatch
):
    from classicsr.report import _models as models

    learned = []
    monkeypatch.setattr(models, "_fitted", lambda *task: learned.append(task[2].text) or "fitted")
    plan = plan_of(image_folder, "raisr", train=[image_folder / "a.png"], degradations=DEGRADED)
    for forward in plan.forwards:
        models.model_of("raisr", 2, forward, plan, tmp_path)
    assert learned == ["bicubic+noise:2", "gaussian"]


DEGRADED = ("bicubic", "bicubic+noise:2", "gaussian")


@pytest.mark.parametrize(
    ("names", "topics"),
    [
        (["a.png"], {"Images"}),
        (["a.nii.gz"], {"Volumes"}),
        (["a.png", "b.nii"], {"Images", "Volumes"}),
    ],
)
def test_the_protocol_tells_of_the_kinds_there_are(names, topics):
    from classicsr.report._protocol import protocol_of

    plan = Plan(["bicubic"], {"set": [Path(name) for name in names]}, [2])
    assert protocol_of(plan).keys() & {"Images", "Volumes"} == topics


def test_one_name_for_each_image(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "a.tif", tmp_path / "b.png"]
    plan = Plan(["bicubic"], {"set": paths}, [2])
    assert [image.name for image in plan.images] == ["a.png", "a.tif", "b"]


def test_volumes_among_images_are_a_set_of_their_own():
    mixed = {"all": [Path("a.png"), Path("b.nii.gz")], "scans": [Path("c.nii")]}
    images = Plan(["bicubic"], mixed, [2]).images
    assert [one.data for one in images] == ["all", "all (volumes)", "scans"]
