"""Back-projection: the residual falls, a fixed point stays, any number of axes."""

import numpy as np
import pytest

from classicsr.degradation import (
    BicubicDegradation,
    GaussianDegradation,
    SliceProfileDegradation,
    back_project,
    resize,
)

MODELS = {
    "bicubic": (BicubicDegradation(3), (24, 33)),
    "gaussian": (GaussianDegradation((2, 2), fwhm=1.5), (20, 18)),
    "slices": (SliceProfileDegradation((1, 1, 2.5)), (6, 5, 30)),
    "line": (SliceProfileDegradation(4), (40,)),
    "one pixel": (BicubicDegradation(2), (2, 2)),
}
each = pytest.mark.parametrize("name", MODELS)


def residual(x, y, model):
    return float(np.linalg.norm(y - model.forward(x)))


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_result_agrees_with_the_input(name, dtype):
    model, shape = MODELS[name]
    rng = np.random.default_rng(0)
    y = model.forward(rng.random(shape)).astype(dtype)
    start = rng.random(shape).astype(dtype)
    sizes = [residual(back_project(start, y, model, n), y, model) for n in (0, 1, 5, 50)]
    assert sizes[0] == residual(start, y, model)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.1 * sizes[0]
    assert back_project(start, y, model, 3).dtype == dtype


def test_one_step_by_hand():
    model, shape = MODELS["bicubic"]
    rng = np.random.default_rng(1)
    x, y = rng.random(shape), model.forward(rng.random(shape))
    expected = x + resize(y - model.forward(x), 3)
    np.testing.assert_array_equal(back_project(x, y, model, 1), expected)


def test_stops_when_the_residual_no_longer_falls():
    """Interpolation three times too strong overshoots: the start is kept."""

    class Strong(BicubicDegradation):
        def forward(self, x):
            return 5 * super().forward(x)

    rng = np.random.default_rng(2)
    x, y = rng.random((12, 12)), rng.random((4, 4))
    np.testing.assert_array_equal(back_project(x, y, Strong(3), 20), x)
    exact = BicubicDegradation(3)
    np.testing.assert_array_equal(back_project(x, exact.forward(x), exact, 20), x)


@each
def test_units_do_not_matter(name):
    model, shape = MODELS[name]
    rng = np.random.default_rng(3)
    x, y = rng.random(shape), model.forward(rng.random(shape))
    plain = back_project(x, y, model, 4)
    np.testing.assert_allclose(back_project(8 * x - 3, 8 * y - 3, model, 4), 8 * plain - 3)
    np.testing.assert_array_equal(back_project(-x, -y, model, 4), -plain)


def test_the_input_is_not_changed():
    model, shape = MODELS["bicubic"]
    x, y = np.zeros(shape), np.ones((8, 11))
    x.setflags(write=False)
    y.setflags(write=False)
    assert back_project(x, y, model).max() > 0.9


def test_shapes_that_do_not_belong_together():
    with pytest.raises(ValueError, match=r"'low' parameter of back_project must have shape \(8, 8"):
        back_project(np.zeros((24, 24)), np.zeros((24, 8)), BicubicDegradation(3))
