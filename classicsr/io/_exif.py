"""EXIF blocks and the orientation they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from classicsr.io._picture import Metadata, Picture

if TYPE_CHECKING:
    from PIL import Image

ORIENTATION = 0x0112
_IMAGE_WIDTH, _IMAGE_LENGTH = 0x0100, 0x0101
_X_RESOLUTION, _Y_RESOLUTION = 0x011A, 0x011B
_EXIF_IFD = 0x8769
_PIXEL_X_DIMENSION, _PIXEL_Y_DIMENSION = 0xA002, 0xA003

Pixels = np.ndarray[Any, Any]


def parse_exif(block: bytes) -> Image.Exif:
    """Tags of a raw EXIF block."""
    from PIL import Image

    tags = Image.Exif()
    tags.load(block)
    return tags


def resized_exif(block: bytes, scale: Sequence[float], shape: tuple[int, ...]) -> bytes:
    """The same block for an image scaled by (y, x) to `shape`: pixel counts and resolutions."""
    tags = parse_exif(block)
    height, width = shape[:2]
    for directory, x_tag, y_tag in (
        (tags, _IMAGE_WIDTH, _IMAGE_LENGTH),
        (tags.get_ifd(_EXIF_IFD), _PIXEL_X_DIMENSION, _PIXEL_Y_DIMENSION),
    ):
        for tag, size in ((x_tag, width), (y_tag, height)):
            if tag in directory:
                directory[tag] = size
    for tag, factor in ((_X_RESOLUTION, scale[1]), (_Y_RESOLUTION, scale[0])):
        if tag in tags:
            tags[tag] = float(tags[tag]) * float(factor)
    return tags.tobytes()


def upright(array: Pixels, metadata: Metadata, orientation: int) -> Picture:
    """Apply an EXIF orientation (1 to 8) to the pixels and reset it in the metadata."""
    if orientation in _TURNS:
        array = _TURNS[orientation](array)
        swaps_axes = orientation >= 5
        if metadata.exif is not None:
            metadata = replace(metadata, exif=_upright_exif(metadata.exif, swaps_axes))
        if swaps_axes and metadata.resolution is not None:
            metadata = replace(metadata, resolution=metadata.resolution[::-1])
    return Picture(np.ascontiguousarray(array), metadata)


_TURNS = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a, 1),
}


def _upright_exif(block: bytes, swaps_axes: bool) -> bytes:
    tags = parse_exif(block)
    tags[ORIENTATION] = 1
    if swaps_axes:
        _swap(tags, _X_RESOLUTION, _Y_RESOLUTION)
        _swap(tags, _IMAGE_WIDTH, _IMAGE_LENGTH)
        _swap(tags.get_ifd(_EXIF_IFD), _PIXEL_X_DIMENSION, _PIXEL_Y_DIMENSION)
    return tags.tobytes()


def _swap(tags: Any, first: int, second: int) -> None:
    if first in tags and second in tags:
        tags[first], tags[second] = tags[second], tags[first]
