"""Models are found by bundled name or file; what cannot be loaded says why."""

from __future__ import annotations

import numpy as np
import pytest

from classicsr import BicubicSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.deep._architectures import ARCHITECTURES
from classicsr.degradation import GaussianDegradation
from classicsr.zoo import (
    METHODS,
    Method,
    _models,
    bundled_models,
    default_model,
    make_method,
)


class StandInSR(BicubicSR):
    """A model of a fixed scale with the arithmetic of bicubic interpolation."""

    @classmethod
    def _from_model(cls, model):
        return cls(**model.parameters)


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Bundled models for x2, x3 and x4 that need no training."""
    for name in ("best-x2", "best-x4", "anr-x3"):
        write_model(
            tmp_path / f"{name}.safetensors",
            method=name[:-3].replace("best", "cascade"),
            params={"scale": int(name[-1])},
            tensors={},
        )
    (tmp_path / "README.md").write_text("not a model")
    monkeypatch.setattr(_models, "MODELS_FOLDER", tmp_path)
    classes = {True: StandInSR, False: BicubicSR}
    monkeypatch.setattr(Method, "load_class", lambda method: classes[method.fits])
    return tmp_path


def test_bundled_models_are_the_files_of_the_folder(bundle):
    assert bundled_models() == {
        name: bundle / f"{name}.safetensors" for name in ("anr-x3", "best-x2", "best-x4")
    }


@pytest.mark.parametrize("name", bundled_models())
def test_every_model_of_the_package_loads(name):
    path = bundled_models()[name]
    model = read_model(path)
    network = ARCHITECTURES.get(model.method)
    if network is not None and not network.compiled:
        pytest.importorskip("torch")
    estimator = load_model(name)
    assert name.endswith(f"-x{estimator.native_scale_}")
    assert path.stat().st_size <= 12e6
    assert model.measured


@pytest.mark.parametrize("name", ["best-x2", "best-x3", "best-x4"])
def test_the_best_models_know_flips_turns_and_negatives(name, make_texture):
    sr, low = load_model(name), make_texture((19, 26), 3).astype(np.float32)
    result = sr.predict(low, data_range=(0, 1))
    assert np.abs(result - load_model("bicubic").predict(low, scale=sr.scale)).max() > 0.01
    turned = sr.predict(np.ascontiguousarray(np.rot90(low)[::-1]), data_range=(0, 1))
    np.testing.assert_allclose(turned, np.rot90(result)[::-1], atol=2e-5)
    negative = sr.predict(1 - low, data_range=(0, 1))
    np.testing.assert_allclose(negative, 1 - result, atol=2e-5)


@pytest.mark.parametrize(
    ("scale", "name"),
    [(1.5, "best-x2"), (2, "best-x2"), (2.01, "best-x4"), (4, "best-x4"), (0.5, "best-x2"),
     ((1, 1, 3), "self"), ((6, 6, 1), "self"), ((2, 1.5), "best-x2")],
)  # fmt: skip
def test_default_is_the_smallest_that_reaches_the_scale(bundle, scale, name):
    assert default_model(scale) == name


@pytest.mark.parametrize("scale", [4.5, 8, (6, 1)])
def test_scale_beyond_the_models_lists_what_is_there(bundle, scale):
    with pytest.raises(ValueError, match=r"available: x2, x4"):
        default_model(scale)


def test_load_by_name_by_file_and_by_method(bundle):
    assert load_model("best-x2").get_params()["scale"] == 2
    assert load_model(bundle / "anr-x3.safetensors").get_params()["scale"] == 3
    assert load_model(str(bundle / "best-x4.safetensors")).get_params()["scale"] == 4
    assert load_model("lanczos").get_params()["kernel"] == "lanczos3"


def test_unknown_model_lists_what_is_there(bundle):
    with pytest.raises(ValueError, match=r"'best-x5' \(did you mean 'best-x[24]'\?\)") as caught:
        load_model("best-x5")
    for name in ("best-x2", "best-x4", "anr-x3", "bicubic", "lanczos", ".safetensors file"):
        assert name in str(caught.value)


def test_methods_that_must_be_fitted_are_no_models(bundle):
    with pytest.raises(ValueError, match="unknown model 'gr'"):
        load_model("gr")


def test_missing_and_hostile_files(tmp_path):
    with pytest.raises(ModelFileError, match=r"gone\.safetensors: file cannot be read"):
        load_model(tmp_path / "gone.safetensors")
    path = tmp_path / "hostile.safetensors"
    write_model(path, method="os.system", params={"command": "true"}, tensors={})
    with pytest.raises(ModelFileError, match=r"unknown method 'os\.system'"):
        load_model(path)
    path.write_bytes(b"\x80\x04\x95 a pickle")
    with pytest.raises(ModelFileError, match="header length"):
        load_model(path)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if not method.fits])
def test_files_of_methods_without_fitting_hold_their_parameters(name, tmp_path):
    path = tmp_path / "m.safetensors"
    own = {"axis": 1} if name == "self" else {"degradation": GaussianDegradation(3, 1.2)}
    own = {} if name in ("bicubic", "lanczos") else own
    sr = make_method(name, scale=3, data_range=(0, 2), plane=(0, 1), **own)
    sr.save(path)
    assert (read_model(path).method, read_model(path).tensors) == (name, {})
    assert repr(load_model(path)) == repr(sr)
