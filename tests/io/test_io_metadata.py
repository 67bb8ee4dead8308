"""Colour profile, EXIF, orientation and resolution survive; the physical size stays the same."""

import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from classicsr.io import Metadata, Picture, read_image, write_image

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKE, ORIENTATION, X_RESOLUTION, Y_RESOLUTION = 0x010F, 0x0112, 0x011A, 0x011B
EXIF_IFD, GPS_IFD, WIDTH, HEIGHT, EXPOSURE = 0x8769, 0x8825, 0xA002, 0xA003, 0x829A


def exif_of(orientation=1):
    exif = Image.Exif()
    exif[MAKE] = "Maker"
    exif[ORIENTATION] = orientation
    exif[X_RESOLUTION], exif[Y_RESOLUTION] = 72.0, 144.0
    exif[EXIF_IFD] = {WIDTH: 7, HEIGHT: 5, EXPOSURE: 0.25}
    exif[GPS_IFD] = {1: "N", 2: (48.0, 8.0, 0.5)}
    return exif


def test_every_orientation_is_applied_and_reset(tmp_path, rng):
    pixels = rng.integers(0, 255, (5, 7, 3), np.uint8)
    for orientation in range(1, 9):
        path = tmp_path / f"{orientation}.png"
        Image.fromarray(pixels).save(path, exif=exif_of(orientation), dpi=(100, 200))
        with Image.open(path) as image:
            expected = np.asarray(ImageOps.exif_transpose(image))
        picture = read_image(path)
        np.testing.assert_array_equal(picture.array, expected)
        assert picture.array.flags.c_contiguous
        out = tmp_path / f"{orientation}-out.png"
        write_image(out, picture.array, picture)
        with Image.open(out) as image:
            assert image.getexif()[ORIENTATION] == 1
            swaps = orientation >= 5
            assert image.info["dpi"] == pytest.approx((200, 100) if swaps else (100, 200), rel=1e-3)
            exif = image.getexif()
            assert (exif[X_RESOLUTION], exif[Y_RESOLUTION]) == ((144, 72) if swaps else (72, 144))
            details = exif.get_ifd(EXIF_IFD)
            assert (details[WIDTH], details[HEIGHT]) == image.size


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [
        *((suffix, np.uint8) for suffix in (".png", ".jpg", ".webp", ".tif")),
        *((suffix, np.uint16) for suffix in (".png", ".tif")),
    ],
)
def test_profile_exif_and_resolution_are_kept(tmp_path, rng, suffix, dtype):
    first = tmp_path / "source.png"
    options = {"exif": exif_of(), "icc_profile": PROFILE, "dpi": (72, 144)}
    Image.fromarray(rng.integers(0, 255, (5, 7, 3), np.uint8)).save(first, **options)
    source = read_image(first)
    pixels = rng.integers(0, np.iinfo(dtype).max, (15, 14, 3), dtype)
    write_image(tmp_path / f"x{suffix}", pixels, source, scale=(3, 2))
    result = read_image(tmp_path / f"x{suffix}").metadata
    assert result.icc_profile == PROFILE
    if suffix != ".webp":  # it holds the resolution in its EXIF block only
        assert result.dpi == pytest.approx((144, 432), rel=1e-3)
    if suffix != ".tif":
        exif = Image.Exif()
        exif.load(result.exif)
        assert (exif[MAKE], exif[X_RESOLUTION], exif[Y_RESOLUTION]) == ("Maker", 144, 432)
        assert exif.get_ifd(EXIF_IFD) == {WIDTH: 14, HEIGHT: 15, EXPOSURE: 0.25}
        assert exif.get_ifd(GPS_IFD) == {1: "N", 2: (48.0, 8.0, 0.5)}


