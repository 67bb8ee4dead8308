"""Neighbour embedding over training patches and in other spaces: bits, files, hostile files."""

import numpy as np
import pytest

from classicsr import NeighborEmbeddingSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model

SMALL = {"n_levels": 1, "n_iter": 2, "n_atoms": 60, "n_neighbors": 12, "random_state": 0}
VARIANTS = {
    "exact": {"columns": "patches", "index": "exact"},
    "ivf": {"columns": "patches", "index": "ivf"},
    "hnsw": {"columns": "patches", "index": "hnsw"},
    "laplacian": {"space": "laplacian"},
    "aligned": {"space": "aligned"},
    "cca": {"space": "cca", "columns": "patches", "n_samples": 500},
}
each = pytest.mark.parametrize("name", VARIANTS)


@pytest.fixture(scope="module")
def models(training_images):
    """Tests must not change them."""
    return {
        name: NeighborEmbeddingSR(2, **{**SMALL, **params}).fit(training_images)
        for name, params in VARIANTS.items()
    }


@pytest.fixture(scope="module")
def picture(make_texture):
    return make_texture((33, 140), 50)


@each
def test_tiles_and_threads_do_not_change_a_bit(name, models, picture, training_images):
    sr = models[name]
    expected = sr.predict(picture)
    again = NeighborEmbeddingSR(2, **{**SMALL, **VARIANTS[name]}, n_jobs=2, tile_shape=(7, 9))
    np.testing.assert_array_equal(again.fit(training_images).predict(picture), expected)


@each
def test_sign(name, models, picture):
    """A graph searches one side of the sphere only."""
    negative = models[name].predict(1 - picture, data_range=(0, 1))
    gap = 1 - negative - models[name].predict(picture, data_range=(0, 1))
    assert np.abs(gap).mean() < (0.05 if name == "hnsw" else 1e-5)  # near ties may flip


@each
def test_model_file(name, models, picture, tmp_path):
    paths = [tmp_path / f"{stem}.safetensors" for stem in ("once", "twice")]
    models[name].save(paths[0])
    once = load_model(paths[0])
    difference = once.predict(picture) - models[name].predict(picture)
    assert np.sqrt((difference**2).mean()) < 0.1 / 255
    once.save(paths[1])
    np.testing.assert_array_equal(load_model(paths[1]).predict(picture), once.predict(picture))
    assert once.get_params().items() >= VARIANTS[name].items()


def raised(array, at, value):
    array = array.copy()
    array[at] = value
    return array


SPOILED = [
    ("ivf", "cell_starts", lambda a: raised(a, 0, 1)),
    ("ivf", "cell_starts", lambda a: raised(a, -1, a[-1] + 1)),
    ("ivf", "cell_starts", lambda a: raised(a, 1, 10**9)),
    ("ivf", "cell_starts", lambda a: raised(a, 1, np.iinfo(np.int64).min)),
    ("ivf", "cell_starts", lambda a: a[:-1]),
    ("ivf", "cell_starts", lambda a: a.astype(np.float32)),
    ("ivf", "cell_centers", lambda a: a[:, :-1]),
    ("ivf", "low_atoms", lambda a: a[:-1]),
    ("ivf", "high_atoms", lambda a: a[:, :-1]),
    ("ivf", "directions", lambda _: np.zeros((3, 3), np.float32)),
    ("laplacian", "coordinates", lambda a: a[:-1]),
    ("laplacian", "coordinates", lambda a: a[:, :-1]),
    ("laplacian", "decay", lambda a: raised(a, 0, 0)),
    ("laplacian", "decay", lambda a: a[None]),
    ("aligned", "directions", lambda a: a[:-1]),
    ("aligned", "directions", lambda a: a[:, :-1]),
    ("aligned", "directions", lambda a: a.astype(np.int32)),
]


def refuse(name, models, tmp_path, tensors=None, params=None, method=None):
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    models[name].save(good)
    model = read_model(good)
    write_model(
        bad,
        method=method or model.method,
        params={**model.parameters, **(params or {})},
        tensors={**model.tensors, **(tensors(model.tensors) if tensors else {})},
        degradation=model.degradation,
    )
    with pytest.raises(ModelFileError, match=r"bad\.safetensors"):
        load_model(bad)


@pytest.mark.parametrize(("name", "tensor", "spoil"), SPOILED)
def test_spoiled_tensors(name, tensor, spoil, models, tmp_path):
    refuse(name, models, tmp_path, lambda tensors: {tensor: spoil(tensors.get(tensor))})


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("ivf", {"index": "exact"}),
        ("ivf", {"columns": "atoms"}),
        ("ivf", {"space": "aligned"}),
        ("ivf", {"solver": "ls"}),
        ("ivf", {"index": "tree"}),
        ("laplacian", {"space": "features"}),
        ("laplacian", {"space": "cca"}),
        ("laplacian", {"space": 3}),
        ("aligned", {"columns": None}),
    ],
)
def test_parameters_that_do_not_fit_the_tensors_or_the_method(name, params, models, tmp_path):
    refuse(name, models, tmp_path, params=params)


def test_a_file_of_another_method(models, tmp_path):
    refuse("aligned", models, tmp_path, method="ne-laplacian")
    refuse("ivf", models, tmp_path, method="ne-ls")


def test_files_from_before_columns_and_spaces_load(models, picture, training_images, tmp_path):
    sr = NeighborEmbeddingSR(2, "ls", **SMALL).fit(training_images)
    sr.save(tmp_path / "new.safetensors")
    model = read_model(tmp_path / "new.safetensors")
    later = ("solver", "columns", "index", "space")
    params = {key: value for key, value in model.parameters.items() if key not in later}
    write_model(
        tmp_path / "old.safetensors",
        method="ne-ls",
        params=params,
        tensors=model.tensors,
        degradation=model.degradation,
    )
    new, old = (load_model(tmp_path / f"{one}.safetensors") for one in ("new", "old"))
    np.testing.assert_array_equal(old.predict(picture), new.predict(picture))


@pytest.mark.parametrize("name", ["columns", "index", "space"])
@pytest.mark.parametrize("value", ["tree", None])
def test_parameters_out_of_range_are_named(name, value, make_texture):
    with pytest.raises(ValueError, match=f"'{name}' parameter of NeighborEmbeddingSR"):
        NeighborEmbeddingSR(**{name: value}).fit([make_texture((30, 30), 0)])
