"""How sure a result is: calibrated on images that were not used for fitting."""

import pickle
import warnings

import numpy as np
import pytest

from classicsr import AnchoredRegressionSR, BicubicSR, HashedFilterSR, PatchRegressionSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import BicubicDegradation
from classicsr.kernels.linear import padded_outputs
from classicsr.reconstruction import BackProjectionSR
from classicsr.super_resolution._disagreement import DisagreementSR
from classicsr.super_resolution._uncertainty import INTERVAL, ErrorCurve, contrast, local_rms

FORWARD = BicubicDegradation(2)


@pytest.fixture(scope="module")
def images(make_texture):
    return [make_texture((64, 72), 100 + seed) for seed in range(12)]


@pytest.fixture(scope="module")
def aplus(images, training_images):
    sr = AnchoredRegressionSR(2, n_anchors=24, n_iter=2, n_levels=1, random_state=0)
    return sr.fit(training_images).calibrate(images)


@pytest.fixture
def low(make_texture):
    return FORWARD.forward(make_texture((48, 60), 300))


def covered(sr, make_texture):
    """Share of pixels of unseen images that lie within the 90 % interval."""
    inside = []
    for seed in range(200, 220):
        high = make_texture((64, 72), seed)
        result, std = sr.predict(FORWARD.forward(high), data_range=(0, 1), return_std=True)
        assert std.dtype == np.float32
        inside.append((np.abs(high - result) <= INTERVAL * std)[2:-2, 2:-2])
    return np.mean(inside)


METHODS = {
    "bicubic": lambda: BicubicSR(2),
    "back-projection": lambda: BackProjectionSR(2, n_iter=1),
    "raisr": lambda: HashedFilterSR(2, n_angles=8, n_levels=1, random_state=0),
    "ridge": lambda: PatchRegressionSR(scale=2, random_state=0),
    "aplus": lambda: AnchoredRegressionSR(2, n_anchors=24, n_iter=2, n_levels=1, random_state=0),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.filterwarnings("ignore:the input is unlike")
def test_intervals_cover_unseen_images(name, images, training_images, make_texture):
    sr = METHODS[name]().fit(training_images).calibrate(images)
    assert 0.85 < covered(sr, make_texture) < 0.95
    expected = "disagreement" if name in ("ridge", "aplus") else "activity"
    assert sr.calibration_.score == expected


def test_curve_is_monotone_and_covers():
    rng = np.random.default_rng(0)
    scores = rng.gamma(2, size=40_000).astype(np.float32)
    errors = np.abs((0.1 + 0.5 * scores) * rng.standard_normal(scores.size)).astype(np.float32)
    curve = ErrorCurve.fit(scores, errors)
    assert (np.diff(curve.knots[0]) > 0).all()
    assert (np.diff(curve.knots[1]) >= 0).all()
    inner = (scores > 0.3) & (scores < 5)
    found = curve.std(scores, 1.0)[inner]
    np.testing.assert_allclose(found, (0.1 + 0.5 * scores)[inner], rtol=0.15)
    wider = curve.conformal(scores, 3 * errors)
    assert np.mean(3 * errors <= INTERVAL * wider.std(scores, 1.0)) == pytest.approx(0.9, abs=1e-3)
    np.testing.assert_allclose(wider.knots[1], 3 * curve.knots[1], rtol=0.05)


def test_curve_beyond_its_ends():
    curve = ErrorCurve(np.array([[1, 2], [3, 5]], np.float32))
    scores = np.array([0, 1, 1.5, 2, 4], np.float32)
    np.testing.assert_allclose(curve.std(scores, 1.0), [3, 3, 4, 5, 10])
    np.testing.assert_allclose(curve.std(scores, 2.0), [6, 6, 6, 6, 10])
    assert not curve.std(scores, 0.0).any()


def test_contrast_and_local_rms_by_their_definitions(make_texture):
    image = make_texture((9, 11), 1)
    rows, columns = np.diff(image, axis=0), np.diff(image, axis=1)
    assert contrast(image) == pytest.approx(np.sqrt((rows**2).mean() + (columns**2).mean()))
    assert contrast(np.ones((1, 1), np.float32)) == 0
    padded = np.pad(image, 3, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7))
    expected = np.sqrt((windows**2).mean(axis=(2, 3)))
    np.testing.assert_allclose(local_rms(image, (2, 2)), expected, rtol=1e-5)


def test_disagreement_by_its_definition(aplus, make_texture):
    """Overlapping patches, each predicted by itself and put where it belongs."""
    low = make_texture((7, 8), 5)
    found = DisagreementSR(aplus).predict(low, data_range=(0, 1))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(low, 5, mode="symmetric"), (9, 9))
    rows = (windows.reshape(-1, 81) @ aplus.filters_.T).astype(np.float32)
    regressor = aplus._rows_regressor()
    patches = np.zeros((len(rows), padded_outputs(36)), np.float32)
    padded = np.zeros((len(rows) + 128, len(rows[0]) + 8), np.float32)
    padded[: len(rows), : rows.shape[1]] = rows
    regressor.predict_rows(padded, np.arange(len(rows)), patches)
    patches = patches[:, :36].reshape(9, 10, 6, 6)
    values = np.empty((9, 14, 16))
    for k in range(9):
        i, j = divmod(k, 3)
        blocks = patches[i : i + 7, j : j + 8, (2 - i) * 2 :, (2 - j) * 2 :][..., :2, :2]
        values[k] = blocks.transpose(0, 2, 1, 3).reshape(14, 16)
    np.testing.assert_allclose(found, values.std(axis=0), atol=2e-4)


