"""Nearest neighbours: exact equals brute force, approximate has recall floors."""

import pickle

import faiss
import numpy as np
import pytest

from classicsr.neighbors import NeighborIndex


@pytest.fixture(scope="module")
def vectors():
    """Clusters in 16 dimensions, as patches have."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(60, 16))
    return (centers[rng.integers(0, 60, 4000)] + 0.4 * rng.normal(size=(4000, 16))).astype("f4")


@pytest.fixture(scope="module")
def queries(vectors):
    rng = np.random.default_rng(1)
    picked = vectors[rng.integers(0, len(vectors), 100)]
    return (picked + 0.2 * rng.normal(size=picked.shape)).astype("f4")


def brute_force(vectors, queries, k, metric):
    """Values and indices, best first, in float64."""
    a, b = queries.astype(float), vectors.astype(float)
    if metric == "inner_product":
        values = a @ b.T
        order = np.argsort(-values, axis=1)[:, :k]
    else:
        values = ((a[:, None] - b) ** 2).sum(axis=2)
        order = np.argsort(values, axis=1)[:, :k]
    return np.take_along_axis(values, order, axis=1), order


@pytest.mark.parametrize("metric", ["euclidean", "inner_product"])
@pytest.mark.parametrize("k", [1, 7])
def test_exact_equals_brute_force(vectors, queries, metric, k):
    values, indices = NeighborIndex(vectors[:500], metric=metric).search(queries, k)
    expected_values, expected_indices = brute_force(vectors[:500], queries, k, metric)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected_values, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(indices, expected_indices)


def test_any_layout_and_type(vectors, queries):
    plain = NeighborIndex(vectors[:300]).search(queries, 3)
    turned = NeighborIndex(np.asfortranarray(vectors[:300].astype(float))).search(
        np.asfortranarray(queries), 3
    )
    np.testing.assert_array_equal(plain[1], turned[1])


@pytest.mark.parametrize("metric", ["euclidean", "inner_product"])
@pytest.mark.parametrize(("kind", "effort", "floor"), [("ivf", 16, 0.9), ("hnsw", 64, 0.9)])
def test_recall(vectors, queries, metric, kind, effort, floor):
    _, expected = brute_force(vectors, queries, 10, metric)
    _, found = NeighborIndex(vectors, kind=kind, metric=metric, effort=effort).search(queries, 10)
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, expected, strict=True)])
    assert recall >= floor


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_more_effort_finds_more(vectors, queries, kind):
    _, expected = brute_force(vectors, queries, 10, "euclidean")
    recalls = []
    for effort in (1, 400):
        _, found = NeighborIndex(vectors, kind=kind, effort=effort).search(queries, 10)
        recalls.append(
            np.mean([len(set(a) & set(b)) for a, b in zip(found, expected, strict=True)])
        )
    assert recalls[0] < recalls[1]
    assert recalls[1] >= 9.9


@pytest.mark.parametrize("kind", ["exact", "ivf", "hnsw"])
def test_few_vectors(kind):
    """With fewer vectors than any default of an index."""
    few = np.eye(5, dtype="f4")
    _, indices = NeighborIndex(few, kind=kind).search(few, 1)
    assert indices.ravel().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["exact", "ivf", "hnsw"])
def test_pickle_keeps_the_vectors_and_drops_the_index(vectors, queries, kind):
    index = NeighborIndex(vectors, kind=kind, effort=8)
    before = index.search(queries, 3)
    stored = pickle.dumps(index)
    assert len(stored) < 1.1 * vectors.nbytes
    again = pickle.loads(stored)
    assert again._index is None
    after = again.search(queries, 3)
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_array_equal(after[1], before[1])


def test_thread_count_is_restored(vectors, queries):
    before = faiss.omp_get_max_threads()
    for n_jobs in (1, 2):
        NeighborIndex(vectors, n_jobs=n_jobs).search(queries, 1)
        assert faiss.omp_get_max_threads() == before
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever FAISS raises
        NeighborIndex(vectors, n_jobs=1).search(queries[:, :5], 1)
    assert faiss.omp_get_max_threads() == before


def test_threads_do_not_change_the_result(vectors, queries):
    for kind in ("exact", "ivf", "hnsw"):
        one = NeighborIndex(vectors, kind=kind, n_jobs=1).search(queries, 5)
        two = NeighborIndex(vectors, kind=kind, n_jobs=2).search(queries, 5)
        np.testing.assert_array_equal(one[1], two[1])
        np.testing.assert_array_equal(one[0], two[0])


def test_wrong_parameters(vectors):
    with pytest.raises(ValueError, match="'kind' parameter of NeighborIndex"):
        NeighborIndex(vectors, kind="tree")
    with pytest.raises(ValueError, match="'metric' parameter of NeighborIndex"):
        NeighborIndex(vectors, metric="cosine")
