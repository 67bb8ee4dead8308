"""Published PSNR of A+, reached by the models that come with the package."""

import numpy as np
import pytest

from classicsr import evaluate, load_model
from classicsr.datasets import load_dataset

# lowest mean PSNR in dB at x2, x3, x4; float low-resolution images
PUBLISHED = {
    "Set5": (36.51, 32.55, 30.25),
    "Set14": (32.25, 29.10, 27.29),
    "BSD100": (31.18, 28.26, 26.79),
}


@pytest.mark.quality
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", PUBLISHED)
def test_aplus_reaches_its_published_figures(name, scale, data_root):
    images = load_dataset(f"natural/{name}")
    sr = load_model(f"aplus-x{scale}")
    sr.set_params(n_jobs=-1)
    rows = evaluate(sr, zip(images.names, images, strict=True), scale)
    assert np.mean([row["psnr"] for row in rows]) >= PUBLISHED[name][scale - 2]
