"""Intervals, paired tests, win counts, and the summaries made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from classicsr.report import bootstrap_interval, holm
from classicsr.report._statistics import wilcoxon_p, wins
from classicsr.report._summaries import summarise


def test_bootstrap_interval_is_close_to_that_of_a_normal_mean():
    sample = np.random.default_rng(1).normal(5, 2, 400)
    half = norm.ppf(0.975) * sample.std() / 20
    low, high = bootstrap_interval(sample)
    assert low == pytest.approx(sample.mean() - half, abs=0.03)
    assert high == pytest.approx(sample.mean() + half, abs=0.03)
    assert bootstrap_interval([3.0]) is None


def test_holm_rejects_what_the_step_down_procedure_rejects():
    rng = np.random.default_rng(2)
    for _ in range(20):
        p_values = rng.uniform(0, 0.1, 6)
        rejected = np.zeros(6, bool)
        for k, i in enumerate(np.argsort(p_values)):
            if p_values[i] > 0.05 / (6 - k):
                break
            rejected[i] = True
        assert [p <= 0.05 for p in holm(p_values)] == rejected.tolist()
    assert holm([]) == []


def test_wilcoxon():
    assert wilcoxon_p([0.0, 0.0]) == 1
    assert wilcoxon_p([1.0, 2, 3, 4, 5]) == pytest.approx(2 / 2**5)
    assert wilcoxon_p([1.0]) == 1


def test_ties_are_won_by_all():
    assert wins(np.array([[1.0, 2.0], [1.0, 0.0]])) == [2, 1]


def test_summaries_rank_by_the_first_metric(results):
    best = {one.scale: one for one in results.summaries if one.difference == 0}
    assert {one.method for one in best.values()} == {"tv"}
    bicubic = next(one for one in results.summaries if one.method == "bicubic")
    rows = [row for row in results.rows if (row.method, row.scale) == ("bicubic", "2")]
    mean = np.mean([row.metrics["psnr"] for row in rows])
    assert bicubic.metrics["psnr"] == pytest.approx(mean)
    assert bicubic.difference == pytest.approx(mean - best["2"].metrics["psnr"])
    assert 0 < bicubic.p_value <= 1
    assert bicubic.seconds_per_megapixel == pytest.approx(0.01 / 0.09)
    assert sum(one.wins for one in results.summaries if one.scale == "2") == 6


def test_a_lower_error_ranks_higher(results):
    summaries = summarise(results.rows, ["rmse"])
    assert {one.method for one in summaries if one.difference == 0} == {"tv"}
    assert all(one.difference >= 0 for one in summaries)


def test_a_method_that_failed_on_an_image_is_not_ranked(results):
    def broken(row):
        if (row.method, row.image) == ("tv", "image 3"):
            return replace(row, metrics={}, samples=None, error="no")
        return row

    summaries = summarise([broken(row) for row in results.rows], ["psnr"])
    tv = next(one for one in summaries if one.method == "tv")
    assert (tv.n_failed, tv.n_images, tv.wins, tv.difference) == (1, 6, 0, None)
    assert next(one for one in summaries if one.difference == 0).method == "aplus"


def test_nothing_but_failures(results):
    rows = [replace(row, metrics={}, samples=None, error="no") for row in results.rows]
    assert all(one.metrics["psnr"] is None for one in summarise(rows, ["psnr"]))
