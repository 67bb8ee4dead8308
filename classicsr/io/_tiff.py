"""TIFF: any depth and numbers through tifffile, old colour models and codecs through Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classicsr.io._errors import FileError
from classicsr.io._picture import Metadata, Picture, check_size, upright
from classicsr.io._pillow import pixels_of

if TYPE_CHECKING:
    from tifffile import TiffFrame, TiffPage

Pixels = np.ndarray[Any, Any]

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2  # photometric interpretations
_PREMULTIPLIED, _STRAIGHT = 1, 2  # kinds of extra samples
_UNITS = {1: "none", 2: "inch", 3: "cm"}
_ORIENTATION, _DESCRIPTION, _ICC_PROFILE = 274, 270, 34675
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296


def read(path: Path) -> Picture:
    """Decode a file that holds one image (thumbnails beside it are left out)."""
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        pages = [page for page in map(_as_page, tiff.pages) if not page.is_reduced]
        if len(pages) != 1:
            raise FileError(f"{path}: holds {len(pages)} pages; split it into single images")
        page = pages[0]
        check_size(path, page.imagelength, page.imagewidth, page.samplesperpixel)
        _check_segments(path, page)
        array = _pixels(path, page)
        if array.shape[:2] != (page.imagelength, page.imagewidth):
            raise ValueError("pixels are missing")
        metadata = _metadata(tiff, page)
        return upright(array, metadata, page.tags.valueof(_ORIENTATION, default=1))


def _as_page(page: TiffPage | TiffFrame) -> TiffPage:
    return page.aspage()


def _check_segments(path: Path, page: TiffPage) -> None:
    """Refuse a file that ends before its pixels do (the missing ones would be read as zeros)."""
    ends = np.asarray(page.dataoffsets, np.uint64) + np.asarray(page.databytecounts, np.uint64)
    if not len(ends) or ends.max() > path.stat().st_size or min(page.databytecounts) == 0:
        raise FileError(f"{path}: truncated or corrupt (pixels are missing)")


def _pixels(path: Path, page: TiffPage) -> Pixels:
    plain = page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB) and page.bitspersample >= 8
    if plain and _PREMULTIPLIED not in page.extrasamples:
        try:
            return _plain_pixels(path, page)
        except (ValueError, NotImplementedError) as error:
            if "imagecodecs" not in str(error):
                raise
    if page.bitspersample <= 8 or (page.bitspersample == 16 and page.samplesperpixel == 1):
        return _pixels_by_pillow(path, page)
    raise FileError(
        f"{path}: {page.bitspersample}-bit pixels of this colour model or compression need the "
        "imagecodecs package (pip install classicsr[image16]), or save them as plain grey or RGB"
    )


def _plain_pixels(path: Path, page: TiffPage) -> Pixels:
    array = page.asarray()
    if page.axes == "SYX":
        array = np.moveaxis(array, 0, -1)
    elif page.axes not in ("YX", "YXS"):
        raise FileError(f"{path}: has the axes {page.axes}, not one 2-D image")
    if array.dtype.kind not in "uif":
        raise FileError(f"{path}: {array.dtype} pixels are not supported")
    channels = array.shape[2] if array.ndim == 3 else 1
    colours = 3 if page.photometric == _RGB else 1
    has_alpha = tuple(page.extrasamples) == (_STRAIGHT,)
    if channels != colours + has_alpha:
        raise FileError(f"{path}: {channels} channels that are not grey, RGB or alpha")
    if page.photometric == _WHITE_IS_ZERO and array.dtype.kind == "u":
        array = np.iinfo(array.dtype).max - array
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _pixels_by_pillow(path: Path, page: TiffPage) -> Pixels:
    from PIL import TiffImagePlugin

    with TiffImagePlugin.TiffImageFile(path) as image:
        array = pixels_of(path, image)
    if page.bitspersample == 16 and array.dtype != np.uint16:
        raise FileError(
            f"{path}: signed 16-bit pixels with this compression need classicsr[image16]"
        )
    return array


def _metadata(tiff: Any, page: TiffPage) -> Metadata:
    value = page.tags.valueof
    resolution = (_ratio(value(_X_RESOLUTION)), _ratio(value(_Y_RESOLUTION)))
    # descriptions that other programs parse for the shape would lie about the upscaled image
    keeps_description = not (tiff.is_ome or tiff.is_shaped)
    converted = page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, 3)
    profile, description = value(_ICC_PROFILE), value(_DESCRIPTION)
    return Metadata(
        icc_profile=profile if isinstance(profile, bytes) and not converted else None,
        resolution=resolution if min(resolution) > 0 else None,
        resolution_unit=_UNITS.get(int(value(_RESOLUTION_UNIT, default=2)), "none"),
        description=description if isinstance(description, str) and keeps_description else None,
    )


def _ratio(value: tuple[int, int] | None) -> float:
    return value[0] / value[1] if value and value[1] else 0.0


def write(path: Path, array: Pixels, metadata: Metadata) -> None:
    """Encode pixels of any real dtype, losslessly compressed (deflate)."""
    import tifffile

    channels = array.shape[2] if array.ndim == 3 else 1
    options: dict[str, Any] = {}
    if metadata.resolution is not None:
        unit = {"inch": "INCH", "cm": "CENTIMETER", "none": "NONE"}[metadata.resolution_unit]
        options |= {"resolution": metadata.resolution, "resolutionunit": unit}
    tifffile.imwrite(
        path,
        array,
        photometric="rgb" if channels >= 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        iccprofile=metadata.icc_profile,
        description=metadata.description.encode() if metadata.description else None,
        metadata=None,
        **options,
    )
