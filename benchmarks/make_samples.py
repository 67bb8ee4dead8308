"""Make the two files of classicsr/datasets/samples/ again: same numbers, same geometry.

Usage: CLASSICSR_DATA=... python benchmarks/make_samples.py
"""

from __future__ import annotations

import nibabel
import numpy as np
import skimage.data
from PIL import Image

from classicsr.datasets import load_dataset, sample_image, sample_volume
from classicsr.degradation import SliceProfileDegradation

IMAGE_CORNER = (22, 92)  # row, column
IMAGE_SIDE = 256
VOLUME_CORNER = (40, 50, 36)  # voxels of the source
VOLUME_SHAPE = (96, 112, 90)
SLICE_THICKNESS = 3  # source slices averaged into one


def make_image() -> None:
    """Crop of a photograph that scikit-image brings along."""
    row, column = IMAGE_CORNER
    crop = skimage.data.chelsea()[row : row + IMAGE_SIDE, column : column + IMAGE_SIDE]
    Image.fromarray(crop).save(sample_image(), optimize=True)


def make_volume() -> None:
    """Thick slices: the mean of adjacent slices, at the centre of the block they came from."""
    dataset = load_dataset("medical/mri_t1/test")
    number = dataset.names.index("saganon_t1_0p86mm")
    source = dataset[number]
    affine = nibabel.Nifti1Image.from_filename(dataset.paths[number]).affine

    crop = source[tuple(slice(c, c + n) for c, n in zip(VOLUME_CORNER, VOLUME_SHAPE, strict=True))]
    thick = SliceProfileDegradation((1, 1, SLICE_THICKNESS), "box").forward(crop)
    first_voxel = (*VOLUME_CORNER[:2], VOLUME_CORNER[2] + (SLICE_THICKNESS - 1) / 2)
    thick_affine = affine @ np.diag([1, 1, SLICE_THICKNESS, 1])
    thick_affine[:3, 3] = (affine @ [*first_voxel, 1])[:3]

    image = nibabel.Nifti1Image(np.floor(thick + 0.5).astype(np.int16), thick_affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(thick_affine, code="scanner")
    image.set_qform(thick_affine, code="scanner")
    nibabel.save(image, sample_volume())


if __name__ == "__main__":
    make_image()
    make_volume()
    for path in (sample_image(), sample_volume()):
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
