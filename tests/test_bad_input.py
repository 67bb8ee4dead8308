"""Bad input from file to file with the bundled models: one test for each kind.

The rooms test the details; here the whole program must answer with a correct file or one line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from classicsr import load_model
from classicsr.cli import main

HOSTILE = {
    "empty": b"",
    "pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system",
    "length": (2**62).to_bytes(8, "little") + b"{}",
    "text": b"import os; os.system('true')\n" * 9,
}


@pytest.fixture
def upscale(capfd, tmp_path):
    """Run ``classicsr upscale``; returns the exit status and stderr, which holds no traceback."""

    def run(*argv):
        status = main(["upscale", *map(str, argv)])
        error = capfd.readouterr().err
        assert "Traceback" not in error
        assert not list(tmp_path.glob("**/.classicsr-*")), "a temporary file was left"
        return status, error

    return run


def save_image(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


def save_volume(path, data, affine=None, **header):
    image = nib.Nifti1Image(data, np.diag([1.0, 1, 3, 1]) if affine is None else affine)
    for key, value in header.items():
        getattr(image.header, f"set_{key}")(*value)
    nib.save(image, path)
    return path


def texture(shape, dtype, make_texture):
    slices = [make_texture(shape[:2], seed) for seed in range(int(np.prod(shape[2:])) or 1)]
    data = np.stack(slices, axis=-1).reshape(shape)
    return (data * 900 - 300).astype(dtype)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_stay_where_they_are(value, upscale, tmp_path, make_texture):
    data = texture((16, 14, 6), np.float32, make_texture)
    clean = save_volume(tmp_path / "clean.nii.gz", data)
    data[3, 4, 2] = value
    holed = save_volume(tmp_path / "holed.nii.gz", data)
    for path in (clean, holed):
        out = path.with_name(f"out-{path.name}")
        assert upscale(path, "-o", out, "--model", "aplus-x2", "--scale", "2x2x1")[0] == 0
    found, expected = (
        np.asarray(nib.load(tmp_path / f"out-{name}.nii.gz").dataobj) for name in ("holed", "clean")
    )
    bad = ~np.isfinite(found)
    assert bad[6:8, 8:10, 2].all()
    assert bad.sum() == 4
    np.testing.assert_array_equal(found[:, :, [0, 1, 3, 4, 5]], expected[:, :, [0, 1, 3, 4, 5]])


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (3, 3)])
def test_images_smaller_than_a_patch(shape, upscale, tmp_path):
    path = save_image(tmp_path / "tiny.png", np.full(shape, 77, np.uint8))
    assert upscale(path, "-o", tmp_path / "out.png", "--scale", "3")[0] == 0
    result = np.asarray(Image.open(tmp_path / "out.png"))
    np.testing.assert_array_equal(result, np.full((shape[0] * 3, shape[1] * 3), 77))


def test_empty_arrays_and_files(upscale, tmp_path):
    with pytest.raises(ValueError, match="at least one pixel"):
        load_model("aplus-x2").predict(np.empty((0, 5)))
    (tmp_path / "empty.png").touch()
    status, error = upscale(tmp_path / "empty.png", "-o", tmp_path / "out.png")
    assert status == 1
    assert "empty.png" in error
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("damage", ["truncated", "corrupt", "wrong extension", "missing"])
def test_a_bad_file_is_named_and_the_batch_goes_on(damage, upscale, tmp_path, make_texture):
    good = save_image(tmp_path / "good.png", (make_texture((20, 22), 0) * 255).astype(np.uint8))
    bad = tmp_path / "bad.png"
    content = good.read_bytes()
    if damage == "truncated":
        bad.write_bytes(content[: len(content) // 2])
    elif damage == "corrupt":
        bad.write_bytes(content[:60] + bytes(60) + content[120:])
    elif damage == "wrong extension":
        bad.write_text("this is not a picture\n")
    status, error = upscale(bad, good, "-o", tmp_path / "out")
    assert status == 1
    lines = [line for line in error.splitlines() if not line.startswith("compiling")]
    assert len(lines) == 1
    assert "bad.png" in lines[0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write anything")
@pytest.mark.parametrize("which", ["unreadable", "unwritable"])
def test_places_without_permission(which, upscale, tmp_path):
    path = save_image(tmp_path / "in.png", np.zeros((5, 5), np.uint8))
    target = tmp_path / "locked"
    target.mkdir()
    (path if which == "unreadable" else target).chmod(0o000 if which == "unreadable" else 0o500)
    status, error = upscale(path, "-o", target / "out.png")
    assert status == 1
    assert ("in.png" if which == "unreadable" else "locked") in error


def test_full_disk(upscale, tmp_path, monkeypatch):
    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    path = save_image(tmp_path / "in.png", np.zeros((9, 9), np.uint8))
    monkeypatch.setattr(os, "fsync", no_space)
    status, error = upscale(path, "-o", tmp_path / "out.png")
    assert status == 1
    assert "out.png" in error
    assert "space" in error
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32])
def test_constant_volumes_stay_constant(dtype, upscale, tmp_path):
    path = save_volume(tmp_path / "flat.nii.gz", np.full((6, 7, 4), 93, dtype))
    assert upscale(path, "-o", tmp_path / "out.nii.gz", "--scale", "2x2x3")[0] == 0
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "out.nii.gz").dataobj), 93)


def test_negative_hounsfield_units(upscale, tmp_path, make_texture):
    data = texture((20, 18, 4), np.int16, make_texture) - 700
    path = save_volume(tmp_path / "ct.nii.gz", data)
    assert upscale(path, "-o", tmp_path / "out.nii.gz", "--scale", "2x2x1")[0] == 0
    image = nib.load(tmp_path / "out.nii.gz")
    result = np.asarray(image.dataobj)
    assert image.get_data_dtype() == np.int16
    assert result.min() < -900
    blocks = result.reshape(20, 2, 18, 2, 4).mean((1, 3))
    assert np.abs(blocks - data).mean() < 12


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["i2", "u2", "f4"])
def test_types_byte_orders_and_scaling(dtype, order, upscale, tmp_path, make_texture):
    data = np.abs(texture((12, 10, 4), np.dtype(dtype), make_texture))
    slope, inter = 2.5, -40.0
    image = nib.Nifti1Image(data, np.diag([1.0, 1, 3, 1]))
    header = image.header.as_byteswapped(order)
    image = nib.Nifti1Image(data.astype(order + dtype), None, header)
    image.header.set_slope_inter(slope, inter)
    raw = tmp_path / "raw.nii"
    raw.write_bytes(_with_stored(image, data.astype(order + dtype)))
    plain = save_volume(tmp_path / "plain.nii", data)
    for path in (raw, plain):
        assert upscale(path, "-o", path.with_name(f"out-{path.name}"), "--scale", "2x2x1")[0] == 0
    found, expected = (nib.load(tmp_path / f"out-{name}.nii") for name in ("raw", "plain"))
    assert found.header.endianness == order
    assert found.get_data_dtype() == np.dtype(order + dtype)
    np.testing.assert_array_equal(found.dataobj.get_unscaled(), np.asarray(expected.dataobj))
    assert (found.dataobj.slope, found.dataobj.inter) == (slope, inter)


def _with_stored(image, stored):
    """NIfTI bytes whose voxels are `stored` as they are, whatever the header's scaling."""
    header = image.header.copy()
    header["magic"], header["vox_offset"] = b"n+1", 352
    return header.binaryblock + bytes(4) + stored.tobytes(order="F")


