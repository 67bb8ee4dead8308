"""Kernel regression on images: files, tiles, odd input."""

import numpy as np
import pytest

from classicsr import BicubicSR, KernelRegressionSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import BicubicDegradation

FAST = {"n_basis": 48, "n_iter": 5, "n_levels": 2, "random_state": 0}


@pytest.fixture(scope="module")
def image(make_texture):
    return make_texture((45, 83), 40)


@pytest.fixture(scope="module")
def sr(training_images):
    return KernelRegressionSR(2, **FAST).fit(training_images)


def test_better_than_interpolation(sr, make_texture):
    unseen = [make_texture((60, 60), seed) for seed in range(90, 96)]
    low = [BicubicDegradation(2).forward(image) for image in unseen]
    assert sr.score(low, unseen) > BicubicSR(2).score(low, unseen) + 1


@pytest.mark.parametrize("tile_shape", [(7, 9), (1, 200), (62, 246)])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_tiles_and_threads_do_not_change_a_bit(tile_shape, n_jobs, sr, image):
    other = KernelRegressionSR(2, **FAST, tile_shape=tile_shape, n_jobs=n_jobs)
    other.__dict__.update({k: v for k, v in sr.__getstate__().items() if k.endswith("_")})
    np.testing.assert_array_equal(other.predict(image), sr.predict(image))


def test_contrast_brightness_and_sign(sr, image):
    expected = sr.predict(image, data_range=(0, 1))
    found = sr.predict(50 - 200 * image, data_range=(-150, 50))
    np.testing.assert_allclose(found, 50 - 200 * expected, atol=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (2, 30), (9, 9)])
def test_small_and_constant_images(shape, sr):
    constant = np.full(shape, 0.4, np.float32)
    found = sr.predict(constant, data_range=(0, 1))
    np.testing.assert_allclose(found, np.full((2 * shape[0], 2 * shape[1]), 0.4), atol=1e-6)


def test_nan_stays_where_it_is(sr, image):
    holed = image.copy()
    holed[20, 30] = np.nan
    found = sr.predict(holed)
    assert np.isnan(found).sum() == 4
    assert np.isnan(found[40:42, 60:62]).all()


def test_round_trip(sr, image, tmp_path):
    """float16 tensors cost less than 0.01 dB: far under a grey level of 8 bits."""
    sr.save(tmp_path / "once.safetensors")
    once = load_model(tmp_path / "once.safetensors")
    assert type(once) is KernelRegressionSR
    difference = once.predict(image) - sr.predict(image)
    assert 0 < np.sqrt((difference**2).mean()) < 0.05 / 255
    once.save(tmp_path / "twice.safetensors")
    first, second = (read_model(tmp_path / f"{n}.safetensors") for n in ("once", "twice"))
    assert first.method == "krr"
    assert first.parameters == second.parameters
    assert first.parameters["n_basis"] == 48
    for name, tensor in first.tensors.items():
        np.testing.assert_array_equal(second.tensors[name], tensor)


@pytest.fixture
def content(sr, tmp_path):
    """What a good file holds, to be spoiled."""
    sr.save(tmp_path / "good.safetensors")
    model = read_model(tmp_path / "good.safetensors")
    return {
        "method": model.method,
        "params": model.parameters,
        "tensors": model.tensors,
        "degradation": model.degradation,
    }


SPOILED = {
    "points narrow": ("points", lambda a: np.ascontiguousarray(a[:, :-1])),
    "points integer": ("points", lambda a: a.astype(np.int32)),
    "points far": ("points", lambda a: a * 1000),
    "points fewer": ("points", lambda a: a[:-1]),
    "coefficients fewer": ("coefficients", lambda a: a[:-1]),
    "coefficients of another scale": ("coefficients", lambda a: np.repeat(a, 2, axis=1)),
    "linear transposed": ("linear", lambda a: np.ascontiguousarray(a.T)),
    "linear flat": ("linear", np.ravel),
    "filters short": ("filters", lambda a: a[:-1]),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_spoiled_tensors(spoiled, content, tmp_path):
    name, spoil = SPOILED[spoiled]
    content["tensors"][name] = spoil(content["tensors"][name])
    write_model(tmp_path / "bad.safetensors", **content)
    with pytest.raises(ModelFileError, match="tensor '"):
        load_model(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("name", ["filters", "points", "coefficients", "linear"])
def test_missing_tensors(name, content, tmp_path):
    del content["tensors"][name]
    write_model(tmp_path / "bad.safetensors", **content)
    with pytest.raises(ModelFileError, match="tensor '"):
        load_model(tmp_path / "bad.safetensors")


@pytest.mark.parametrize(
    "params",
    [{"gamma": 0}, {"gamma": 1e9}, {"gamma": "3"}, {"n_basis": 4.5}, {"n_atoms": 3},
     {"native_scale": 3}],
    ids=str,
)  # fmt: skip
def test_spoiled_parameters(params, content, tmp_path):
    content["params"] = {**content["params"], **params}
    write_model(tmp_path / "bad.safetensors", **content)
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("name", ["n_basis", "gamma", "ridge", "n_iter"])
def test_parameters_out_of_range_are_named(name, make_texture):
    with pytest.raises(ValueError, match=f"'{name}' parameter of"):
        KernelRegressionSR(2, **{name: -1}, n_levels=1).fit([make_texture((30, 30), 0)])
