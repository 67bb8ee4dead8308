"""Tiles bound the memory and threads save time; neither changes a bit of the result."""

import tracemalloc

import numpy as np
import pytest

from classicsr import AnchoredRegressionSR, BicubicSR, PatchRegressionSR

TILE_SHAPES = [(7, 9), (1, 200), (33, 5), (62, 246), (10_000, 10_000)]


def tiled(sr, tile_shape, n_jobs=None):
    """`sr` with other tiles, without touching the shared one."""
    other = type(sr)(**{**sr.get_params(deep=False), "tile_shape": tile_shape, "n_jobs": n_jobs})
    other.__dict__.update({key: v for key, v in sr.__getstate__().items() if key.endswith("_")})
    return other


@pytest.fixture(scope="module")
def picture(make_texture):
    """RGB and alpha, 8 bits, not a multiple of any tile."""
    planes = [make_texture((71, 253), seed) for seed in (70, 71, 72, 73)]
    return (np.stack(planes, axis=-1) * 255).astype(np.uint8)


@pytest.mark.parametrize("tile_shape", TILE_SHAPES)
@pytest.mark.parametrize("scale", [3, 2.5])
def test_tiles_do_not_change_a_bit(tile_shape, scale, picture, sr3):
    grey = picture[..., 0] / np.float32(255)
    expected = sr3.predict(grey, scale=scale)
    np.testing.assert_array_equal(tiled(sr3, tile_shape).predict(grey, scale=scale), expected)


@pytest.mark.parametrize("tile_shape", [(7, 9), (62, 246), (71, 253)])
def test_threads_do_not_change_a_bit(tile_shape, picture, sr2):
    float_picture = picture.astype(np.float32)
    one, two, four = (
        tiled(sr2, tile_shape, n_jobs=n_jobs).predict(float_picture) for n_jobs in (1, 2, 4)
    )
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, four)
    np.testing.assert_array_equal(one, sr2.predict(float_picture))


def test_volumes_too(make_texture, sr2):
    volume = np.stack([make_texture((20, 25), seed) for seed in range(6)], axis=-1)
    expected = sr2.predict(volume, scale=(2, 2, 1.5))
    other = tiled(sr2, (7, 9), n_jobs=2).predict(volume, scale=(2, 2, 1.5))
    np.testing.assert_array_equal(other, expected)


def test_bicubic_bands_and_threads(make_texture):
    image = make_texture((300, 400), 5)  # three bands at x4
    one, two = (BicubicSR(4, n_jobs=n_jobs).predict(image) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)
    part = BicubicSR(4).predict(image[:60], data_range=(image.min(), image.max()))
    np.testing.assert_array_equal(one[:200], part[:200])


def test_a_part_of_an_image_has_the_bits_of_the_whole(picture, sr2):
    """Away from the cut, an image's own range aside."""
    grey = picture[..., 0]
    whole = sr2.predict(grey)
    part = sr2.predict(grey[20:60, 31:140])
    np.testing.assert_array_equal(part[10:-10, 10:-10], whole[50:110, 72:270])


def test_fit_on_two_threads_has_the_same_bits(training_images):
    models = [
        AnchoredRegressionSR(
            2, n_anchors=12, n_neighbors=100, n_iter=2, n_levels=2, random_state=0, n_jobs=n_jobs
        ).fit(training_images)
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(models[0].filters_, models[1].filters_)
    np.testing.assert_array_equal(models[0].map_.maps, models[1].map_.maps)


def test_any_regressor_is_tiled(picture, training_images):
    sr = PatchRegressionSR(scale=2).fit(training_images[:1])
    grey = picture[..., 0]
    result = sr.predict(grey).astype(int)
    other = tiled(sr, (7, 9), n_jobs=2).predict(grey).astype(int)
    assert np.abs(other - result).max() <= 1  # the regressor's own matrix product may round


def test_memory_is_that_of_the_result_and_some_tiles(sr2):
    """Beyond input and output, the peak does not grow with the image."""

    def overhead(height):
        image = np.zeros((height, 500), np.uint8)
        image[::3] = 200
        sr2.predict(image[:70])  # tables and scratch are laid out once
        tracemalloc.start()
        try:
            result = sr2.predict(image)
            return tracemalloc.get_traced_memory()[1] - result.nbytes
        finally:
            tracemalloc.stop()

    assert overhead(2000) < overhead(250) + 2_000_000


def test_progress_is_told(picture, sr2):
    told = []
    tiled(sr2, (40, 100)).predict(picture[..., 0], progress=lambda *step: told.append(step))
    assert told == [(i, 6) for i in range(1, 7)]
