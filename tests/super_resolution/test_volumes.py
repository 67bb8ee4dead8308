"""Volumes: slices of the sharp plane by the method, the third axis by interpolation."""

import numpy as np
import pytest

from classicsr import AnchoredRegressionSR, BicubicSR
from classicsr.degradation import resize


@pytest.fixture(scope="module")
def volume(make_texture):
    """A float32 volume of textures that change slowly along the last axis."""
    planes = [make_texture((15, 18), 30), make_texture((15, 18), 31)]
    weights = np.linspace(0, 1, 7)
    return np.stack([(1 - w) * planes[0] + w * planes[1] for w in weights], axis=-1)


def ends(volume):
    return float(volume.min()), float(volume.max())


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8"])
@pytest.mark.parametrize("along", [0, 1, 2])
@pytest.mark.parametrize("scale", [2, 1.5])
def test_slices_are_the_method_in_two_dimensions(dtype, along, scale, volume, sr2):
    pixels = (volume * 250 - (100 if dtype == "int16" else 0)).astype(dtype)
    data_range = ends(pixels) if dtype == "float32" else None
    scales = tuple(1 if axis == along else scale for axis in range(3))
    spacing = tuple(9.0 if axis == along else 1.0 for axis in range(3))
    result = sr2.predict(pixels, scale=scales, spacing=spacing)
    for i in range(pixels.shape[along]):
        expected = sr2.predict(pixels.take(i, along), scale=scale, data_range=data_range)
        np.testing.assert_array_equal(result.take(i, along), expected)


def test_the_third_axis_is_interpolated(volume, sr2):
    sharp = sr2.predict(volume, scale=(2, 2, 1))
    result = sr2.predict(volume, scale=(2, 2, 2.5))
    assert result.shape == (30, 36, 18)
    np.testing.assert_allclose(result, resize(sharp, (1, 1, 2.5)), atol=1e-5)


def test_only_the_third_axis(volume, sr2):
    """Nothing to enlarge in the plane, so the model has no part in it."""
    expected = resize(volume, (1, 1, 3))
    np.testing.assert_allclose(sr2.predict(volume, scale=(1, 1, 3)), expected, atol=1e-5)
    np.testing.assert_allclose(BicubicSR((1, 1, 3)).predict(volume), expected, atol=1e-5)


def test_isotropic_scale_of_a_volume(volume, sr2):
    assert volume.shape[-1] not in (2, 3, 4)
    np.testing.assert_array_equal(sr2.predict(volume), sr2.predict(volume, scale=(2, 2, 2)))


def test_three_slices_are_a_volume_when_the_scale_says_so(volume, sr2):
    few = volume[..., :3]
    assert sr2.predict(few, scale=(2, 2, 2)).shape == (30, 36, 6)
    assert sr2.predict(few).shape == (30, 36, 3)  # colour
    assert sr2.predict(few[..., :1]).shape == (30, 36, 1)  # grey


@pytest.mark.parametrize(
    ("spacing", "plane"),
    [
        ((1, 1, 3), (0, 1)),
        ((3, 1, 1), (1, 2)),
        ((1, 3, 1), (0, 2)),
        ((0.5, 2, 0.9), (0, 2)),
        (None, (0, 1)),
        ((1, 1, 1), (0, 1)),
    ],
)
def test_spacing_picks_the_sharp_plane(spacing, plane, volume, sr2, training_images):
    chosen = sr2.predict(volume, spacing=spacing)
    given = AnchoredRegressionSR(2, plane=plane)
    given.__dict__.update(map_=sr2.map_, filters_=sr2.filters_, native_scale_=2)
    np.testing.assert_array_equal(given.predict(volume), chosen)
    np.testing.assert_array_equal(given.predict(volume, spacing=(1, 2, 3)), chosen)
    assert f"in plane {plane}" in sr2.plan(volume.shape, spacing=spacing)


def test_axes_are_alike(volume, sr2):
    """Turning the volume turns the result, when the plane turns with it."""
    result = sr2.predict(volume, scale=(2, 2, 3), spacing=(1, 1, 3))
    turned = sr2.predict(volume.transpose(2, 0, 1), scale=(3, 2, 2), spacing=(3, 1, 1))
    np.testing.assert_allclose(turned, result.transpose(2, 0, 1), atol=1e-6)


def test_constants_and_non_finite_voxels(volume, sr2):
    flat = sr2.predict(np.full((5, 6, 7), np.float32(0.7)), scale=(2, 2, 3))
    assert (flat == np.float32(0.7)).all()
    bad = volume.copy()
    bad[4, 5, 3] = np.nan
    result = sr2.predict(bad, scale=(2, 2, 3))
    expected = np.zeros(result.shape, bool)
    expected[8:10, 10:12, 9:12] = True
    np.testing.assert_array_equal(np.isnan(result), expected)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 1), (2, 3, 5), (1, 1, 8)])
def test_tiny_volumes(shape, sr2):
    tiny = np.random.default_rng(0).random(shape)
    result = sr2.predict(tiny, scale=(2, 2, 3))
    assert result.shape == (2 * shape[0], 2 * shape[1], 3 * shape[2])
    assert np.isfinite(result).all()


def test_progress_counts_slices(volume, sr2):
    told = []
    sr2.predict(volume, scale=(2, 2, 1), progress=lambda *step: told.append(step))
    assert told == [(i, 7) for i in range(1, 8)]


@pytest.mark.parametrize(
    ("shape", "scale", "spacing", "text"),
    [
        ((9, 9), None, None, "A+ x2"),
        ((9, 9, 3), None, None, "A+ x2"),
        ((9, 9), 1.5, None, "A+ x2 resampled to x1.5x1.5"),
        ((9, 9), (1, 2), None, "A+ x2 resampled to x1x2"),
        ((9, 9), 1, None, "cubic x1x1"),
        ((9, 9, 7), None, None, "A+ x2 in plane (0, 1), cubic x2 along axis 2"),
        ((9, 9, 7), (2, 2, 1), None, "A+ x2 in plane (0, 1)"),
        ((9, 9, 7), (2, 2, 1), (1, 5, 1), "A+ x2 in plane (0, 1)"),
        ((9, 9, 7), (2, 1, 2), None, "A+ x2 in plane (0, 2)"),
        ((9, 9, 7), (1, 1, 3), None, "plane (0, 1) kept, cubic x3 along axis 2"),
        ((9, 9, 7), None, (5, 1, 1), "A+ x2 in plane (1, 2), cubic x2 along axis 0"),
    ],
)
def test_plan_says_what_will_happen(shape, scale, spacing, text, sr2):
    assert sr2.plan(shape, scale, spacing) == text


def test_plan_before_fit():
    assert AnchoredRegressionSR(3, "gr").plan((5, 5)) == "GR x3"
    assert BicubicSR(2, kernel="lanczos3").plan((5, 5)) == "Lanczos x2x2"