def test_series_and_color_volumes(upscale, tmp_path, make_texture):
    series = texture((10, 9, 4, 3), np.int16, make_texture)
    path = save_volume(tmp_path / "series.nii.gz", series)
    assert upscale(path, "-o", tmp_path / "out.nii.gz", "--scale", "2x2x1")[0] == 0
    result = nib.load(tmp_path / "out.nii.gz")
    assert result.shape == (20, 18, 4, 3)
    one = save_volume(tmp_path / "one.nii.gz", series[..., 1])
    assert upscale(one, "-o", tmp_path / "out1.nii.gz", "--scale", "2x2x1")[0] == 0
    np.testing.assert_array_equal(
        np.asarray(result.dataobj)[..., 1], np.asarray(nib.load(tmp_path / "out1.nii.gz").dataobj)
    )
    rgb = np.zeros((6, 5, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["G"] = 200
    path = save_volume(tmp_path / "rgb.nii.gz", rgb)
    assert upscale(path, "-o", tmp_path / "out-rgb.nii.gz", "--scale", "2x2x1")[0] == 0
    result = np.asarray(nib.load(tmp_path / "out-rgb.nii.gz").dataobj)
    assert result.shape == (12, 10, 3)
    assert (result["G"] == 200).all()
    assert (result["R"] == 0).all()


def test_rotated_volumes_keep_their_place(upscale, tmp_path, make_texture):
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3] = turn * [0.8, 0.9, 3.3]
    affine[:3, 3] = [-70, 12, 33]
    path = save_volume(
        tmp_path / "oblique.nii.gz", texture((10, 9, 5), np.int16, make_texture), affine
    )
    assert upscale(path, "-o", tmp_path / "out.nii.gz", "--scale", "2x2x3")[0] == 0
    found = nib.load(tmp_path / "out.nii.gz").affine
    voxel = np.array([4.0, 7, 2])
    inside = voxel * [2, 2, 3] + [0.5, 0.5, 1]
    np.testing.assert_allclose(
        found[:3, :3] @ inside + found[:3, 3], affine[:3, :3] @ voxel + affine[:3, 3], atol=1e-4
    )


def test_disagreeing_forms_warn_and_say_which_is_used(upscale, tmp_path, make_texture):
    image = nib.Nifti1Image(texture((8, 8, 4), np.int16, make_texture), np.diag([1.0, 1, 3, 1]))
    image.set_qform(np.diag([1.0, 1, 3, 1]), code=1)
    shifted = np.diag([1.0, 1, 3, 1])
    shifted[:3, 3] = 25
    image.set_sform(shifted, code=1)
    nib.save(image, tmp_path / "forms.nii.gz")
    status, error = upscale(
        tmp_path / "forms.nii.gz", "-o", tmp_path / "out.nii.gz", "--scale", "2x2x1"
    )
    assert status == 0
    assert "sform" in error
    assert "qform" in error
    np.testing.assert_allclose(nib.load(tmp_path / "out.nii.gz").affine[:3, 3], [24.75, 24.75, 25])


def test_a_scale_that_no_model_has_lists_what_there_is(upscale, tmp_path):
    path = save_image(tmp_path / "in.png", np.zeros((5, 5), np.uint8))
    status, error = upscale(path, "-o", tmp_path / "out.png", "--scale", "7")
    assert status == 2
    assert "x2, x3, x4" in error
    with pytest.raises(ValueError, match="reaches x2"):
        load_model("aplus-x2").predict(np.zeros((5, 5)), scale=3)


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_models_are_refused(content, upscale, tmp_path):
    model = tmp_path / "model.safetensors"
    model.write_bytes(content)
    path = save_image(tmp_path / "in.png", np.zeros((5, 5), np.uint8))
    status, error = upscale(path, "-o", tmp_path / "out.png", "--model", model)
    assert status == 2
    assert "model.safetensors" in error
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_outputs_are_whole_or_absent_after(name, tmp_path, make_texture):
    source = tmp_path / "in"
    source.mkdir()
    pixels = np.tile((make_texture((200, 200), 0) * 255).astype(np.uint8), (3, 3))
    for number in range(12):
        save_image(source / f"{number:02}.png", pixels)
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "classicsr", "upscale", source, "-o", out, "--scale", "2"],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(out.glob("0*.png")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(getattr(signal, name))
    process.wait(timeout=60)
    written = sorted(out.glob("[0-9]*.png"))
    assert written
    for path in written:
        with Image.open(path) as image:
            assert np.asarray(image).shape == (1200, 1200)
    if name != "SIGKILL":
        assert not list(out.glob(".classicsr-*"))
