"""Images and volumes: an array plus what must survive from file to file."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.io._errors import FileError
    from classicsr.io._formats import expand_inputs, holds_dicom, kind_of, output_path_for
    from classicsr.io._geometry import upscaled_affine
    from classicsr.io._image import read_image, write_image
    from classicsr.io._maps import map_volume, write_image_map
    from classicsr.io._picture import Metadata, Picture
    from classicsr.io._volume import Volume, read_volume
    from classicsr.io._volume_writer import write_volume

__all__ = [
    "FileError",
    "Metadata",
    "Picture",
    "Volume",
    "expand_inputs",
    "holds_dicom",
    "kind_of",
    "map_volume",
    "output_path_for",
    "read_image",
    "read_volume",
    "upscaled_affine",
    "write_image",
    "write_image_map",
    "write_volume",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "FileError": "classicsr.io._errors",
        "Metadata": "classicsr.io._picture",
        "Picture": "classicsr.io._picture",
        "Volume": "classicsr.io._volume",
        "expand_inputs": "classicsr.io._formats",
        "holds_dicom": "classicsr.io._formats",
        "kind_of": "classicsr.io._formats",
        "map_volume": "classicsr.io._maps",
        "output_path_for": "classicsr.io._formats",
        "read_image": "classicsr.io._image",
        "read_volume": "classicsr.io._volume",
        "upscaled_affine": "classicsr.io._geometry",
        "write_image": "classicsr.io._image",
        "write_image_map": "classicsr.io._maps",
        "write_volume": "classicsr.io._volume_writer",
    },
)
