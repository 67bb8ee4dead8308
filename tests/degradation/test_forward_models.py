"""Forward models: adjoints, profiles, geometry, and their JSON form."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classicsr.degradation import (
    BicubicDegradation,
    GaussianDegradation,
    SliceProfileDegradation,
    degradation_from_dict,
    resize,
)

MODELS = {
    "bicubic": BicubicDegradation,
    "gaussian": GaussianDegradation,
    "gaussian, one pixel": lambda scale: GaussianDegradation(scale, fwhm=1.0),
    "gaussian, no blur": lambda scale: GaussianDegradation(scale, fwhm=0),
    "box": SliceProfileDegradation,
    "box with gaps": lambda scale: SliceProfileDegradation(scale, thickness=0.6),
    "overlapping gaussian": lambda scale: SliceProfileDegradation(scale, "gaussian", 1.5),
}


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(sorted(MODELS)),
    axes=st.lists(st.tuples(st.integers(1, 13), st.floats(1, 5)), min_size=1, max_size=3),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_adjoint(name, axes, dtype, seed):
    """<Hx, y> = <x, H'y> for every model, dimension, odd size and non-integer factor."""
    shape = tuple(n for n, _ in axes)
    model = MODELS[name](tuple(s for _, s in axes))
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype(dtype)
    hx = model.forward(x)
    y = rng.normal(size=hx.shape).astype(dtype)
    hty = model.adjoint(y, shape)
    assert hx.dtype == hty.dtype == dtype
    assert hty.shape == shape
    bound = np.linalg.norm(x) * np.linalg.norm(y) * {np.float32: 1e-5, np.float64: 1e-13}[dtype]
    left = np.vdot(hx.astype(float), y.astype(float))
    right = np.vdot(x.astype(float), hty.astype(float))
    assert abs(left - right) <= bound


@pytest.mark.parametrize("name", sorted(MODELS))
def test_constants_ramps_and_flips(name):
    model = MODELS[name](3)
    np.testing.assert_allclose(model.forward(np.full((9, 12), 2.5)), 2.5, rtol=1e-13)

    ramp = model.forward(np.arange(90.0))
    coordinates = np.arange(30) * 3 + 1  # the block centres
    np.testing.assert_allclose(ramp[4:-4], coordinates[4:-4], atol=1e-3)

    image = np.random.default_rng(0).normal(size=(9, 12))
    np.testing.assert_allclose(
        model.forward(image[::-1, ::-1]), model.forward(image)[::-1, ::-1], atol=1e-13
    )


def test_bicubic_is_resize():
    image = np.random.default_rng(0).normal(size=(10, 13))
    np.testing.assert_array_equal(BicubicDegradation(2.5).forward(image), resize(image, 1 / 2.5))


def test_box_is_the_block_mean():
    volume = np.random.default_rng(0).normal(size=(4, 6, 12))
    thick = SliceProfileDegradation((1, 1, 4)).forward(volume)
    np.testing.assert_allclose(thick, volume.reshape(4, 6, 3, 4).mean(axis=-1), atol=1e-13)
    # half as thick as the spacing: the middle two of four samples
    thin = SliceProfileDegradation((1, 1, 4), thickness=0.5).forward(volume)
    np.testing.assert_allclose(thin, volume.reshape(4, 6, 3, 4)[..., 1:3].mean(axis=-1), atol=1e-13)


def test_gaussian_without_blur_samples_the_block_centres():
    signal = np.arange(12.0) ** 2
    np.testing.assert_allclose(
        GaussianDegradation(3, fwhm=0).forward(signal), signal[1::3], atol=1e-12
    )
    np.testing.assert_allclose(
        GaussianDegradation(2, fwhm=0).forward(signal), (signal[::2] + signal[1::2]) / 2
    )


