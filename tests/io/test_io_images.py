"""Images: pixels from file to array and back."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from classicsr.io import FileError, read_image, write_image
from classicsr.io import _picture as picture_module

LOSSLESS = [".png", ".tif", ".webp", ".bmp"]
TRUNCATABLE = [".png", ".jpg", ".tif", ".webp", ".bmp"]


def some_pixels(rng, channels, dtype, shape=(11, 7)):
    shape = shape if channels == 1 else (*shape, channels)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("channels", [1, 3, 4, 2])
def test_uint8_round_trip(tmp_path, rng, suffix, channels):
    array = some_pixels(rng, channels, np.uint8)
    path = tmp_path / f"x{suffix}"
    if suffix == ".bmp" and channels in (2, 4):
        with pytest.raises(FileError, match=r"BMP has no alpha channel \(PNG, TIFF and WebP keep"):
            write_image(path, array)
        return
    write_image(path, array)
    back = read_image(path).array
    if suffix == ".webp" and channels < 3:  # WebP has no grey: the channels are equal
        grey = array if channels == 1 else array[..., 0]
        np.testing.assert_array_equal(back[..., :3], np.stack([grey] * 3, axis=2))
    else:
        np.testing.assert_array_equal(back, array)
    assert back.flags.c_contiguous


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_uint16_round_trip(tmp_path, rng, suffix, channels):
    array = some_pixels(rng, channels, np.uint16)
    write_image(tmp_path / f"x{suffix}", array)
    back = read_image(tmp_path / f"x{suffix}").array
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint32", "float16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_keeps_other_numbers(tmp_path, rng, dtype, channels):
    array = some_pixels(rng, channels, dtype)
    if array.dtype.kind == "f":
        array.flat[0] = np.nan
    write_image(tmp_path / "x.tiff", array)
    back = read_image(tmp_path / "x.tiff").array
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_big_endian_and_non_contiguous_arrays(tmp_path, rng):
    array = some_pixels(rng, 3, np.uint16).astype(">u2")[::-1, ::2]
    for suffix in (".png", ".tif"):
        write_image(tmp_path / f"x{suffix}", array)
        back = read_image(tmp_path / f"x{suffix}").array
        assert back.dtype.isnative
        np.testing.assert_array_equal(back, array)


def test_other_programs_read_the_files(tmp_path, rng):
    grey = some_pixels(rng, 1, np.uint16)
    rgb = some_pixels(rng, 3, np.uint16)
    write_image(tmp_path / "grey.png", grey)
    write_image(tmp_path / "rgb.tif", rgb)
    write_image(tmp_path / "rgb.png", rgb)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "grey.png")), grey)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "rgb.tif"), rgb)
    # Pillow keeps the upper byte of 16-bit colour
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "rgb.png")), rgb >> 8)


def test_jpeg_is_written_finely(tmp_path):
    columns, rows = np.meshgrid(np.linspace(0, 255, 64), np.linspace(0, 255, 48))
    array = np.stack([columns, rows, 255 - columns], axis=2).astype(np.uint8)
    write_image(tmp_path / "x.jpg", array)
    with Image.open(tmp_path / "x.jpg") as image:
        assert [(h, v) for _, h, v, _ in image.layer] == [(1, 1)] * 3
    error = read_image(tmp_path / "x.jpg").array.astype(int) - array
    assert np.sqrt((error**2).mean()) < 2


@pytest.mark.parametrize("mode", ["P", "1", "CMYK", "LA", "YCbCr"])
def test_other_modes_become_grey_or_rgb(tmp_path, rng, mode):
    rgb = Image.fromarray(some_pixels(rng, 3, np.uint8, (24, 20)))
    image = rgb.convert(mode)
    suffix = ".jpg" if mode in ("CMYK", "YCbCr") else ".png"
    image.save(tmp_path / f"x{suffix}")
    expected_mode = {"1": "L", "LA": "LA"}.get(mode, "RGB")
    with Image.open(tmp_path / f"x{suffix}") as opened:
        expected = np.asarray(opened.convert(expected_mode))
    array = read_image(tmp_path / f"x{suffix}").array
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("mode", ["1", "CMYK", "P", "RGBA"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits"])
def test_tiff_modes_and_codecs_of_other_programs(tmp_path, rng, mode, compression):
    image = Image.fromarray(some_pixels(rng, 3, np.uint8)).convert(mode)
    image.save(tmp_path / "x.tif", compression=compression)
    expected = image.convert({"1": "L", "RGBA": "RGBA"}.get(mode, "RGB"))
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif").array, np.asarray(expected))


def test_lzw_tiff_of_16_bits(tmp_path, rng):
    grey = some_pixels(rng, 1, np.uint16)
    Image.fromarray(grey).save(tmp_path / "x.tif", compression="tiff_lzw")
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif").array, grey)


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_predictor_of_other_programs(tmp_path, rng, mode):
    array = some_pixels(rng, 3 if mode == "RGB" else 1, np.uint16 if mode == "I;16" else np.uint8)
    Image.fromarray(array).save(tmp_path / "x.tif", compression="tiff_deflate", tiffinfo={317: 2})
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif").array, array)


def test_white_is_zero_and_separate_planes(tmp_path, rng):
    grey, rgb = some_pixels(rng, 1, np.uint16), some_pixels(rng, 3, np.uint16)
    tifffile.imwrite(tmp_path / "white.tif", 65535 - grey, photometric="miniswhite")
    planes = np.ascontiguousarray(np.moveaxis(rgb, 2, 0))
    tifffile.imwrite(tmp_path / "p.tif", planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(tmp_path / "white.tif").array, grey)
    np.testing.assert_array_equal(read_image(tmp_path / "p.tif").array, rgb)


def test_big_endian_tiff_and_bigtiff(tmp_path, rng):
    array = some_pixels(rng, 1, np.float32)
    tifffile.imwrite(tmp_path / "x.tif", array, byteorder=">", bigtiff=True)
    back = read_image(tmp_path / "x.tif").array
    assert back.dtype.isnative
    np.testing.assert_array_equal(back, array)


def test_transparent_colour_becomes_alpha(tmp_path):
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[0, 1] = (9, 8, 7)
    Image.fromarray(rgb).save(tmp_path / "rgb.png", transparency=(9, 8, 7))
    Image.fromarray(rgb[..., 0]).save(tmp_path / "grey.png", transparency=9)
    palette = Image.fromarray(rgb).quantize(4)
    palette.save(tmp_path / "palette.png", transparency=palette.getpixel((1, 0)))
    for name in ("rgb", "grey", "palette"):
        alpha = read_image(tmp_path / f"{name}.png").array[..., -1]
        np.testing.assert_array_equal(alpha, [[255, 0], [255, 255]])


def test_pages_and_frames_are_counted_in_the_error(tmp_path, rng):
    stack = rng.integers(0, 255, (3, 8, 9), np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", stack, photometric="minisblack")
    frames = [Image.fromarray(frame).convert("RGB") for frame in stack]
    frames[0].save(tmp_path / "x.webp", save_all=True, append_images=frames[1:])
    with pytest.raises(FileError, match="holds 3 pages"):
        read_image(tmp_path / "x.tif")
    with pytest.raises(FileError, match="animation of 3 frames"):
        read_image(tmp_path / "x.webp")


def test_a_thumbnail_beside_the_image_is_left_out(tmp_path, rng):
    array = some_pixels(rng, 1, np.uint8)
    with tifffile.TiffWriter(tmp_path / "x.tif") as tiff:
        tiff.write(array, metadata=None)
        tiff.write(array[::2, ::2], subfiletype=1, metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif").array, array)


def test_channels_of_unknown_meaning_are_refused(tmp_path, rng):
    tifffile.imwrite(
        tmp_path / "x.tif",
        some_pixels(rng, 4, np.uint16),
        photometric="minisblack",
        planarconfig="contig",
    )
    with pytest.raises(FileError, match="4 channels that are not grey, RGB or alpha"):
        read_image(tmp_path / "x.tif")


@pytest.mark.parametrize(
    ("suffix", "dtype", "keeps"),
    [
        (".jpg", "uint16", "PNG and TIFF keep them"),
        (".webp", "uint16", "PNG and TIFF keep them"),
        (".bmp", "uint16", "PNG and TIFF keep them"),
        (".png", "float32", "TIFF keeps them"),
        (".jpg", "float64", "TIFF keeps them"),
        (".png", "int16", "TIFF keeps them"),
    ],
)
def test_depths_that_a_format_does_not_hold(tmp_path, rng, suffix, dtype, keeps):
    with pytest.raises(FileError, match=keeps):
        write_image(tmp_path / f"x{suffix}", some_pixels(rng, 1, dtype))
    assert not any(tmp_path.iterdir())


def test_alpha_into_jpeg_is_refused_and_leaves_nothing(tmp_path, rng):
    with pytest.raises(FileError, match=r"x\.jpg: JPEG has no alpha channel \(PNG, TIFF and WebP"):
        write_image(tmp_path / "x.jpg", some_pixels(rng, 4, np.uint8))
    assert not any(tmp_path.iterdir())


def test_unknown_suffix_and_shapes(tmp_path):
    with pytest.raises(FileError, match="unknown image format"):
        write_image(tmp_path / "x.gif", np.zeros((2, 2), np.uint8))
    for shape in ((2,), (2, 2, 5), (0, 2), (2, 2, 2, 2)):
        with pytest.raises(ValueError, match="'array' parameter of write_image"):
            write_image(tmp_path / "x.png", np.zeros(shape, np.uint8))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp"])
def test_one_pixel(tmp_path, suffix):
    write_image(tmp_path / f"x{suffix}", np.full((1, 1, 3), 128, np.uint8))
    assert abs(read_image(tmp_path / f"x{suffix}").array.astype(int) - 128).max() <= 1


def test_webp_and_jpeg_have_a_largest_side(tmp_path):
    with pytest.raises(FileError, match=r"at most 16383 per side \(PNG and TIFF hold more\)"):
        write_image(tmp_path / "x.webp", np.zeros((2, 16384), np.uint8))
    with pytest.raises(FileError, match="at most 65500 per side"):
        write_image(tmp_path / "x.jpg", np.zeros((65501, 2), np.uint8))


def test_existing_files_are_kept_without_overwrite(tmp_path):
    path = tmp_path / "x.png"
    write_image(path, np.zeros((2, 2), np.uint8))
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"x\.png: exists already"):
        write_image(path, np.ones((2, 2), np.uint8))
    assert path.read_bytes() == before
    write_image(path, np.ones((2, 2), np.uint8), overwrite=True)
    assert read_image(path).array.all()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_images_beyond_pillows_own_size_limit(tmp_path, suffix, monkeypatch):
    array = np.zeros((300, 400), np.uint8)
    write_image(tmp_path / f"x{suffix}", array)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert read_image(tmp_path / f"x{suffix}").array.shape == array.shape


@pytest.mark.parametrize("suffix", TRUNCATABLE)
def test_declared_size_is_checked_before_decoding(tmp_path, suffix, monkeypatch):
    write_image(tmp_path / f"x{suffix}", np.zeros((30, 40, 3), np.uint8))
    monkeypatch.setattr(picture_module, "MAX_SAMPLES", 30 * 40 * 3 - 1)
    monkeypatch.setattr(Image.Image, "crop", lambda *_: pytest.fail("pixels were decoded"))
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda *_: pytest.fail("decoded"))
    with pytest.raises(FileError, match="more than the limit"):
        read_image(tmp_path / f"x{suffix}")


def test_the_limit_lets_16384_squared_rgba_pass():
    picture_module.check_size("x", 16384, 16384, 4)


def test_medical_files_read_as_pillow_reads_them(medical):
    for name in ("xray/train/nema_rg3_cr_leg.png", "oct/test/sdoct_09_averaged.png"):
        with Image.open(medical / name) as image:
            expected = np.asarray(image)
        array = read_image(medical / name).array
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)
