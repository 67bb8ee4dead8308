"""Growing a tree whose leaves are linear regressions: best split first."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from classicsr.regressors._trees import LEAF

N_BINS = 32
_RIDGE = 1.0  # products are sums of squares of about unit size
_SMALLEST = 200  # samples of a leaf
_DEPTH = 12  # steps to a leaf: all patches take as many as the longest way has


def bin_edges(values: NDArray) -> NDArray[np.float32]:
    """Edges (n_tests, N_BINS - 1) of bins with equally many of the values (n, n_tests) each."""
    return np.quantile(values, np.arange(1, N_BINS) / N_BINS, axis=0).T.astype(np.float32)


def bin_numbers(values: NDArray, edges: NDArray) -> NDArray[np.uint8]:
    """Bins (n, n_tests): how many edges are below each of the values."""
    columns = [np.searchsorted(e, v) for e, v in zip(edges, values.T, strict=True)]
    return np.stack(columns, axis=1).astype(np.uint8)


def regression_products(x: NDArray, y: NDArray) -> NDArray[np.float32]:
    """What a ridge regression needs of each sample: x x', lower triangle, then x y'."""
    rows, columns = np.tril_indices(x.shape[1])
    cross = [x * y[:, o : o + 1] for o in range(y.shape[1])]
    return np.concatenate([x[:, rows] * x[:, columns], *cross], axis=1, dtype=np.float32)


class LeastSquaresTree:
    """Splits samples one leaf at a time, where two regressions explain most more than one.

    Parameters
    ----------
    products : (n, n_products) float32
        From `regression_products`.
    bins : (n, n_tests) uint8
    n_inputs, n_outputs : int
    """

    def __init__(self, products: NDArray, bins: NDArray, n_inputs: int, n_outputs: int) -> None:
        self._products, self._bins = products, bins
        self._size = (n_inputs, n_outputs)
        shape = (bins.shape[1], N_BINS)
        self._sums = np.empty((*shape, products.shape[1]))
        self._counts = np.empty(shape, np.int64)

    def grow(self, n_leaves: int) -> list[tuple[int, int]]:
        """Test and last bin of the first child of each node, breadth first; LEAF in leaves."""
        splits: list[tuple[int, int]] = [(LEAF, 0)]
        children: dict[int, int] = {}
        depths = [0]
        heap = [self._candidate(0, 0, np.arange(len(self._bins), dtype=np.int32))]
        while heap and len(children) + 1 < n_leaves:
            loss, node, test, edge, samples = heapq.heappop(heap)
            if loss >= 0:
                break
            splits[node], children[node] = (test, edge), len(splits)
            first = self._bins[samples, test] <= edge
            for part in (samples[first], samples[~first]):
                depth = depths[node] + 1
                heapq.heappush(heap, self._candidate(len(splits), depth, part))
                splits.append((LEAF, 0))
                depths.append(depth)
        order = [0]
        for node in order:
            if node in children:
                order += [children[node], children[node] + 1]
        return [splits[node] for node in order]

    def _candidate(
        self, node: int, depth: int, samples: NDArray[np.int32]
    ) -> tuple[float, int, int, int, NDArray[np.int32]]:
        """The best split of a node, the most useful ones sorted first."""
        from classicsr.kernels.split_search import best_split, sum_by_bin

        if depth == _DEPTH or len(samples) < 2 * _SMALLEST:
            return 0.0, node, 0, 0, samples
        sum_by_bin(self._products, self._bins, samples, self._sums, self._counts)
        gain, test, edge = best_split(self._sums, self._counts, *self._size, _RIDGE, _SMALLEST)
        return -gain, node, test, edge, samples
