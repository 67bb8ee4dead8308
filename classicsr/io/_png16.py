"""PNG with 16 bits per channel, which Pillow can neither write in colour nor read in full."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from classicsr.io._exif import checked_exif, parse_exif
from classicsr.io._picture import PNG_LEVEL, Metadata, Picture, check_size, upright

Pixels = np.ndarray[Any, Any]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 4: 2, 2: 3, 6: 4}  # colour type -> channels
_METRES_PER_INCH = 0.0254
_MAX_PROFILE_BYTES = 2**24
_BAND_BYTES = 2**22
# first row, first column, row step, column step of the passes of Adam7 interlacing
_ADAM7 = (
    *((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4)),
    *((0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)),
)


def is_needed(path: Path) -> bool:
    """Whether Pillow would lose bits (16-bit colour) or transparency (a 16-bit grey key)."""
    with open(path, "rb") as file:
        for name, content in _chunks(file, path.stat().st_size):
            if name == b"IHDR":
                depth, colour = content[8:10]
                if depth != 16 or colour != 0:
                    return depth == 16
            elif name in (b"tRNS", b"IDAT"):
                return name == b"tRNS"
    return False


def read(path: Path) -> Picture:
    """Decode a 16-bit PNG file: grey, grey and alpha, RGB, RGBA; interlaced too."""
    chunks: dict[bytes, bytes] = {}
    data: list[bytes] = []
    with open(path, "rb") as file:
        for name, content in _chunks(file, path.stat().st_size):
            if name == b"IDAT":
                data.append(content)
            else:
                chunks[name] = content
    width, height, _, colour, *_, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    channels = _CHANNELS[colour]
    check_size(path, height, width, channels)
    array = _decode(data, (height, width, channels), interlace)
    if b"tRNS" in chunks:  # one colour is transparent
        key = np.frombuffer(chunks[b"tRNS"], ">u2", channels)
        alpha = np.where((array == key).all(axis=2, keepdims=True), 0, 65535).astype(np.uint16)
        array = np.concatenate([array, alpha], axis=2)
    metadata, orientation = _metadata(path, chunks)
    return upright(array[..., 0] if array.shape[2] == 1 else array, metadata, orientation)


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    file.seek(len(_SIGNATURE))
    name = b""
    while name != b"IEND":
        length, name = struct.unpack(">I4s", file.read(8))
        if length > size:
            raise ValueError("a chunk is longer than the file")
        content = file.read(length)
        (stored,) = struct.unpack(">I", file.read(4))
        if stored != zlib.crc32(content, zlib.crc32(name)):
            raise ValueError(f"wrong check sum of chunk {name.decode('latin-1')}")
        yield name, content


def _decode(data: list[bytes], shape: tuple[int, int, int], interlace: int) -> Pixels:
    array = np.empty(shape, dtype=np.uint16)
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    parts = [array[y::dy, x::dx] for y, x, dy, dx in passes]
    parts = [part for part in parts if part.size]
    sizes = [part.shape[0] * (1 + 2 * part[0].size) for part in parts]
    inflate = zlib.decompressobj()
    raw = np.frombuffer(inflate.decompress(b"".join(data), sum(sizes)), np.uint8)
    if raw.size < sum(sizes):
        raise ValueError("pixels are missing")
    for part, lines in zip(parts, np.split(raw, np.cumsum(sizes[:-1])), strict=True):
        lines = lines.reshape(part.shape[0], -1)
        part[...] = _unfiltered(lines[:, 0], lines[:, 1:].reshape(*part.shape[:2], -1)).view(">u2")
    return array


def _unfiltered(filters: Pixels, residuals: Pixels) -> Pixels:
    """Add to each byte its prediction from the pixels to the left, above and above left.

    Along an anti-diagonal no pixel depends on another one, so each is done in one step.
    """
    if filters.max() > 4:
        raise ValueError("unknown filter type")
    height, width, n_bytes = residuals.shape
    padded = np.zeros((height + 1, width + 1, n_bytes), np.uint8)
    padded[1:, 1:] = residuals
    flat = padded.reshape(-1, n_bytes)
    for diagonal in range(height + width - 1):
        top, bottom = max(0, diagonal - width + 1), min(height, diagonal + 1)
        first = (top + 1) * (width + 1) + diagonal - top + 1
        last = first + (bottom - top - 1) * width
        left, above, corner = (
            flat[first - back : last - back + 1 : width].astype(np.int16)
            for back in (1, width + 1, width + 2)
        )
        mean = (left + above) >> 1
        guesses = [np.zeros_like(left), left, above, mean, _paeth(left, above, corner)]
        guess = np.choose(filters[top:bottom, None], guesses)
        flat[first : last + 1 : width] += guess.astype(np.uint8)
    return np.ascontiguousarray(padded[1:, 1:])


def _paeth(left: Pixels, above: Pixels, corner: Pixels) -> Pixels:
    to_left, to_above = abs(above - corner), abs(left - corner)
    to_corner = abs(left + above - 2 * corner)
    return np.where(
        (to_left <= to_above) & (to_left <= to_corner),
        left,
        np.where(to_above <= to_corner, above, corner),
    )


def _metadata(path: Path, chunks: dict[bytes, bytes]) -> tuple[Metadata, int]:
    profile, exif, dpi, orientation = None, None, None, 1
    if b"iCCP" in chunks:
        compressed = chunks[b"iCCP"].split(b"\0", 1)[1][1:]
        profile = zlib.decompressobj().decompress(compressed, _MAX_PROFILE_BYTES)
    if b"pHYs" in chunks:
        x, y, unit = struct.unpack(">IIB", chunks[b"pHYs"])
        if unit == 1 and x and y:
            dpi = (x * _METRES_PER_INCH, y * _METRES_PER_INCH)
    if b"eXIf" in chunks:
        exif, orientation = checked_exif(path, lambda: parse_exif(chunks[b"eXIf"]))
    return Metadata(profile, exif, dpi), orientation


def write(path: Path, array: Pixels, metadata: Metadata) -> None:
    """Encode uint16 pixels, band by band, each row as its difference from the row above."""
    height, width = array.shape[:2]
    pixels = array.reshape(height, width, -1)
    colour = next(colour for colour, n in _CHANNELS.items() if n == pixels.shape[2])
    with open(path, "wb") as file:
        file.write(_SIGNATURE)
        _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
        for name, content in _metadata_chunks(metadata):
            _write_chunk(file, name, content)
        deflate = zlib.compressobj(PNG_LEVEL)
        for band in _filtered_bands(pixels):
            if compressed := deflate.compress(band):
                _write_chunk(file, b"IDAT", compressed)
        _write_chunk(file, b"IDAT", deflate.flush())
        _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, name: bytes, content: bytes) -> None:
    check_sum = zlib.crc32(content, zlib.crc32(name))
    file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", check_sum))


def _metadata_chunks(metadata: Metadata) -> Iterator[tuple[bytes, bytes]]:
    if metadata.icc_profile is not None:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc_profile)
    if metadata.dpi is not None:
        x, y = (min(round(value / _METRES_PER_INCH), 2**31 - 1) for value in metadata.dpi)
        yield b"pHYs", struct.pack(">IIB", x, y, 1)
    if metadata.exif is not None:
        yield b"eXIf", metadata.exif.removeprefix(b"Exif\0\0")


def _filtered_bands(pixels: Pixels) -> Iterator[bytes]:
    above = np.zeros(pixels[0].size * 2, np.uint8)
    n_rows = max(1, _BAND_BYTES // above.size)
    for top in range(0, len(pixels), n_rows):
        band = pixels[top : top + n_rows].astype(">u2").reshape(-1, above.size // 2).view(np.uint8)
        lines = np.empty((len(band), 1 + above.size), np.uint8)
        lines[:, 0] = 2  # the filter type "up"
        lines[0, 1:] = band[0] - above
        lines[1:, 1:] = band[1:] - band[:-1]
        above = band[-1]
        yield lines.tobytes()
