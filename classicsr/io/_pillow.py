"""8-bit images (and 16-bit grey TIFF) through Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from classicsr.io._errors import FileError
from classicsr.io._exif import checked_exif
from classicsr.io._picture import PNG_LEVEL, Metadata, Picture, check_size, upright

if TYPE_CHECKING:
    from PIL import Image, ImageFile

Pixels = np.ndarray[Any, Any]

_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 1, "I;16B": 1}
# what other modes become (colour keys and palettes with transparency gain an alpha channel)
_PLAIN = {"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA", "RGBX": "RGB"}
_PLAIN |= {"P": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
_WITH_ALPHA = {"1": "LA", "L": "LA", "P": "RGBA", "RGB": "RGBA"}
_BAND_PIXELS = 2**22
_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": PNG_LEVEL},
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WebP": {"lossless": True, "exact": True},
}
_MAX_DPI, _MAX_EXIF = 65535, 65533  # 16-bit fields in JPEG; more is left out


def read(path: Path, format_name: str) -> Picture:
    """Decode one image; the caller has checked that the content is of that format."""
    with _open(path, format_name) as image:
        n_frames = getattr(image, "n_frames", 1)
        if n_frames > 1:
            raise FileError(f"{path}: is an animation of {n_frames} frames, not one image")
        array = pixels_of(path, image)
        metadata, orientation = _metadata(path, image)
    return upright(array, metadata, orientation)


def _open(path: Path, format_name: str) -> ImageFile.ImageFile:
    # The classes are used directly: Image.open has a size limit below ours, in global state.
    from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    if format_name == "PNG":
        with PngImagePlugin.PngImageFile(path) as image:
            image.verify()  # check sums of all chunks; decoding alone ignores those of the pixels
        return PngImagePlugin.PngImageFile(path)
    if format_name == "JPEG":
        return JpegImagePlugin.JpegImageFile(path)
    if format_name == "WebP":
        return WebPImagePlugin.WebPImageFile(path)
    return BmpImagePlugin.BmpImageFile(path)


def pixels_of(path: Path, image: Image.Image) -> Pixels:
    """Pixels of an opened image as grey, grey and alpha, RGB or RGBA."""
    check_size(path, image.height, image.width, len(image.getbands()))
    mode = _PLAIN.get(image.mode, image.mode)
    if "transparency" in image.info:
        mode = _WITH_ALPHA.get(image.mode, mode)
    if mode not in _MODES:
        raise FileError(f"{path}: colour space {image.mode} is not supported (convert it to RGB)")
    if mode != image.mode:
        image = image.convert(mode)
    channels = _MODES[mode]
    shape = (image.height, image.width) + (() if channels == 1 else (channels,))
    array = np.empty(shape, dtype=np.uint16 if mode.startswith("I;16") else np.uint8)
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):  # in bands: a whole conversion holds two more copies
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        array[top : top + rows] = np.asarray(band)
    return array


def _metadata(path: Path, image: Image.Image) -> tuple[Metadata, int]:
    profile = image.info.get("icc_profile")
    if image.mode in ("CMYK", "YCbCr"):
        profile = None  # it describes the inks, not the RGB values they became
    exif, orientation = checked_exif(path, image.getexif)
    return Metadata(profile or None, exif, _valid_dpi(image.info.get("dpi"))), orientation


def _valid_dpi(dpi: Any) -> tuple[float, float] | None:
    if dpi is None:
        return None
    x, y = float(dpi[0]), float(dpi[1])
    return (x, y) if 0 < x < np.inf and 0 < y < np.inf else None


def write(path: Path, array: Pixels, metadata: Metadata, format_name: str) -> None:
    """Encode uint8 pixels; the caller has checked that the format can hold them."""
    from PIL import Image

    options = dict(_OPTIONS.get(format_name, {}))
    if metadata.dpi is not None and max(metadata.dpi) <= _MAX_DPI:
        options["dpi"] = metadata.dpi
    if metadata.exif is not None and (format_name != "JPEG" or len(metadata.exif) <= _MAX_EXIF):
        options["exif"] = metadata.exif
    if metadata.icc_profile is not None:
        options["icc_profile"] = metadata.icc_profile
    Image.fromarray(np.ascontiguousarray(array)).save(path, format=format_name.upper(), **options)
