"""Comparisons of methods: figures, statistics, and one page that holds it all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.report._forward import Forward
    from classicsr.report._metrics import METRICS
    from classicsr.report._page import NEEDS_JINJA, can_render, render_page, write_report
    from classicsr.report._plan import Plan
    from classicsr.report._results import Results, Row, Summary
    from classicsr.report._run import benchmark
    from classicsr.report._statistics import bootstrap_interval, holm
    from classicsr.report._tables import failures, quality_table

__all__ = [
    "METRICS",
    "NEEDS_JINJA",
    "Forward",
    "Plan",
    "Results",
    "Row",
    "Summary",
    "benchmark",
    "bootstrap_interval",
    "can_render",
    "failures",
    "holm",
    "quality_table",
    "render_page",
    "write_report",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "METRICS": "classicsr.report._metrics",
        "NEEDS_JINJA": "classicsr.report._page",
        "Forward": "classicsr.report._forward",
        "Plan": "classicsr.report._plan",
        "Results": "classicsr.report._results",
        "Row": "classicsr.report._results",
        "Summary": "classicsr.report._results",
        "benchmark": "classicsr.report._run",
        "bootstrap_interval": "classicsr.report._statistics",
        "can_render": "classicsr.report._page",
        "failures": "classicsr.report._tables",
        "holm": "classicsr.report._statistics",
        "quality_table": "classicsr.report._tables",
        "render_page": "classicsr.report._page",
        "write_report": "classicsr.report._page",
    },
)
