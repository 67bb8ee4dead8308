"""The files of a report: complete, plain, and safe whatever the names in them."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from classicsr.report import _page, quality_table, render_page, write_report
from classicsr.report._pictures import decode, encode
from classicsr.report._plots import box_plot, log_ticks, nice_ticks, scatter
from classicsr.report._tables import failures

jinja2 = pytest.importorskip("jinja2", reason="jinja2 (extra 'report') is not installed")


def test_three_files(results, tmp_path):
    files = write_report(results, tmp_path)
    assert [path.name for path in files] == ["results.csv", "results.json", "report.html"]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    document = json.loads((tmp_path / "results.json").read_text())
    assert (document["format"], document["format_version"]) == ("classicsr-benchmark", 1)
    assert document["rows"][0]["metrics"] == results.rows[0].metrics
    assert document["metrics"]["rmse"]["higher_is_better"] is False
    table = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert len(table) == len(results.rows)
    assert float(table[0]["psnr"]) == results.rows[0].metrics["psnr"]
    assert table[0]["error"] == ""


def test_the_page_asks_for_nothing_from_a_network(results):
    page = render_page(results)
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in page


def test_names_are_text_and_not_markup(make_results):
    hostile = make_results(("bicubic", '"><script>alert(1)</script>', "{{ 7 * 7 }}"))
    page = render_page(replace(hostile, protocol={"<b>": "</dl><script>"}))
    assert "<script>alert" not in page
    assert "</dl><script>" not in page
    assert "{{ 7 * 7 }}" in page


def test_failures_and_gaps_are_shown(results):
    def broken(row):
        return replace(
            row, metrics={}, samples=None, error="ran out of luck", notes={"psnr": "why"}
        )

    rows = [broken(row) if row.method == "tv" else row for row in results.rows]
    changed = replace(results, rows=rows)
    assert len(failures(changed)) == 1
    assert "and 9 more" in failures(changed)[0]
    page = render_page(changed)
    assert "ran out of luck" in page
    assert "PSNR: why (12 rows)" in page


def test_a_page_of_nothing_but_failures(results):
    from classicsr.report._summaries import summarise

    rows = [replace(row, metrics={}, samples=None, error="no") for row in results.rows]
    summaries = summarise(rows, results.metrics)
    page = render_page(replace(results, rows=rows, summaries=summaries, showcases=[]))
    assert "What failed" in page


def test_without_jinja2_the_other_files_are_written(results, tmp_path, monkeypatch):
    monkeypatch.setattr(_page, "can_render", lambda: False)
    assert [path.name for path in write_report(results, tmp_path)] == [
        "results.csv",
        "results.json",
    ]
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'classicsr\[report\]'"):
        render_page(results)


def test_best_and_second_best_of_each_set(results):
    table = quality_table(results)
    for scale in ("x2", "x3"):
        lines = [line for line in table.lines if line[1].text == scale]
        by_psnr = sorted(lines, key=lambda line: -line[2].key)
        by_rmse = sorted(lines, key=lambda line: line[3].key)
        assert [line[2].rank for line in by_psnr] == ["best", "second best", ""]
        assert [line[3].rank for line in by_rmse] == ["best", "second best", ""]


def test_what_looks_the_same_shares_a_place(results):
    def placed(*figures: float) -> list[str]:
        ones = [
            replace(one, metrics={"psnr": figure})
            for one, figure in zip(results.summaries, figures, strict=False)
        ]
        changed = replace(results, metrics=["psnr"], summaries=ones[: len(figures)])
        return [line[1].rank for line in quality_table(changed).lines]

    assert placed(30.001, 29.0, 29.999) == ["best", "second best", "best"]
    assert placed(30.0, 29.0, 29.001) == ["best", "second best", "second best"]
    assert placed(30.0, 30.0, 30.0) == ["best"] * 3
    assert placed(30.0) == [""]


def test_what_all_lines_share_is_said_once(results):
    table = quality_table(results)
    assert [column.label for column in table.columns][:2] == ["Method", "Scale"]
    assert table.caption.startswith("Set, bicubic")


def test_scatter_front_and_places():
    values = {"slow": (10.0, 31.0), "fast": (0.1, 30.0), "poor": (1.0, 29.0), "best": (1.0, 32.0)}
    plot = scatter("title", values, "s", "dB")
    assert {point.name for point in plot.points if point.is_best} == {"fast", "best"}
    x = {point.name: point.x for point in plot.points}
    y = {point.name: point.y for point in plot.points}
    assert x["slow"] - x["best"] == pytest.approx(x["best"] - x["fast"])  # logarithmic
    assert y["best"] < y["slow"] < y["fast"] < y["poor"]  # up is better
    assert scatter("same", {"a": (1.0, 30.0), "b": (1.0, 30.0)}, "s", "dB").points


def test_box_plot_of_one_value():
    (box,) = box_plot("title", {"a": [30.0]}, "dB").boxes
    assert box.minimum == box.median == box.maximum == box.dots[0]


def test_ticks():
    rng = np.random.default_rng(0)
    for low, span in zip(rng.uniform(-50, 50, 30), 10 ** rng.uniform(-3, 3, 30), strict=True):
        ticks = nice_ticks(low, low + span)
        assert 2 <= len(ticks) <= 7
        assert low <= min(ticks) <= max(ticks) <= low + span
    assert log_ticks(0.05, 20) == [0.1, 1.0, 10.0]
    assert log_ticks(0.3, 3) == [0.5, 1.0, 2.0]


def test_pictures_survive_encoding():
    strip = np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8)
    assert np.array_equal(decode(encode(strip)), strip)
