"""Three-dimensional patches: what is learned, what is promised, and hostile model files."""

import itertools
from copy import copy

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter

from classicsr import MixedVolumeSR, SelfVolumeSR, VolumePatchSR
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import SliceProfileDegradation, project, resize
from classicsr.features import difference_matrix
from classicsr.patches import windows
from classicsr.reconstruction._rehearsal import rehearsals
from classicsr.reconstruction._volume_regression import (
    _CONTRAST,
    VolumeRegression,
    WindowShape,
    _differences,
    _drawn,
    _power,
)
from classicsr.regressors import PiecewiseLinearMap, WholeSpace
from classicsr.zoo import load_model

SMALL = {"scale": (1, 1, 2), "n_samples": 10_000}


def scene(shape, seed=0):
    """Blobs with sharp rims, alike along all axes."""
    smooth = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2)
    smooth /= smooth.std()
    return (np.where(smooth > 0, 0.8, 0.2) + 0.05 * smooth).astype(np.float32)


def mse(a, b):
    return float(np.mean((a - b) ** 2))


@pytest.fixture(scope="module")
def high():
    return scene((26, 24, 28), seed=1)


@pytest.fixture(scope="module")
def low(high):
    return SliceProfileDegradation((1, 1, 2)).forward(high)


@pytest.fixture(scope="module")
def forest():
    return VolumePatchSR(**SMALL).fit([scene((28, 28, 28))])


@pytest.fixture(scope="module")
def mixed():
    return MixedVolumeSR(**SMALL).fit([scene((24, 24, 24))])


def test_windows_of_blocks_against_padding():
    volume = np.random.default_rng(0).random((4, 3, 6)).astype(np.float32)
    found = windows(volume, (1, 0, 2), (1, 1, 3))
    padded = np.pad(volume, ((1, 1), (0, 0), (2, 2)), mode="symmetric")
    assert found.shape == (4, 3, 2, 3, 1, 7)
    for i, j, k in itertools.product(range(4), range(3), range(2)):
        expected = padded[i : i + 3, j : j + 1, 3 * k : 3 * k + 7]
        np.testing.assert_array_equal(found[i, j, k], expected)


def test_differences_against_numpy():
    window = np.random.default_rng(0).random((3, 2, 4))
    expected = [np.diff(window, n, axis).ravel() for axis in range(3) for n in (1, 2)]
    found = difference_matrix(window.shape) @ window.ravel()
    np.testing.assert_allclose(found, np.concatenate(expected), atol=1e-12)


class LeastSquares:
    def fit(self, X, Y):
        self.map_ = PiecewiseLinearMap(WholeSpace(), np.linalg.lstsq(X, Y)[0][None])
        return self


@pytest.mark.parametrize("by_contrast", [False, True])
@pytest.mark.parametrize("axes", [2, 3])
def test_what_is_linear_in_the_window_is_found(axes, by_contrast):
    """Of any number of axes; the filter is symmetric, as all mirror images are learned from."""
    estimate = np.random.default_rng(0).random((12, 14, 24)[-axes:]).astype(np.float32)
    missing = estimate - uniform_filter(estimate, 3, mode="reflect")
    learned = VolumeRegression.learn(
        [(estimate, missing)],
        WindowShape((1,) * (axes - 1) + (2,), (1,) * axes),
        LeastSquares(),
        n_samples=100_000,
        energy=1.0,
        rng=np.random.RandomState(0),
        by_contrast=by_contrast,
    )
    np.testing.assert_allclose(learned.missing(estimate), missing, atol=1e-4)


def test_weights_of_windows_against_numpy():
    volume = np.random.default_rng(0).random((5, 6, 9)).astype(np.float32)
    found = _power(volume, WindowShape((1, 1, 3), (2, 2, 6)))
    slopes = np.pad(sum(g**2 for g in np.gradient(volume)), [(2, 2), (2, 2), (2, 2)], "symmetric")
    for i, j, k in itertools.product(range(5), range(6), range(3)):
        around = slopes[i : i + 5, j : j + 5, 3 * k : 3 * k + 7]
        np.testing.assert_allclose(found[i, j, k], around.mean() / _CONTRAST**2, rtol=1e-4)


def test_what_weighs_more_is_drawn_more_often():
    rng = np.random.RandomState(0)
    weight = np.array([1, 2, 4, 1], np.float32)
    drawn = np.bincount([_drawn(weight, 1, rng)[0] for _ in range(4000)]) / 4000
    np.testing.assert_allclose(drawn, weight / weight.sum(), atol=0.03)
    np.testing.assert_array_equal(_drawn(weight, 9, rng), np.arange(4))
    assert len(set(_drawn(np.ones(50, np.float32), 20, rng))) == 20


