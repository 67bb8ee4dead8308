"""Neighbour embedding x3 over a million raw patches: time, recall and PSNR of each search.

Usage: CLASSICSR_DATA=... python benchmarks/neighbors.py
Columns come from T91 and four fifths of BSDS200; PSNR is of the centres of images from the last
fifth. Test sets are not touched (BSD100 only serves as pixels to time).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import _record
import numpy as np
from _timing import photographs, seconds_of

from classicsr import NeighborEmbeddingSR, evaluate
from classicsr.datasets import load_dataset
from classicsr.degradation import resize
from classicsr.features import WINDOW_RADIUS
from classicsr.neighbors import ColumnIndex, NeighborIndex
from classicsr.patches import windows
from classicsr.regressors._neighbors import GraphSearch, NeighborCoder, Search
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE

SCALE = 3
WIDTH, HEIGHT = 1280, 720
CENTER = 60  # high-resolution pixels a side of the held-out crops
PROBES = (4, 16, 64)
EFFORTS = (32, 128)
N_NEIGHBORS = 24
N_QUERIES = 1024


def training_and_held_out() -> tuple[list[np.ndarray], list[tuple[str, np.ndarray]]]:
    """Training images, and the centres of every fifth of BSDS200."""
    more = load_dataset("natural/BSDS200")
    kept = [more[i] for i in range(len(more)) if i % 5]
    centers = []
    for i in range(0, len(more), 10):
        top, left = ((n - CENTER) // 2 for n in more[i].shape[:2])
        centers.append((more.names[i], more[i][top : top + CENTER, left : left + CENTER]))
    return [*load_dataset("natural/T91"), *kept], centers


def fitted(images: list[np.ndarray], n_samples: int) -> tuple[NeighborEmbeddingSR, float]:
    """NE-LLE over raw patches, and seconds of fitting."""
    sr = NeighborEmbeddingSR(
        SCALE, columns="patches", index="ivf", n_samples=n_samples, random_state=0
    )
    start = time.perf_counter()
    return sr.fit(images), time.perf_counter() - start


def searches(low: np.ndarray, cells: Any) -> Iterator[tuple[str, Search]]:
    """Name and search; the quick to build first."""
    yield "exact", ColumnIndex(low)
    for n_probes in PROBES:
        yield f"cells, {n_probes} probed", ColumnIndex(low, cells, n_probes)
    graph = GraphSearch(low)
    for effort in EFFORTS:
        yield f"graph (FAISS HNSW), list of {effort}", _WithEffort(graph, effort)


class _WithEffort:
    """A graph search with another length of the candidate list."""

    def __init__(self, graph: GraphSearch, effort: int) -> None:
        self._graph, self._effort = graph, effort

    def search(self, *arguments: Any) -> Any:
        index = self._graph._index
        if index._index is None:
            index._index = index._build()
        index._index.hnsw.efSearch = self._effort
        return self._graph.search(*arguments)


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """Share of the true neighbours that were found."""
    return fmean(len(set(a) & set(b)) / len(b) for a, b in zip(found, truth, strict=True))


def measure(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The record, longer by one search each time: some take long."""
    images, centers = training_and_held_out()
    sr, fit_seconds = fitted(images, args.samples)
    coder = sr.map_.coder
    assert isinstance(coder, NeighborCoder)
    assert isinstance(coder.search, ColumnIndex)
    low, cells = coder.low, coder.search.cells
    reference = photographs(HEIGHT * SCALE, WIDTH * SCALE)
    image = resize(reference, 1 / SCALE).astype(np.float32) / np.float32(255)
    rows, columns = DEFAULT_TILE_SHAPE
    tile = windows(image[:rows, :columns], WINDOW_RADIUS).reshape(rows * columns, -1)
    queries = np.ascontiguousarray(tile @ sr.filters_.T)
    part = np.linspace(0, len(queries) - 1, N_QUERIES).astype(np.int64)
    document: dict[str, Any] = {"columns": len(low), "fit": fit_seconds, "rows": []}
    document |= {"images": len(centers), "flat": _flat(low, queries[part])}
    truths = {"graph": document["flat"].pop("indices")}
    for name, search in searches(low, cells):
        coder.search = search
        search.search(queries, part[:100], N_NEIGHBORS)  # compiles, builds
        asked = part if name == "exact" else np.arange(len(queries))
        start = time.perf_counter()
        found = search.search(queries, asked, N_NEIGHBORS)[0]
        row: dict[str, Any] = {"name": name}
        row["search"] = (time.perf_counter() - start) / len(asked)
        found = found if name == "exact" else found[part]
        truth = truths["graph"] if name.startswith("graph") else truths.setdefault("exact", found)
        row["recall"] = recall(found, truth)
        row["psnr"] = fmean(one["psnr"] for one in evaluate(sr, centers, SCALE))
        crop = image[: 2 * rows, : 2 * columns]
        for threads in (1, 2) if name != "exact" else ():
            sr.set_params(n_jobs=threads)
            seconds = seconds_of(partial(sr.predict, crop, data_range=(0, 1)))
            row[f"{threads} threads"] = seconds * image.size / crop.size
        sr.set_params(n_jobs=1)
        document["rows"].append(row)
        yield document


def _flat(low: np.ndarray, queries: np.ndarray) -> dict[str, Any]:
    """FAISS's exact search, one thread, not up to sign: seconds a patch, and what it found."""
    directions = queries / np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-12)
    index = NeighborIndex(low, metric="inner_product")
    start = time.perf_counter()
    found = index.search(directions, N_NEIGHBORS)[1]
    return {"search": (time.perf_counter() - start) / len(queries), "indices": found}


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    exact = document["rows"][0]["psnr"]
    rows = [
        [
            row["name"],
            f"{row['search'] * 1e6:.0f}",
            f"{row['recall']:.3f}",
            f"{row['psnr']:.3f}",
            f"{row['psnr'] - exact:+.3f}",
            *(f"{row[n]:.0f}" if n in row else "" for n in ("1 threads", "2 threads")),
        ]
        for row in document["rows"]
    ]
    headings = ["search", "us a patch", "recall", "dB", "difference", "1 thread s", "2 threads s"]
    return (
        f"# Neighbour embedding x{SCALE} over {document['columns']:,} raw patches\n\n"
        f"Made by `python benchmarks/neighbors.py`. Patches of T91 and four fifths of BSDS200 "
        f"(pyramid of 12 levels); fitting took {document['fit']:.0f} s on one thread. "
        f"{N_NEIGHBORS} neighbours, locally linear weights.\n\n"
        f"us a patch: search alone, one thread. recall: share of the exact neighbours found (of "
        "the graph: of those on its own side of the sphere). dB: mean PSNR of the centres "
        f"({CENTER} x {CENTER}) of {document['images']} held-out images of BSDS200. s: whole "
        f"prediction for a {WIDTH} x {HEIGHT} luma, scaled from a crop of 4 tiles. One run of "
        f"each, on a machine shared with other work.\n\n{_record.table(headings, rows)}\n\n"
        f"FAISS's exact search, one thread, not up to sign: {document['flat']['search'] * 1e6:.0f} "
        "us a patch.\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n"
    )


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000, help="columns, about")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "neighbors.json")
    args = parser.parse_args()
    where = {"date": _record.today(), "machine": _record.machine()}
    for figures in measure(args):
        document = {**where, **figures}
        _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