@pytest.mark.filterwarnings("ignore:the input is unlike")
def test_goes_with_the_scale_of_intensities(aplus, low):
    _, std = aplus.predict(low, return_std=True)
    for factor, shift in ((50.0, -1000.0), (-3.0, 2.0)):
        _, other = aplus.predict(factor * low + shift, return_std=True)
        np.testing.assert_allclose(other, abs(factor) * std, rtol=2e-3)


@pytest.mark.filterwarnings("ignore:the input is unlike")
def test_shapes_types_and_units(aplus, low):
    grey = np.rint(255 * low).astype(np.uint8)
    result, std = aplus.predict(grey, return_std=True)
    assert (result.dtype, std.dtype, std.shape) == (np.uint8, np.float32, result.shape)
    np.testing.assert_array_equal(result, aplus.predict(grey))
    colour = np.stack([grey, grey, grey], axis=-1)
    _, luma_std = aplus.predict(colour, return_std=True)
    assert luma_std.shape == result.shape
    # the luma of BT.601 has 219 levels where grey has 255
    np.testing.assert_allclose(luma_std, std * 219 / 255, rtol=0.02, atol=0.02)
    with_alpha = np.dstack([colour, np.full_like(grey, 255)])
    np.testing.assert_allclose(aplus.predict(with_alpha, return_std=True)[1], luma_std, rtol=1e-5)
    results, stds = aplus.predict([grey, low], return_std=True)
    assert [one.shape for one in results] == [one.shape for one in stds]
    both = aplus.predict(low, return_std=True, return_detail=True)
    assert [one.shape for one in both] == [(48, 60)] * 3


@pytest.mark.filterwarnings("ignore:the input is unlike")
def test_hard_inputs(aplus, low):
    assert not aplus.predict(np.full((9, 8), 3.5), return_std=True)[1].any()
    assert aplus.predict(np.ones((1, 1), np.int16), return_std=True)[1].shape == (2, 2)
    low[4, 5] = np.nan
    result, std = aplus.predict(low, return_std=True)
    np.testing.assert_array_equal(np.isnan(std), np.isnan(result))
    assert np.isnan(std).sum() == 4


@pytest.mark.filterwarnings("ignore:the input is unlike")
def test_same_bits_for_any_threads_and_tiles(aplus, low):
    other = pickle.loads(pickle.dumps(aplus)).set_params(n_jobs=2, tile_shape=(7, 9))
    for one, two in zip(
        aplus.predict(low, return_std=True), other.predict(low, return_std=True), strict=True
    ):
        np.testing.assert_array_equal(one, two)


def test_same_seed_same_calibration(aplus, images):
    again = pickle.loads(pickle.dumps(aplus)).calibrate(images)
    for name, tensor in aplus.calibration_.to_tensors().items():
        np.testing.assert_array_equal(again.calibration_.to_tensors()[name], tensor)


@pytest.mark.filterwarnings("ignore:the input is unlike")
def test_volumes(images):
    volumes = [np.stack(images[k : k + 6], axis=-1) for k in (0, 6)]
    sr = BicubicSR((1, 1, 2)).calibrate(volumes)
    result, std = sr.predict(volumes[0], return_std=True)
    assert result.shape == std.shape == (64, 72, 12)
    assert sr.novelty(volumes[0]).map.shape == (64, 72, 6)


def test_other_scales_are_only_a_hint(aplus, low):
    with pytest.warns(UserWarning, match="calibrated for scale 2x2: for 1.5x1.5"):
        aplus.predict(low, scale=1.5, return_std=True)
    volume = np.stack([low, low, low], axis=-1)
    with pytest.warns(UserWarning, match="only a hint"):
        assert aplus.predict(volume, scale=(2, 2, 1), return_std=True)[1].shape == (48, 60, 3)
    with pytest.raises(ValueError, match="cannot tell how sure a result of scale 1x1x2 is"):
        aplus.predict(volume, scale=(1, 1, 2), return_std=True)


def test_not_calibrated(sr2, low):
    with pytest.raises(ValueError, match="AnchoredRegressionSR is not calibrated"):
        sr2.predict(low, return_std=True)
    with pytest.raises(ValueError, match="not calibrated"):
        sr2.novelty(low)


def test_another_fit_forgets_the_calibration(training_images, images):
    sr = PatchRegressionSR(scale=2, random_state=0).fit(training_images).calibrate(images[:2])
    assert sr.calibration_ is not None
    assert sr.fit(training_images).calibration_ is None


