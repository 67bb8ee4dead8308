"""Images from file to array and back."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from classicsr.io import _pillow, _png16, _tiff
from classicsr.io._errors import FileError, reading, writing
from classicsr.io._formats import IMAGE_SUFFIXES, format_of, kind_of, suffix_of
from classicsr.io._picture import Metadata, Picture

# what each format holds; TIFF holds every integer and float type
_DEPTHS = {"PNG": ("uint8", "uint16"), "JPEG": ("uint8",), "WebP": ("uint8",), "BMP": ("uint8",)}
_WITHOUT_ALPHA = ("JPEG", "BMP")
_MAX_SIDE = {"WebP": 16383, "JPEG": 65500}


def read_image(path: str | PathLike[str]) -> Picture:
    """Read a PNG, JPEG, TIFF, WebP or BMP file.

    Palettes become RGB or RGBA, 1-bit images uint8 grey, CMYK and YCbCr RGB; the EXIF
    orientation is applied to the pixels. Depths are kept: 16-bit and float files stay so.

    Parameters
    ----------
    path : path
        The content decides the format, not the suffix.

    Returns
    -------
    Picture
        ``.array`` of shape ``(H, W)``, ``(H, W, 2)`` (grey, alpha), ``(H, W, 3)`` or
        ``(H, W, 4)``; uint8 0-255, uint16 0-65535, or what a TIFF file holds. ``.metadata``
        is what `write_image` keeps.

    Raises
    ------
    FileError
        The file is missing, unreadable, empty, truncated, corrupt, not an image, or larger than
        ``2**30`` samples; it holds several pages or frames; or a feature that is not supported.

    Examples
    --------
    >>> from classicsr.datasets import sample_image
    >>> from classicsr.io import read_image
    >>> read_image(sample_image()).array.dtype
    dtype('uint8')
    """
    path = Path(path)
    if kind_of(path) != "image":
        raise FileError(f"{path}: is a volume, not an image")
    with reading(path):
        name = format_of(path) or ""
        if name == "TIFF":
            return _tiff.read(path)
        if name == "PNG" and _png16.is_needed(path):
            return _png16.read(path)
        return _pillow.read(path, name)


def write_image(
    path: str | PathLike[str],
    array: np.ndarray[Any, Any],
    like: Picture | None = None,
    scale: float | Sequence[float] = 1,
    *,
    overwrite: bool = False,
) -> None:
    """Write an image in the format of the suffix, whole or not at all.

    JPEG is written with quality 95 and full colour resolution (4:4:4); every other format
    without loss. The metadata of `like` is kept as far as the format holds it: colour profile,
    EXIF (JPEG, PNG, WebP) and resolution, which is multiplied by `scale`, so that the physical
    size stays the same.

    Parameters
    ----------
    path : path
        ``.png``, ``.jpg``, ``.jpeg``, ``.tif``, ``.tiff``, ``.webp`` or ``.bmp``.
    array : ndarray
        ``(H, W)``, ``(H, W, 2)``, ``(H, W, 3)`` or ``(H, W, 4)``. uint8 goes into every format,
        uint16 into PNG and TIFF, other types into TIFF.
    like : Picture, optional
        The image that `array` was made from.
    scale : float or (float, float)
        Output pixels per pixel of `like`, along rows and columns (y, x).
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileError
        The format cannot hold the alpha channel, the depth or the size, or the place cannot be
        written.
    FileExistsError
        The file exists and `overwrite` is false.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from classicsr.io import read_image, write_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "ramp.png")
    ...     write_image(path, np.arange(6, dtype=np.uint16).reshape(2, 3))
    ...     read_image(path).array
    array([[0, 1, 2],
           [3, 4, 5]], dtype=uint16)
    """
    path = Path(path)
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    name = _writable_format(path, array)
    metadata = Metadata() if like is None else like.metadata.upscaled(scale, array.shape)
    with writing(path, overwrite=overwrite) as temporary:
        if name == "TIFF":
            _tiff.write(temporary, array, metadata)
        elif array.dtype == np.uint16:
            _png16.write(temporary, array, metadata)
        else:
            _pillow.write(temporary, array, metadata, name)


def _writable_format(path: Path, array: np.ndarray[Any, Any]) -> str:
    """Name of the format of the suffix, once it is sure that it can hold the array."""
    if array.ndim not in (2, 3) or array.shape[2:] not in ((), (2,), (3,), (4,)) or not array.size:
        raise ValueError(
            "The 'array' parameter of write_image must be of shape (H, W), (H, W, 2), (H, W, 3) "
            f"or (H, W, 4). Got {array.shape!r} instead."
        )
    name = IMAGE_SUFFIXES.get(suffix_of(path))
    if name is None:
        raise FileError(f"{path}: unknown image format (use {' '.join(IMAGE_SUFFIXES)})")
    if array.shape[2:] in ((2,), (4,)) and name in _WITHOUT_ALPHA:
        raise FileError(f"{path}: {name} has no alpha channel (PNG, TIFF and WebP keep it)")
    if array.dtype.kind not in "uif" or array.dtype.name not in _DEPTHS.get(name, array.dtype.name):
        keeps = "PNG and TIFF keep" if array.dtype == np.uint16 else "TIFF keeps"
        raise FileError(f"{path}: {name} does not hold {array.dtype} pixels ({keeps} them)")
    if max(array.shape[:2]) > _MAX_SIDE.get(name, np.inf):
        raise FileError(
            f"{path}: {array.shape[1]} x {array.shape[0]} pixels do not fit into {name}, at most "
            f"{_MAX_SIDE[name]} per side (PNG and TIFF hold more)"
        )
    return name
