"""Maps in the units of an image, in files of every kind."""

import numpy as np
import pytest

from classicsr.io import FileError, Metadata, Picture, read_image, write_image_map

VALUES = np.array([[-300, -1.4, 0], [0.6, 127, 400]], np.float32)


def picture(dtype, shape=(2, 3)):
    return Picture(np.zeros(shape, dtype), Metadata(icc_profile=b"not for grey"))


@pytest.mark.parametrize(
    ("name", "dtype", "signed", "expected"),
    [
        ("a.png", np.uint8, True, [[0, 127, 128], [129, 255, 255]]),
        ("a.png", np.uint8, False, [[0, 0, 0], [1, 127, 255]]),
        ("a.png", np.uint16, True, [[32468, 32767, 32768], [32769, 32895, 33168]]),
        ("a.tif", np.uint8, True, VALUES),
        ("a.tiff", np.float64, False, VALUES),
    ],
)
def test_values(name, dtype, signed, expected, tmp_path):
    path = tmp_path / name
    write_image_map(path, VALUES, picture(dtype), signed=signed)
    found = read_image(path)
    np.testing.assert_array_equal(found.array, np.asarray(expected, found.array.dtype))
    assert found.metadata.icc_profile is None


@pytest.mark.parametrize(("channels", "kept"), [(1, ()), (2, ()), (3, (3,)), (4, (3,))])
def test_alpha_is_left_out(channels, kept, tmp_path):
    values = np.zeros((2, 3, channels), np.float32)
    write_image_map(tmp_path / "a.png", values, picture(np.uint8), signed=True)
    assert read_image(tmp_path / "a.png").array.shape == (2, 3, *kept)


def test_floats_need_tiff(tmp_path):
    with pytest.raises(FileError, match="float32 image"):
        write_image_map(tmp_path / "a.png", VALUES, picture(np.float32), signed=False)
