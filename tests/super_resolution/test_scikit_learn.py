"""Image-level estimators in scikit-learn's tools, on lists of images of different sizes."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from classicsr import AnchoredRegressionSR, BicubicSR, PatchRegressionSR
from classicsr.degradation import BicubicDegradation

ESTIMATORS = [
    AnchoredRegressionSR(3, n_anchors=7, degradation=BicubicDegradation(3), data_range=(0, 2)),
    BicubicSR((1, 1, 2), kernel="lanczos3", plane=(0, 2)),
    PatchRegressionSR(Ridge(alpha=3), n_samples=None),
]
kinds = pytest.mark.parametrize("sr", ESTIMATORS, ids=lambda sr: type(sr).__name__)


@pytest.fixture(scope="module")
def pairs(make_texture):
    """Low- and high-resolution images of four sizes."""
    high = [make_texture((2 * n, 50 - n), 80 + n) for n in (18, 20, 22, 24)]
    high = [(one * 255).astype(np.uint8) for one in high]
    low = [
        np.rint(BicubicDegradation(2).forward(one)).clip(0, 255).astype(np.uint8) for one in high
    ]
    return low, high


@kinds
def test_parameters_come_back(sr):
    params = sr.get_params(deep=False)
    again = type(sr)(**params)
    assert again.get_params(deep=False) == params
    copied = clone(sr)
    assert copied is not sr
    assert repr(copied) == repr(sr)
    assert not hasattr(copied, "filters_")


@kinds
def test_constructor_only_stores(sr):
    """No copy and no check: what went in is what `get_params` gives."""
    for name in sr.get_params(deep=False):
        marker = object()
        assert getattr(type(sr)(**{name: marker}), name) is marker


def test_set_params():
    sr = PatchRegressionSR(Ridge())
    assert sr.set_params(scale=4, regressor__alpha=9.0) is sr
    assert sr.scale == 4
    assert sr.regressor.alpha == 9
    assert sr.get_params()["regressor__alpha"] == 9
    with pytest.raises(ValueError, match="'n_trees' parameter of PatchRegressionSR does not exist"):
        sr.set_params(n_trees=3)


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(AnchoredRegressionSR(3, n_anchors=64)) == (
        "AnchoredRegressionSR(scale=3, n_anchors=64)"
    )
    assert repr(BicubicSR()) == "BicubicSR()"


def test_fit_changes_no_parameter(pairs):
    sr = AnchoredRegressionSR(2, n_anchors=8, n_iter=1, n_levels=1, random_state=0)
    before = sr.get_params()
    assert sr.fit(*pairs) is sr
    assert sr.get_params() == before
    check_is_fitted(sr)
    assert sr.native_scale_ == 2
    assert sr.filters_.shape[1] == 81
    assert sr.map_.maps.shape == (8, len(sr.filters_), 36)


def test_fitted_again_forgets_the_first_fit(pairs, training_images):
    """The tables that predict lays out must not outlive the fit they came from."""
    once = AnchoredRegressionSR(2, n_anchors=8, n_iter=1, n_levels=1, random_state=0)
    twice = clone(once).fit(training_images[:1])
    twice.predict(pairs[0][0])
    twice.fit(*pairs)
    np.testing.assert_array_equal(twice.predict(pairs[0][0]), once.fit(*pairs).predict(pairs[0][0]))


def test_grid_search(pairs):
    grid = GridSearchCV(
        AnchoredRegressionSR(2, n_iter=1, n_levels=1, random_state=0),
        {"n_anchors": [4, 8], "ridge": [0.1, 1e6]},
        cv=2,
        error_score="raise",
    )
    grid.fit(*pairs)
    assert grid.best_params_["ridge"] == 0.1  # the other one learns nothing
    assert grid.best_score_ > 25
    assert grid.predict(pairs[0])[1].shape == pairs[1][1].shape


def test_cross_validation(pairs):
    scores = cross_val_score(BicubicSR(2), *pairs, cv=4, error_score="raise")
    expected = [BicubicSR(2).score([lo], [hi]) for lo, hi in zip(*pairs, strict=True)]
    np.testing.assert_allclose(scores, expected)


def test_pipeline(pairs):
    low, high = pairs
    sr = PatchRegressionSR(n_samples=None)
    steps = [("same", FunctionTransformer()), ("sr", sr)]
    pipeline = Pipeline(steps).set_params(sr__scale=2)
    results = pipeline.fit(low, high).predict(low)
    expected = clone(sr).fit(low, high).predict(low)
    for result, one in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, one)
    assert pipeline.score(low, high) == clone(sr).fit(low, high).score(low, high)


def test_pickle_leaves_the_tables_out(sr2, make_texture):
    image = make_texture((20, 21), 1)
    expected = sr2.predict(image)
    stored = pickle.dumps(sr2)
    assert b"_tiles_cache" not in stored
    np.testing.assert_array_equal(pickle.loads(stored).predict(image), expected)


# ---- fit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["aplus", "anr", "gr"])
def test_every_variant_beats_interpolation(variant, pairs):
    params = {"n_anchors": 16, "n_iter": 2, "n_levels": 1, "random_state": 0}
    sr = AnchoredRegressionSR(2, variant, **params).fit(pairs[1])
    assert sr.score(*pairs) > BicubicSR(2).score(*pairs) + 0.3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_real_pairs_of_the_forward_model_equal_its_own(dtype, make_texture):
    """Pairs made by the degradation teach what the degradation itself teaches."""
    peak = {np.uint8: 255, np.uint16: 65535}.get(dtype, 700.0)
    high = [(make_texture((40, 46), seed) * 0.6 + 0.2) * peak for seed in (90, 91)]
    low = [BicubicDegradation(2).forward(one) for one in high]
    if np.dtype(dtype).kind == "u":
        high, low = ([np.rint(one) for one in images] for images in (high, low))
    high, low = ([one.astype(dtype) for one in images] for images in (high, low))
    params = {"n_anchors": 8, "n_iter": 1, "n_levels": 1, "random_state": 0}
    alone = AnchoredRegressionSR(2, "gr", **params).fit(high)
    paired = AnchoredRegressionSR(2, "gr", **params).fit(low, high)
    a, b = (sr.predict(low[0]).astype(float) for sr in (alone, paired))
    detail = np.abs(a - BicubicSR(2).predict(low[0])).mean()
    assert np.abs(a - b).mean() < 0.2 * detail


class CountingRidge(Ridge):
    """Remembers how many samples it was given."""

    def fit(self, X, y):
        self.n_samples_ = len(X)
        return super().fit(X, y)


def n_learned(images, **params):
    sr = PatchRegressionSR(CountingRidge(), random_state=0, **params)
    return sr.fit(images).regressor_.n_samples_


def test_pyramid_and_sample_size(training_images):
    one = n_learned(training_images[:1])
    assert one == (36 - 2) * (45 - 2)
    levels = n_learned(training_images[:1], n_levels=3, level_ratio=0.5)
    assert levels == one + (18 - 2) * (22 - 2) + (9 - 2) * (11 - 2)
    assert n_learned(training_images, n_samples=300) == 300


def test_what_can_be_learned_from(make_texture):
    """One image, a stack, colour, volumes; each gives the planes it holds."""
    image = make_texture((24, 30), 2)
    single = n_learned(image)
    volume = np.stack([image, image[::-1], image[:, ::-1], image, image], axis=-1)
    for images, times in [
        ([image], 1),
        ([image, image], 2),
        (volume[None], 5),
        ([volume], 5),
        ([np.stack([image] * 3, axis=-1)], 1),
        ([np.stack([image] * 2, axis=-1)], 1),
    ]:
        assert n_learned(images) == times * single


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([np.full((20, 20), np.nan)], "NaN"),
        ([np.zeros((20, 20), complex)], "real numbers"),
        ([np.zeros((3, 3))], "smaller than one patch"),
        ([], "smaller than one patch"),
        ([np.zeros(20)], "Training image 0"),
        ([np.ones((20, 20)), np.zeros((0, 5))], "Training image 1"),
    ],
)
def test_images_that_cannot_be_learned_from(images, message):
    with pytest.raises(ValueError, match=message):
        AnchoredRegressionSR(2, n_levels=1).fit(images)


def test_pairs_that_do_not_fit():
    low, high = np.zeros((10, 10)), np.zeros((20, 20))
    with pytest.raises(ValueError, match="one high-resolution image per low-resolution one"):
        AnchoredRegressionSR(2).fit([low], [high, high])
    with pytest.raises(ValueError, match="2 times as large"):
        AnchoredRegressionSR(2).fit([low], [high[:19]])


@pytest.mark.parametrize("params", [{"scale": 1}, {"scale": 9}, {"scale": 0.5}, {"variant": "b"}])
def test_wrong_parameters_are_named(params, training_images):
    (name,) = params
    with pytest.raises(ValueError, match=f"'{name}' parameter of AnchoredRegressionSR must be"):
        AnchoredRegressionSR(**params, n_levels=1).fit(training_images[:1])


def test_constant_images_teach_nothing_and_break_nothing(make_texture):
    sr = AnchoredRegressionSR(2, n_anchors=4, n_levels=1).fit([np.full((30, 30), 0.5)])
    image = make_texture((12, 13), 0)
    np.testing.assert_allclose(sr.predict(image), BicubicSR(2).predict(image), atol=1e-6)
