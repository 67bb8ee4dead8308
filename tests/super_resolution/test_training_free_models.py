"""Model files of methods that learn nothing: parameters, forward model and calibration."""

import warnings

import numpy as np
import pytest

from classicsr import BicubicSR, load_model
from classicsr._model_file import ModelFileError, write_model
from classicsr.degradation import GaussianDegradation
from classicsr.reconstruction import RegularizedSR, Tikhonov, TotalVariationSR


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.safetensors"


def test_calibration_and_forward_model_survive(path, make_texture):
    model = GaussianDegradation(2, 0.8)
    sr = TotalVariationSR(weight=1e-3, n_iter=5, degradation=model)
    sr.calibrate([make_texture((40, 44), seed) for seed in range(4)])
    sr.save(path, info={"provenance": {"calibration_data": ["textures"]}})
    loaded = load_model(path)
    assert loaded.degradation == model
    low = model.forward(make_texture((40, 44), 9))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for mine, stored in zip(
            sr.predict(low, return_std=True), loaded.predict(low, return_std=True), strict=True
        ):
            np.testing.assert_array_equal(mine, stored)
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize("prior", ["dictionary", Tikhonov(1e-3)])
def test_priors_without_a_registry_name_are_not_stored(path, prior):
    with pytest.raises(TypeError, match="cannot hold the prior"):
        RegularizedSR(prior=prior).save(path)
    assert not path.exists()


def test_wrong_parameters_are_not_stored(path):
    with pytest.raises(ValueError, match="'kernel' parameter of BicubicSR must be one of"):
        BicubicSR(kernel="box").save(path)


BICUBIC = {"name": "bicubic", "scale": 2.0}
HOSTILE = {
    "unknown": ("tv", {"payload": 1}, None, "payload is not a parameter"),
    "number of threads": ("tv", {"n_jobs": 10**6}, None, "n_jobs is not a parameter"),
    "tiles": ("tv", {"tile_shape": [1, 1]}, None, "tile_shape is not a parameter"),
    "scale": ("tv", {"scale": 1e9}, None, "'scale' parameter"),
    "scale of text": ("lanczos", {"kernel": "lanczos3", "scale": "2"}, None, "'scale' parameter"),
    "channels": ("bicubic", {"channel_mode": ["luma"]}, None, "'channel_mode' parameter"),
    "range": ("bicubic", {"data_range": [1, 0]}, None, "'data_range' parameter"),
    "plane": ("bicubic", {"plane": [0, 7]}, None, "'plane' parameter"),
    "kernel": ("bicubic", {"kernel": {}}, None, "'kernel' parameter"),
    "weight": ("tv", {"weight": -1}, None, "'weight' parameter"),
    "weight of text": ("tv", {"weight": "1"}, None, "'weight' parameter"),
    "weight beyond floats": ("tv", {"weight": 10**400}, None, "m.safetensors: parameters"),
    "iterations": ("map", {"n_iter": 1.5}, None, "'n_iter' parameter"),
    "slack": ("pocs", {"slack": None}, None, "'slack' parameter"),
    "solver": ("tikhonov", {"solver": []}, None, "'solver' parameter"),
    "prior of another method": ("wavelet", {"prior": "nlm"}, None, "of the method 'pnp'"),
    "no prior": ("wavelet", {}, None, "of the method 'tikhonov'"),
    "prior without a name": ("tikhonov", {"prior": "dictionary"}, None, "cannot hold the prior"),
    "prior that is no name": ("tikhonov", {"prior": {"a": 1}}, None, "cannot hold the prior"),
    "seed": ("self", {"random_state": "x"}, None, "random_state must be an integer"),
    "degradation": ("tv", {}, {"name": "os.system"}, "'name' of a degradation"),
    "degradation as a parameter": ("tv", {"degradation": BICUBIC}, None, "not a parameter"),
    "degradation of interpolation": ("bicubic", {}, BICUBIC, "has no degradation"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_parameters(case, path):
    method, params, degradation, message = HOSTILE[case]
    write_model(path, method=method, params=params, degradation=degradation, tensors={})
    with pytest.raises(ModelFileError, match=message):
        load_model(path)


def test_tensors_that_do_not_belong(path):
    write_model(path, method="tv", params={}, tensors={"maps": np.zeros(3)})
    with pytest.raises(ModelFileError, match="tensor 'maps' is not part of a 'tv' model"):
        load_model(path)
