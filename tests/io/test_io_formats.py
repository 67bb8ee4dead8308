"""Which file is what, folders of inputs, names of outputs."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from classicsr.io import FileError, expand_inputs, kind_of, output_path_for, read_image, read_volume


@pytest.fixture
def grey():
    return np.arange(20, dtype=np.uint8).reshape(4, 5)


def test_content_decides_not_the_suffix(tmp_path, grey):
    path = tmp_path / "photo.jpg"
    Image.fromarray(grey).save(path, format="PNG")
    assert kind_of(path) == "image"
    np.testing.assert_array_equal(read_image(path).array, grey)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_every_image_format_is_recognised(tmp_path, grey, suffix):
    path = tmp_path / f"x{suffix.upper()}"
    Image.fromarray(grey).save(path, format=Image.registered_extensions()[suffix])
    assert kind_of(path) == "image"


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image])
def test_volumes_are_recognised(tmp_path, suffix, image_class):
    path = tmp_path / f"x{suffix}"
    nib.save(image_class(np.zeros((2, 3, 4), np.int16), np.eye(4)), path)
    assert kind_of(path) == "volume"


def test_gzipped_volume_without_gz_in_its_name(tmp_path, rng):
    stored = rng.integers(0, 99, (3, 4, 5), np.int16)
    nib.save(nib.Nifti1Image(stored, np.eye(4)), tmp_path / "x.nii.gz")
    path = (tmp_path / "x.nii.gz").rename(tmp_path / "x.nii")
    np.testing.assert_array_equal(read_volume(path).frame(0), stored)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"just some text", "not a .png file"),
        ("a.nii", b"just some text" * 50, "not a .nii file"),
        ("a.nii.gz", gzip.compress(b"just some text" * 50, mtime=0), "not a .nii.gz file"),
        ("a.nii.gz", gzip.compress(bytes(600), mtime=0)[:12], "truncated or corrupt"),
        ("a.nii.gz", b"\x1f\x8b" + b"no gzip" * 9, "truncated or corrupt"),
        ("a.txt", b"just some text", "unknown format"),
        ("a.png", b"", "is empty"),
        ("a.nii", b"\x89PNG\r\n\x1a\n", "it holds PNG"),
    ],
)
def test_wrong_content_gives_one_line_that_names_the_file(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        kind_of(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert reason in message
    assert "\n" not in message


def test_volume_named_like_an_image(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.eye(4)), tmp_path / "x.nii")
    path = (tmp_path / "x.nii").rename(tmp_path / "x.png")
    with pytest.raises(FileError, match="it holds NIfTI"):
        kind_of(path)


def test_each_reader_refuses_the_other_kind(tmp_path, grey):
    Image.fromarray(grey).save(tmp_path / "x.png")
    nib.save(nib.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.eye(4)), tmp_path / "x.nii")
    with pytest.raises(FileError, match="is an image, not a volume"):
        read_volume(tmp_path / "x.png")
    with pytest.raises(FileError, match="is a volume, not an image"):
        read_image(tmp_path / "x.nii")


@pytest.mark.parametrize("read", [kind_of, read_image, read_volume])
def test_missing_file(tmp_path, read):
    with pytest.raises(FileError, match=r"x\.png: no such file"):
        read(tmp_path / "x.png")


@pytest.mark.parametrize("read", [kind_of, read_image, read_volume])
def test_unreadable_file(without_permissions, lock, grey, read):
    path = without_permissions / "x.png"
    Image.fromarray(grey).save(path)
    lock()
    with pytest.raises(FileError, match=r"x\.png: cannot be read \(permission denied\)"):
        read(path)


def test_unreadable_folder(without_permissions, lock):
    (without_permissions / "x.png").touch()
    lock()
    (path,) = expand_inputs([without_permissions])
    with pytest.raises(FileError, match=r"locked: cannot be read \(permission denied\)"):
        kind_of(path)


def test_file_error_is_an_os_error_and_a_value_error():
    assert issubclass(FileError, OSError)
    assert issubclass(FileError, ValueError)


def test_a_folder_gives_its_readable_files_sorted(tmp_path):
    for name in ("b.png", "a.nii.gz", "C.TIF", "pair.hdr", "pair.img", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    (tmp_path / "sub.png").mkdir()
    names = [path.name for path in expand_inputs([tmp_path])]
    assert names == ["C.TIF", "a.nii.gz", "b.png", "pair.hdr"]


def test_files_and_folders_keep_their_order(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "y.png").touch()
    assert expand_inputs([tmp_path / "z.png", folder]) == [tmp_path / "z.png", folder / "y.png"]


def test_an_empty_folder_and_a_missing_file_stay_and_fail_when_opened(tmp_path):
    inputs = expand_inputs([tmp_path, tmp_path / "missing.png"])
    assert inputs == [tmp_path, tmp_path / "missing.png"]
    with pytest.raises(FileError, match="a folder without readable files"):
        kind_of(inputs[0])


def test_output_of_one_input_is_the_file_itself(tmp_path):
    assert output_path_for("in/t1.nii.gz", tmp_path / "out.nii.gz", 1) == tmp_path / "out.nii.gz"


def test_output_inside_a_folder_keeps_the_double_suffix(tmp_path):
    assert output_path_for("in/t1.nii.gz", tmp_path, 1) == tmp_path / "t1.nii.gz"
    assert output_path_for("in/t1.nii.gz", tmp_path / "new", 2) == tmp_path / "new" / "t1.nii.gz"
    assert output_path_for("in/t1.v2.hdr", tmp_path, 2) == tmp_path / "t1.v2.nii"


def test_several_inputs_need_a_folder(tmp_path):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "new.png"):
        with pytest.raises(FileError, match="several inputs need a folder"):
            output_path_for("a.png", out, 2)
    (tmp_path / "folder.png").mkdir()
    assert output_path_for("a.png", tmp_path / "folder.png", 2).parent.name == "folder.png"
