"""One adapter over FAISS: exact, inverted-file and graph search."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import thread_budget

Float32 = NDArray[np.float32]
Metric = Literal["inner_product", "euclidean"]
Kind = Literal["exact", "ivf", "hnsw"]


class NeighborIndex:
    """Nearest neighbours among stored vectors.

    Only the vectors are kept when the object is pickled; the FAISS index is rebuilt when it is
    first needed.

    Parameters
    ----------
    vectors : (n, d) float32
    kind : {"exact", "ivf", "hnsw"}
        Exact search; an inverted file of ``4 sqrt(n)`` cells (`effort` cells probed); or a
        navigable graph of 16 links a node (`effort` is the length of its candidate list).
    metric : {"euclidean", "inner_product"}
    effort : int
        Work of the approximate kinds: more is slower and closer to exact.
    n_jobs : int, optional

    Examples
    --------
    >>> import numpy as np
    >>> index = NeighborIndex(np.eye(4, dtype="f4"))
    >>> index.search(np.eye(4, dtype="f4")[2:3], 1)[1].tolist()
    [[2]]
    """

    def __init__(
        self,
        vectors: Float32,
        *,
        kind: Kind = "exact",
        metric: Metric = "euclidean",
        effort: int = 16,
        n_jobs: int | None = None,
    ) -> None:
        if kind not in ("exact", "ivf", "hnsw"):
            raise ValueError(
                "The 'kind' parameter of NeighborIndex must be one of exact, ivf, hnsw. "
                f"Got {kind!r} instead."
            )
        if metric not in ("euclidean", "inner_product"):
            raise ValueError(
                "The 'metric' parameter of NeighborIndex must be euclidean or inner_product. "
                f"Got {metric!r} instead."
            )
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.kind = kind
        self.metric = metric
        self.effort = effort
        self.n_jobs = n_jobs
        self._index: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_index": None}

    def search(self, queries: Float32, n_neighbors: int) -> tuple[Float32, NDArray[np.int64]]:
        """Similarities or squared distances, and indices, of the nearest vectors, best first.

        Parameters
        ----------
        queries : (m, d) float32
        n_neighbors : int
            At most the number of stored vectors.

        Returns
        -------
        values : (m, n_neighbors) float32
        indices : (m, n_neighbors) int64; -1 where an approximate search found too few
        """
        import faiss

        queries = np.ascontiguousarray(queries, dtype=np.float32)
        with thread_budget(self.n_jobs):
            if self.kind == "exact":
                return faiss.knn(queries, self.vectors, n_neighbors, metric=self._faiss_metric())
            if self._index is None:
                self._index = self._build()
            return self._index.search(queries, n_neighbors)

    def _faiss_metric(self) -> int:
        import faiss

        return faiss.METRIC_L2 if self.metric == "euclidean" else faiss.METRIC_INNER_PRODUCT

    def _build(self) -> Any:
        import faiss

        index: Any
        n, d = self.vectors.shape
        if self.kind == "ivf":
            cells = max(1, min(n // 39, int(4 * n**0.5)))
            flat = faiss.IndexFlat(d, self._faiss_metric())
            index = faiss.IndexIVFFlat(flat, d, cells, self._faiss_metric())
            index.train(self.vectors)
            index.nprobe = min(self.effort, cells)
        else:
            index = faiss.IndexHNSWFlat(d, 16, self._faiss_metric())
            index.hnsw.efSearch = self.effort
        # several threads would link a graph in the order in which they happen to run
        with thread_budget(1 if self.kind == "hnsw" else self.n_jobs):
            index.add(self.vectors)
        return index
