"""The fast path: agrees with a slow reference, poses, tiles, threads, files."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from classicsr import TreeFilterSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import resize
from classicsr.kernels.posed_filters import GROUP, MOST_VECTORS, filter_group
from classicsr.kernels.registers import VECTOR
from classicsr.kernels.split_search import best_split, explained, sum_by_bin
from classicsr.patches import windows
from classicsr.regressors._hash import image_shapes, symmetries
from classicsr.regressors._posed_tree import (
    CENTER,
    MOST_NODES,
    N_TAPS,
    PosedTree,
    posed_windows,
    tap,
)
from classicsr.regressors._tree_search import N_BINS, regression_products
from classicsr.super_resolution._filter_bank import padded_pixels
from classicsr.super_resolution._tree_filter_tiles import RIM


def _picture(seed: int, shape: tuple[int, int] = (96, 90)) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(shape)
    picture = ndimage.gaussian_filter(noise, 1.2)
    return (picture - picture.min()) / np.ptp(picture)


@pytest.fixture(scope="module", params=[2, 3])
def fitted(request: pytest.FixtureRequest) -> TreeFilterSR:
    sr = TreeFilterSR(request.param, n_leaves=7, random_state=0, data_range=(0, 1), n_jobs=1)
    return sr.fit([_picture(seed) for seed in range(3)])


def _leaf(tree: PosedTree, taps: np.ndarray, strength: float) -> int:
    along = taps[tap(0, 1)] - taps[tap(0, -1)]
    across = taps[tap(1, 0)] - taps[tap(-1, 0)]
    sense = -1 if along + np.float32(0.41) * across < 0 else 1
    node, opened = 0, np.cumsum(tree.tests[:, 0] >= 0)
    while tree.tests[node, 0] >= 0:
        first, second = tree.tests[node]
        value = 1.0 if first == second else sense * (taps[first] - taps[second])
        node = 2 * opened[node] - 1 + int(value > tree.thresholds[node] * strength)
    return int((tree.tests[:node, 0] < 0).sum())


def _slowly(sr: TreeFilterSR, low: np.ndarray) -> np.ndarray:
    """Means of overlapping patches, pixel by pixel."""
    s, (height, width) = sr.native_scale_, low.shape
    side, ring = s + 2 * RIM, 2
    padded = np.pad(low, ring, mode="symmetric")
    wide = np.pad(low, ring + 3, mode="symmetric").astype(np.float32)
    pitch = wide.shape[1]
    corner = 3 * (pitch + 1)
    shapes = image_shapes(padded_pixels(wide), pitch, corner, wide.size - 2 * corner)
    total = np.zeros([n * s for n in padded.shape])
    count = np.zeros_like(total)
    for i in range(1, height + 2 * ring - 1):
        for j in range(1, width + 2 * ring - 1):
            window = wide[i : i + 7, j : j + 7].reshape(1, -1)
            shape = shapes[:, i * pitch + j]
            pose = int(shape[0])
            taps = posed_windows(window, np.array([pose]))[0]
            patch = np.zeros(side * side)
            for tree, filters in zip(sr.trees_[: sr.n_trees], sr.filters_, strict=False):
                leaf = _leaf(tree, taps, np.sqrt(shape[3] + shape[4]))
                patch[symmetries(side)[pose]] += filters[leaf] @ (taps - taps[CENTER])
            at = slice(i * s - RIM, (i + 1) * s + RIM), slice(j * s - RIM, (j + 1) * s + RIM)
            total[at] += patch.reshape(side, side)
            count[at] += 1
    inner = slice(ring * s, -ring * s)
    return (total / np.maximum(count, 1))[inner, inner] + resize(low, s)


def test_agrees_with_a_slow_reference(fitted: TreeFilterSR) -> None:
    low = _picture(9, (13, 17)).astype(np.float32)
    assert [tree.n_leaves for tree in fitted.trees_] == [7, 7]
    cut = load_copy(fitted).set_params(n_trees=1)
    for sr in (fitted, cut):
        np.testing.assert_allclose(sr.predict(low), _slowly(sr, low), atol=2e-6)
    alone = load_copy(fitted).set_params(n_trees=1).fit([_picture(seed) for seed in range(3)])
    np.testing.assert_array_equal(cut.predict(low), alone.predict(low))


def test_trees_and_passes_explain_more_of_the_training_images() -> None:
    high = _picture(4, (60, 66))

    def error(**params: int) -> float:
        sr = TreeFilterSR(3, n_leaves=4, n_levels=1, smoothing=0, random_state=0, **params)
        sr.set_params(data_range=(0, 1), ridge=1e-6).fit([high])
        return float(np.square(sr.predict(resize(high, 1 / 3)) - high).mean())

    errors = [error(n_trees=k, n_passes=n) for k, n in ((1, 1), (1, 2), (1, 4), (2, 4))]
    assert all(after < before for before, after in pairwise(errors))


def test_learns(fitted: TreeFilterSR) -> None:
    high = _picture(11)
    low = resize(high, 1 / fitted.native_scale_)
    error = np.square(fitted.predict(low) - high).mean()
    assert error < 0.9 * np.square(resize(low, fitted.native_scale_) - high).mean()


def test_one_leaf_is_the_ridge_regression_of_everything() -> None:
    low, high = _picture(1, (20, 22)).astype(np.float32), _picture(2, (40, 44)).astype(np.float32)
    sr = TreeFilterSR(2, n_leaves=1, n_trees=1, n_passes=1, data_range=(0, 1)).fit([low], [high])
    poses = image_shapes(padded_pixels(np.pad(low, 3, mode="symmetric")), 28, 3 * 29, 20 * 28)
    pose = poses[0].reshape(20, 28)[:, :22].ravel().astype(int)
    x = posed_windows(windows(low, 3).reshape(-1, 49), pose).astype(float)
    x -= x[:, CENTER : CENTER + 1]
    patches = windows(high - resize(low, 2).astype(np.float32), RIM, 2).reshape(440, -1)
    y = np.take_along_axis(patches, symmetries(4)[pose], 1)
    expected = np.linalg.solve(x.T @ x + 0.01 * np.eye(N_TAPS), x.T @ y)
    np.testing.assert_allclose(sr.filters_[0][0], expected.T, atol=1e-4)


def test_flips_turns_and_negatives(fitted: TreeFilterSR) -> None:
    low = _picture(5, (20, 24)).astype(np.float32)
    result = fitted.predict(low)
    for change in (np.flipud, np.fliplr, np.transpose, np.rot90):
        np.testing.assert_allclose(fitted.predict(change(low).copy()), change(result), atol=1e-5)
    np.testing.assert_allclose(fitted.predict(1 - low), 1 - result, atol=1e-5)


def test_same_bits_for_any_tiles_and_threads(fitted: TreeFilterSR) -> None:
    low = _picture(6, (37, 41)).astype(np.float32)
    whole = fitted.predict(low)
    tiled = load_copy(fitted).set_params(tile_shape=(9, 16), n_jobs=2).predict(low)
    np.testing.assert_array_equal(tiled, whole)


def load_copy(sr: TreeFilterSR) -> TreeFilterSR:
    import pickle

    return pickle.loads(pickle.dumps(sr))


def test_flat_tiny_and_nan(fitted: TreeFilterSR) -> None:
    s = fitted.native_scale_
    np.testing.assert_allclose(fitted.predict(np.full((5, 6), 0.3, np.float32)), 0.3, atol=1e-6)
    assert fitted.predict(np.full((1, 1), 7, np.uint8)).tolist() == [[7] * s] * s
    broken = _picture(3, (12, 12)).astype(np.float32)
    broken[4, 5] = np.nan
    assert np.isnan(fitted.predict(broken)).sum() == s * s


def test_same_seed_same_model(fitted: TreeFilterSR) -> None:
    again = load_copy(fitted).set_params(n_jobs=2).fit([_picture(seed) for seed in range(3)])
    np.testing.assert_array_equal(again.filters_, fitted.filters_)
    for one, other in zip(again.trees_, fitted.trees_, strict=True):
        np.testing.assert_array_equal(one.tests, other.tests)


def test_file_round_trip(fitted: TreeFilterSR, tmp_path) -> None:
    path = tmp_path / "fast.safetensors"
    fitted.save(path)
    assert read_model(path).method == "fast"
    assert len(load_model(path).trees_) == 2
    loaded, low = load_model(path), _picture(8, (30, 30)).astype(np.float32)
    assert np.square(loaded.predict(low) - fitted.predict(low)).mean() < 1e-7
    loaded.save(tmp_path / "again.safetensors")
    again = load_model(tmp_path / "again.safetensors")
    np.testing.assert_array_equal(again.predict(low), loaded.predict(low))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filters", np.zeros((7, 16, N_TAPS - 1), np.float16)),
        ("filters", np.zeros((6, 16, N_TAPS), np.float16)),
        ("filters", np.zeros((7, 25, N_TAPS), np.float16)),
        ("tests", np.zeros((13, 2), np.int16)),
        ("tests", np.full((13, 2), -1, np.int16)),
        ("tests", "tap 37"),
        ("tests", "tap -2"),
        ("tests", np.zeros((13, 2), np.float32)),
        ("thresholds", np.zeros(12, np.float32)),
        ("tests_1", "tap 37"),
        ("tests_1", np.zeros((13, 2), np.int16)),
        ("thresholds_1", np.zeros(12, np.float32)),
        ("filters_1", np.zeros((6, 16, N_TAPS), np.float16)),
        ("filters_1", None),
        ("filters_2", np.zeros((7, 16, N_TAPS), np.float16)),
    ],
)
def test_hostile_files(tmp_path, name: str, value) -> None:
    sr = TreeFilterSR(2, n_leaves=7, random_state=0).fit([_picture(0)])
    path = tmp_path / "fast.safetensors"
    sr.save(path)
    good = read_model(path)
    if isinstance(value, str):
        broken = good.tensors[name].copy()
        broken[0, 1] = int(value.split()[1])
        value = broken
    tensors = {**good.tensors, name: value}
    if value is None:
        del tensors[name]
    write_model(path, method="fast", params=good.parameters, tensors=tensors)
    with pytest.raises(ModelFileError):
        load_model(path)


def test_a_tree_that_adds_nothing(tmp_path) -> None:
    path, low = tmp_path / "fast.safetensors", _picture(1, (20, 20)).astype(np.float32)
    TreeFilterSR(2, n_leaves=7, random_state=0).fit([_picture(0)]).save(path)
    good = read_model(path)
    nothing = np.zeros_like(good.tensors["filters_1"])
    tensors = {**good.tensors, "filters_1": nothing}
    write_model(path, method="fast", params=good.parameters, tensors=tensors)
    sr = load_model(path)
    np.testing.assert_array_equal(
        sr.predict(low), load_model(path).set_params(n_trees=1).predict(low)
    )


def test_a_file_of_one_tree_from_before_there_were_more(tmp_path) -> None:
    sr = TreeFilterSR(2, n_leaves=7, random_state=0).fit([_picture(0)])
    path, low = tmp_path / "fast.safetensors", _picture(1, (20, 20)).astype(np.float32)
    sr.save(path)
    new = read_model(path)
    params = {k: v for k, v in new.parameters.items() if k not in ("n_trees", "n_passes")}
    tensors = {k: v for k, v in new.tensors.items() if not k.endswith("_1")}
    write_model(tmp_path / "old.safetensors", method="fast", params=params, tensors=tensors)
    old = load_model(tmp_path / "old.safetensors")
    expected = load_model(path).set_params(n_trees=1).predict(low)
    np.testing.assert_array_equal(old.predict(low), expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_leaves": 0},
        {"n_trees": 0},
        {"n_passes": 0},
        {"smoothing": -1},
        {"ridge": 0},
        {"n_samples": 0.5},
    ],
)
def test_wrong_parameters(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TreeFilterSR(2, **wrong).fit([_picture(0)])


@pytest.mark.parametrize("n_vectors", range(1, MOST_VECTORS + 1))
@pytest.mark.parametrize("add", [False, True])
def test_filter_group_in_registers(n_vectors: int, add: bool) -> None:
    from numba import njit

    rng = np.random.default_rng(0)
    pixels = rng.standard_normal(200).astype(np.float32)
    offsets = rng.integers(-20, 20, 3 * 5)
    table = rng.standard_normal((1 + n_vectors) * 5 * VECTOR).astype(np.float32)
    at = tuple(rng.integers(30, 160, GROUP).tolist())
    turn = tuple((5 * rng.integers(0, 3, GROUP)).tolist())
    to = tuple((n_vectors * VECTOR * np.arange(GROUP)).tolist())
    results = [np.full(GROUP * n_vectors * VECTOR, 0.25, np.float32) for _ in range(2)]

    @njit
    def compiled(pixels, at, depth, offsets, turn, table, first, n_vectors, outputs, to, add):
        filter_group(pixels, at, depth, offsets, turn, table, first, n_vectors, outputs, to, add)

    for function, result in zip((filter_group, compiled), results, strict=True):
        function(pixels, at, 5, offsets, turn, table, 5 * VECTOR, n_vectors, result, to, add)
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-6)


def test_best_split_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    x, side = rng.standard_normal((300, 3)), rng.integers(0, N_BINS, (300, 2)).astype(np.uint8)
    slopes = np.where(side[:, 1:] <= 9, 1.0, -1.0)
    y = np.column_stack([slopes[:, 0] * x[:, 0], x[:, 1]]) + 0.01 * rng.standard_normal((300, 2))
    products = regression_products(x, y)

    def squares(chosen: np.ndarray) -> float:
        fit = np.linalg.lstsq(x[chosen], y[chosen])[0]
        return float(np.square(x[chosen] @ fit).sum())

    everything = np.ones(300, bool)
    total = products.sum(axis=0, dtype=np.float64)
    assert explained(total, 3, 2, 1e-9) == pytest.approx(squares(everything), rel=1e-5)
    sums, counts = np.empty((2, N_BINS, products.shape[1])), np.empty((2, N_BINS), np.int64)
    sum_by_bin(products, side, np.arange(300, dtype=np.int32), sums, counts)
    gain, test, edge = best_split(sums, counts, 3, 2, 1e-9, 20)
    assert (test, edge) == (1, 9)
    first = side[:, 1] <= 9
    expected = squares(first) + squares(~first) - squares(everything)
    assert gain == pytest.approx(expected, rel=1e-4)


def test_says_what_is_too_large_for_packed_tests(fitted: TreeFilterSR) -> None:
    with pytest.raises(ValueError, match="tile_shape"):
        fitted.trees_[0].laid_out(1 << 23)
    inner = np.arange(MOST_NODES // 2)
    tests = np.full((2 * len(inner) + 3, 2), -1)
    tests[: len(inner) + 1] = 0
    with pytest.raises(ValueError, match="nodes"):
        PosedTree(tests, np.zeros(len(tests), np.float32))