def test_gaussian_slice_profile_is_the_gaussian_of_that_width():
    volume = np.random.default_rng(0).normal(size=(3, 4, 20))
    np.testing.assert_array_equal(
        SliceProfileDegradation((1, 1, 4), "gaussian", 1.25).forward(volume),
        GaussianDegradation((1, 1, 4), fwhm=(0, 0, 5)).forward(volume),
    )


def test_default_gaussian_leaves_sharp_axes_alone():
    volume = np.random.default_rng(0).normal(size=(5, 4, 6))
    for model in (GaussianDegradation, SliceProfileDegradation, BicubicDegradation):
        out = model((1, 1, 2)).forward(volume)
        np.testing.assert_allclose(out[2, 1], model(2).forward(volume[2, 1]), atol=1e-13)
    blurred = GaussianDegradation((1, 1, 2), fwhm=(2, 0, 2)).forward(volume)
    assert np.abs(blurred - GaussianDegradation((1, 1, 2)).forward(volume)).max() > 0.1


def test_the_thickness_of_an_axis_stays_with_it():
    volume = np.random.default_rng(0).normal(size=(6, 5, 12))
    model = SliceProfileDegradation(1, thickness=(1, 1, 0.5)).at_scale((2, 1, 4))
    expected = SliceProfileDegradation((2, 1, 4), thickness=(1, 1, 0.5))
    np.testing.assert_array_equal(model.forward(volume), expected.forward(volume))
    assert SliceProfileDegradation(1, thickness=(1, 0.5)).at_scale((2, 1, 4)).thickness == 1


@pytest.mark.parametrize(
    "model",
    [
        BicubicDegradation(3),
        BicubicDegradation((1, 1, 2.5)),
        GaussianDegradation(2),
        GaussianDegradation((2, 2), fwhm=(1, 0)),
        SliceProfileDegradation((1, 1, 4), "gaussian", thickness=(1, 1, 0.8)),
    ],
)
def test_json_round_trip(model):
    again = degradation_from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    assert again.scale == model.scale


@pytest.mark.parametrize(
    "description",
    [
        None,
        [],
        {},
        {"name": "os.system", "scale": 2},
        {"name": ["bicubic"], "scale": 2},
        {"name": "bicubic"},
        {"name": "bicubic", "scale": 2, "width": 3},
        {"name": "bicubic", "scale": "2"},
        {"name": "bicubic", "scale": None},
        {"name": "bicubic", "scale": []},
        {"name": "bicubic", "scale": [[2, 2]]},
        {"name": "bicubic", "scale": [2, [2]]},
        {"name": "bicubic", "scale": float("nan")},
        {"name": "bicubic", "scale": 1e12},
        {"name": "gaussian", "scale": 2, "fwhm": -1},
        {"name": "gaussian", "scale": 2, "fwhm": 1e12},
        {"name": "slice-profile", "scale": 2, "profile": "sinc"},
        {"name": "slice-profile", "scale": 2, "profile": ["box"]},
        {"name": "slice-profile", "scale": 2, "thickness": 0},
        {"name": "slice-profile", "scale": 2, "thickness": 1e12},
    ],
)
def test_hostile_descriptions_are_refused(description):
    with pytest.raises(ValueError, match=r"must be|takes|inhomogeneous"):
        degradation_from_dict(description)


def test_errors_name_the_parameter():
    with pytest.raises(ValueError, match="'scale' parameter of BicubicDegradation must be"):
        BicubicDegradation(0.5)
    with pytest.raises(ValueError, match="'scale' parameter of BicubicDegradation must be"):
        BicubicDegradation((2, 2)).forward(np.ones((4, 4, 4)))
    with pytest.raises(ValueError, match=r"'shape' parameter of BicubicDegradation\.adjoint"):
        BicubicDegradation(2).adjoint(np.ones((4, 4)), (8, 12))
    with pytest.raises(ValueError, match=r"'shape' parameter of BicubicDegradation\.adjoint"):
        BicubicDegradation(2).adjoint(np.ones((4, 4)), (8,))