@pytest.mark.parametrize("unit", ["INCH", "CENTIMETER"])
def test_tiff_keeps_the_physical_size(tmp_path, rng, unit):
    array = rng.random((6, 8)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", array, resolution=(300, 150.5), resolutionunit=unit)
    source = read_image(tmp_path / "a.tif")
    write_image(tmp_path / "b.tif", array.repeat(3, 0).repeat(3, 1), source, 3)
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.pages[0].get_resolution() == pytest.approx((900, 451.5))
        assert tiff.pages[0].resolutionunit == tifffile.RESUNIT[unit]
    # the same size in another format
    write_image(tmp_path / "c.png", np.zeros((18, 24), np.uint8), source, 3)
    factor = 1 if unit == "INCH" else 2.54
    assert read_image(tmp_path / "c.png").metadata.dpi == pytest.approx(
        (900 * factor, 451.5 * factor), rel=1e-3
    )


def test_imagej_calibration_is_kept(tmp_path, rng):
    array = rng.integers(0, 65535, (6, 8), np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", array, imagej=True, resolution=(4, 4), metadata={"unit": "um"}
    )
    source = read_image(tmp_path / "a.tif")
    write_image(tmp_path / "b.tif", array.repeat(2, 0).repeat(2, 1), source, 2)
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.imagej_metadata["unit"] == "um"
        assert tiff.pages[0].get_resolution() == pytest.approx((8, 8))
        assert tiff.asarray().shape == (12, 16)


def test_shapes_told_in_descriptions_are_dropped(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((6, 8), np.uint8), metadata={"axes": "YX"})
    source = read_image(tmp_path / "a.tif")
    write_image(tmp_path / "b.tif", np.zeros((12, 16), np.uint8), source, 2)
    assert tifffile.imread(tmp_path / "b.tif").shape == (12, 16)
    assert source.metadata.description is None


def test_descriptions_of_any_language_are_kept(tmp_path):
    pixels = np.zeros((2, 2), np.uint8)
    source = Picture(pixels, Metadata(description="Gr\u00f6\u00dfe in \u00b5m"))
    write_image(tmp_path / "a.tif", pixels, source)
    assert read_image(tmp_path / "a.tif").metadata.description == source.metadata.description


def test_an_exif_block_too_long_for_jpeg_is_left_out(tmp_path):
    exif = exif_of()
    exif[EXIF_IFD] = {0x927C: bytes(70_000)}
    pixels = np.zeros((2, 2), np.uint8)
    source = Picture(pixels, Metadata(exif=exif.tobytes()))
    write_image(tmp_path / "a.jpg", pixels, source)
    write_image(tmp_path / "a.png", pixels, source)
    assert read_image(tmp_path / "a.jpg").metadata.exif is None
    assert len(read_image(tmp_path / "a.png").metadata.exif) > 70_000


def test_tiff_orientation(tmp_path, rng):
    array = rng.integers(0, 65535, (4, 6, 3), np.uint16)
    tifffile.imwrite(
        tmp_path / "x.tif", array, photometric="rgb", extratags=[(274, "H", 1, 6, True)]
    )
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif").array, np.rot90(array, -1))


def test_the_profile_of_inks_is_not_given_to_rgb(tmp_path):
    Image.new("CMYK", (4, 4)).save(tmp_path / "x.jpg", icc_profile=PROFILE)
    assert read_image(tmp_path / "x.jpg").metadata.icc_profile is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_damaged_exif_costs_a_warning_not_the_pixels(tmp_path, dtype):
    pixels = np.full((4, 4, 3), 7, dtype)
    write_image(tmp_path / "good.png", pixels, Picture(pixels, Metadata(exif=exif_of().tobytes())))
    content = (tmp_path / "good.png").read_bytes()
    start = content.index(b"eXIf")
    length = int.from_bytes(content[start - 4 : start], "big")
    block = b"eXIf" + b"XX" + content[start + 6 : start + 4 + length]
    damaged = block + zlib.crc32(block).to_bytes(4, "big")
    (tmp_path / "x.png").write_bytes(content[:start] + damaged + content[start + 8 + length :])
    with pytest.warns(UserWarning, match=r"x\.png: the EXIF block is damaged"):
        picture = read_image(tmp_path / "x.png")
    np.testing.assert_array_equal(picture.array, pixels)
    assert picture.metadata.exif is None


def test_without_metadata_nothing_is_invented(tmp_path):
    write_image(tmp_path / "x.png", np.zeros((3, 3), np.uint8))
    with Image.open(tmp_path / "x.png") as image:
        assert not image.info


def test_wrong_scale(tmp_path):
    write_image(tmp_path / "x.png", np.zeros((3, 3), np.uint8))
    picture = read_image(tmp_path / "x.png")
    for scale in (0, -1, (1, 2, 3), float("nan")):
        with pytest.raises(ValueError, match="'scale' parameter"):
            write_image(tmp_path / "y.png", picture.array, picture, scale)
