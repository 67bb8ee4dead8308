"""The equivariant network: poses, its kernels against PyTorch, a file, a start from another."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from classicsr import load_model  # noqa: E402
from classicsr.deep import NetworkSR  # noqa: E402
from classicsr.deep._architectures import ARCHITECTURES  # noqa: E402
from classicsr.deep._equivariant import (  # noqa: E402
    N_POSES,
    filters_of,
    hidden_indices,
    weight_shapes,
)
from classicsr.deep._tiles import posed  # noqa: E402
from classicsr.deep._weights import give_weights, weights_of  # noqa: E402
from classicsr.degradation import resize  # noqa: E402

QUICK = {"n_steps": 12, "batch_size": 2, "patch_size": 16, "random_state": 0}


@pytest.fixture(scope="module", params=[2, 3])
def fitted(request, training_images):
    return NetworkSR(request.param, "equivariant", **QUICK).fit(training_images[:2])


def _with_torch(sr: NetworkSR, low: np.ndarray) -> np.ndarray:
    """What PyTorch makes of a mirrored image whose range is 0 to 1."""
    scale, margin = sr.native_scale_, 20
    module = sr._architecture.build(sr._variant, scale)
    give_weights(module, sr.weights_)
    wide = np.pad(low, margin, mode="symmetric")
    with torch.no_grad():
        added = module(torch.from_numpy(wide)[None, None])[0, 0].numpy()
    inner = slice(margin * scale, -margin * scale)
    return resize(low, scale) + added[inner, inner]


def test_kernels_agree_with_pytorch(fitted, make_texture):
    low = make_texture((31, 45), 5).astype(np.float32)
    result = fitted.predict(low, data_range=(0, 1))
    np.testing.assert_allclose(result, _with_torch(fitted, low), atol=2e-5)
    assert np.abs(result - resize(low, fitted.native_scale_)).max() > 1e-3  # it does something


@pytest.mark.parametrize("pose", range(1, 8))
def test_results_turn_with_the_image(fitted, make_texture, pose):
    low = make_texture((21, 34), 6)
    turned = fitted.predict(np.ascontiguousarray(posed(low, pose)), data_range=(0, 1))
    expected = posed(fitted.predict(low, data_range=(0, 1)), pose)
    np.testing.assert_allclose(turned, expected, atol=1e-5)


def test_a_shift_of_the_intensities_is_one_of_the_result(fitted, make_texture):
    low = make_texture((21, 34), 6).astype(np.float32)
    results = [fitted.predict(low + shift, data_range=(0, 1)) - shift for shift in (0, 0.5)]
    np.testing.assert_allclose(results[1], results[0], atol=1e-5)
    constant = fitted.predict(np.full((9, 8), 0.25, np.float32), data_range=(0, 1))
    biased = fitted.predict(np.zeros((9, 8), np.float32), data_range=(0, 1))
    np.testing.assert_allclose(constant - 0.25, biased, atol=1e-6)


def test_with_negatives_results_of_negatives_are_negatives(fitted, make_texture):
    low = make_texture((21, 34), 6).astype(np.float32)
    both = pickle.loads(pickle.dumps(fitted)).set_params(self_ensemble=True)
    result = both.predict(low, data_range=(0, 1))
    np.testing.assert_allclose(1 - both.predict(1 - low, data_range=(0, 1)), result, atol=1e-5)
    one, other = (fitted.predict(x, data_range=(0, 1)) for x in (low, 1 - low))
    np.testing.assert_allclose(result, (one + 1 - other) / 2, atol=1e-5)
    assert np.abs(result - one).max() > 1e-3  # alone it does not know them


def test_tiles_and_threads_change_nothing(fitted, make_texture):
    low = make_texture((50, 61), 7)
    whole = fitted.predict(low)
    for params in ({"tile_shape": (13, 21)}, {"tile_shape": (50, 7)}, {"n_jobs": 3}):
        other = pickle.loads(pickle.dumps(fitted)).set_params(**params)
        np.testing.assert_array_equal(other.predict(low), whole)


def test_filters_of_a_pose_are_those_of_the_first_one_turned():
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((2, 2, N_POSES, 9))
    indices = hidden_indices(2)
    filters = filters_of(weights, indices, indices.shape)
    first = filters[:N_POSES, :N_POSES]  # from field 0 to field 0: (to, from, 3, 3)
    for to in range(N_POSES):
        # each of them holds the same filters, turned alike, in another order
        turned = [posed(first[0, k], p) for k in range(N_POSES) for p in range(8)]
        assert all(any(np.array_equal(f, t) for t in turned) for f in first[to])
        assert np.unique(first[to]).size == np.unique(first[0]).size == N_POSES * 9
    assert np.shares_memory(filters, weights) is False


def test_weights_are_an_eighth_of_those_of_as_many_channels():
    module = ARCHITECTURES["equivariant"].build("48-8", 3)
    weights = weights_of(module)
    assert {name: w.shape for name, w in weights.items()} == weight_shapes(3, 6, 8)
    hidden = sum(w.size for name, w in weights.items() if name.startswith("hidden"))
    assert hidden == 8 * (48 * 48 * 9 // 8 + 6)


def test_a_file_predicts_without_pytorch(fitted, make_texture, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    low = make_texture((20, 23), 8)
    np.testing.assert_array_equal(load_model(path).predict(low), fitted.predict(low))


def test_training_begins_with_the_weights_of_another_scale(fitted, training_images, tmp_path):
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    other = NetworkSR(4, "equivariant", initial_weights=path, **{**QUICK, "n_steps": 1})
    other.set_params(learning_rate=0.0).fit(training_images[:2])
    for name, weights in fitted.weights_.items():
        same = other.weights_[name].shape == weights.shape
        assert same is (name != "last.weight")
        if same:
            np.testing.assert_array_equal(other.weights_[name], weights)
    with pytest.raises(ValueError, match="none fits"):
        NetworkSR(2, "espcn", initial_weights=path, **QUICK).fit(training_images[:2])


def test_it_always_adds_to_the_interpolated_image(training_images):
    with pytest.raises(ValueError, match=r"'residual'.*True or None for equivariant"):
        NetworkSR(2, "equivariant", residual=False, **QUICK).fit(training_images[:1])