@pytest.mark.parametrize("regressor", ["forest", "aplus", "zeyde", "ne"])
def test_every_regressor_beats_its_start_and_survives_its_file(regressor, high, low, tmp_path):
    sr = VolumePatchSR((1, 1, 2), regressor, n_samples=4000)
    sr.fit([scene((28, 28, 28))])
    result = sr.predict(low)
    model = SliceProfileDegradation((1, 1, 2))
    assert result.shape == high.shape
    assert np.abs(model.forward(result) - low).max() < 1e-5
    assert mse(result, high) < mse(project(resize(low, (1, 1, 2)), low, model), high)
    path = tmp_path / "model.safetensors"
    sr.save(path)
    loaded = load_model(path)
    np.testing.assert_allclose(loaded.predict(low), result, atol=2e-3)
    assert loaded.get_params()["regressor"] == regressor


def test_mixed_takes_a_share_of_what_improves_self(mixed, high, low, tmp_path):
    record = {}
    result = mixed.predict(low, record=record)
    share = record["learned"]["share_of_the_correction"]
    assert 0 <= share <= 1
    unit = (low - low.min()) / np.ptp(low)
    model = SliceProfileDegradation((1, 1, 2))
    own = mixed._start(unit, model, high.shape)
    corrected = mixed._corrected(own, unit, model)
    truth = (high - low.min()) / np.ptp(low)
    assert mse(corrected, truth) < mse(own, truth)
    expected = (own + share * (corrected - own)) * np.ptp(low) + low.min()
    np.testing.assert_allclose(result, expected, atol=1e-5)
    np.testing.assert_allclose(
        SelfVolumeSR((1, 1, 2)).predict(low), own * np.ptp(low) + low.min(), atol=1e-5
    )
    assert np.abs(model.forward(result) - low).max() < 1e-5
    path = tmp_path / "model.safetensors"
    mixed.save(path)
    loaded = load_model(path)._corrected(own, unit, model)
    np.testing.assert_allclose(loaded, corrected, atol=1e-3)


def test_little_is_taken_where_training_volumes_mislead(mixed):
    """Noise: nothing that blobs teach is true of it."""
    noise = np.random.default_rng(0).random((24, 24, 12), np.float32)
    mixed._prepare(noise, SliceProfileDegradation((1, 1, 2)))
    assert mixed.share_ < 0.6


def test_without_a_rehearsal_the_result_is_that_of_self(mixed):
    """Too small a plane, or no axis thicker than the others: to the bit."""
    volume = scene((11, 11, 20), seed=2)
    for low, scale in ((volume, (1, 1, 2)), (volume, (2, 2, 2))):
        expected = SelfVolumeSR(scale).predict(low)
        np.testing.assert_array_equal(mixed.predict(low, scale=scale), expected)
        assert mixed.share_ == 0


def test_a_smooth_volume_is_known_for_one(mixed):
    """Sharp once it is reduced, it must not be sharpened: less is taken than of a sharp one."""
    model = SliceProfileDegradation((1, 1, 2))
    sharp = scene((26, 26, 26), seed=4)
    shares = []
    for truth in (sharp, gaussian_filter(sharp, 1.5)):
        mixed._prepare(model.forward(truth), model)
        shares.append(mixed.share_)
    assert shares[0] > 0.5 > 0.2 > shares[1]


def test_rehearsals_have_a_known_answer(mixed, low):
    model = SliceProfileDegradation((1, 1, 2))
    learning = mixed._learned(low, model)
    found = list(rehearsals(learning, low, model, 1))
    assert [one.learning.axis for one in found] == [0, 1]
    for one in found:
        assert one.truth.shape == (26, 24, 28)
        np.testing.assert_array_equal(one.thick, one.model.forward(one.truth))
        ratio = np.divide(one.truth.shape, one.thick.shape)
        np.testing.assert_array_equal(ratio, np.where(np.arange(3) == one.learning.axis, 2, 1))
        # the estimate agrees with the slices, and so does what is taken for the truth
        np.testing.assert_allclose(model.forward(one.truth), low, atol=1e-5)


def test_differences_of_samples_near_a_block_and_of_means():
    shape = WindowShape((1, 3), (2, 6))
    window = np.random.default_rng(0).random(shape.sides)
    means = window.reshape(5, 5, 3).mean(axis=2)
    for found, seen in zip(_differences(shape, 2), (window[:, 4:11], means), strict=True):
        expected = difference_matrix(seen.shape) @ seen.ravel()
        np.testing.assert_allclose(
            np.linalg.norm(found @ window.ravel()), np.linalg.norm(expected), rtol=1e-9
        )


