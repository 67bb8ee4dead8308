"""Parameters out of range are named; nothing is silently taken for something else."""

import copy

import numpy as np
import pytest

from classicsr import AnchoredRegressionSR, BicubicSR


def with_parameters(sr, **params):
    return copy.copy(sr).set_params(**params)


@pytest.mark.parametrize("tile_shape", [(0, 5), (-3, 5), (4, -1), 5, (5.5, 3), (5,), "ab"])
def test_tile_shape(tile_shape, make_texture, sr2):
    with pytest.raises(ValueError, match="'tile_shape' parameter of AnchoredRegressionSR must be"):
        with_parameters(sr2, tile_shape=tile_shape).predict(make_texture((9, 9), 0))


@pytest.mark.parametrize("plane", [(0, 0), (0, 3), (0, -4), (0,), "xy", 1])
def test_plane(plane, sr2):
    with pytest.raises(ValueError, match="'plane' parameter of AnchoredRegressionSR must be"):
        with_parameters(sr2, plane=plane).predict(np.zeros((5, 6, 7)))


@pytest.mark.parametrize("mode", ["independant", "rgb", None, 3])
@pytest.mark.parametrize("kind", ["bicubic", "aplus"])
def test_channel_mode(mode, kind, sr2):
    sr = sr2 if kind == "aplus" else BicubicSR()
    with pytest.raises(ValueError, match=r"'channel_mode' parameter of \w+ must be"):
        with_parameters(sr, channel_mode=mode).predict(np.zeros((6, 7, 3), np.uint8))


@pytest.mark.parametrize("data_range", [(0, np.nan), (0, np.inf), (0, 1, 2), 255, "ab"])
def test_data_range(data_range, make_texture, sr2):
    image = make_texture((9, 9), 0)
    with pytest.raises(ValueError, match=r"'data_range' parameter of \w+ must be"):
        sr2.predict(image, data_range=data_range)
    with pytest.raises(ValueError, match=r"'data_range' parameter of \w+ must be"):
        with_parameters(sr2, data_range=data_range).predict(image)


@pytest.mark.parametrize("spacing", [(1, 1), (1, 1, 1, 1), (1, np.nan, 2), (1, 0, 2), 1.0, "abc"])
def test_spacing(spacing, sr2):
    with pytest.raises(ValueError, match=r"'spacing' parameter of \w+ must be"):
        sr2.predict(np.zeros((5, 6, 7)), spacing=spacing)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_levels", 0),
        ("level_ratio", 0),
        ("level_ratio", 1.5),
        ("energy", 0),
        ("energy", 2.0),
        ("n_samples", 0),
        ("n_samples", -5),
        ("n_anchors", 0),
        ("n_neighbors", 0),
        ("n_iter", -1),
        ("ridge", -1.0),
        ("ridge", np.nan),
        ("n_jobs", 0),
        ("scale", "2"),
    ],
)
def test_parameters_of_fit(name, value, make_texture):
    params = {"n_anchors": 4, "n_iter": 1, "n_levels": 2, "random_state": 0, name: value}
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        AnchoredRegressionSR(**params).fit([make_texture((30, 30), 0)])
