"""The front of `benchmarks/pareto.py`, and what it says kernels do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classicsr import load_model
from classicsr.kernels import linear

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def kernels(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    import _kernels

    return _kernels


@pytest.fixture
def pages(monkeypatch):
    pytest.importorskip("jinja2")
    monkeypatch.syspath_prepend(FOLDER)
    import _pareto_report

    return _pareto_report


RATES = {"gemm": 1e11, "memory": 1e10, "tile": 2e10}
OURS = {"quick": (0.1, 32.0), "medium": (1.0, 33.0), "slow": (10.0, 34.0)}


@pytest.mark.parametrize(
    ("place", "covered_by", "lead", "beaten"),
    [
        ((2.0, 32.5), "medium", -0.5, []),
        ((2.0, 31.0), "quick", -2.0, []),
        ((1.0, 33.0), "medium", 0.0, []),
        ((2.0, 33.5), None, 0.5, []),
        ((0.05, 31.0), None, None, []),
        ((0.05, 33.5), None, None, ["quick", "medium"]),
        ((0.5, 33.5), None, 1.5, ["medium"]),
    ],
)
def test_places_beside_ours(pages, place, covered_by, lead, beaten):
    assert pages.cover(place, OURS) == covered_by
    assert pages.lead(place, OURS) == (None if lead is None else pytest.approx(lead))
    assert pages.beaten(place, OURS) == beaten


def _row(method, one, two, quality, *, ours=False):
    return {"method": method, "scale": 3, "source": "", "trained": quality is not None,
            "ours": ours, "shape": [720, 1280], "seconds": {"1": one, "2": two}, "timed": "now",
            "psnr": {"Set5": quality, "Set14": quality - 3} if quality else {}}  # fmt: skip


def test_page_says_where_ours_are_ahead(pages):
    rows = [
        _row("mine", 1.0, 0.6, 33.0, ours=True),
        _row("worse", 1.5, 0.9, 32.0),
        _row("cheap", 0.1, 0.1, 30.0),
        _row("aplus", 9.0, 5.0, 33.25),
        _row("serial", 1.5, 0.5, 33.5),
        _row("deep (untrained)", 30.0, 15.0, None),
    ]
    work = {"seconds": 0.5, "operations": 10**10, "bytes": 4 * 10**8}
    works = {"seconds": 0.75, "kernels": {"sum_up": work}}
    document = {"rows": rows, "sets": ["Set5", "Set14"], "threads": [1, 2],
                "kernels": {"3": {"pixels": 10**6, "rates": RATES, "models": {"mine": works}}},
                "machine": {"cpu": "", "cores": 2, "system": "", "python": "", "versions": {}},
                "date": "", "command": ""}  # fmt: skip
    page = pages.report(document)
    assert "| **mine** | 33.00 | 30.00 | 1.000 | 0.600 |  |  |" in page
    assert "| worse | 32.00 | 29.00 | 1.500 | 0.900 | mine | mine |" in page
    assert "| cheap | 30.00 | 27.00 | 0.100 | 0.100 | faster | faster |" in page
    assert "| no: Set5 +0.25 dB, Set14 +0.25 dB | no: Set5 +0.25 dB, Set14 +0.25 dB |" in page
    assert "serial than mine (Set5, 2 thr.); serial than mine (Set14, 2 thr.)." in page
    assert "Time of deep (untrained) (1280 x 720 pixels, 2 threads): 25.0 x mine." in page
    assert "| mine sum_up | 10000 | 400 | 100.0 | 20.0 | 500.0 | 5.0 |" in page
    assert "| mine, the rest |  |  |  |  | 250.0 |  |" in page
    assert pages.picture(document, 3, "Set5").count("<circle") == 2  # mine and aplus


def test_floors(kernels):
    work = kernels.Work(seconds=1.0, operations=2 * 10**11, bytes=5 * 10**9)
    assert work.floors(RATES) == (2.0, 0.25)


def test_work_of_aplus_is_that_of_its_arithmetic(kernels):
    height, width = 20, 15
    low = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    sr = load_model("aplus-x3")
    before = sr.predict(low)
    one = kernels.kernel_works(sr, low, 3, 1)
    works = {name: kernels.Work(**figures) for name, figures in one["kernels"].items()}
    n_patches, (n_anchors, n_features, n_outputs) = (height + 2) * (width + 2), sr.map_.maps.shape
    padded = 48 * -(-n_outputs // 48)
    assert works["apply_leaf_maps"].operations == 2 * n_patches * n_features * padded
    assert works["add_overlap_average"].operations == 11 * 9 * low.size
    exact = 2 * n_patches * n_anchors * (n_features + 8)
    assert 0 < works["nearest_anchor"].operations < exact / 2
    assert sum(work.seconds for work in works.values()) < one["seconds"]
    np.testing.assert_array_equal(sr.predict(low), before)
    assert hasattr(linear.apply_leaf_maps, "py_func")  # no longer watched


@pytest.mark.parametrize(
    ("model", "kernel"), [("fast", "filter_pixels"), ("raisr", "apply_filters")]
)
def test_tables_are_read_once(kernels, model, kernel):
    """Four tiles take the work of one with four times the pixels, and the table's bytes once."""
    sr = load_model(f"{model}-x2").set_params(tile_shape=(32, 32))
    low = np.random.default_rng(0).integers(0, 256, (32, 128), np.uint8)
    one, four = (
        kernels.kernel_works(sr, part, 2, 1)["kernels"][kernel] for part in (low[:, :32], low)
    )
    assert four["operations"] == 4 * one["operations"]
    assert four["bytes"] < 4 * one["bytes"]
