"""Super-resolution forest on images: files, tiles, odd input."""

import numpy as np
import pytest

from classicsr import RandomForestSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model

FAST = {"n_trees": 3, "min_samples_leaf": 150, "n_levels": 2, "random_state": 0}


@pytest.fixture(scope="module")
def image(make_texture):
    return make_texture((45, 83), 40)


@pytest.fixture(scope="module")
def forest(training_images):
    return RandomForestSR(2, **FAST).fit(training_images)


def test_better_than_interpolation(forest, make_texture):
    from classicsr import BicubicSR

    unseen = [make_texture((60, 60), seed) for seed in range(90, 96)]
    low = [forest_input(image) for image in unseen]
    assert forest.score(low, unseen) > BicubicSR(2).score(low, unseen) + 1


def forest_input(image):
    from classicsr.degradation import BicubicDegradation

    return BicubicDegradation(2).forward(image)


@pytest.mark.parametrize("tile_shape", [(7, 9), (1, 200), (62, 246)])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_tiles_and_threads_do_not_change_a_bit(tile_shape, n_jobs, forest, image):
    other = RandomForestSR(2, **FAST, tile_shape=tile_shape, n_jobs=n_jobs)
    other.__dict__.update({k: v for k, v in forest.__getstate__().items() if k.endswith("_")})
    np.testing.assert_array_equal(other.predict(image), forest.predict(image))


def test_fit_on_two_threads_has_the_same_bits(forest, training_images, image):
    two = RandomForestSR(2, **FAST, n_jobs=2).fit(training_images)
    np.testing.assert_array_equal(two.predict(image), forest.predict(image))


def test_contrast_and_brightness(forest, image):
    expected = 50 + 200 * forest.predict(image, data_range=(0, 1))
    found = forest.predict(50 + 200 * image, data_range=(0, 250))
    np.testing.assert_allclose(found, expected, atol=0.5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 30), (9, 9)])
def test_small_and_constant_images(shape, forest):
    constant = np.full(shape, 0.4, np.float32)
    found = forest.predict(constant, data_range=(0, 1))
    np.testing.assert_allclose(found, np.full((2 * shape[0], 2 * shape[1]), 0.4), atol=1e-6)


def test_nan_stays_where_it_is(forest, image):
    holed = image.copy()
    holed[20, 30] = np.nan
    found = forest.predict(holed)
    assert np.isnan(found).sum() == 4
    assert np.isnan(found[40:42, 60:62]).all()


def test_round_trip(forest, image, tmp_path):
    forest.save(tmp_path / "once.safetensors")
    once = load_model(tmp_path / "once.safetensors")
    assert type(once) is RandomForestSR
    np.testing.assert_allclose(once.predict(image), forest.predict(image), atol=2e-3)
    once.save(tmp_path / "twice.safetensors")
    first, second = (read_model(tmp_path / f"{n}.safetensors") for n in ("once", "twice"))
    assert first.method == "forest"
    assert first.parameters == second.parameters
    assert first.parameters["n_trees"] == 3
    for name, tensor in first.tensors.items():
        np.testing.assert_array_equal(second.tensors[name], tensor)


@pytest.fixture
def content(forest, tmp_path):
    """What a good file holds, to be spoiled."""
    forest.save(tmp_path / "good.safetensors")
    model = read_model(tmp_path / "good.safetensors")
    return {
        "method": model.method,
        "params": model.parameters,
        "tensors": model.tensors,
        "degradation": model.degradation,
    }


def edited(array, at, value):
    array = array.copy()
    array[at] = value
    return array


SPOILED = {
    "a leaf as root": ("tests", lambda a: edited(a, 0, -1)),
    "column too large": ("tests", lambda a: edited(a, (0, 0), 500)),
    "column negative": ("tests", lambda a: edited(a, (0, 1), -2)),
    "half a test": ("tests", lambda a: edited(a, (0, 1), -1)),
    "columns of 64 bits that wrap": ("tests", lambda a: a.astype(np.int64) + (1 << 32)),
    "columns float": ("tests", lambda a: a.astype(np.float32)),
    "tests short": ("tests", lambda a: a[:-1]),
    "tests 1-D": ("tests", np.ravel),
    "thresholds short": ("thresholds", lambda a: a[:-1]),
    "nodes of a tree negative": ("n_nodes", lambda a: edited(a, 0, -5)),
    "nodes overflow": ("n_nodes", lambda a: edited(a, slice(None), np.iinfo(np.int64).max)),
    "no nodes": ("n_nodes", lambda a: edited(a, 0, 0)),
    "trees cut elsewhere": ("n_nodes", lambda a: a + np.array([2, -2, 0])),
    "one tree of all": ("n_nodes", lambda a: a.sum(keepdims=True)),
    "maps short": ("maps", lambda a: a[:-1]),
    "maps without bias": ("maps", lambda a: np.ascontiguousarray(a[:, :-1])),
    "filters short": ("filters", lambda a: a[:-1]),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_spoiled_tensors(spoiled, content, tmp_path):
    name, spoil = SPOILED[spoiled]
    content["tensors"][name] = spoil(content["tensors"][name])
    write_model(tmp_path / "bad.safetensors", **content)
    with pytest.raises(ModelFileError, match="tensor '"):
        load_model(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("name", ["filters", "maps", "n_nodes", "tests", "thresholds"])
def test_missing_tensors(name, content, tmp_path):
    del content["tensors"][name]
    write_model(tmp_path / "bad.safetensors", **content)
    with pytest.raises(ModelFileError, match="tensor '"):
        load_model(tmp_path / "bad.safetensors")


def test_wrong_parameters(content, tmp_path):
    for params in ({"n_trees": "many"}, {"n_anchors": 5}, {"native_scale": 3}):
        spoiled = {**content, "params": {**content["params"], **params}}
        write_model(tmp_path / "bad.safetensors", **spoiled)
        with pytest.raises(ModelFileError):
            load_model(tmp_path / "bad.safetensors")
