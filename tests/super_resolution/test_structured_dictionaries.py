"""Clustered and adaptive dictionaries on images: files, tiles, odd input."""

import numpy as np
import pytest

from classicsr import AdaptiveDictionarySR, BicubicSR, ClusteredDictionarySR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import BicubicDegradation
from classicsr.zoo import method_name

FAST = {"n_clusters": 6, "n_levels": 1, "random_state": 0}
MODELS = {
    "mdl": ClusteredDictionarySR(2, **FAST, n_atoms=24, n_iter=3),
    "mdl-forest": ClusteredDictionarySR(2, **FAST, n_atoms=24, n_iter=3, classifier="forest"),
    "asdl": AdaptiveDictionarySR(2, **FAST),
}
each = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def models(training_images):
    """Small models; tests must not change them."""
    return {name: variant(sr).fit(training_images[:2]) for name, sr in MODELS.items()}


@pytest.fixture(scope="module")
def picture(make_texture):
    return make_texture((41, 150), 50)


def variant(sr, **params):
    """`sr` with other parameters, without touching the shared one."""
    other = type(sr)(**{**sr.get_params(deep=False), **params})
    other.__dict__.update({key: v for key, v in sr.__getstate__().items() if key.endswith("_")})
    return other


@each
def test_better_than_interpolation(name, models, make_texture):
    unseen = [make_texture((80, 96), seed) for seed in range(90, 96)]
    low = [BicubicDegradation(2).forward(image) for image in unseen]
    assert models[name].score(low, unseen) > BicubicSR(2).score(low, unseen) + 1


@each
def test_registry_name(name, models):
    assert method_name(models[name]) == name.removesuffix("-forest")


@each
@pytest.mark.parametrize("tile_shape", [(7, 9), (1, 200), (41, 150)])
def test_tiles_and_threads_do_not_change_a_bit(name, tile_shape, models, picture):
    other = variant(models[name], tile_shape=tile_shape, n_jobs=2)
    np.testing.assert_array_equal(other.predict(picture), models[name].predict(picture))


@each
def test_same_seed_same_model_for_any_thread_count(name, models, training_images, picture):
    again = variant(MODELS[name], n_jobs=2).fit(training_images[:2])
    np.testing.assert_array_equal(again.predict(picture), models[name].predict(picture))


@each
def test_awkward_images(name, models, picture):
    sr = models[name]
    np.testing.assert_array_equal(sr.predict(np.full((5, 6), 7, np.int16)), 7)
    np.testing.assert_array_equal(sr.predict(np.full((30, 40), 7, np.int16)), 7)
    assert sr.predict(np.array([[3]], np.uint8)).tolist() == [[3, 3], [3, 3]]
    hurt = picture.copy()
    hurt[20, 70] = np.nan
    found = sr.predict(hurt, data_range=(0, 1))
    assert np.isnan(found).sum() == 4
    whole = sr.predict(picture, data_range=(0, 1))
    np.testing.assert_allclose(found[:, :100], whole[:, :100], atol=0.02)
    color = np.repeat(picture[:12, :13, None], 3, axis=2)
    assert sr.predict((color * 255).astype(np.uint8), scale=1.5).shape == (18, 20, 3)


@each
def test_equivariant_to_intensity(name, models, picture):
    expected = 200 * models[name].predict(picture, data_range=(0, 1)) - 1000
    found = models[name].predict(200 * picture - 1000, data_range=(-1000, -500))
    np.testing.assert_allclose(found, expected, atol=0.1)


@each
def test_model_file(name, models, picture, tmp_path):
    paths = [tmp_path / f"{stem}.safetensors" for stem in ("once", "twice")]
    models[name].save(paths[0])
    once = load_model(paths[0])
    assert type(once) is type(models[name])
    difference = once.predict(picture) - models[name].predict(picture)
    assert 0 < np.sqrt((difference**2).mean()) < 0.05 / 255
    once.save(paths[1])
    first, second = (read_model(path) for path in paths)
    assert first.parameters == second.parameters
    for key, tensor in first.tensors.items():
        np.testing.assert_array_equal(second.tensors[key], tensor)


