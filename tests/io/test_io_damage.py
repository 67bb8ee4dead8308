"""Truncated, corrupt and hostile files: an error in one line, never half a picture."""

import gzip
import struct
import warnings
import zlib

import nibabel as nib
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from classicsr.io import FileError, read_image, read_volume, write_image

SUFFIXES = [".png", ".jpg", ".tif", ".webp", ".bmp"]


@pytest.fixture(scope="module")
def pixels():
    smooth = np.add.outer(np.arange(48), 2 * np.arange(64)).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 40, (48, 64, 3), np.uint8)
    return smooth[..., None] + noise


@pytest.fixture(scope="module")
def contents(pixels, tmp_path_factory):
    """File contents by name; the TIFF of other programs have their directory in front."""
    folder = tmp_path_factory.mktemp("whole")
    for suffix in SUFFIXES:
        write_image(folder / f"8{suffix}", pixels)
    for suffix in (".png", ".tif"):
        write_image(folder / f"16{suffix}", pixels.astype(np.uint16) * 257)
    write_image(folder / "float.tif", pixels[..., 0].astype(np.float32))
    tifffile.imwrite(folder / "plain.tif", pixels, photometric="rgb")
    Image.fromarray(pixels).save(folder / "lzw.tif", compression="tiff_lzw")
    Image.fromarray(pixels).save(folder / "progressive.jpg", progressive=True)
    Image.fromarray(pixels).save(folder / "lossy.webp", lossless=False)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


NAMES = [f"8{suffix}" for suffix in SUFFIXES]
NAMES += ["16.png", "16.tif", "float.tif", "plain.tif", "lzw.tif", "progressive.jpg", "lossy.webp"]


def result_or_error(read, path):
    """What reading gives, or its error, which must be one line that starts with the path."""
    try:
        return read(path)
    except FileError as error:
        text = str(error)
        if "\n" in text or not text.startswith(str(path)):
            pytest.fail(f"not one line that names the file: {text!r}")
        return error


@pytest.mark.parametrize("name", NAMES)
def test_truncated_images_are_refused_or_whole(tmp_path, contents, name):
    content, path = contents[name], tmp_path / name
    path.write_bytes(content)
    whole = read_image(path).array
    n_refused = 0
    cuts = [
        *range(1, 64),
        *range(64, len(content) - 64, 97),
        *range(len(content) - 64, len(content)),
    ]
    for cut in cuts:
        path.write_bytes(content[:cut])
        result = result_or_error(read_image, path)
        if isinstance(result, FileError):
            n_refused += 1
        else:  # only bytes after the last pixel were missing
            np.testing.assert_array_equal(result.array, whole)
    assert n_refused >= len(cuts) - 64


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_flipped_bytes_give_a_picture_or_a_file_error(tmp_path_factory, contents, data):
    name = data.draw(st.sampled_from(NAMES))
    content = bytearray(contents[name])
    last = len(content) - 1
    near_header = st.integers(0, min(200, last))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(near_header | st.integers(0, last))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("flip") / name
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = result_or_error(read_image, path)
    assert isinstance(result, FileError) or (result.array.ndim in (2, 3) and result.array.size)


def declare(content, name):
    """The same file claiming 30000 x 40000 RGB pixels."""
    content = bytearray(content)
    if name.endswith(".png"):
        content[16:24] = struct.pack(">II", 40000, 30000)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    elif name.endswith(".bmp"):
        content[18:26] = struct.pack("<ii", 40000, 30000)
    else:
        start = content.index(b"\xff\xc0") + 5
        content[start : start + 4] = struct.pack(">HH", 30000, 40000)
    return bytes(content)


@pytest.mark.parametrize("name", ["8.png", "16.png", "8.bmp", "8.jpg"])
def test_headers_that_claim_too_much_are_refused_at_once(tmp_path, contents, name):
    (tmp_path / name).write_bytes(declare(contents[name], name))
    with pytest.raises(FileError, match="declares 40000 x 30000 x 3 samples, more than the limit"):
        read_image(tmp_path / name)


def test_tiff_segments_beyond_the_end(tmp_path, pixels):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, pixels[..., 0].astype(np.float32))
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["StripByteCounts"].overwrite(0)
    with pytest.raises(FileError, match="pixels are missing"):
        read_image(path)


@pytest.fixture(scope="module")
def volume_content(tmp_path_factory):
    path = tmp_path_factory.mktemp("volume") / "x.nii.gz"
    stored = np.random.default_rng(0).integers(-999, 999, (9, 8, 7), np.int16)
    nib.save(nib.Nifti1Image(stored, np.eye(4)), path)
    return gzip.decompress(path.read_bytes())


def read_all(path):
    volume = read_volume(path)
    return [volume.frame(i) for i in range(volume.n_frames)]


@pytest.mark.parametrize("compressed", [False, True])
def test_truncated_volumes_are_refused(tmp_path, volume_content, compressed):
    content = gzip.compress(volume_content) if compressed else volume_content
    path = tmp_path / ("x.nii.gz" if compressed else "x.nii")
    for cut in [*range(1, 400, 7), *range(400, len(content), 31), len(content) - 1]:
        path.write_bytes(content[:cut])
        with pytest.raises(FileError) as caught:
            read_all(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


def test_a_wrong_check_sum_is_refused(tmp_path, volume_content):
    content = bytearray(gzip.compress(volume_content))
    content[-6] ^= 1
    (tmp_path / "x.nii.gz").write_bytes(content)
    with pytest.raises(FileError, match=r"truncated or corrupt \(CRC check failed"):
        read_all(tmp_path / "x.nii.gz")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    flips=st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), min_size=1, max_size=4),
    compressed=st.booleans(),
)
def test_flipped_header_bytes_give_a_volume_or_a_file_error(
    tmp_path_factory, volume_content, flips, compressed
):
    content = bytearray(volume_content)
    for position, value in flips:
        content[position] = value
    path = tmp_path_factory.mktemp("flip") / "x.nii"
    path.write_bytes(gzip.compress(content) if compressed else content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = result_or_error(read_all, path)
    assert isinstance(result, FileError) or sum(frame.nbytes for frame in result) < 10_000


def test_a_small_file_that_claims_a_huge_volume(tmp_path, volume_content):
    content = bytearray(volume_content)
    content[40:56] = struct.pack("<8h", 7, *[32767] * 7)
    for name, stored in (("x.nii", content), ("x.nii.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(stored)
        with pytest.raises(FileError, match="voxels are missing"):
            read_volume(tmp_path / name)


def test_a_header_that_claims_huge_extensions(tmp_path, volume_content):
    content = bytearray(volume_content)
    content[108:112] = struct.pack("<f", 2.0**31)
    (tmp_path / "x.nii").write_bytes(content)
    with pytest.raises(FileError, match="truncated or corrupt"):
        read_volume(tmp_path / "x.nii")
