"""Models written to files: the same predictions, and nothing hostile gets built."""

import numpy as np
import pytest

from classicsr import AnchoredRegressionSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import GaussianDegradation


@pytest.fixture(scope="module")
def image(make_texture):
    return make_texture((25, 33), 40)


@pytest.fixture(scope="module")
def grouped(make_texture):
    """A model with the hierarchical anchor search."""
    images = [make_texture((72, 90), seed) for seed in range(4)]
    return AnchoredRegressionSR(
        2, n_anchors=128, n_neighbors=60, n_iter=1, n_levels=1, random_state=0
    ).fit(images)


def saved(sr, path, **kwargs):
    sr.save(path, **kwargs)
    return load_model(path)


@pytest.mark.parametrize("variant", ["aplus", "anr", "gr"])
def test_round_trip(variant, image, training_images, tmp_path):
    sr = AnchoredRegressionSR(
        2, variant, n_anchors=16, n_iter=2, n_levels=1, data_range=(0, 1), random_state=0
    ).fit(training_images)
    once = saved(sr, tmp_path / "once.safetensors")
    np.testing.assert_allclose(once.predict(image), sr.predict(image), atol=2e-3)
    twice = saved(once, tmp_path / "twice.safetensors")
    np.testing.assert_array_equal(twice.predict(image), once.predict(image))
    first, second = (read_model(tmp_path / f"{n}.safetensors") for n in ("once", "twice"))
    assert first.tensors.keys() == second.tensors.keys()
    for name, tensor in first.tensors.items():
        np.testing.assert_array_equal(second.tensors[name], tensor)
    assert first.parameters == second.parameters


def test_hierarchical_search_is_stored(grouped, image, tmp_path):
    once = saved(grouped, tmp_path / "once.safetensors")
    stored, expected = once.map_.partition.to_tensors(), grouped.map_.partition.to_tensors()
    assert "group_links" in expected
    for name, tensor in expected.items():
        np.testing.assert_array_equal(stored[name], tensor)
    twice = saved(once, tmp_path / "twice.safetensors")
    np.testing.assert_array_equal(twice.predict(image), once.predict(image))


def test_float16_maps_cost_nothing_visible(sr3, image, tmp_path):
    """Below the 0.01 dB that the docstring promises: far under a grey level of 8 bits."""
    loaded = saved(sr3, tmp_path / "model.safetensors")
    difference = loaded.predict(image) - sr3.predict(image)
    assert np.sqrt((difference**2).mean()) < 0.05 / 255


def test_what_a_model_was_made_with_comes_back(training_images, tmp_path):
    params = {
        "scale": 3,
        "variant": "anr",
        "n_anchors": 6,
        "n_neighbors": 5,
        "ridge": 0.2,
        "n_iter": 1,
        "n_samples": 900,
        "n_levels": 1,
        "level_ratio": 0.9,
        "energy": 0.99,
        "degradation": GaussianDegradation(3, fwhm=2.5),
    }
    sr = AnchoredRegressionSR(**params, random_state=0).fit(training_images)
    loaded = saved(sr, tmp_path / "model.safetensors")
    assert loaded.get_params().items() >= params.items()
    assert loaded.native_scale_ == 3


