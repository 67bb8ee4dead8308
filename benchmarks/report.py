"""How long `classicsr benchmark` takes: eight methods, Set5, three scales; then from its cache.

Usage: CLASSICSR_DATA=... python benchmarks/report.py
Run it with nothing else on the machine. Also draws docs/images/quality-and-time.svg, the plot of
its page at x3.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import _record

from classicsr.report._page import scatter_picture
from classicsr.report._plots import scatter

METHODS = "bicubic,lanczos,ibp,pocs,tv,nlm,raisr,aplus"
SCALES = "2,3,4"
SHOWN_SCALE = "3"
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "quality-and-time.svg"


def timed(command: list[str]) -> float:
    """Seconds of a run."""
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def plot(summaries: list[dict[str, Any]]) -> str:
    """The plot of quality and time as a picture of its own."""
    values = {
        one["method"]: (one["seconds_per_megapixel"], one["metrics"]["psnr"])
        for one in summaries
        if str(one["scale"]) == SHOWN_SCALE
    }
    title = f"Set5, x{SHOWN_SCALE}, bicubic"
    return scatter_picture(scatter(title, values, "seconds per megapixel", "PSNR (dB)"))


def report(document: dict[str, Any]) -> str:
    """The record as a Markdown page."""
    rows = [
        [one["method"], f"x{one['scale']}", f"{one['metrics']['psnr']:.2f}",
         f"{one['metrics']['ssim']:.4f}", f"{one['metrics']['consistency']:.2f}",
         f"{one['seconds_per_megapixel']:.3f}", f"{one['peak_bytes'] / 1e6:.0f}"]
        for one in document["summaries"]
    ]  # fmt: skip
    headings = ["method", "scale", "PSNR dB", "SSIM", "consistency", "s/MP", "memory MB"]
    return (
        "# The comparison report\n\n"
        f"`{document['command']}`, by `python benchmarks/report.py`. The page has "
        f"{document['page_bytes'] / 1e6:.1f} MB.\n\n"
        f"- First run: {document['first_seconds']:.0f} s\n"
        f"- Second run, from the cache: {document['cached_seconds']:.1f} s\n"
        f"- Processes that waited for a core when it began: {document['load']:.1f}\n\n"
        f"{_record.table(headings, rows)}\n\n"
        "Means over the five images; time and memory as "
        "[docs/benchmark.md](../../docs/benchmark.md) says, per megapixel of the result.\n\n"
        f"{document['date']}; {_record.described(document['machine'])}.\n"
    )


def main() -> None:
    """Run twice and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", default=METHODS, metavar="A,B")
    parser.add_argument("--json", type=Path, default=_record.RESULTS / "report.json")
    args = parser.parse_args()
    options = ["benchmark", "--methods", args.methods, "--data", "natural/Set5", "--scale", SCALES]
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        command = [sys.executable, "-m", "classicsr", *options, "-o", scratch]
        load = os.getloadavg()[0]
        first, cached = timed(command), timed(command)
        results = json.loads((out / "results.json").read_text(encoding="utf-8"))
        document = {
            "command": " ".join(["classicsr", *options, "-o out/"]),
            "first_seconds": first,
            "cached_seconds": cached,
            "load": load,
            "page_bytes": (out / "report.html").stat().st_size,
            **{key: results[key] for key in ("date", "machine", "summaries")},
        }
    PICTURE.write_text(plot(document["summaries"]), encoding="utf-8")
    _record.write(args.json, document, report(document))


if __name__ == "__main__":
    main()
