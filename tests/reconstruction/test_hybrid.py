"""Hybrid reconstruction: better than its parts, true to the input, safe to store."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.ndimage import gaussian_filter

from classicsr import AnchoredRegressionSR, BicubicSR, HybridSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import BicubicDegradation, add_noise
from classicsr.reconstruction._hybrid_tiles import averaged_poses, with_margin
from classicsr.zoo import make_method, method_name

MODEL = BicubicDegradation(2)


def scene(shape, seed=0):
    """Blobs with sharp rims on a slope."""
    smooth = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 3)
    return (np.where(smooth > 0, 0.7, 0.2) + 0.3 * smooth).astype(np.float32)


def small(**params):
    return HybridSR(2, n_anchors=16, n_samples=4000, random_state=0, **params)


def small_prior():
    return AnchoredRegressionSR(2, n_anchors=16, n_samples=4000, n_levels=1, random_state=0)


@pytest.fixture(scope="module")
def training():
    return [scene((72, 80), seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def fitted(training):
    return small(initial=small_prior()).fit(training)


def error(a, b):
    inner = (slice(4, -4),) * 2
    return float(np.square(a[inner] - b[inner], dtype=np.float64).mean())


UNIT = {"data_range": (0.0, 1.0)}


def test_better_than_its_prior_and_true_to_the_input(fitted):
    high = scene((60, 68), 5)
    low = MODEL.forward(high)
    result = fitted.predict(low, **UNIT)
    assert error(result, high) < 0.9 * error(fitted.initial_.predict(low, **UNIT), high)
    np.testing.assert_allclose(MODEL.forward(result), low, atol=1e-4)
    assert fitted.convergence_.n_iter == len(fitted.convergence_.changes) == 2


def test_noise_is_taken_for_noise(fitted, training):
    high = scene((60, 68), 6)
    low = add_noise(MODEL.forward(high), 0.03, random_state=0)
    sr = small(initial=fitted.initial_).fit(training)
    results = {n: sr.set_params(noise=n).predict(low, **UNIT) for n in (0.0, 0.03, None)}
    errors = {noise: error(result, high) for noise, result in results.items()}
    assert max(errors[0.03], errors[None]) < 0.9 * errors[0.0]
    assert errors[0.03] < 0.9 * error(fitted.initial_.predict(low, **UNIT), high)


def test_poses_by_definition():
    image = scene((7, 9))

    def method(pixels):  # sees a direction
        return (
            np.repeat(np.repeat(pixels, 2, 0), 2, 1) + np.linspace(0, 1, 2 * len(pixels))[:, None]
        )

    turns = [lambda a, k=k: np.rot90(a, k) for k in range(4)]
    turns += [lambda a, k=k: np.rot90(a.T, k) for k in range(4)]
    backs = [lambda a, k=k: np.rot90(a, -k) for k in range(4)]
    backs += [lambda a, k=k: np.rot90(a, -k).T for k in range(4)]
    for n_poses in (1, 3, 8):
        poses = zip(turns[:n_poses], backs[:n_poses], strict=True)
        expected = np.mean([back(method(turn(image))) for turn, back in poses], axis=0)
        np.testing.assert_allclose(averaged_poses(method, image, n_poses), expected, atol=1e-6)
    whole = averaged_poses(method, image, 8)
    for turn in (np.fliplr, np.flipud, np.transpose, np.rot90):
        np.testing.assert_allclose(averaged_poses(method, turn(image), 8), turn(whole), atol=1e-6)


def test_margin_is_mirrored():
    image = scene((5, 6))
    np.testing.assert_array_equal(with_margin(image, 3), np.pad(image, 3, mode="symmetric"))


def test_turned_input_gives_the_turned_result(fitted):
    low = MODEL.forward(scene((60, 68), 7))
    result = fitted.predict(low, **UNIT)
    for turn in (np.flipud, np.transpose):
        turned = fitted.predict(np.ascontiguousarray(turn(low)), **UNIT)
        np.testing.assert_allclose(turned, turn(result), atol=5e-3)


def test_threads_and_tiles_change_nothing(fitted, training):
    low = MODEL.forward(scene((60, 68), 8))
    expected = fitted.predict(low)
    params = fitted.get_params(deep=False)
    again = HybridSR(**{**params, "tile_shape": (9, 11), "n_jobs": 2}).fit(training)
    np.testing.assert_array_equal(again.predict(low), expected)


def test_blocks_fit_together(fitted, monkeypatch):
    low = MODEL.forward(scene((120, 136), 9))
    whole = fitted.predict(low, **UNIT)
    monkeypatch.setattr("classicsr.reconstruction._hybrid.BLOCK_SHAPE", (32, 40))
    np.testing.assert_allclose(fitted.predict(low, **UNIT), whole, atol=3e-3)


def test_units_of_intensity(fitted):
    low = MODEL.forward(scene((40, 44), 10)).astype(np.float64)
    expected = 1e3 * fitted.predict(low) - 200
    np.testing.assert_allclose(fitted.predict(1e3 * low - 200), expected, atol=1e-1)


def test_constant_tiny_and_missing(fitted):
    np.testing.assert_allclose(fitted.predict(np.full((5, 6), 7.0)), 7.0, atol=1e-5)
    assert fitted.predict(np.array([[3.0]])).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    low = scene((12, 12))
    low[4, 5] = np.nan
    assert np.isnan(fitted.predict(low)).sum() == 4


def test_shapes(fitted):
    assert fitted.predict(np.zeros((12, 13, 3), np.uint8)).shape == (24, 26, 3)
    assert fitted.predict(scene((12, 13)), scale=1.5).shape == (18, 20)
    assert fitted.predict(np.zeros((12, 13, 5), np.int16), scale=(2, 2, 1)).shape == (24, 26, 5)
    assert fitted.plan((12, 13)) == "hybrid (regression) x2"


def test_a_fitted_prior_is_used_and_another_one_is_cloned(fitted, training):
    unfitted = small_prior()
    sr = small(initial=unfitted).fit(training)
    assert not unfitted.__sklearn_is_fitted__()
    assert small(initial=sr.initial_).fit(training).initial_ is sr.initial_
    with pytest.raises(ValueError, match="'initial' parameter of HybridSR must be fitted for"):
        HybridSR(3, initial=sr.initial_).fit(training)


@pytest.mark.parametrize("prior", ["sparse", "ne", "regression"])
def test_default_priors_have_names(prior):
    sr = make_method(f"hybrid-{prior}", scale=3)
    assert method_name(sr) == f"hybrid-{prior}"


def test_model_file(fitted, tmp_path):
    path = tmp_path / "hybrid.safetensors"
    fitted.save(path)
    low = MODEL.forward(scene((40, 44), 11))
    loaded = load_model(path)
    np.testing.assert_allclose(loaded.predict(low, **UNIT), fitted.predict(low, **UNIT), atol=1e-3)
    again = tmp_path / "again.safetensors"
    loaded.save(again)
    first, second = (load_file(one) for one in (path, again))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_prior_that_cannot_be_stored(training, tmp_path):
    sr = small(initial=BicubicSR()).fit(training)
    with pytest.raises(TypeError, match="'bicubic'"):
        sr.save(tmp_path / "hybrid.safetensors")


def changed(name, change):
    def apply(params, tensors):
        tensors[name] = change(tensors[name])

    return apply


def dropped(name):
    return lambda params, tensors: tensors.pop(name)


def parameter(*path, value):
    def apply(params, tensors):
        for key in path[:-1]:
            params = params[key]
        params[path[-1]] = value

    return apply


HOSTILE = {
    "refinement maps": changed("refinement0.maps", lambda a: a[:, :-1]),
    "refinement filters": changed("refinement0.filters", lambda a: a[:, 1:]),
    "refinement anchors": dropped("refinement0.anchors"),
    "prior maps": dropped("initial.maps"),
    "prior anchors": changed("initial.anchors", lambda a: a[1:]),
    "more": lambda params, tensors: tensors.update(more=np.ones(1)),
    "more of the prior": lambda params, tensors: tensors.update({"initial.more": np.ones(1)}),
    "more of the refinement": lambda params, tensors: tensors.update(
        {"refinement0.more": np.ones(1)}
    ),
    "no prior": lambda params, tensors: params.pop("initial_model"),
    "prior of another kind": parameter("initial_model", value=[1]),
    "prior unknown": parameter("initial_model", "method", value="os.system"),
    "prior hybrid": parameter("initial_model", "method", value="hybrid-sparse"),
    "prior scale": parameter("initial_model", "parameters", "native_scale", value=3),
    "name": parameter("prior", value="sparse"),
    "scale": parameter("native_scale", value=1000),
    "poses": parameter("n_poses", value=10**9),
    "refinements": parameter("n_refinements", value=2),
    "many refinements": parameter("n_refinements", value=10**12),
    "similarity": parameter("similarity", value="wide"),
    "initial": parameter("initial", value={"a": 1}),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_model_files(fitted, tmp_path, case):
    path: Path = tmp_path / "hybrid.safetensors"
    fitted.save(path)
    model = read_model(path)
    params, tensors = json.loads(json.dumps(model.parameters)), dict(model.tensors)
    HOSTILE[case](params, tensors)
    write_model(
        path, method=model.method, params=params, tensors=tensors, degradation=model.degradation
    )
    with pytest.raises(ModelFileError):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("prior", "prayer"), ("initial", "aplus"), ("noise", -1), ("n_poses", 9), ("n_iter", -1),
     ("n_refinements", 9),
     ("tolerance", np.nan), ("similarity", -0.1), ("tv_weight", None), ("n_anchors", 0),
     ("n_samples", 0), ("n_levels", 0)],
)  # fmt: skip
def test_wrong_parameters_are_named(name, value, training):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of HybridSR must be"):
        HybridSR(**{name: value}).fit(training)
