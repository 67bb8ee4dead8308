"""Fixtures for every room: one thread, data sets, textures and small fitted models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

# a kernel that compiles inside an example would miss any deadline
settings.register_profile("classicsr", deadline=None, max_examples=30)
settings.load_profile("classicsr")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """BLAS runs on one thread, unless the code under test asks for more."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of the public data sets; tests that need it are skipped without it."""
    value = os.environ.get("CLASSICSR_DATA")
    if not value:
        pytest.skip("CLASSICSR_DATA does not name the folder of the public data sets")
    return Path(value)


def textured(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Edges, stripes and smooth blobs in [0, 1], float32: something that patches can learn."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    image = np.zeros(shape)
    for _ in range(12):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(0, max(shape))
        distance = x * np.cos(angle) + y * np.sin(angle) - offset
        image += rng.uniform(-1, 1) * np.tanh(distance / rng.uniform(0.3, 2))
    for _ in range(4):
        frequency, phase = rng.uniform(-0.6, 0.6, 2), rng.uniform(0, 6)
        image += rng.uniform(0.1, 0.4) * np.sin(x * frequency[0] + y * frequency[1] + phase)
    image -= image.min()
    return (image / image.max()).astype(np.float32)


@pytest.fixture(scope="session")
def make_texture():
    """`textured(shape, seed)`."""
    return textured


@pytest.fixture(scope="session")
def training_images() -> list[np.ndarray]:
    return [textured((72, 90), seed) for seed in range(4)]


def _small_model(scale: int, images: list[np.ndarray]):
    from classicsr import AnchoredRegressionSR

    sr = AnchoredRegressionSR(
        scale, n_anchors=24, n_neighbors=200, n_iter=3, n_levels=1, random_state=0
    )
    return sr.fit(images)


@pytest.fixture(scope="session")
def sr2(training_images):
    """A small A+ model for x2. Shared: tests must not change it."""
    return _small_model(2, training_images)


@pytest.fixture(scope="session")
def sr3(training_images):
    """A small A+ model for x3. Shared: tests must not change it."""
    return _small_model(3, training_images)
