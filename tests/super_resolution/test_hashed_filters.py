"""RAISR at the image level: agrees with the patch level, tiles, threads, files."""

import numpy as np
import pytest

from classicsr import BicubicSR, HashedFilterSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import BicubicDegradation, resize
from classicsr.patches import mirrored
from classicsr.regressors._piecewise import PiecewiseLinearMap
from classicsr.super_resolution._hashed_tiles import low_resolution_filters
from classicsr.super_resolution._hashed_training import InterpolatedPairs, symmetrised
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
    """Every pixel: its window of the bicubic image, hashed and mapped by itself."""
    scale = sr.native_scale_
    low = make_texture((17, 21), 9)
    cheap = resize(low, scale)
    rows, columns = (mirrored(-5, n + 5, n) for n in cheap.shape)
    windows = np.lib.stride_tricks.sliding_window_view(cheap[np.ix_(rows, columns)], (11, 11))
    windows = windows.reshape(*cheap.shape, 121)
    expected = cheap.copy()
    for p in range(scale):
        for q in range(scale):
            maps = sr.filters_[p * scale + q][:, :, None]
            part = windows[p::scale, q::scale]
            differences = (part - part[..., 60:61]).reshape(-1, 121)
            found = PiecewiseLinearMap(sr.hash_, maps).predict(differences)
            expected[p::scale, q::scale] += found.reshape(part.shape[:2])
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
    assert (difference < 1e-4).mean() > 0.99


def test_symmetrised_statistics_are_those_of_the_moved_images(training_images):
    """The sums of all eight versions, found without visiting them."""
    scale, image = 2, training_images[0][:40, :52]
    moved = [np.rot90(one, k) for one in (image, image[:, ::-1]) for k in range(4)]
    one = InterpolatedPairs(pairs_of([image], scale), scale)
    partition = one.fit_hash(8, 2, 2, np.random.RandomState(0))
    fast = symmetrised(one.statistics(partition, None), partition, scale)
    slow = InterpolatedPairs(pairs_of(moved, scale), scale).statistics(partition, None)
    total = np.abs(slow.gram).sum()
    assert np.abs(fast.gram - slow.gram).sum() < 0.01 * total
    assert np.abs(fast.cross - slow.cross).sum() < 0.01 * np.abs(slow.cross).sum()


def test_statistics_of_shards_add_up(training_images):
    pairs = pairs_of(training_images, 2)
    whole = InterpolatedPairs(pairs, 2)
    partition = whole.fit_hash(8, 2, 2, np.random.RandomState(0))
    parts = [InterpolatedPairs(some, 2).statistics(partition, 2) for some in (pairs[:1], pairs[1:])]
    parts[0].merge(parts[1])
    expected = whole.statistics(partition, 1)
    np.testing.assert_allclose(parts[0].gram, expected.gram, atol=1e-9)
    np.testing.assert_allclose(parts[0].cross, expected.cross, atol=1e-9)


@pytest.mark.parametrize("scale", [2, 3, 4, 5, 8])
def test_folded_filters_equal_interpolation_and_filter(scale):
    """With no residual the folded filter interpolates; with one it adds the filtered window."""
    rng = np.random.default_rng(scale)
    low = rng.random((13, 13))
    cheap = resize(low, scale)
    filters = rng.standard_normal((scale**2, 2, 121))
    folded = low_resolution_filters(filters, scale)
    window = low[2:11, 2:11].ravel()  # around pixel (6, 6)
    for p in range(scale):
        for q in range(scale):
            i, j = 6 * scale + p, 6 * scale + q
            part = cheap[i - 5 : i + 6, j - 5 : j + 6].ravel()
            expected = cheap[i, j] + filters[p * scale + q] @ (part - cheap[i, j])
            np.testing.assert_allclose(folded[p * scale + q] @ window, expected, atol=1e-9)


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
    "filters short": ("filters", lambda a: a[:, :-1]),
    "filters of another scale": ("filters", lambda a: a[:3]),
    "filters of another size": ("filters", lambda a: a[..., :81]),
    "filters integer": ("filters", lambda a: np.ones(a.shape, np.int8)),
    "strengths fall": ("strengths", lambda a: a[::-1].copy()),
    "strengths negative": ("strengths", lambda a: -a[::-1]),
    "strengths too many": ("strengths", lambda a: np.append(a, a[-1])),
    "coherences above 1": ("coherences", lambda a: a + 1),
    "coherences 2-D": ("coherences", lambda a: a[None]),
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
    [("n_angles", 6), ("n_angles", 0), ("n_angles", 10**6), ("n_strengths", 1), ("ridge", -1.0),
     ("blending", 1),
     ("n_coherences", 1.5), ("n_levels", 0), ("level_ratio", 2)],
)  # fmt: skip
def test_parameters_out_of_range(name, value, training_images):
    with pytest.raises(ValueError, match=f"'{name}' parameter of HashedFilterSR must be"):
        HashedFilterSR(**{name: value}).fit(training_images)


def test_stored_parameters_out_of_range(sr2, tmp_path):
    sr2.save(tmp_path / "good.safetensors")
    good = read_model(tmp_path / "good.safetensors")
    for params in ({"n_angles": 10**9}, {"n_angles": 6}, {"n_angles": "many"}, {"other": 1}):
        path = tmp_path / "bad.safetensors"
        parameters = {**good.parameters, **params}
        write_model(path, method="raisr", params=parameters, tensors=good.tensors)
        with pytest.raises(ModelFileError):
            load_model(path)
