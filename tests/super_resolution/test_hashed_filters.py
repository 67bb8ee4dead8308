"""RAISR at the image level: agrees with the patch level, tiles, threads, files."""

import numpy as np
import pytest

from classicsr import BicubicSR, HashedFilterSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import BicubicDegradation, resize
from classicsr.patches import windows
from classicsr.regressors._piecewise import PiecewiseLinearMap
from classicsr.super_resolution._hashed_tiles import all_octants, complete_filters
from classicsr.super_resolution._hashed_training import (
    hash_of_pairs,
    in_one_octant,
    statistics_of_pairs,
)
from classicsr.super_resolution._training import training_pair


@pytest.fixture(scope="module", params=[2, 3])
def sr(request, training_images):
    return HashedFilterSR(request.param, n_angles=8, random_state=0).fit(training_images)


@pytest.fixture(scope="module")
def sr2(training_images):
    return HashedFilterSR(2, n_angles=8, random_state=0).fit(training_images)


def with_parameters(sr, **params):
    other = type(sr)(**{**sr.get_params(deep=False), **params})
    other.__dict__.update({key: v for key, v in sr.__getstate__().items() if key.endswith("_")})
    return other


def pairs_of(images, scale):
    cut = [one[: len(one) // scale * scale, : one.shape[1] // scale * scale] for one in images]
    return [training_pair(BicubicDegradation(scale).forward(one), one, scale) for one in cut]


def test_gives_the_numbers_of_the_patch_level(sr, make_texture):
    """Every pixel: its window, hashed and mapped by itself."""
    scale = sr.native_scale_
    low = make_texture((17, 21), 9)
    rows = windows(low.astype(np.float32), 3).reshape(low.size, -1)
    maps = all_octants(sr.filters_, scale).transpose(0, 2, 1)
    found = PiecewiseLinearMap(sr.hash_, maps).predict(rows - rows[:, 24:25])
    blocks = found.reshape(*low.shape, scale, scale).transpose(0, 2, 1, 3)
    expected = resize(low, scale) + blocks.reshape([n * scale for n in low.shape])
    result = sr.predict(low, data_range=(0, 1))
    close = np.abs(result - expected) < 1e-5
    assert close.mean() > 0.995  # rounding may move a pixel on an edge of the hash


def test_better_than_bicubic_on_unseen_images(sr, make_texture):
    high = make_texture((72, 90), 50)
    low = BicubicDegradation(sr.native_scale_).forward(high)
    bicubic = BicubicSR(sr.native_scale_)
    assert sr.score([low], [high]) > bicubic.score([low], [high]) + 0.5


@pytest.mark.parametrize("tile_shape", [(7, 9), (1, 200), (33, 5), (10_000, 10_000)])
@pytest.mark.parametrize("blending", [False, True])
def test_tiles_and_threads_do_not_change_a_bit(tile_shape, blending, sr, make_texture):
    image = make_texture((41, 67), 3)
    one = with_parameters(sr, blending=blending)
    two = with_parameters(sr, blending=blending, tile_shape=tile_shape, n_jobs=2)
    np.testing.assert_array_equal(two.predict(image), one.predict(image))


def test_blending_stays_between_the_two_images(sr, make_texture):
    low = make_texture((30, 40), 5)
    sharp, cheap = sr.predict(low), BicubicSR(sr.native_scale_).predict(low)
    blended = with_parameters(sr, blending=True).predict(low)
    assert (blended >= np.minimum(sharp, cheap) - 1e-6).all()
    assert (blended <= np.maximum(sharp, cheap) + 1e-6).all()
    assert np.abs(blended - sharp).max() > 0
    assert np.abs(blended - sharp).mean() < np.abs(blended - cheap).mean()


def test_fit_on_two_threads_has_the_same_bits(sr2, training_images):
    other = HashedFilterSR(2, n_angles=8, random_state=0, n_jobs=2).fit(training_images)
    np.testing.assert_array_equal(other.filters_, sr2.filters_)
    np.testing.assert_array_equal(other.hash_.strengths, sr2.hash_.strengths)


@pytest.mark.parametrize("move", [np.flipud, np.fliplr, np.rot90, np.transpose])
def test_flips_and_turns_of_the_input_are_those_of_the_output(move, sr, make_texture):
    image = make_texture((24, 31), 4)
    moved = sr.predict(np.ascontiguousarray(move(image)))
    difference = np.abs(moved - move(sr.predict(image)))
    assert (difference < 1e-5).mean() > 0.99


def test_the_negative_of_the_input_gives_that_of_the_output(sr, make_texture):
    image = make_texture((24, 31), 4)
    negative = sr.predict(-image, data_range=(-1, 0))
    np.testing.assert_allclose(negative, -sr.predict(image, data_range=(0, 1)), atol=1e-5)


def test_statistics_in_one_octant_are_those_of_the_moved_images(training_images):
    """Each octant of the sums of all eight versions, found without visiting them."""
    scale, image = 2, training_images[0][:40, :52]
    moved = [np.rot90(one, k) for one in (image, image[:, ::-1]) for k in range(4)]
    pairs = pairs_of([image], scale)
    partition = hash_of_pairs(pairs, 8, (2, 2, 2), np.random.RandomState(0))
    fast = in_one_octant(statistics_of_pairs(pairs, scale, partition, None), scale)
    slow = statistics_of_pairs(pairs_of(moved, scale), scale, partition, None)
    for name in ("gram", "cross"):
        found, expected = getattr(fast, name), getattr(slow, name)[: partition.n_leaves // 8]
        assert np.abs(found - expected).sum() < 0.01 * np.abs(expected).sum()


def test_statistics_of_shards_add_up(training_images):
    pairs = pairs_of(training_images, 2)
    partition = hash_of_pairs(pairs, 8, (2, 2, 2), np.random.RandomState(0))
    parts = [statistics_of_pairs(some, 2, partition, 2) for some in (pairs[:1], pairs[1:])]
    parts[0].merge(parts[1])
    expected = statistics_of_pairs(pairs, 2, partition, 1)
    np.testing.assert_allclose(parts[0].gram, expected.gram, atol=1e-9)
    np.testing.assert_allclose(parts[0].cross, expected.cross, atol=1e-9)


@pytest.mark.parametrize("scale", [2, 3, 4, 5, 8])
def test_complete_filters_equal_interpolation_and_filter(scale):
    """With no residual the complete filter interpolates; else it adds the filtered window."""
    rng = np.random.default_rng(scale)
    low = rng.random((13, 13))
    filters = rng.standard_normal((2, scale**2, 49))
    window = low[3:10, 3:10].ravel()  # around pixel (6, 6)
    cheap = resize(low, scale)[6 * scale : 7 * scale, 6 * scale : 7 * scale].ravel()
    expected = cheap + filters @ (window - window[24])
    np.testing.assert_allclose(complete_filters(filters, scale) @ window, expected, atol=1e-9)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_constant_images_stay(value, sr):
    image = np.full((9, 12), value, np.uint8)
    assert (sr.predict(image) == value).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (6, 5, 3), (5, 6, 4), (6, 7, 5)])
def test_any_shape(shape, sr2):
    image = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    result = sr2.predict(image)
    expected = [2 * n for n in shape[:2]] + [n * (2 if n == 5 else 1) for n in shape[2:]]
    assert list(result.shape) == expected
    assert result.dtype == np.uint8


def test_nan_stays_and_harms_nobody(sr2, make_texture):
    image = make_texture((30, 30), 1)
    image[12, 13] = np.nan
    result = sr2.predict(image)
    assert np.isnan(result).sum() == 4
    assert np.isnan(result[24:26, 26:28]).all()


def test_scales_in_between(sr, make_texture):
    image = make_texture((20, 30), 2)
    assert sr.predict(image, scale=1.5).shape == (30, 45)


def test_model_files(sr, make_texture, tmp_path):
    path = tmp_path / "raisr.safetensors"
    sr.save(path)
    loaded = load_model(path)
    image = make_texture((20, 30), 2)
    np.testing.assert_allclose(loaded.predict(image), sr.predict(image), atol=2e-3)
    assert read_model(path).method == "raisr"
    loaded.save(tmp_path / "again.safetensors")
    np.testing.assert_array_equal(
        load_model(tmp_path / "again.safetensors").predict(image), loaded.predict(image)
    )


SPOILED = {
    "filters short": ("filters", lambda a: a[:-1]),
    "filters of another scale": ("filters", lambda a: a[:, :3]),
    "filters of another size": ("filters", lambda a: a[..., :25]),
    "filters integer": ("filters", lambda a: np.ones(a.shape, np.int8)),
    "strengths fall": ("strengths", lambda a: a[::-1].copy()),
    "strengths negative": ("strengths", lambda a: -a[::-1]),
    "strengths too many": ("strengths", lambda a: np.append(a, a[-1])),
    "coherences above 1": ("coherences", lambda a: a + 1),
    "coherences 2-D": ("coherences", lambda a: a[None]),
    "curvatures too few": ("curvatures", lambda a: a[1:]),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_spoiled_tensors(spoiled, sr2, tmp_path):
    sr2.save(tmp_path / "good.safetensors")
    good = read_model(tmp_path / "good.safetensors")
    name, spoil = SPOILED[spoiled]
    tensors = {**good.tensors, name: spoil(good.tensors[name])}
    path = tmp_path / "bad.safetensors"
    write_model(path, method="raisr", params=good.parameters, tensors=tensors)
    with pytest.raises(ModelFileError, match="tensor"):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_angles", 12), ("n_angles", 0), ("n_angles", 10**6), ("n_strengths", 1), ("ridge", -1.0),
     ("blending", 1),
     ("n_coherences", 1.5), ("n_curvatures", 21), ("n_levels", 0), ("level_ratio", 2)],
)  # fmt: skip
def test_parameters_out_of_range(name, value, training_images):
    with pytest.raises(ValueError, match=f"'{name}' parameter of HashedFilterSR must be"):
        HashedFilterSR(**{name: value}).fit(training_images)


def test_training_images_too_small():
    with pytest.raises(ValueError, match="smaller than 3 low-resolution pixels"):
        HashedFilterSR(2).fit([np.zeros((5, 40), np.uint8)])


def test_stored_parameters_out_of_range(sr2, tmp_path):
    sr2.save(tmp_path / "good.safetensors")
    good = read_model(tmp_path / "good.safetensors")
    for params in ({"n_angles": 10**9}, {"n_angles": 12}, {"n_angles": "many"}, {"other": 1}):
        path = tmp_path / "bad.safetensors"
        parameters = {**good.parameters, **params}
        write_model(path, method="raisr", params=parameters, tensors=good.tensors)
        with pytest.raises(ModelFileError):
            load_model(path)
