"""Small images on disk, and results that no run is needed for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classicsr.report import Results, Row
from classicsr.report._pictures import encode
from classicsr.report._results import Picture, Showcase
from classicsr.report._summaries import summarise


def save_png(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(255 * image).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def write_png():
    """`save_png(path, image in [0, 1])`."""
    return save_png


@pytest.fixture
def image_folder(tmp_path, make_texture) -> Path:
    """Three images of 40 x 36 pixels."""
    folder = tmp_path / "images"
    for k, name in enumerate("abc"):
        save_png(folder / f"{name}.png", make_texture((40, 36), k))
    return folder


def made_results(methods: tuple[str, ...] = ("bicubic", "aplus", "tv")) -> Results:
    """Figures of methods, each better and slower than the one before, at two scales."""
    rng = np.random.default_rng(0)
    rows = [
        Row(
            method=method,
            model="no training",
            data="Set",
            image=f"image {i}",
            scale=scale,
            degradation="bicubic",
            metrics={"psnr": 30 + k + rng.normal(), "rmse": 5 - k + rng.uniform()},
            samples=90_000,
            upscale_seconds=0.01 * 10**k,
            peak_bytes=200_000_000,
        )
        for scale in ("2", "3")
        for k, method in enumerate(methods)
        for i in range(6)
    ]
    strips = rng.integers(0, 256, (len(methods) + 2, 4 * 30, 40), dtype=np.uint8)
    names = ("reference", "input", *methods)
    flat = [Picture(n, encode(s[:30])) for n, s in zip(names, strips, strict=True)]
    stack = [Picture(n, encode(s)) for n, s in zip(names, strips, strict=True)]
    return Results(
        date="2026-01-02",
        protocol={"Border": "cropped"},
        machine={
            "cpu": "some processor",
            "cores": 2,
            "system": "Linux x86_64",
            "python": "3.11",
            "versions": {"classicsr": "0.1.0"},
        },
        metrics=["psnr", "rmse"],
        rows=rows,
        summaries=summarise(rows, ["psnr", "rmse"]),
        showcases=[
            Showcase("image 1 (Set), x2, bicubic", 1, 1.0, flat),
            Showcase("volume (Set), x2, bicubic", 4, 1.5, stack),
        ],
    )


@pytest.fixture
def results() -> Results:
    return made_results()


@pytest.fixture
def make_results():
    """`made_results(methods)`."""
    return made_results
