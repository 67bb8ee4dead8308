"""EXIF blocks: read, checked, and rewritten for other pixels."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

ORIENTATION = 0x0112
_IMAGE_WIDTH, _IMAGE_LENGTH = 0x0100, 0x0101
_X_RESOLUTION, _Y_RESOLUTION = 0x011A, 0x011B
_EXIF_IFD = 0x8769
_PIXEL_X_DIMENSION, _PIXEL_Y_DIMENSION = 0xA002, 0xA003


def checked_exif(path: Path, parse: Callable[[], Image.Exif]) -> tuple[bytes | None, int]:
    """The EXIF block and orientation of a file; (None, 1) without one or with a damaged one."""
    try:
        tags = parse()
        orientation = tags.get(ORIENTATION, 1)
        block = tags.tobytes() if len(tags) else None
        if block is not None:
            resized_exif(block, (1, 1), (1, 1))  # what cannot be rewritten must be found now
        return block, orientation
    except Exception as error:  # the parser raises many kinds; the pixels are good without it
        warnings.warn(f"{path}: the EXIF block is damaged and dropped ({error})", stacklevel=5)
        return None, 1


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


def upright_exif(block: bytes, swaps_axes: bool) -> bytes:
    """The same block once the orientation is applied to the pixels."""
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
