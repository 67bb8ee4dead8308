"""Work that `speed.py` measures in a process of its own; prints one JSON object.

Usage: python benchmarks/_worker.py fit SCALE SAMPLES | predict MODEL SIDE THREADS
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from classicsr import AnchoredRegressionSR, load_model
from classicsr.datasets import load_dataset, sample_image
from classicsr.io import read_image
from classicsr.report._machine import peak_bytes


def fit(scale: str, n_samples: str) -> dict[str, float]:
    """Fit A+ on T91."""
    images = list(load_dataset("natural/T91"))
    start = time.perf_counter()
    sr = AnchoredRegressionSR(int(scale), n_samples=int(n_samples), random_state=0, n_jobs=-1)
    sr.fit(images)
    return {
        "seconds": time.perf_counter() - start,
        "peak_bytes": peak_bytes(),
        "n_samples": int(n_samples),
    }


def predict(model: str, side: str, threads: str) -> dict[str, float]:
    """Upscale a large image; `other_bytes` is what it takes besides the two images."""
    sr = load_model(model).set_params(n_jobs=int(threads))
    photograph = read_image(sample_image()).array[..., 1]
    sr.predict(photograph[:8, :8])  # loads libraries and kernels
    program = peak_bytes()
    repeats = -(-int(side) // len(photograph))
    image = np.tile(photograph, (repeats, repeats))[: int(side), : int(side)]
    start = time.perf_counter()
    result = sr.predict(image)
    seconds = time.perf_counter() - start
    peak, images = peak_bytes(), image.nbytes + result.nbytes
    return {
        "seconds": seconds,
        "peak_bytes": peak,
        "images_bytes": images,
        "other_bytes": peak - images,
        "program_bytes": program,
    }


if __name__ == "__main__":
    work = fit if sys.argv[1] == "fit" else predict
    print(json.dumps(work(*sys.argv[2:])))
