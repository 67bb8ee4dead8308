"""The bundled samples: readable, small, with the right geometry."""

import os
from pathlib import Path

import numpy as np
import pytest

from classicsr.datasets import load_dataset, sample_image, sample_volume
from classicsr.io import read_image, read_volume

needs_data = pytest.mark.skipif(
    not os.environ.get("CLASSICSR_DATA"), reason="CLASSICSR_DATA is not set"
)
CORNER = np.array([40, 50, 36])  # of the crop, in voxels of the source


def test_image_is_the_crop_of_the_photograph():
    from skimage.data import chelsea

    image = read_image(sample_image()).array
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, chelsea()[22:278, 92:348])


def test_volume_header():
    volume = read_volume(sample_volume())
    assert tuple(volume.shape) == (96, 112, 30)
    np.testing.assert_allclose(volume.spacing, (0.9, 0.859375, 3 * 0.859375), atol=1e-5)
    assert volume.frame(0).dtype == np.int16
    np.testing.assert_allclose(np.linalg.norm(volume.affine[:3, :3], axis=0), volume.spacing)


@needs_data
def test_volume_is_the_block_mean_of_its_source_at_the_same_place():
    dataset = load_dataset("medical/mri_t1/test")
    source = read_volume(dataset.paths[dataset.names.index("saganon_t1_0p86mm")])
    sample = read_volume(sample_volume())

    x, y, z = CORNER
    blocks = source.frame(0)[x : x + 96, y : y + 112, z : z + 90].reshape(96, 112, 30, 3)
    np.testing.assert_array_equal(sample.frame(0), np.floor(blocks.mean(axis=-1) + 0.5))

    for voxel in [(0, 0, 0), (95, 111, 29), (17, 3, 11)]:
        in_source = CORNER + voxel * np.array([1, 1, 3]) + [0, 0, 1]  # the middle of three
        expected = source.affine @ [*in_source, 1]
        np.testing.assert_allclose(sample.affine @ [*voxel, 1], expected, atol=1e-4)


def test_samples_are_small_and_described():
    folder = sample_image().parent
    text = (folder / "README.md").read_text("utf-8")
    for path in (sample_image(), sample_volume()):
        assert path.stat().st_size < 500_000
        assert f"## {path.name}" in text
    described = {Path(line[3:]).name for line in text.splitlines() if line.startswith("## ")}
    assert described == {path.name for path in folder.iterdir()} - {"README.md"}
