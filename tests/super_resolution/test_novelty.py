"""How unlike an image is to those of the calibration."""

import warnings

import numpy as np
import pytest

from classicsr import BicubicSR
from classicsr.degradation import BicubicDegradation
from classicsr.super_resolution._novelty import N_DESCRIPTORS, KnownBlocks, describe

FORWARD = BicubicDegradation(2)


@pytest.fixture(scope="module")
def sr(make_texture):
    return BicubicSR(2).calibrate([make_texture((80, 90), 500 + seed) for seed in range(16)])


def noise(seed, shape=(40, 45)):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_tells_known_images_from_others(sr, make_texture):
    known = [sr.novelty(FORWARD.forward(make_texture((80, 90), seed))) for seed in range(600, 612)]
    other = [sr.novelty(noise(seed)) for seed in range(6)]
    assert max(one.score for one in known) < min(one.score for one in other)
    assert np.median([one.score for one in known]) == pytest.approx(1, abs=0.25)
    assert all(one.score > one.limit == known[0].limit for one in other)


def test_map_shows_where(sr, make_texture):
    low = FORWARD.forward(make_texture((80, 90), 700))
    low[:20, :20] += 0.3 * noise(1, (20, 20))
    found = sr.novelty(low).map
    assert (found.shape, found.dtype) == (low.shape, np.float32)
    assert found[:16, :16].mean() > 2 * found[24:, 24:].mean()


def test_goes_with_no_scale_shift_or_sign(make_texture):
    plane = make_texture((30, 41), 1)
    expected = describe(plane)
    assert expected.shape == (9, 13, N_DESCRIPTORS)
    for factor, shift in ((1000, 0), (0.01, 5), (-2, 1)):
        other = (factor * plane + shift).astype(np.float32)
        np.testing.assert_allclose(describe(other), expected, atol=5e-3)


def test_descriptors_of_white_noise():
    """Gradients of two differences of variance 2; a Laplacian of variance 20."""
    found = describe(noise(0, (400, 400))).mean(axis=(0, 1))
    assert found[0] == pytest.approx(np.log(20 / 4), abs=0.1)
    assert found[1] == pytest.approx(np.log((1 / 9 * 2 * 2) / 4), abs=0.15)


def test_distances_by_brute_force():
    rng = np.random.default_rng(2)
    planes = [noise(3, (40, 44)), np.cumsum(noise(4, (36, 60)), axis=0)]
    known = KnownBlocks.fit([planes], [planes], np.random.RandomState(0))
    query = np.cumsum(rng.standard_normal((24, 28)), axis=1).astype(np.float32)
    center, spread = known.vectors.mean(axis=0), known.vectors.std(axis=0)
    a = (describe(query).reshape(-1, N_DESCRIPTORS) - center) / spread
    b = (known.vectors - center) / spread
    distances = np.sqrt(((a[:, None] - b) ** 2).sum(axis=-1)).min(axis=1)
    expected = np.exp(np.log(distances).mean()) / known.typical
    assert known.novelty([query]).score == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (8, 8), (9, 13)])
def test_any_size(sr, shape):
    found = sr.novelty(np.zeros(shape))
    assert found.map.shape == shape
    assert np.isfinite(found.score)


def test_kinds_of_images(sr, make_texture):
    grey = np.rint(200 * FORWARD.forward(make_texture((80, 90), 700))).astype(np.uint8)
    expected = sr.novelty(grey)
    for channels in (3, 4):
        colour = np.stack([grey] * channels, axis=-1)
        assert sr.novelty(colour).score == pytest.approx(expected.score, rel=0.01)
    volume = np.stack([grey] * 5, axis=-1)
    found = sr.novelty(volume)
    assert found.score == pytest.approx(expected.score, rel=1e-5)
    np.testing.assert_allclose(found.map, np.stack([expected.map] * 5, axis=-1), rtol=1e-5)
    with_nan = grey.astype(float)
    with_nan[4, 5] = np.nan
    assert np.isfinite(sr.novelty(with_nan).score)


def test_predict_warns_and_records(sr, make_texture):
    record = {}
    with pytest.warns(UserWarning, match="unlike the images that the model was calibrated on"):
        sr.predict(noise(1), record=record)
    assert record["novelty"]["score"] > record["novelty"]["limit"]
    with pytest.warns(UserWarning, match="unlike"):
        sr.predict(noise(1), return_std=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sr.predict(noise(1))
        known = FORWARD.forward(make_texture((80, 90), 703))
        sr.predict(known, return_std=True, record=record)
    assert record["novelty"]["score"] <= record["novelty"]["limit"]
