"""Features and residual patches of textured images."""

from __future__ import annotations

import numpy as np
import pytest


def _samples(images):
    from classicsr.degradation import BicubicDegradation, resize
    from classicsr.features import GradientPCA
    from classicsr.patches import PatchSamples, TrainingPair

    pairs = []
    for image in images:
        low = BicubicDegradation(2).forward(image)
        pairs.append(TrainingPair(low, image - resize(low, 2)))
    samples = PatchSamples(
        pairs, scale=2, span=3, radius=4, n_samples=None, random_state=np.random.RandomState(0)
    )
    filters = GradientPCA(2, 0.99).fit_moment(samples.moment()).components_
    return samples.features(filters), samples.targets()


@pytest.fixture(scope="session")
def make_samples():
    """Images -> (X, Y) of x2."""
    return _samples


@pytest.fixture(scope="session")
def patches(training_images):
    """(X, Y): about 6000 training samples of x2."""
    X, Y = _samples(training_images)
    X.setflags(write=False)
    Y.setflags(write=False)
    return X, Y
