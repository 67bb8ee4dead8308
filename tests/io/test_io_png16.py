"""16-bit PNG against a plain encoder written from the specification."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from classicsr.io import FileError, read_image, write_image

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
ADAM7 += [(0, 1, 1, 2)]  # first x, first y, step x, step y


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(image, first_filter):
    """Bytes of one (sub-)image; rows use the five filter types in turn."""
    rows = image.astype(image.dtype.newbyteorder(">")).reshape(len(image), -1)
    rows = np.frombuffer(rows.tobytes(), np.uint8).reshape(len(image), -1).astype(int)
    n = image.shape[2] * image.dtype.itemsize
    out = bytearray()
    for y, row in enumerate(rows):
        kind = (first_filter + y) % 5
        out.append(kind)
        for x, value in enumerate(row):
            a = row[x - n] if x >= n else 0
            b = rows[y - 1][x] if y else 0
            c = rows[y - 1][x - n] if y and x >= n else 0
            out.append((value - (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]) % 256)
    return bytes(out)


def chunk(name, content):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def encode(image, *, first_filter=0, interlaced=False, extra=b""):
    height, width, channels = image.shape
    parts = [image]
    if interlaced:
        parts = [image[y::dy, x::dx] for x, y, dx, dy in ADAM7]
    data = zlib.compress(b"".join(filtered(part, first_filter) for part in parts if part.size))
    header = struct.pack(
        ">IIBBBBB",
        width,
        height,
        8 * image.dtype.itemsize,
        COLOUR_TYPES[channels],
        0,
        0,
        interlaced,
    )
    cut = len(data) // 2
    pixels = chunk(b"IDAT", data[:cut]) + chunk(b"IDAT", data[cut:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("interlaced", [False, True])
def test_the_encoder_of_this_test_is_right(tmp_path, rng, interlaced):
    image = rng.integers(0, 255, (9, 11, 3), np.uint8)
    (tmp_path / "x.png").write_bytes(encode(image, interlaced=interlaced))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "x.png")), image)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    channels=st.integers(1, 4),
    first_filter=st.integers(0, 4),
    interlaced=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_all_filters_and_interlacing(
    tmp_path_factory, height, width, channels, first_filter, interlaced, seed
):
    image = np.random.default_rng(seed).integers(0, 65536, (height, width, channels), np.uint16)
    path = tmp_path_factory.mktemp("png") / "x.png"
    path.write_bytes(encode(image, first_filter=first_filter, interlaced=interlaced))
    array = read_image(path).array
    assert array.dtype == np.uint16
    np.testing.assert_array_equal(array, image[..., 0] if channels == 1 else image)


@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_colour(tmp_path, rng, channels):
    image = rng.integers(0, 65536, (4, 5, channels), np.uint16)
    key = chunk(b"tRNS", image[1, 2].astype(">u2").tobytes())
    (tmp_path / "x.png").write_bytes(encode(image, extra=key))
    array = read_image(tmp_path / "x.png").array
    np.testing.assert_array_equal(array[..., :channels], image)
    expected = np.full((4, 5), 65535)
    expected[1, 2] = 0
    np.testing.assert_array_equal(array[..., -1], expected)


def test_bands_join_seamlessly(tmp_path, rng, monkeypatch):
    from classicsr.io import _png16

    image = rng.integers(0, 65536, (23, 6, 3), np.uint16)
    write_image(tmp_path / "one.png", image)
    monkeypatch.setattr(_png16, "_BAND_BYTES", 100)
    write_image(tmp_path / "many.png", image)
    np.testing.assert_array_equal(read_image(tmp_path / "many.png").array, image)
    assert (tmp_path / "one.png").read_bytes()[-12:] == (tmp_path / "many.png").read_bytes()[-12:]


def damaged(image, kind):
    content = encode(image)
    if kind == "check sum":
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    if kind == "filter":
        data = zlib.compress(b"\x07" + filtered(image, 0)[1:])
    else:
        data = zlib.compress(filtered(image, 0)[:-20])
    header = content[: 8 + 25]
    return header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["check sum", "filter", "missing pixels"])
def test_damage_is_refused(tmp_path, rng, kind):
    image = rng.integers(0, 65536, (14, 15, 3), np.uint16)
    (tmp_path / "x.png").write_bytes(damaged(image, kind))
    with pytest.raises(FileError, match=r"x\.png: truncated or corrupt"):
        read_image(tmp_path / "x.png")


def test_a_decompression_bomb_stays_small(tmp_path):
    import tracemalloc

    header = struct.pack(">IIBBBBB", 10, 10, 16, 2, 0, 0, 0)
    bomb = chunk(b"IDAT", zlib.compress(bytes(50_000_000)))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + bomb + chunk(b"IEND", b"")
    (tmp_path / "x.png").write_bytes(content)
    tracemalloc.start()
    array = read_image(tmp_path / "x.png").array
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert array.shape == (10, 10, 3)
    assert peak < 5_000_000