@pytest.mark.parametrize(
    ("scale", "images", "message"),
    [
        (2, [np.eye(30)], "two images or more"),
        (1.5, [np.eye(30)] * 2, "scales that are integers"),
        (2, [np.eye(30), np.full((30, 30), np.nan)], "NaN"),
        (2, [np.eye(30), np.eye(4)], r"as small as \(4, 4\)"),
        ((1, 1, 2), [np.full((9, 9, 9), np.inf)] * 2, "infinite"),
    ],
)
def test_refused(scale, images, message):
    with pytest.raises(ValueError, match=message):
        BicubicSR(scale).calibrate(images)


# ---- model files ------------------------------------------------------------------------------


def test_lives_in_the_model_file(aplus, low, tmp_path):
    aplus.save(tmp_path / "one.safetensors")
    loaded = load_model(tmp_path / "one.safetensors")
    assert loaded.calibration_.scales == (2.0, 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = (sr.predict(low, return_std=True)[1] for sr in (aplus, loaded))
    np.testing.assert_allclose(second, first, rtol=0.02)
    loaded.save(tmp_path / "two.safetensors")
    stored = [read_model(tmp_path / f"{name}.safetensors").tensors for name in ("one", "two")]
    for name, tensor in stored[0].items():
        np.testing.assert_array_equal(stored[1][name], tensor)


def test_files_without_it_still_load(sr2, low, tmp_path):
    sr2.save(tmp_path / "plain.safetensors")
    loaded = load_model(tmp_path / "plain.safetensors")
    with pytest.raises(ValueError, match="load a model file that holds a calibration"):
        loaded.predict(low, return_std=True)


SPOILED = {
    "scales short": ("scales", lambda a: a[:1]),
    "scales 0": ("scales", lambda a: 0 * a),
    "scales huge": ("scales", lambda a: 1e9 * a),
    "scales integer": ("scales", lambda a: a.astype(np.int64)),
    "curve falls": ("disagreement", lambda a: a[:, ::-1]),
    "curve flat": ("disagreement", lambda a: np.ones_like(a)),
    "curve negative": ("disagreement", lambda a: a - 10),
    "curve 1-D": ("disagreement", np.ravel),
    "curve of three rows": ("disagreement", lambda a: np.vstack([a, a[:1]])),
    "blocks wide": ("blocks", lambda a: np.hstack([a, a])),
    "blocks integer": ("blocks", lambda a: a.astype(np.int16)),
    "novelty 0": ("novelty", lambda a: 0 * a),
    "novelty falls": ("novelty", lambda a: np.array([1.0, 0.5])),
    "novelty long": ("novelty", lambda a: np.ones(3)),
}


@pytest.fixture(scope="module")
def content(aplus, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "good.safetensors"
    aplus.save(path)
    return read_model(path)


def refuse(model, tensors, tmp_path, match):
    path = tmp_path / "bad.safetensors"
    write_model(
        path,
        method=model.method,
        params=model.parameters,
        tensors=tensors,
        degradation=model.degradation,
    )
    with pytest.raises(ModelFileError, match=match) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("spoiled", SPOILED)
def test_spoiled_tensors(spoiled, content, tmp_path):
    name, spoil = SPOILED[spoiled]
    name = f"calibration.{name}"
    tensors = {**content.tensors, name: np.ascontiguousarray(spoil(content.tensors[name]))}
    refuse(content, tensors, tmp_path, f"tensor '{name}'")


@pytest.mark.parametrize("name", ["scales", "disagreement", "blocks", "novelty"])
def test_missing_tensors(name, content, tmp_path):
    tensors = dict(content.tensors)
    del tensors[f"calibration.{name}"]
    refuse(content, tensors, tmp_path, f"calibration.{name}")


def test_tensors_that_do_not_belong(content, tmp_path):
    tensors = {**content.tensors, "calibration.payload": np.zeros(3)}
    refuse(content, tensors, tmp_path, "calibration.payload")
    tensors = {
        **content.tensors,
        "calibration.activity": content.tensors["calibration.disagreement"],
    }
    refuse(content, tensors, tmp_path, "calibration.activity")


# ---- bundled models ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["aplus-x3", "raisr-x2"])
@pytest.mark.filterwarnings("ignore:the input is unlike")
def test_bundled_models_cover_photographs(name, data_root):
    """Every tenth image of BSD100, which had no part in fitting or calibration."""
    from classicsr.datasets import load_dataset
    from classicsr.metrics import luma, modcrop

    sr, shares = load_model(name), []
    scale, photographs = sr.native_scale_, load_dataset("natural/BSD100")
    for number in range(0, 100, 10):
        high = modcrop(luma(photographs[number]), scale).astype(np.float32)
        low = BicubicDegradation(scale).forward(high)
        result, std = sr.predict(low, data_range=(0, 255), return_std=True)
        shares.append(np.mean(np.abs(high - result) <= INTERVAL * std))
    assert 0.86 < np.mean(shares) < 0.94
