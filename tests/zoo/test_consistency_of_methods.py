"""Every registered method can be made consistent with its input, and does not get worse by it."""

from __future__ import annotations

import numpy as np
import pytest

from classicsr.degradation import degradation_from_dict
from classicsr.metrics import psnr
from classicsr.zoo import METHODS, make_method

PEAK = 255
SMALL = {
    "n_samples": 3000, "n_levels": 1, "n_atoms": 48, "n_anchors": 16, "n_neighbors": 32,
    "n_clusters": 6, "n_internal": 200, "n_basis": 32, "n_trees": 2, "max_depth": 3, "n_poses": 1,
    "n_iter": 3, "n_steps": 2, "batch_size": 1, "patch_size": 12,
}  # fmt: skip
"""Settings that make a fit short, of whichever method has them."""
_VOLUMES = ("classicsr.reconstruction:VolumePatchSR", "classicsr.reconstruction:MixedVolumeSR")
TESTED = [
    name
    for name, method in METHODS.items()
    if name == "espcn" or not method.estimator.startswith(("classicsr.deep", *_VOLUMES))
]
"""One network stands for all: they take long to build, and share everything that is tested.
Methods that learn from volumes take no images."""


def small_method(name, images):
    """A fitted estimator of the method for x2."""
    if name == "espcn":
        pytest.importorskip("torch")
    method = METHODS[name]
    if not method.fits:
        return make_method(name, scale=2)
    settings = SMALL
    if "initial" in make_method(name).get_params(deep=False):
        prior = {"sparse": "zeyde", "ne": "ne-lle"}.get(method.parameters["prior"], "aplus")
        settings = {**SMALL, "initial": small_method(prior, images)}
    known = make_method(name).get_params(deep=False).keys() - method.parameters.keys()
    own = {key: value for key, value in settings.items() if key in known}
    return make_method(name, scale=2, random_state=0, **own).fit(images)


@pytest.mark.parametrize("name", TESTED)
def test_agrees_with_the_input_and_gets_no_worse(name, make_texture):
    images = [make_texture((64, 64), seed) for seed in range(2)]
    sr, record = small_method(name, images), {}
    sr.predict(np.zeros((8, 8)), consistent=True, record=record)
    model = degradation_from_dict(record["consistency"]["forward_model"])
    for image in images:
        high = PEAK * image
        low = model.forward(high)
        plain = sr.predict(low, data_range=(0, PEAK))
        result = sr.predict(low, data_range=(0, PEAK), consistent=True)
        assert np.abs(model.forward(result.astype(float)) - low).max() < 1e-3
        before, after = (psnr(high, one, data_range=PEAK) for one in (plain, result))
        assert after > before - 1e-3
        rounded = model.forward(np.rint(result))
        assert np.abs(rounded - low).max() < 0.5