def edited(array, at, value):
    array = array.copy()
    array[at] = value
    return array


SPOILED = {
    ("mdl", "low_atoms"): lambda a: a[:, :-1],
    ("mdl", "high_atoms"): lambda a: a[:-1],
    ("mdl", "anchors"): lambda a: a[:-1],
    ("mdl", "class_sizes"): lambda a: a + 1,
    ("mdl-forest", "class_sizes"): lambda a: edited(a, 0, np.iinfo(np.int64).max),
    ("mdl-forest", "class_shares"): lambda a: a[:-1],
    ("mdl-forest", "tests"): lambda a: edited(a, (0, 0), 500),
    ("mdl-forest", "n_nodes"): lambda a: edited(a, 0, 0),
    ("asdl", "anchors"): lambda a: a[:, :-1],
    ("asdl", "maps"): lambda a: a[:, :-1],
    ("asdl", "precisions"): lambda a: -a,
}


@pytest.mark.parametrize("spoiled", SPOILED, ids=" ".join)
@pytest.mark.parametrize("missing", [False, True])
def test_spoiled_tensors(spoiled, missing, models, tmp_path):
    name, tensor = spoiled
    models[name].save(tmp_path / "good.safetensors")
    model = read_model(tmp_path / "good.safetensors")
    found = model.tensors.pop(tensor)
    tensors = model.tensors | ({} if missing else {tensor: SPOILED[spoiled](found)})
    refuse(model, tmp_path, tensors=tensors)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("mdl", {"classifier": "forest"}),
        ("mdl", {"classifier": "other"}),
        ("mdl", {"n_nonzero": 0}),
        ("mdl", {"native_scale": 3}),
        ("asdl", {"n_internal": -1}),
        ("asdl", {"n_back_projections": 0.5}),
        ("asdl", {"native_scale": 3}),
    ],
)
def test_spoiled_parameters(name, params, models, tmp_path):
    models[name].save(tmp_path / "good.safetensors")
    model = read_model(tmp_path / "good.safetensors")
    refuse(model, tmp_path, params={**model.parameters, **params})


def refuse(model, tmp_path, *, tensors=None, params=None):
    write_model(
        tmp_path / "bad.safetensors",
        method=model.method,
        params=params or model.parameters,
        tensors=tensors or model.tensors,
        degradation=model.degradation,
    )
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "bad.safetensors")


def test_adapts_to_what_repeats(models):
    """Stripes unlike the training images: their own pairs teach the maps."""
    y, x = np.mgrid[:120, :132]
    high = (0.5 + 0.5 * np.sign(np.sin(x / 2.7 + y / 9.1))).astype(np.float32)
    low = BicubicDegradation(2).forward(high)
    sr = variant(models["asdl"], prior_samples=1)
    alone = variant(models["asdl"], n_internal=0)
    assert sr.score([low], [high]) > alone.score([low], [high]) + 0.1


@pytest.mark.parametrize(
    ("sr", "name"),
    [
        (ClusteredDictionarySR(n_nonzero=0), "n_nonzero"),
        (ClusteredDictionarySR(n_clusters=0), "n_clusters"),
        (ClusteredDictionarySR(classifier="tree"), "classifier"),
        (AdaptiveDictionarySR(n_internal=-1), "n_internal"),
        (AdaptiveDictionarySR(n_back_projections=1.5), "n_back_projections"),
        (AdaptiveDictionarySR(prior_samples=0), "prior_samples"),
    ],
)
def test_parameters_out_of_range_are_named(sr, name, make_texture):
    with pytest.raises(ValueError, match=f"'{name}' parameter of"):
        sr.fit([make_texture((30, 30), 0)])
