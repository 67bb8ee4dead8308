"""Training samples against patches cut out one by one."""

import numpy as np
import pytest

from classicsr.patches import PatchSamples, TrainingPair

SCALE, SPAN, RADIUS = 2, 3, 4


def random_pairs(*shapes):
    rng = np.random.default_rng(0)
    return [
        TrainingPair(
            rng.random(shape).astype(np.float32),
            rng.random((shape[0] * SCALE, shape[1] * SCALE)).astype(np.float32),
        )
        for shape in shapes
    ]


def samples_of(pairs, n_samples=None, seed=0, n_jobs=None):
    return PatchSamples(
        pairs,
        scale=SCALE,
        span=SPAN,
        radius=RADIUS,
        n_samples=n_samples,
        random_state=np.random.RandomState(seed),
        n_jobs=n_jobs,
    )


def slow_extraction(pairs):
    """Every window and residual patch in raster order, cut out one by one."""
    found_windows, patches = [], []
    for pair in pairs:
        padded = np.pad(pair.low, RADIUS, mode="symmetric")
        for i in range(1, pair.low.shape[0] - 1):
            for j in range(1, pair.low.shape[1] - 1):
                found_windows.append(padded[i : i + 9, j : j + 9].ravel())
                top, left = (i - 1) * SCALE, (j - 1) * SCALE
                patches.append(pair.residual[top : top + 6, left : left + 6].ravel())
    return np.array(found_windows), np.array(patches)


@pytest.fixture
def pairs():
    return random_pairs((6, 8), (3, 3), (2, 9), (5, 4))  # the third has no room for a patch


def test_all_patches_equal_slow_extraction(pairs):
    samples = samples_of(pairs)
    expected_windows, expected_patches = slow_extraction(pairs)
    assert samples.n_samples == len(expected_windows) == 4 * 6 + 1 + 0 + 3 * 2
    filters = np.random.default_rng(1).normal(size=(7, 81)).astype(np.float32)
    np.testing.assert_array_equal(samples.features(np.eye(81, dtype="f4")), expected_windows)
    np.testing.assert_allclose(
        samples.features(filters), expected_windows @ filters.T, rtol=0, atol=1e-5
    )
    np.testing.assert_array_equal(samples.targets(), expected_patches)
    wide = expected_windows.astype(float)
    np.testing.assert_allclose(samples.moment(), wide.T @ wide, rtol=1e-12)


def test_a_subset_holds_distinct_matching_patches(pairs):
    samples = samples_of(pairs, 11)
    every_window, every_patch = slow_extraction(pairs)
    features, targets = samples.features(np.eye(81, dtype="f4")), samples.targets()
    assert samples.n_samples == len(features) == len(targets) == 11
    found = [int(np.flatnonzero((every_window == row).all(axis=1))[0]) for row in features]
    assert len(set(found)) == 11
    np.testing.assert_array_equal(targets, every_patch[found])


def test_more_than_there_are_means_all(pairs):
    assert samples_of(pairs, 10_000).n_samples == samples_of(pairs).n_samples


def test_seed_decides_and_threads_do_not(pairs):
    filters = np.eye(81, dtype="f4")
    first = samples_of(pairs, 9, seed=3)
    again = samples_of(pairs, 9, seed=3, n_jobs=2)
    other = samples_of(pairs, 9, seed=4)
    np.testing.assert_array_equal(first.features(filters), again.features(filters))
    np.testing.assert_array_equal(first.targets(), again.targets())
    np.testing.assert_array_equal(first.moment(), again.moment())
    assert not np.array_equal(first.targets(), other.targets())


def test_sampling_is_uniform():
    """Each patch of a large and a small image is as likely as any other."""
    pairs = random_pairs((12, 12), (4, 4))
    from_small = [len(samples_of(pairs, 26, seed=seed)._chosen[1]) for seed in range(300)]
    assert np.mean(from_small) == pytest.approx(26 * 4 / 104, abs=0.25)


def test_images_smaller_than_a_patch():
    with pytest.raises(ValueError, match="smaller than one patch"):
        samples_of(random_pairs((2, 2), (1, 9)))
    with pytest.raises(ValueError, match="smaller than one patch"):
        samples_of([])
