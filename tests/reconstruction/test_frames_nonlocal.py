"""Non-local upsampling of several frames: without motion estimation."""

import numpy as np
import pytest

from classicsr.degradation import BicubicDegradation
from classicsr.metrics import psnr
from classicsr.reconstruction import nonlocal_means
from classicsr.reconstruction._frames import ShiftedDegradation
from classicsr.zoo import make_method


def slow_means(frames, widths, radius):
    """Non-local means over all frames, sample by sample, patches of 3 x 3."""
    n_frames = len(frames)
    rim = radius + 1
    padded = np.pad(frames, [(0, 0), (rim, rim), (rim, rim)], mode="symmetric").astype(float)
    result = frames.astype(float)
    for f, i, j in np.ndindex(frames.shape):
        patch = padded[f, i + rim - 1 : i + rim + 2, j + rim - 1 : j + rim + 2]
        total = weights = largest = 0.0
        for g in range(n_frames):
            for a in range(i - radius, i + radius + 1):
                for b in range(j - radius, j + radius + 1):
                    if (g, a, b) == (f, i, j):
                        continue
                    other = padded[g, a + rim - 1 : a + rim + 2, b + rim - 1 : b + rim + 2]
                    distance = np.mean((patch - other) ** 2) / (2 * widths[f, i, j] ** 2)
                    weight = np.exp(-max(distance - 1, 0))
                    total += weight * other[1, 1]
                    weights += weight
                    largest = max(largest, weight)
        result[f, i, j] = (total + largest * patch[1, 1]) / (weights + largest)
    return result


def test_frames_are_searched_together():
    rng = np.random.default_rng(0)
    frames = rng.random((3, 9, 10)).astype(np.float32)
    widths = (0.2 + 0.2 * rng.random(frames.shape)).astype(np.float32)
    result = nonlocal_means(frames, widths, 2, stacked=True)
    np.testing.assert_allclose(result, slow_means(frames, widths, 2), atol=2e-5)
    np.testing.assert_array_equal(nonlocal_means(frames, widths, 2, 2, stacked=True), result)
    alone = nonlocal_means(frames[:1], widths[:1], 2, stacked=True)[0]
    np.testing.assert_array_equal(nonlocal_means(frames[0], widths[0], 2), alone)


def test_frames_of_unknown_shifts_add_detail(make_texture):
    scene = 255 * make_texture((64, 60), 2)
    shifts = [(0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5)]
    kind = BicubicDegradation((2.0, 2.0))
    frames = [ShiftedDegradation(kind, shift).forward(scene) for shift in shifts]
    sr = make_method("nlm", scale=2, degradation=kind, data_range=(0, 255))
    single = sr.predict(frames[0])
    result = sr.reconstruct(frames)
    before, after = (psnr(scene, one, data_range=255, crop=6) for one in (single, result))
    assert after > before + 1
    assert np.abs(kind.forward(result) - frames[0]).max() < 1e-3


@pytest.mark.parametrize("shape", [(9, 10), (5, 6, 7)])
def test_one_frame_is_predicted(shape):
    low = np.random.default_rng(0).random(shape)
    sr = make_method("nlm", scale=2)
    np.testing.assert_array_equal(sr.reconstruct([low]), sr.predict(low))
    assert sr.reconstruct([low, low[::-1]]).shape == tuple(2 * n for n in shape)


def test_colour_constant_and_bad_frames():
    sr = make_method("nlm", scale=2)
    color = np.random.default_rng(0).integers(0, 255, (6, 7, 3), dtype=np.uint8)
    result = sr.reconstruct([color, color[::-1]])
    assert (result.shape, result.dtype) == ((12, 14, 3), np.uint8)
    np.testing.assert_array_equal(sr.reconstruct([np.full((4, 5), 7)] * 2), 7)
    for frames in ([], [np.zeros((3, 4)), np.zeros((4, 3))]):
        with pytest.raises(ValueError, match="one or more arrays of one shape"):
            sr.reconstruct(frames)
    with pytest.raises(ValueError, match="'scale' parameter of NonLocalSR"):
        sr.reconstruct([np.zeros((3, 4))], scale=0.5)
