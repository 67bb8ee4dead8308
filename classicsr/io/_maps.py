"""Maps that go with a result, such as its standard deviation, written like its image."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from classicsr.io._errors import FileError
from classicsr.io._formats import IMAGE_SUFFIXES, suffix_of
from classicsr.io._image import write_image
from classicsr.io._picture import Picture
from classicsr.io._volume import Volume

Pixels = np.ndarray[Any, Any]


def write_image_map(
    path: str | PathLike[str],
    values: Pixels,
    like: Picture,
    scale: float | tuple[float, ...] = 1,
    *,
    signed: bool,
    overwrite: bool = False,
) -> None:
    """Write a float map in the units of an image.

    TIFF files hold the values as they are, float32. Other formats hold them rounded and clipped
    in the type of the image, uint8 or uint16, those of signed maps above the middle grey, 128 or
    32768, which stands for 0. Alpha is left out; of the metadata the resolution is kept.

    Parameters
    ----------
    path : path
    values : (H, W) or (H, W, C) float array
    like : Picture
        The input image.
    scale : float or (float, float)
        Pixels of the map per pixel of `like`, along rows and columns.
    signed : bool
        Whether values may be below 0.
    overwrite : bool

    Raises
    ------
    FileError
        The format cannot hold the values, or the place cannot be written.
    FileExistsError
        The file exists and `overwrite` is false.
    """
    path = Path(path)
    if values.ndim == 3 and values.shape[2] in (2, 4):
        values = values[..., :-1]
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if IMAGE_SUFFIXES.get(suffix_of(path)) != "TIFF":
        values = _as_integers(path, values, like.array.dtype, signed)
    plain = replace(like.metadata, icc_profile=None, exif=None, description=None)
    write_image(path, values, Picture(like.array, plain), scale, overwrite=overwrite)


def _as_integers(path: Path, values: Pixels, dtype: np.dtype[Any], signed: bool) -> Pixels:
    if dtype not in (np.uint8, np.uint16):
        raise FileError(f"{path}: cannot hold values of a {dtype} image (TIFF can)")
    largest = np.iinfo(dtype).max
    zero = (largest + 1) // 2 if signed else 0
    return np.clip(np.rint(values + zero), 0, largest).astype(dtype)


def map_volume(like: Volume, *, signed: bool) -> Volume:
    """The volume that `write_volume` makes a float32 map like: in real units, without offset.

    Parameters
    ----------
    like : Volume
        The input volume.
    signed : bool
        Whether values may be below 0 in stored numbers.

    Raises
    ------
    FileError
        The volume holds colours.
    """
    if like.channels:
        raise FileError(f"{like.path}: holds colours, of which no map can be written")
    header = like.header.copy()
    header.set_data_dtype(np.float32)
    header.set_slope_inter(like.slope if signed else abs(like.slope), 0)
    header["cal_min"] = header["cal_max"] = 0  # the display range of other values
    return replace(like, dtype=np.dtype(np.float32), header=header, inter=0.0)
