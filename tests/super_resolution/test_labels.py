"""Label maps: shapes are interpolated, classes are kept."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from classicsr import upscale_labels
from classicsr.super_resolution import _labels


def ball(n, centre, radius):
    axes = [np.arange(n) - one for one in centre]
    return sum(one**2 for one in np.ix_(*axes)) <= radius**2


def parts(shape=(14, 13, 9), seed=0):
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=(4, *shape)), (0, 2, 2, 1))
    return np.array([0, 3, 7, 250], np.uint8)[noise.argmax(axis=0)]


def dice(a, b):
    classes = [one for one in np.unique(b) if one]
    return np.mean(
        [2 * ((a == c) & (b == c)).sum() / ((a == c).sum() + (b == c).sum()) for c in classes]
    )


def reduced(labels, factor):
    """The commonest class in each stack of `factor` voxels along the last axis."""
    n = labels.shape[2] // factor
    stacks = labels[:, :, : n * factor].reshape(*labels.shape[:2], n, factor)
    classes = np.unique(labels)
    return classes[np.argmax([(stacks == one).sum(axis=3) for one in classes], axis=0)]


@given(arrays(np.int16, st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(-2, 2)))
def test_scale_1_changes_nothing(labels):
    result = upscale_labels(labels, 1)
    np.testing.assert_array_equal(result, labels)
    assert result.dtype == labels.dtype


@given(
    arrays(np.int16, st.tuples(*[st.integers(1, 5)] * 2), elements=st.integers(-2, 2)),
    st.tuples(*[st.sampled_from([1, 1.5, 2, 3.3])] * 2),
)
def test_no_class_is_invented(labels, scale):
    result = upscale_labels(labels, scale)
    assert set(np.unique(result)) <= set(np.unique(labels))
    assert result.shape == tuple(np.floor(np.multiply(labels.shape, scale) + 0.5))


def test_against_distances_of_the_whole_map(monkeypatch):
    """The same thing without regions and slabs, before boundaries are moved."""
    from classicsr.degradation import resize

    monkeypatch.setattr(_labels, "_PASSES", 1)
    labels, scale = parts(), (1, 2, 3)
    depths = []
    for one in np.unique(labels):
        inside, outside = (
            ndimage.distance_transform_edt(mask, sampling=scale)
            for mask in (labels == one, labels != one)
        )
        depths.append(resize(np.clip(inside - outside, -6, 6), scale))
    expected = np.unique(labels)[np.argmax(depths, axis=0)]
    clear = np.diff(np.sort(depths, axis=0)[-2:], axis=0)[0] > 1e-3
    assert clear.mean() > 0.98
    np.testing.assert_array_equal(upscale_labels(labels, scale)[clear], expected[clear])


def test_volumes_are_nearly_kept(monkeypatch):
    low = reduced(ball(48, (23, 24, 25), 12).astype(np.uint8), 8)
    assert upscale_labels(low, (1, 1, 8)).sum() == pytest.approx(8 * low.sum(), rel=0.05)
    monkeypatch.setattr(_labels, "_PASSES", 1)
    assert upscale_labels(low, (1, 1, 8)).sum() < 0.94 * 8 * low.sum()


@pytest.mark.parametrize("scale", [3, (1, 1, 4), (2, 1, 2.5)])
def test_slabs_do_not_show(scale, monkeypatch):
    whole = upscale_labels(parts(), scale)
    monkeypatch.setattr(_labels, "_SLAB_VOXELS", 300)
    np.testing.assert_array_equal(upscale_labels(parts(), scale), whole)


@pytest.mark.parametrize("axis", range(3))
def test_mirrored_maps_give_mirrored_results(axis):
    labels = parts(seed=3)
    mirrored = upscale_labels(np.flip(labels, axis), (2, 2, 3))
    np.testing.assert_array_equal(np.flip(mirrored, axis), upscale_labels(labels, (2, 2, 3)))


def test_a_ball_in_thick_slices():
    truth = ball(48, (23, 24, 25), 15).astype(np.uint8) * 9
    low = reduced(truth, 4)
    result = upscale_labels(low, (1, 1, 4))
    assert dice(result, truth) > 0.96 > dice(low.repeat(4, axis=2), truth) + 0.005
    assert (result > 0).sum() == pytest.approx(4 * (low > 0).sum(), rel=0.02)


@pytest.mark.parametrize("factor", [3, 4])
def test_organs_are_nearer_to_the_truth_than_by_nearest_neighbour(factor):
    root = Path(os.environ.get("CLASSICSR_DATA", "none"), "medical/mri_hippocampus/train/labels")
    if not root.is_dir():
        pytest.skip("CLASSICSR_DATA is not set to a folder with medical/")
    gains = []
    for path in sorted(root.iterdir())[:6]:
        truth = np.asarray(nib.load(path).dataobj).astype(np.uint8)
        low = reduced(truth, factor)
        nearest = low.repeat(factor, axis=2)
        truth = truth[:, :, : nearest.shape[2]]
        gains.append(dice(upscale_labels(low, (1, 1, factor)), truth) - dice(nearest, truth))
    assert min(gains) > 0
    assert np.mean(gains) > 0.03


@pytest.mark.parametrize("dtype", [bool, "uint16", "float32", ">i4"])
def test_types(dtype):
    labels = (parts() > 3).astype(dtype)
    result = upscale_labels(labels, 2)
    assert result.dtype == labels.dtype
    np.testing.assert_array_equal(result, upscale_labels(labels.astype(np.uint8), 2))


def test_one_class_and_one_voxel():
    np.testing.assert_array_equal(upscale_labels(np.full((3, 4), 5), 3), np.full((9, 12), 5))
    np.testing.assert_array_equal(upscale_labels([[[2]]], (1, 2, 3)), np.full((1, 2, 3), 2))


@pytest.mark.parametrize(
    "labels", [np.zeros(3), np.zeros((2, 2, 2, 2)), np.zeros((0, 2)), [[0.5]], [[np.nan]], [["a"]]]
)
def test_what_is_no_label_map(labels):
    with pytest.raises(ValueError, match="The 'labels' parameter of upscale_labels must be whole"):
        upscale_labels(labels, 2)
