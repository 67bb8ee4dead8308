"""Sparse coding and neighbour embedding at the image level."""

import numpy as np
import pytest

from classicsr import CoupledDictionarySR, NeighborEmbeddingSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.metrics import psnr
from classicsr.zoo import make_method, method_name

NAMES = ("scsr", "zeyde", "ddl", "ne-ls", "ne-nnls", "ne-lle", "ne-laplacian", "ne-aligned")
each = pytest.mark.parametrize("name", NAMES)
SMALL = {"n_atoms": 48, "n_iter": 3, "n_levels": 1, "random_state": 0}


@pytest.fixture(scope="module")
def models(training_images):
    """A small model of each method for x2; tests must not change them."""
    return {name: make_method(name, scale=2, **SMALL).fit(training_images) for name in NAMES}


@pytest.fixture(scope="module")
def picture(make_texture):
    return make_texture((41, 150), 50)


def variant(sr, **params):
    """`sr` with other parameters, without touching the shared one."""
    other = type(sr)(**{**sr.get_params(deep=False), **params})
    other.__dict__.update({key: v for key, v in sr.__getstate__().items() if key.endswith("_")})
    return other


@each
def test_registry_name(name, models):
    assert method_name(models[name]) == name


@each
def test_better_than_bicubic(name, models, make_texture):
    from classicsr import BicubicSR
    from classicsr.degradation import BicubicDegradation

    gains = []
    for seed in range(60, 66):
        high = make_texture((80, 96), seed)
        low = BicubicDegradation(2).forward(high)
        ours, cubic = (
            psnr(high, sr.predict(low, data_range=(0, 1)), data_range=1, crop=4)
            for sr in (models[name], BicubicSR(2))
        )
        gains.append(ours - cubic)
    assert np.mean(gains) > 0.3


@each
@pytest.mark.parametrize("tile_shape", [(7, 9), (1, 200), (41, 150)])
def test_tiles_and_threads_do_not_change_a_bit(name, tile_shape, models, picture):
    expected = models[name].predict(picture)
    other = variant(models[name], tile_shape=tile_shape, n_jobs=2).predict(picture)
    np.testing.assert_array_equal(other, expected)


@each
def test_same_seed_same_model_for_any_thread_count(name, models, training_images):
    again = make_method(name, scale=2, **SMALL, n_jobs=2).fit(training_images)
    np.testing.assert_array_equal(again.map_.coder.low, models[name].map_.coder.low)
    np.testing.assert_array_equal(again.map_.high, models[name].map_.high)


@each
def test_awkward_images(name, models, picture):
    sr = models[name]
    np.testing.assert_array_equal(sr.predict(np.full((5, 6), 7, np.int16)), 7)
    assert sr.predict(np.array([[3]], np.uint8)).tolist() == [[3, 3], [3, 3]]
    hurt = picture.copy()
    hurt[20, 145] = np.nan  # back-projection reaches far
    found = sr.predict(hurt, data_range=(0, 1))
    assert np.isnan(found).sum() == 4
    whole = sr.predict(picture, data_range=(0, 1))
    np.testing.assert_array_equal(found[:, :100], whole[:, :100])
    color = np.repeat(picture[:12, :13, None], 3, axis=2)
    assert sr.predict((color * 255).astype(np.uint8), scale=1.5).shape == (18, 20, 3)


@each
def test_equivariant_to_intensity(name, models, picture):
    sr = models[name]
    shifted = sr.predict(200 * picture - 1000)
    np.testing.assert_allclose(shifted, 200 * sr.predict(picture) - 1000, atol=0.1)


@each
def test_model_file(name, models, picture, tmp_path):
    """float16 atoms cost less than 0.01 dB: far under a grey level of 8 bits."""
    paths = [tmp_path / f"{stem}.safetensors" for stem in ("once", "twice")]
    models[name].save(paths[0])
    once = load_model(paths[0])
    assert type(once) is type(models[name])
    difference = once.predict(picture) - models[name].predict(picture)
    assert 0 < np.sqrt((difference**2).mean()) < 0.05 / 255
    once.save(paths[1])
    np.testing.assert_array_equal(load_model(paths[1]).predict(picture), once.predict(picture))
    assert read_model(paths[0]).method == name
    kept = {"n_atoms": 48, "n_iter": 3, "n_levels": 1, "scale": 2}
    assert once.get_params().items() >= kept.items()


