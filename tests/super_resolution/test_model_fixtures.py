"""Model files of every format version keep loading and predicting."""

from pathlib import Path

import numpy as np
import pytest

from classicsr import BicubicSR, load_model

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.mark.parametrize("version", [1])
def test_a_fitted_model_of_each_version_predicts_the_same(version):
    """The expected pixels were stored when the file was written."""
    sr = load_model(FIXTURES / f"aplus-x2-v{version}.safetensors")
    expected = np.load(FIXTURES / f"aplus-x2-v{version}.npz")
    result = sr.predict(expected["low"])
    np.testing.assert_allclose(result, expected["high"], atol=2e-5)
    assert np.abs(result - BicubicSR(2).predict(expected["low"])).max() > 0.01