@pytest.mark.parametrize(
    ("params", "shape"),
    [
        ({"scale": 1.5}, (12, 13)),
        ({"scale": (1, 1, 2)}, (9, 8, 5)),
        ({"plane": (1, 2)}, (9, 8, 5)),
        ({"channel_mode": "independent"}, (9, 8, 3)),
        ({"data_range": (0, 4095)}, (12, 13)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_loaded_model_predicts_what_the_saved_one_did(params, shape, training_images, tmp_path):
    """Whatever the estimator was made with: the caller of `load_model` gives no parameters."""
    sr = AnchoredRegressionSR(
        **{"scale": 2, **params}, n_anchors=6, n_iter=1, n_levels=1, random_state=0
    ).fit([(image * 4000).astype(np.uint16) for image in training_images])
    pixels = np.random.default_rng(0).integers(0, 4000, shape).astype(np.uint16)
    loaded = saved(sr, tmp_path / "model.safetensors")
    expected, found = sr.predict(pixels).astype(float), loaded.predict(pixels).astype(float)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=12)  # maps are rounded to float16


def test_records_are_stored(sr2, tmp_path):
    info = {"provenance": {"images": "textures"}, "measured": {"Set5": 12.3}}
    sr2.save(tmp_path / "model.safetensors", info=info)
    model = read_model(tmp_path / "model.safetensors")
    assert model.provenance == info["provenance"]
    assert model.measured == info["measured"]
    assert model.degradation == {"name": "bicubic", "scale": 2.0}
    assert model.method == "aplus"


def test_save_before_fit(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        AnchoredRegressionSR().save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_an_arbitrary_regressor_is_not_stored(tmp_path, training_images):
    from classicsr import PatchRegressionSR

    sr = PatchRegressionSR().fit(training_images[:1])
    with pytest.raises(TypeError, match="PatchRegressionSR has no model file"):
        sr.save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


# ---- hostile files --------------------------------------------------------------------------


@pytest.fixture
def content(grouped, tmp_path):
    """What a good file holds, to be spoiled."""
    grouped.save(tmp_path / "good.safetensors")
    model = read_model(tmp_path / "good.safetensors")
    return {
        "method": model.method,
        "params": model.parameters,
        "tensors": model.tensors,
        "degradation": model.degradation,
    }


def refuse(content, tmp_path, match=None):
    path = tmp_path / "bad.safetensors"
    write_model(path, **content)
    with pytest.raises(ModelFileError, match=match) as caught:
        load_model(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_unspoiled_content_loads(content, tmp_path, image, grouped):
    write_model(tmp_path / "again.safetensors", **content)
    load_model(tmp_path / "again.safetensors").predict(image)


def edited(array, at, value):
    array = array.copy()
    array[at] = value
    return array


SPOILED_TENSORS = {
    "link too large": ("group_links", lambda a: edited(a, 3, 128)),
    "link negative": ("group_links", lambda a: edited(a, 0, -1)),
    "links float": ("group_links", lambda a: a.astype(np.float32)),
    "links of 64 bits that wrap": ("group_links", lambda a: a.astype(np.int64) + (1 << 32)),
    "links short": ("group_links", lambda a: a[:-1]),
    "links 2-D": ("group_links", lambda a: a[None]),
    "starts fall": ("group_starts", lambda a: edited(a, 2, 10**6)),
    "starts negative": ("group_starts", lambda a: edited(a, 1, -5)),
    "starts begin late": ("group_starts", lambda a: edited(a, 0, 1)),
    "starts end late": ("group_starts", lambda a: edited(a, -1, a[-1] + 1)),
    "starts overflow": ("group_starts", lambda a: edited(a, 5, np.iinfo(np.int64).min)),
    "empty group": ("group_starts", lambda a: edited(a, 1, 0)),
    "starts short": ("group_starts", lambda a: a[:-1]),
    "centers narrow": ("group_centers", lambda a: a[:, :-1]),
    "centers integer": ("group_centers", lambda a: a.astype(np.int32)),
    "anchors fewer than maps": ("anchors", lambda a: a[:-1]),
    "anchors wide": ("anchors", lambda a: np.pad(a, ((0, 0), (0, 5)))),
    "anchors 1-D": ("anchors", np.ravel),
    "maps fewer than anchors": ("maps", lambda a: a[:100]),
    "maps of another scale": ("maps", lambda a: a[..., :35]),
    "maps integer": ("maps", lambda a: np.ones(a.shape, np.int8)),
    "maps flat": ("maps", lambda a: a.reshape(len(a), -1)),
    "filters of another window": ("filters", lambda a: a[:, :49]),
    "filters short": ("filters", lambda a: a[:-1]),
    "filters transposed": ("filters", lambda a: np.ascontiguousarray(a.T)),
}


@pytest.mark.parametrize("spoiled", SPOILED_TENSORS)
def test_spoiled_tensors(spoiled, content, tmp_path):
    name, spoil = SPOILED_TENSORS[spoiled]
    content["tensors"][name] = spoil(content["tensors"][name])
    refuse(content, tmp_path, "tensor '")


@pytest.mark.parametrize(
    "name", ["filters", "maps", "anchors", "group_centers", "group_starts", "group_links"]
)
def test_missing_tensors(name, content, tmp_path):
    del content["tensors"][name]
    refuse(content, tmp_path, "tensor '")


def test_tensors_that_do_not_belong(content, tmp_path):
    content["tensors"]["payload"] = np.zeros(3, np.float32)
    refuse(content, tmp_path, "tensor 'payload'")


def test_tensors_of_another_method(content, tmp_path):
    refuse({**content, "method": "gr"}, tmp_path, "tensor")


def test_unknown_method(content, tmp_path):
    refuse({**content, "method": "os.system"}, tmp_path, "method")


@pytest.mark.parametrize("scale", [1, 9, 2.0, True, "2", None, 3])
def test_wrong_native_scale(scale, content, tmp_path):
    content["params"] = {**content["params"], "native_scale": scale}
    refuse(content, tmp_path, "native_scale|tensor 'maps'")


@pytest.mark.parametrize(
    "params",
    [
        {"variant": "gr"},
        {"variant": ["aplus"]},
        {"no_such_parameter": 1},
        {"fit": 1},
        {"scale": "huge"},
        {"scale": -2},
        {"scale": [1, 2, 3, 4]},
        {"scale": {"x": 2}},
        {"channel_mode": 5},
        {"data_range": [1]},
        {"data_range": "wide"},
        {"plane": [0, 0]},
        {"plane": [0, 7]},
        {"plane": "xy"},
        {"tile_shape": [0, 0]},
        {"tile_shape": -3},
        {"n_jobs": 0},
        {"n_jobs": "many"},
        {"n_anchors": "many"},
        {"n_iter": True},
        {"ridge": [1]},
    ],
    ids=str,
)
def test_wrong_parameters(params, content, tmp_path):
    """A file whose parameters would only fail, or hang, at the first prediction."""
    content["params"] = {**content["params"], **params}
    refuse(content, tmp_path)


@pytest.mark.parametrize(
    "degradation", [{"name": "evil"}, {}, {"name": "bicubic"}, {"name": "bicubic", "scale": -1}]
)
def test_wrong_degradation(degradation, content, tmp_path):
    refuse({**content, "degradation": degradation}, tmp_path)