SPOILED = {
    "low atoms narrow": {"low_atoms": lambda a: a[:, :-1]},
    "low atoms integer": {"low_atoms": lambda a: a.astype(np.int32)},
    "low atoms flat": {"low_atoms": np.ravel},
    "fewer high atoms": {"high_atoms": lambda a: a[:-1]},
    "high atoms of another scale": {"high_atoms": lambda a: np.repeat(a, 2, axis=1)},
    "filters transposed": {"filters": lambda a: np.ascontiguousarray(a.T)},
}


@each
@pytest.mark.parametrize("spoiled", SPOILED)
def test_spoiled_tensors(name, spoiled, models, tmp_path):
    refuse(name, models, tmp_path, tensors=SPOILED[spoiled])


@each
@pytest.mark.parametrize(
    "params",
    [
        {"n_nonzero": 0},
        {"n_nonzero": "3"},
        {"penalty": 0.0},
        {"penalty": "small"},
        {"n_back_projections": -1},
        {"n_back_projections": 10**9},
        {"variant": "zeyde"},
        {"n_neighbors": 0},
        {"n_neighbors": 2.5},
        {"n_atoms": "many"},
        {"solver": "omp"},
        {"no_such_parameter": 1},
        {"native_scale": 3},
        {"native_scale": True},
    ],
    ids=str,
)
def test_spoiled_parameters(name, params, models, tmp_path):
    refuse(name, models, tmp_path, params=params)


@each
def test_tensors_missing_or_too_many(name, models, tmp_path):
    refuse(name, models, tmp_path, tensors={"payload": lambda _: np.zeros(3, np.float32)})
    refuse(name, models, tmp_path, without="high_atoms")


def refuse(name, models, tmp_path, *, tensors=None, params=None, without=None):
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    models[name].save(good)
    model = read_model(good)
    changed = {key: spoil(model.tensors.get(key)) for key, spoil in (tensors or {}).items()}
    content = {key: a for key, a in {**model.tensors, **changed}.items() if key != without}
    write_model(
        bad,
        method=name,
        params={**model.parameters, **(params or {})},
        tensors=content,
        degradation=model.degradation,
    )
    with pytest.raises(ModelFileError) as caught:
        load_model(bad)
    assert str(bad) in str(caught.value)


@pytest.mark.parametrize(
    ("sr", "name"),
    [
        (CoupledDictionarySR(n_nonzero=0), "n_nonzero"),
        (CoupledDictionarySR(n_atoms=0), "n_atoms"),
        (CoupledDictionarySR(variant="yang", n_iter=-1), "n_iter"),
        (CoupledDictionarySR(variant="yang", n_iter=0), "n_iter"),
        (CoupledDictionarySR(variant="glasner"), "variant"),
        (CoupledDictionarySR(variant=["yang"]), "variant"),
        (CoupledDictionarySR(penalty=0), "penalty"),
        (CoupledDictionarySR(n_back_projections=1.5), "n_back_projections"),
        (CoupledDictionarySR(n_iter=-1), "n_iter"),
        (NeighborEmbeddingSR(solver="omp"), "solver"),
        (NeighborEmbeddingSR(n_neighbors=0), "n_neighbors"),
        (NeighborEmbeddingSR(n_atoms=2.5), "n_atoms"),
    ],
)
def test_parameters_out_of_range_are_named(sr, name, make_texture):
    with pytest.raises(ValueError, match=f"'{name}' parameter of"):
        sr.fit([make_texture((30, 30), 0)])


def test_more_neighbours_than_atoms(make_texture, picture, tmp_path):
    sr = NeighborEmbeddingSR(n_neighbors=99, n_atoms=5, n_iter=1, n_levels=1, random_state=0)
    sr.fit([make_texture((30, 30), 0)]).save(tmp_path / "model.safetensors")
    assert np.isfinite(load_model(tmp_path / "model.safetensors").predict(picture)).all()