def test_the_same_whichever_axis_is_thick(forest, low):
    expected = forest.predict(low)
    for order in ((2, 0, 1), (0, 2, 1)):
        scale = tuple((1, 1, 2)[axis] for axis in order)
        turned = forest.predict(low.transpose(order), scale=scale)
        np.testing.assert_allclose(turned.transpose(np.argsort(order)), expected, atol=1e-5)


def test_mirrored_input_mirrored_result(forest, low):
    np.testing.assert_allclose(forest.predict(low[::-1])[::-1], forest.predict(low), atol=1e-5)


def test_other_ratios_and_voxels_of_half_the_side(forest, high):
    low = SliceProfileDegradation((1, 1, 1.75)).forward(high)
    result = forest.predict(low, scale=(1, 1, 1.75))
    assert mse(result, high) < mse(resize(low, (1, 1, 1.75)), high)
    cubes = VolumePatchSR((2, 2, 2), n_samples=3000).fit([high])
    low = SliceProfileDegradation((2, 2, 2)).forward(high)
    assert mse(cubes.predict(low), high) < mse(resize(low, (2, 2, 2)), high)
    with pytest.raises(ValueError, match="reaches x2, not x3"):
        forest.predict(low, scale=(1, 1, 3))
    with pytest.raises(ValueError, match="for volumes"):
        forest.predict(np.zeros((8, 8)), scale=2)


def test_same_bits_for_any_threads(forest, mixed, low):
    part = low[:20, :20]
    for sr in (forest, mixed):
        expected = sr.predict(part)
        threaded = copy(sr).set_params(n_jobs=3, tile_shape=(5, 7))
        np.testing.assert_array_equal(threaded.predict(part), expected)


def test_same_seed_same_model(forest):
    again = VolumePatchSR(**SMALL).fit([scene((28, 28, 28))])
    np.testing.assert_array_equal(again.regression_.filters, forest.regression_.filters)
    for one, other in zip(
        again.regression_.map.members, forest.regression_.map.members, strict=True
    ):
        np.testing.assert_array_equal(one.maps, other.maps)


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 1, 4), (9, 9, 2)])
def test_tiny_constant_and_nan_volumes(forest, mixed, shape):
    flat = np.full(shape, 7, np.int16)
    for sr in (forest, mixed):
        np.testing.assert_array_equal(sr.predict(flat), np.full((*shape[:2], 2 * shape[2]), 7))
    holed = np.random.default_rng(0).random(shape)
    holed.flat[0] = np.nan
    result = mixed.predict(holed)
    assert np.isfinite(result).sum() >= result.size - 8


@pytest.mark.parametrize(
    ("params", "volumes", "message"),
    [
        ({"scale": 2}, [np.zeros((9, 9, 9))], "'scale' parameter"),
        ({"scale": (1, 1, 2.5)}, [np.zeros((9, 9, 9))], "'scale' parameter"),
        ({"regressor": "tree"}, [np.zeros((9, 9, 9))], "'regressor' parameter"),
        ({"profile": "sinc"}, [np.zeros((9, 9, 9))], "'profile' parameter"),
        ({}, [np.zeros((9, 9))], "3-D array"),
        ({}, [np.zeros((9, 9, 4))], "6 samples or more"),
        ({}, [np.full((9, 9, 9), np.nan)], "NaN"),
        ({}, [], "at least one"),
    ],
)
def test_what_cannot_be_learned_from_is_said(params, volumes, message):
    with pytest.raises(ValueError, match=message):
        VolumePatchSR(**{**SMALL, **params}).fit(volumes)


def rewritten(path, **changes):
    """A model file with other parameters or tensors, its hash right."""
    model = read_model(path)
    params = {**model.parameters, **changes.pop("params", {})}
    write_model(
        path,
        method=changes.pop("method", model.method),
        params=params,
        degradation=None,
        tensors={**model.tensors, **changes},
    )


@pytest.mark.parametrize(
    "change",
    [
        {"filters": np.zeros((5, 17), np.float32)},
        {"filters": np.zeros((5, 250), np.float32)},
        {"tests": np.full((3, 2), 4000)},
        {"stray": np.zeros(3, np.float32)},
        {"params": {"scale": [1, 1, 3]}},
        {"params": {"scale": [1, 1, 1]}},
        {"params": {"scale": [1, 1, 1e9]}},
        {"params": {"regressor": "aplus"}},
        {"params": {"regressor": ["forest"]}},
        {"params": {"thickness": "thin"}},
        {"params": {"unknown": 1}},
        {"method": "forest"},
    ],
)
def test_hostile_files_are_refused(forest, tmp_path, change):
    path = tmp_path / "model.safetensors"
    forest.save(path)
    rewritten(path, **change)
    with pytest.raises(ModelFileError):
        load_model(path)
