"""Overlap-add and phases against slow loops."""

import numpy as np
import pytest

from classicsr.kernels.overlap import SPAN, add_overlap_average, interleave_phases

RIM = SPAN // 2


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("height", "width", "pitch"), [(1, 1, 1), (3, 5, 9), (4, 50, 53)])
def test_interleave_phases(scale, height, width, pitch):
    first = 2
    rng = np.random.default_rng(scale)
    phases = rng.normal(size=(first + height * pitch, scale**2 + 1)).astype(np.float32)
    image = np.full((height * scale, width * scale), np.nan, np.float32)
    interleave_phases(phases, first, pitch, scale, image)

    for p in range(scale):
        for q in range(scale):
            plane = phases[first:, p * scale + q].reshape(height, pitch)
            np.testing.assert_array_equal(image[p::scale, q::scale], plane[:, :width])


def overlap_add(patches, scale):
    image = np.zeros([(n - 2 * RIM) * scale for n in patches.shape[:2]], np.float32)
    add_overlap_average(patches, scale, image)
    return image


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (6, 3)])
def test_matches_a_loop_over_patches(scale, shape):
    rng = np.random.default_rng(scale)
    side = SPAN * scale
    patches = rng.normal(size=(shape[0] + 2 * RIM, shape[1] + 2 * RIM, side**2))
    patches = patches.astype(np.float32)
    total = np.zeros([(n + 4 * RIM) * scale for n in shape])
    count = np.zeros_like(total)
    for i in range(patches.shape[0]):
        for j in range(patches.shape[1]):
            covered = np.s_[i * scale : i * scale + side, j * scale : j * scale + side]
            total[covered] += patches[i, j].reshape(side, side)
            count[covered] += 1
    border = 2 * RIM * scale
    inner = np.s_[border:-border, border:-border]
    assert (count[inner] == SPAN**2).all()
    np.testing.assert_allclose(
        overlap_add(patches, scale), total[inner] / count[inner], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("scale", [2, 3, 4, 6])
def test_patches_of_an_image_give_the_image_back(scale):
    rng = np.random.default_rng(scale)
    large = rng.random((9 * scale, 11 * scale)).astype(np.float32)
    side = SPAN * scale
    view = np.lib.stride_tricks.sliding_window_view(large, (side, side))[::scale, ::scale]
    patches = view.reshape(*view.shape[:2], side**2)
    border = 2 * RIM * scale
    np.testing.assert_allclose(
        overlap_add(patches, scale), large[border:-border, border:-border], rtol=0, atol=1e-6
    )


def test_adds_to_what_is_there():
    patches = np.ones((3, 3, 36), np.float32)
    image = np.arange(4, dtype=np.float32).reshape(2, 2)
    add_overlap_average(patches, 2, image)
    np.testing.assert_allclose(image, [[1, 2], [3, 4]], rtol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
def test_bits_do_not_depend_on_where_tiles_end(scale):
    rng = np.random.default_rng(scale)
    patches = rng.normal(size=(7, 9, (SPAN * scale) ** 2)).astype(np.float32)
    whole = overlap_add(patches, scale)
    for rows in (slice(0, 2), slice(2, 5), slice(1, 4)):
        for columns in (slice(0, 1), slice(1, 7)):
            part = patches[rows.start : rows.stop + 2 * RIM, columns.start : columns.stop + 2 * RIM]
            at = np.s_[
                rows.start * scale : rows.stop * scale, columns.start * scale : columns.stop * scale
            ]
            np.testing.assert_array_equal(overlap_add(np.ascontiguousarray(part), scale), whole[at])
