"""ARFL and NBSRF on images: files, tiles, odd input."""

import numpy as np
import pytest

from classicsr import BicubicSR, RandomForestSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import BicubicDegradation
from classicsr.zoo import make_method, method_name

FAST = {
    "arfl": {"n_trees": 3, "min_samples_leaf": 150},
    "nbsrf": {"n_trees": 3, "max_depth": 3, "n_neighbors": 300},
}
COMMON = {"scale": 2, "n_levels": 2, "random_state": 0}
each = pytest.mark.parametrize("name", FAST)


@pytest.fixture(scope="module")
def models(training_images):
    """A small model of each method; tests must not change them."""
    return {
        name: make_method(name, **COMMON, **params).fit(training_images)
        for name, params in FAST.items()
    }


@pytest.fixture(scope="module")
def image(make_texture):
    return make_texture((45, 83), 40)


@each
def test_registry_name(name, models):
    assert method_name(models[name]) == name


@each
def test_better_than_interpolation(name, models, make_texture):
    unseen = [make_texture((60, 60), seed) for seed in range(90, 96)]
    low = [BicubicDegradation(2).forward(image) for image in unseen]
    assert models[name].score(low, unseen) > BicubicSR(2).score(low, unseen) + 0.9


@each
@pytest.mark.parametrize("tile_shape", [(7, 9), (1, 200)])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_tiles_and_threads_do_not_change_a_bit(tile_shape, n_jobs, name, models, image):
    fitted = {k: v for k, v in models[name].__getstate__().items() if k.endswith("_")}
    other = RandomForestSR(**{**models[name].get_params(deep=False), "tile_shape": tile_shape})
    other.__dict__.update(fitted, n_jobs=n_jobs)
    np.testing.assert_array_equal(other.predict(image), models[name].predict(image))


@each
def test_contrast_and_brightness(name, models, image):
    expected = 50 + 200 * models[name].predict(image, data_range=(0, 1))
    found = models[name].predict(50 + 200 * image, data_range=(0, 250))
    np.testing.assert_allclose(found, expected, atol=0.5)


def test_the_negative_of_an_image(models, image):
    """NBSRF cannot tell a patch from its negative."""
    expected = 1 - models["nbsrf"].predict(image, data_range=(0, 1))
    found = models["nbsrf"].predict(1 - image, data_range=(0, 1))
    assert np.median(np.abs(found - expected)) < 1e-5


@each
@pytest.mark.parametrize("shape", [(1, 1), (2, 30)])
def test_small_and_constant_images(shape, name, models):
    constant = np.full(shape, 0.4, np.float32)
    found = models[name].predict(constant, data_range=(0, 1))
    np.testing.assert_allclose(found, np.full((2 * shape[0], 2 * shape[1]), 0.4), atol=1e-6)


@each
def test_nan_stays_where_it_is(name, models, image):
    holed = image.copy()
    holed[20, 30] = np.nan
    found = models[name].predict(holed)
    assert np.isnan(found).sum() == 4
    assert np.isnan(found[40:42, 60:62]).all()


@each
def test_round_trip(name, models, image, tmp_path):
    models[name].save(tmp_path / "once.safetensors")
    once = load_model(tmp_path / "once.safetensors")
    assert method_name(once) == name
    np.testing.assert_allclose(once.predict(image), models[name].predict(image), atol=2e-3)
    once.save(tmp_path / "twice.safetensors")
    first, second = (read_model(tmp_path / f"{n}.safetensors") for n in ("once", "twice"))
    assert first.method == name
    assert first.parameters == second.parameters
    for key, tensor in first.tensors.items():
        np.testing.assert_array_equal(second.tensors[key], tensor)


SPOILED = {
    "a level and a half": ("centers", lambda a: a[:, :-2]),
    "a leaf less": ("centers", lambda a: a[:, :-1]),
    "a tree less": ("centers", lambda a: a[:-1]),
    "a level less": ("centers", lambda a: a[:, :6]),
    "features short": ("centers", lambda a: a[..., :-1]),
    "centres flat": ("centers", lambda a: a.reshape(-1, a.shape[2])),
    "centres integer": ("centers", lambda a: a.astype(np.int32)),
    "maps short": ("maps", lambda a: a[:-1]),
    "maps with bias": ("maps", lambda a: np.concatenate([a, a[:, :1]], axis=1)),
    "filters short": ("filters", lambda a: a[:-1]),
}


@pytest.fixture
def content(models, tmp_path):
    """What a good file holds, to be spoiled."""
    models["nbsrf"].save(tmp_path / "good.safetensors")
    model = read_model(tmp_path / "good.safetensors")
    return {
        "method": model.method,
        "params": model.parameters,
        "tensors": model.tensors,
        "degradation": model.degradation,
    }


@pytest.mark.parametrize("spoiled", SPOILED)
def test_spoiled_tensors(spoiled, content, tmp_path):
    name, spoil = SPOILED[spoiled]
    content["tensors"][name] = np.ascontiguousarray(spoil(content["tensors"][name]))
    write_model(tmp_path / "bad.safetensors", **content)
    with pytest.raises(ModelFileError, match="tensor '"):
        load_model(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("name", ["filters", "maps", "centers"])
def test_missing_tensors(name, content, tmp_path):
    del content["tensors"][name]
    write_model(tmp_path / "bad.safetensors", **content)
    with pytest.raises(ModelFileError, match="tensor '"):
        load_model(tmp_path / "bad.safetensors")


def test_a_file_of_another_variant(content, tmp_path):
    write_model(tmp_path / "bad.safetensors", **{**content, "method": "arfl"})
    with pytest.raises(ModelFileError, match="tensor '"):
        load_model(tmp_path / "bad.safetensors")


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"variant": "boosted"}, "variant"),
        ({"variant": "naive_bayes", "max_depth": 0}, "max_depth"),
        ({"variant": "naive_bayes", "n_neighbors": 0}, "n_neighbors"),
        ({"variant": "alternating", "ridge": -1.0}, "ridge"),
    ],
)
def test_wrong_parameters(params, name, training_images):
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        RandomForestSR(2, n_levels=1, **params).fit(training_images)
