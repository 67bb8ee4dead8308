"""Hashed filters: the right bucket, the right filter, statistics that add up."""

import numpy as np
import pytest

from classicsr.regressors import HashedFilterRegressor
from classicsr.regressors._hash import (
    GradientHash,
    GramStatistics,
    equal_sum_edges,
    quantile_edges,
    symmetries,
)

SIDE = 7


def waves(angle, n=40, seed=0):
    """Flattened windows of edges whose slope grows along `angle` (radians)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    along = x * np.cos(angle) + y * np.sin(angle)
    sign, phase = rng.choice([-1, 1], (n, 1, 1)), rng.uniform(-1.3, -0.3, (n, 1, 1))
    return (sign * np.sin(0.4 * along + phase)).reshape(n, -1).astype(np.float32)


def leaves(partition, rows):
    return partition.leaves(np.ascontiguousarray(rows), np.arange(len(rows)))


@pytest.mark.parametrize("octant", range(8))
def test_the_direction_of_a_wave_decides_the_leaf(octant):
    partition = GradientHash(16, [0.1], [0.5], [], SIDE**2)
    for within in (0, 1):
        angle = (octant + (within + 0.5) / 2) * np.pi / 4
        left, up = np.cos(angle) < 0, np.sin(angle) < 0
        steep = abs(np.sin(angle)) > abs(np.cos(angle))
        bin_ = within if octant % 2 == 0 else 1 - within  # counted from a coordinate axis
        expected = (4 * left + 2 * up + steep) * 2 + bin_
        found = leaves(partition, waves(angle))
        assert set(found // 4) == {expected}
        assert set(found % 4) == {3}  # strong and coherent


def test_strength_and_coherence_of_noise_and_waves():
    partition = GradientHash(8, [0.05], [0.6], [], SIDE**2)
    noise = np.random.default_rng(0).standard_normal((50, SIDE**2)).astype(np.float32)
    assert np.mean(leaves(partition, noise) % 4 == 2) > 0.8
    assert np.mean(leaves(partition, noise * np.float32(1e-3)) % 4 == 0) > 0.8
    assert set(leaves(partition, waves(1.0) * np.float32(1e-3)) % 4) == {1}
    assert set(leaves(partition, np.full((3, SIDE**2), 0.7, np.float32)) % 4) == {0}


def test_curvature_tells_a_crest_from_an_edge():
    partition = GradientHash(8, [0.05], [0.6], [0.5], SIDE**2)
    x = np.arange(SIDE) - SIDE // 2
    crest, edge = (np.tile(f(0.5 * x + 0.1), (SIDE, 1)).ravel() for f in (np.cos, np.sin))
    found = leaves(partition, np.stack([crest, edge, -crest, -edge]).astype(np.float32))
    assert (found % 2).tolist() == [1, 0, 1, 0]


def test_brightness_and_sign_do_not_count():
    partition = GradientHash(16, [0.1], [0.4], [0.2], SIDE**2)
    rows = waves(0.7)
    np.testing.assert_array_equal(leaves(partition, rows), leaves(partition, rows + 2))
    np.testing.assert_array_equal(leaves(partition, rows), leaves(partition, -rows))


def test_symmetries_turn_every_octant_into_the_first():
    partition = GradientHash(16, [0.2], [0.3], [0.4], SIDE**2)
    rows = np.random.default_rng(0).random((300, SIDE**2), dtype=np.float32)
    found = leaves(partition, rows)
    per_octant = partition.n_leaves // 8
    taps = symmetries(SIDE)[found // per_octant]
    turned = leaves(partition, np.take_along_axis(rows, taps, axis=1))
    assert set(found // per_octant) == set(range(8))
    np.testing.assert_array_equal(turned, found % per_octant)


def test_larger_windows_are_hashed_by_their_centre():
    large = np.random.default_rng(0).random((20, 15, 15), dtype=np.float32)
    center = np.ascontiguousarray(large[:, 5:-5, 5:-5]).reshape(20, -1)
    edges = ([0.2], [0.3], [0.4])
    np.testing.assert_array_equal(
        leaves(GradientHash(16, *edges, 225), large.reshape(20, -1)),
        leaves(GradientHash(16, *edges, 25), center),
    )


def test_each_bucket_learns_its_own_filter():
    """Two directions with opposite targets: no single linear map fits both."""
    X = np.concatenate([waves(0.3, 200), waves(1.8, 200, seed=1)])
    y = X[:, 24] * np.repeat([1, -2], 200)
    model = HashedFilterRegressor(n_strengths=1, n_coherences=1, ridge=1e-4).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-3)


def test_maps_are_the_ridge_regressions_of_the_leaves():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((600, 9)), rng.standard_normal((600, 2))
    bins = {"n_angles": 8, "n_strengths": 2, "n_coherences": 1, "n_curvatures": 1}
    model = HashedFilterRegressor(**bins, ridge=0.5).fit(X, Y)
    leaf = leaves(model.map_.partition, X.astype(np.float32))
    assert len(np.unique(leaf)) == 16
    for one in np.unique(leaf):
        x, y = X[leaf == one], Y[leaf == one]
        expected = np.linalg.solve(x.T @ x + 0.5 * np.eye(9), x.T @ y)
        np.testing.assert_allclose(model.map_.maps[one], expected, rtol=1e-4, atol=1e-5)


def test_threads_do_not_change_a_bit():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((500, 49)), rng.standard_normal(500)
    one, two = (HashedFilterRegressor(n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.map_.maps, two.map_.maps)


def test_statistics_of_parts_add_up():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((300, 7)), rng.standard_normal((300, 2))
    whole, first, second = (GramStatistics(2, 7, 2) for _ in range(3))
    leaf = np.ones(300, np.int32)
    whole.add(leaf, x, y)
    first.add(leaf[:100], x[:100], y[:100])
    second.add(leaf[100:], x[100:], y[100:])
    first.merge(second)
    np.testing.assert_allclose(first.gram, whole.gram, atol=1e-11)
    np.testing.assert_allclose(first.maps(0.1)[1], np.linalg.lstsq(x, y)[0], atol=1e-2)
    assert not first.maps(0.1)[0].any()


def test_equal_sums():
    values = np.random.default_rng(0).permutation(900).astype(float)
    bins = np.digitize(values, equal_sum_edges(values, 3))
    sums = [values[bins == one].sum() for one in range(3)]
    np.testing.assert_allclose(sums, values.sum() / 3, atol=900)
    assert np.array_equal(equal_sum_edges(np.zeros(5), 4), np.zeros(3))


def test_quantile_edges():
    values = np.random.default_rng(0).permutation(900)
    counts = np.bincount(np.digitize(values, quantile_edges(values, 3)))
    assert counts.tolist() == [300, 300, 300]


@pytest.mark.parametrize("n_angles", [12, 25])
def test_angles_in_octants(n_angles):
    with pytest.raises(ValueError, match="'n_angles' parameter of HashedFilterRegressor must be"):
        HashedFilterRegressor(n_angles=n_angles).fit(np.ones((4, 9)), np.arange(4))
