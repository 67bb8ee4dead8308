"""What one child measures, run in this process: figures, reasons, pictures."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from classicsr import BicubicSR
from classicsr.degradation import SliceProfileDegradation
from classicsr.io import read_image
from classicsr.metrics import psnr
from classicsr.report import METRICS, Forward
from classicsr.report._case import Case
from classicsr.report._pictures import Window, decode
from classicsr.report._worker import records_of
from classicsr.super_resolution import evaluate


def task_of(*paths: Path, **changes) -> dict:
    images = [{"path": str(path), "pictured": True} for path in paths]
    task = {"work": "quality", "method": "bicubic", "model": None, "scale": 2, "lr": "float"}
    task |= {"degradation": "bicubic", "metrics": ["psnr", "ssim", "consistency"], "threads": 1}
    return task | {"masks": None, "labels": None, "repeats": 2, "images": images} | changes


def save_volume(path: Path, data: np.ndarray, spacing=(1.0, 1.0, 1.0)) -> Path:
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(data, np.diag([*spacing, 1.0])), path)
    return path


@pytest.fixture
def blob() -> np.ndarray:
    x, y, z = np.mgrid[:24, :20, :26]
    return (900 * np.exp(-((x - 12) ** 2 + (y - 9) ** 2 + (z - 13) ** 2) / 60)).astype(np.float32)


@pytest.mark.parametrize("lr", ["float", "uint8"])
def test_figures_are_those_of_the_literature_protocol(image_folder, lr):
    path = image_folder / "a.png"
    (record,) = records_of(task_of(path, lr=lr))
    expected = evaluate(BicubicSR(), [("a", read_image(path).array)], 2, lr=lr)[0]
    assert record["metrics"]["psnr"] == expected["psnr"]
    assert record["metrics"]["ssim"] == expected["ssim"]
    assert record["samples"] == 40 * 36
    assert decode(record["picture"]).shape == (40, 36)


def test_a_volume_is_compared_in_its_own_units(tmp_path, blob):
    path = save_volume(tmp_path / "v.nii.gz", blob, (1, 1, 0.5))
    (record,) = records_of(task_of(path, degradation="slice", scale=2, metrics=list(METRICS)))
    low = SliceProfileDegradation((1, 1, 2)).forward(blob)
    result = BicubicSR().predict(low, scale=(1, 1, 2), spacing=(1, 1, 1.0))
    expected = psnr(blob, result, data_range=float(np.ptp(blob)), crop=(0, 0, 2))
    assert record["metrics"]["psnr"] == pytest.approx(expected)
    assert record["metrics"]["ms_ssim"] is None
    assert "176 samples" in record["notes"]["ms_ssim"]
    assert record["notes"]["dice"] == "no folder was given for it"


def test_slices_show_the_enlarged_axis_with_the_shape_of_the_voxels(tmp_path, blob):
    path = save_volume(tmp_path / "v.nii.gz", blob, (1, 1, 0.5))
    case = Case.read(path, Forward.parse("slice"), 2, "float")
    window = Window.of(case)
    assert window.shown == (1, 2, 0)
    assert window.aspect == 0.5
    top = np.zeros_like(case.reference)
    top[..., -1] = 1000
    slices = window.strip(top).reshape(window.n_slices, 26, 24)
    assert (slices[:, 0] == 255).all()  # the last voxel is the uppermost row
    assert (slices[:, 1:] == 0).all()


def test_regions(tmp_path, blob):
    path = save_volume(tmp_path / "v.nii.gz", blob)
    labels = (blob > 100).astype(np.uint8) + (blob > 500)
    save_volume(tmp_path / "regions" / "v.nii.gz", labels)
    folder = str(tmp_path / "regions")
    names = ["roi_psnr", "cnr", "enl", "dice"]
    (record,) = records_of(task_of(path, metrics=names, masks=folder, labels=folder))
    assert record["notes"] == {}
    assert record["metrics"]["dice"] > 0.9
    assert record["metrics"]["cnr"] > 1


def test_sharpness_where_asked(tmp_path, write_png):
    y, x = np.mgrid[:48, :48]
    edge = 0.5 + 0.4 * np.tanh((x - 24 + 0.1 * y) / 2)
    path = write_png(tmp_path / "e.png", edge)
    write_png(tmp_path / "masks" / "e.png", (abs(x - 22) < 14) * (abs(y - 24) < 9) * 1.0)
    names = ["edge_width", "frc"]
    (record,) = records_of(task_of(path, metrics=names, masks=str(tmp_path / "masks")))
    assert record["notes"] == {}
    assert 2 < record["metrics"]["edge_width"] < 8
    assert record["metrics"]["frc"] >= 2


def test_companions_that_do_not_fit(tmp_path, image_folder, write_png, make_texture):
    paths = [image_folder / f"{name}.png" for name in "ab"]
    write_png(tmp_path / "masks" / "a.png", make_texture((30, 30), 0))
    masks = str(tmp_path / "masks")
    metrics = ["psnr", "roi_psnr", "dice"]
    first, second = records_of(task_of(*paths, metrics=metrics, masks=masks, labels=masks))
    for name in ("roi_psnr", "dice"):
        assert "shape" in first["notes"][name]
        assert second["notes"][name] == "the folder masks has no file named b"
    assert first["metrics"]["psnr"] is not None


def test_files_that_cannot_be_compared(tmp_path, image_folder, blob):
    damaged = image_folder / "d.png"
    damaged.write_bytes((image_folder / "a.png").read_bytes()[:60])
    blob[3, 3, 3] = np.nan
    with_nan = save_volume(tmp_path / "nan.nii", blob)
    flat = save_volume(tmp_path / "flat.nii", np.ones((9, 9, 9), np.float32))
    floats = tmp_path / "floats.tif"
    Image.fromarray(np.ones((9, 9), np.float32)).save(floats)
    paths = (damaged, with_nan, flat, floats, image_folder / "a.png")
    *failed, last = (record for path in paths for record in records_of(task_of(path)))
    for record, reason in zip(failed, ("d.png", "not finite", "are equal", "floats"), strict=True):
        assert reason in record["error"]
        assert str(tmp_path) not in record["error"]
    assert last["metrics"]["psnr"] > 15


def test_a_scale_of_volumes_and_a_damaged_model(image_folder, tmp_path):
    path = image_folder / "a.png"
    (record,) = records_of(task_of(path, scale=[1, 1, 3]))
    assert "3 factors" in record["error"]
    model = tmp_path / "broken.safetensors"
    model.write_bytes(b"nothing")
    (record,) = records_of(task_of(path, model=str(model)))
    assert record["error"].startswith("broken.safetensors")


def test_one_pixel_and_constant_images(tmp_path):
    paths = [tmp_path / "dot.png", tmp_path / "flat.png"]
    Image.fromarray(np.full((2, 2), 9, np.uint8)).save(paths[0])
    Image.fromarray(np.full((30, 30), 9, np.uint8)).save(paths[1])
    dot, flat = records_of(task_of(*paths))
    assert "crop" in dot["notes"]["psnr"]
    assert flat["metrics"]["psnr"] is None
    assert flat["notes"]["psnr"] == "infinite"


def test_times_and_memory(image_folder):
    (record,) = records_of(task_of(image_folder / "a.png", work="time"))
    assert 0 < record["seconds"] < 10
    assert record["runs"] == 2
    assert record["peak_bytes"] > 1e7


def test_methods_are_told_the_forward_model(image_folder):
    def consistency(degradation: str) -> float:
        task = task_of(image_folder / "a.png", method="ibp", degradation=degradation)
        return next(iter(records_of(task)))["metrics"]["consistency"]

    assert consistency("gaussian:1.2") < 1
    assert consistency("bicubic") < 1


def test_fitting_writes_a_model(image_folder, tmp_path, make_texture, write_png):
    model = tmp_path / "raisr.safetensors"
    train = [str(write_png(tmp_path / f"t{k}.png", make_texture((90, 90), k))) for k in range(3)]
    task = {"work": "fit", "method": "raisr", "native_scale": 2, "degradation": "gaussian:1.5"}
    task |= {"train": train, "model": str(model), "seed": 0, "threads": 1}
    (record,) = records_of(task)
    assert "error" not in record
    (record,) = records_of(task_of(image_folder / "a.png", model=str(model)))
    assert record["metrics"]["psnr"] > 15


def test_noise_is_part_of_what_methods_learn_from(tmp_path, image_folder, make_texture, write_png):
    """Fitted to noisy inputs, a method errs less on them than fitted to clean ones."""
    train = [str(write_png(tmp_path / f"t{k}.png", make_texture((90, 90), k))) for k in range(3)]
    seen = {}
    for fitted_for in ("bicubic", "noise:8"):
        model = tmp_path / "raisr.safetensors"
        task = {"work": "fit", "method": "raisr", "native_scale": 2, "degradation": fitted_for}
        task |= {"train": train, "model": str(model), "seed": 0, "threads": 1}
        assert "error" not in next(records_of(task))
        tested = task_of(image_folder / "a.png", model=str(model), degradation="noise:8")
        seen[fitted_for] = next(records_of(tested))["metrics"]["psnr"]
    assert seen["noise:8"] > seen["bicubic"] + 0.3


def test_under_noise_methods_are_not_fitted_on_volumes(tmp_path, blob):
    path = save_volume(tmp_path / "v.nii.gz", blob)
    task = {"work": "fit", "method": "aplus", "native_scale": 2, "degradation": "noise:2"}
    task |= {"train": [str(path)], "model": str(tmp_path / "m.safetensors")}
    (record,) = records_of(task | {"seed": 0, "threads": 1})
    assert "not on volumes" in record["error"]
