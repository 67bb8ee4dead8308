"""Draw the pictures of the documentation from the bundled samples and models.

Usage: python benchmarks/figures.py
Every pixel is shown as a square of whole screen pixels; nothing is smoothed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import _record
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from classicsr import BicubicSR, SelfVolumeSR, load_model, psnr
from classicsr.datasets import sample_image, sample_volume
from classicsr.degradation import resize
from classicsr.io import read_image, read_volume
from classicsr.metrics import luma, modcrop

SCALE = 3
ZOOM = 3
GAP = 8
LABEL_HEIGHT = 26
EYE = (slice(48, 144), slice(30, 126))  # rows, columns of the photograph
SLICE = 56  # coronal slice of the volume
FOLDER = Path(__file__).parents[1] / "docs" / "images"
Picture = NDArray[np.uint8]


def panels(
    pictures: Sequence[tuple[str, Picture]], zoom: int, columns: int | None = None
) -> Image.Image:
    """Pictures in rows on white, enlarged by a whole factor, each under its label."""
    per_row = columns or len(pictures)
    rows = [_row(pictures[k : k + per_row], zoom) for k in range(0, len(pictures), per_row)]
    size = (max(row.width for row in rows), sum(row.height for row in rows))
    canvas, top = Image.new("RGB", size, "white"), 0
    for row in rows:
        canvas.paste(row, (0, top))
        top += row.height
    return canvas


def _row(pictures: Sequence[tuple[str, Picture]], zoom: int) -> Image.Image:
    enlarged = [
        (label, Image.fromarray(pixels.repeat(zoom, 0).repeat(zoom, 1)).convert("RGB"))
        for label, pixels in pictures
    ]
    width = sum(image.width for _, image in enlarged) + GAP * (len(enlarged) + 1)
    height = max(image.height for _, image in enlarged) + LABEL_HEIGHT + GAP
    canvas = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=15)
    left = GAP
    for label, image in enlarged:
        draw.text((left, 4), label, fill="black", font=font)
        canvas.paste(image, (left, LABEL_HEIGHT))
        left += image.width + GAP
    return canvas


def photograph(models: Path | None) -> Image.Image:
    """The sample photograph made smaller, then brought back by bicubic, A+ and the best model."""
    original = modcrop(read_image(sample_image()).array, SCALE)
    low = resize(original, 1 / SCALE, axes=(0, 1))
    low = np.clip(np.rint(low), 0, 255).astype(np.uint8)
    results = {
        f"bicubic x{SCALE}": BicubicSR(SCALE).predict(low),
        f"A+ x{SCALE}": _record.aplus_model(models, SCALE).predict(low),
        f"best x{SCALE}": load_model(f"best-x{SCALE}").predict(low),
    }
    pictures = [("input", low.repeat(SCALE, 0).repeat(SCALE, 1)[EYE])]
    for name, result in results.items():
        decibels = psnr(luma(original), luma(result), data_range=255, crop=SCALE)
        pictures.append((f"{name}, {decibels:.2f} dB", result[EYE]))
    pictures.append(("original", original[EYE]))
    return panels(pictures, ZOOM)


def thick_slices() -> Image.Image:
    """A coronal view of the sample volume, of its interpolation, and of what `self` makes of it."""
    volume = read_volume(sample_volume())
    voxels = volume.frame(0)
    finest = min(volume.spacing)
    scale = tuple(spacing / finest for spacing in volume.spacing)
    thick = round(max(scale))
    peak = np.percentile(voxels, 99.8)

    def coronal(view: np.ndarray) -> Picture:
        """Left to right, feet to head upwards."""
        return (np.clip(view.T[::-1] / peak, 0, 1) * 255).astype(np.uint8)

    shown = " x ".join(f"{spacing:.2f}" for spacing in volume.spacing)
    pictures = [(f"thick slices, {shown} mm", coronal(voxels[:, SLICE, :].repeat(thick, 1)))]
    for label, method in (("cubic", BicubicSR(scale)), ("self", SelfVolumeSR(scale))):
        result = method.predict(voxels)
        pictures.append((f"{label}, {finest:.2f} mm", coronal(result[:, SLICE, :])))
    return panels(pictures, ZOOM)


def main() -> None:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    _record.add_models_option(parser)
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, metavar="FOLDER")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    pictures = {"photograph": photograph(args.models), "thick-slices": thick_slices()}
    for name, picture in pictures.items():
        path = args.output / f"{name}.png"
        picture.save(path, optimize=True)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
