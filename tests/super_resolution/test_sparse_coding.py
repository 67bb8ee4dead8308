"""ScSR: agreement with the input, at any scale, for colour and for models from strangers."""

import numpy as np
import pytest

from classicsr import CoupledDictionarySR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import BicubicDegradation, GaussianDegradation, back_project, resize
from classicsr.zoo import make_method

SMALL = {"n_atoms": 48, "n_levels": 1, "random_state": 0}


@pytest.fixture(scope="module")
def scsr(training_images):
    """A small model for x2; tests must not change it."""
    return make_method("scsr", scale=2, **SMALL).fit(training_images)


@pytest.fixture(scope="module")
def low(make_texture):
    return BicubicDegradation(2).forward(make_texture((60, 84), 70))


def with_steps(sr, n):
    other = CoupledDictionarySR(**{**sr.get_params(deep=False), "n_back_projections": n})
    other.__dict__.update({key: v for key, v in sr.__dict__.items() if key.endswith("_")})
    return other


def test_the_result_agrees_with_the_input(scsr, low):
    model = BicubicDegradation(2)
    found = [with_steps(scsr, n).predict(low, data_range=(0, 1)) for n in (0, 2, None)]
    errors = [np.abs(model.forward(x) - low).mean() for x in found]
    assert errors[2] < errors[1] < 0.5 * errors[0]
    np.testing.assert_array_equal(found[1], back_project(found[0], low, model, 2))


def test_other_scales_are_resampled_from_the_corrected_result(scsr, low):
    whole = scsr.predict(low, data_range=(0, 1))
    np.testing.assert_allclose(
        scsr.predict(low, scale=1.5, data_range=(0, 1)), resize(whole, 0.75), atol=1e-5
    )
    plain = scsr.predict(low, scale=1, data_range=(0, 1))
    np.testing.assert_allclose(plain, low, atol=1e-6)


def test_only_luma_is_corrected(scsr, low):
    rng = np.random.default_rng(0)
    color = np.stack([low, rng.permutation(low), low[::-1]], axis=-1)
    steps = [with_steps(scsr, n).predict(color, data_range=(0, 1)) for n in (0, 10)]
    change = steps[1] - steps[0]
    np.testing.assert_allclose(change, change[..., :1].repeat(3, axis=2), atol=1e-5)
    assert np.abs(change).max() > 1e-3
    apart = make_method("scsr", scale=2, channel_mode="independent", **SMALL)
    apart.__dict__.update({key: v for key, v in scsr.__dict__.items() if key.endswith("_")})
    each = apart.predict(color, data_range=(0, 1))[..., 2]
    np.testing.assert_array_equal(each, scsr.predict(color[..., 2].copy(), data_range=(0, 1)))


def test_the_degradation_of_the_estimator_is_used(training_images, low):
    blur = GaussianDegradation(2, fwhm=2.5)
    sr = make_method("scsr", scale=2, degradation=blur, **SMALL).fit(training_images)
    found = sr.predict(low, data_range=(0, 1))
    assert np.abs(blur.forward(found) - low).mean() < 0.002


@pytest.mark.parametrize("scale", [3, 2.1, [2, 2, 1], [2, 1], [2]])
def test_a_stored_degradation_of_another_scale_is_refused(scale, scsr, tmp_path):
    path = tmp_path / "model.safetensors"
    scsr.save(path)
    model = read_model(path)
    write_model(
        path,
        method="scsr",
        params=model.parameters,
        tensors=model.tensors,
        degradation={"name": "bicubic", "scale": scale},
    )
    with pytest.raises(ModelFileError, match="degradation"):
        load_model(path)


def test_nothing_to_correct_nothing_changes(scsr):
    """A constant image, and volumes slice by slice."""
    np.testing.assert_array_equal(scsr.predict(np.full((3, 4), 9, np.uint8)), 9)
    volume = np.random.default_rng(0).random((12, 13, 5))
    found = scsr.predict(volume, scale=(2, 2, 1), data_range=(0, 1))
    assert found.shape == (24, 26, 5)
    expected = scsr.predict(volume[..., 2].copy(), data_range=(0, 1))
    np.testing.assert_allclose(found[..., 2], expected, atol=1e-6)
