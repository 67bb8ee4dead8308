"""Forward models by their text."""

from __future__ import annotations

import numpy as np
import pytest

from classicsr.degradation import (
    BicubicDegradation,
    GaussianDegradation,
    KSpaceTruncation,
    SliceProfileDegradation,
)
from classicsr.report import Forward


@pytest.mark.parametrize(
    ("text", "model", "noise"),
    [
        ("bicubic", BicubicDegradation((2, 3)), 0),
        ("noise:1.5", BicubicDegradation((2, 3)), 1.5),
        ("gaussian", GaussianDegradation((2, 3)), 0),
        ("gaussian:0.5+noise:2", GaussianDegradation((2, 3), (1, 1.5)), 2),
        ("slice:gaussian:1.2", SliceProfileDegradation((2, 3), "gaussian", 1.2), 0),
        ("k-space", KSpaceTruncation((2, 3)), 0),
    ],
)
def test_texts(text, model, noise):
    forward = Forward.parse(text)
    assert forward.model((2, 3)) == model
    assert forward.noise == noise


@pytest.mark.parametrize(
    "text",
    ["", "blur", "gaussian:x", "gaussian:-1", "bicubic:3", "slice:fan", "noise:200", "bicubic+a:2"],
)
def test_texts_that_are_refused(text):
    with pytest.raises(ValueError, match="degradation"):
        Forward.parse(text)


def test_axes_that_are_not_enlarged_are_not_blurred():
    assert Forward.parse("gaussian:2").model((1.0, 1.0, 3.0)) == GaussianDegradation(
        (1, 1, 3), (0, 0, 6)
    )


def test_a_number_is_the_factor_of_every_axis_or_of_the_slices():
    assert Forward.parse("bicubic").scales(3, 3) == (3, 3, 3)
    assert Forward.parse("slice").scales(3, 3) == (1, 1, 3)
    assert Forward.parse("slice").scales(3, 2) == (3, 3)
    with pytest.raises(ValueError, match="3 factors do not fit an image"):
        Forward.parse("bicubic").scales((1, 1, 3), 2)


def test_noise_is_the_same_in_every_run_and_of_the_size_that_was_asked_for():
    flat = np.full((200, 200), 50.0)
    low = Forward.parse("noise:2").apply(flat, (2, 2), 100.0)
    assert np.std(low) == pytest.approx(2, rel=0.05)
    assert np.array_equal(low, Forward.parse("noise:2").apply(flat, (2, 2), 100.0))
