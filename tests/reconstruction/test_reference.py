"""A reference in another contrast: what it adds, where it lies, and when it is left out."""

import warnings

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from classicsr import NonLocalSR, SelfVolumeSR
from classicsr.degradation import SliceProfileDegradation
from classicsr.io import upscaled_affine
from classicsr.reconstruction import _base, nonlocal_means
from classicsr.reconstruction._contrasts import local_fit

SHAPE, FACTOR = (36, 34, 32), 4
MODEL = SliceProfileDegradation((1, 1, FACTOR))
SCALE = (1, 1, FACTOR)


def tissues(shape=SHAPE, affine=None):
    """Three tissues with borders at fixed places of the world, and a slow field in them."""
    matrix = np.eye(4) if affine is None else affine
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(index @ matrix[:3, :3].T + matrix[:3, 3], -1, 0)
    waves = np.sin(0.45 * x + 0.2 * z) + np.sin(0.4 * y - 0.35 * z) + np.sin(0.5 * z + 0.1 * x)
    kind = np.digitize(waves, (-0.6, 0.7))
    return kind, 0.05 * np.sin(0.2 * (x - y + z))


def contrasts(shape=SHAPE, affine=None):
    """The same tissues twice: their order of brightness differs."""
    kind, field = tissues(shape, affine)
    target = np.array([0.2, 0.9, 0.5])[kind] + field
    reference = np.array([600.0, 100.0, 900.0])[kind] * (1 + field)
    noise = np.random.default_rng(0).normal(0, 0.01, shape)
    return (target + noise).astype(np.float32), reference.astype(np.float32)


TRUTH, REFERENCE = contrasts()
LOW = MODEL.forward(TRUTH)


def gain(guided, alone, truth=TRUTH):
    """dB."""
    return 10 * np.log10(np.mean((alone - truth) ** 2) / np.mean((guided - truth) ** 2))


@pytest.fixture(scope="module", params=[SelfVolumeSR, NonLocalSR])
def sr(request):
    return request.param(SCALE)


@pytest.fixture(scope="module")
def alone(sr):
    return sr.predict(LOW)


def test_a_reference_helps_and_the_slices_stay(sr, alone):
    guided = sr.predict(LOW, reference=REFERENCE)
    assert gain(guided, alone) > 1
    assert np.abs(MODEL.forward(guided) - LOW).max() < 1e-5


def test_the_same_bits_for_any_number_of_threads():
    part = np.s_[:24, :24]
    one, two = (
        SelfVolumeSR(SCALE, n_jobs=n).predict(LOW[part], reference=REFERENCE[part]) for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "wrong",
    [
        np.roll(REFERENCE, 3, axis=2),
        np.random.default_rng(1).random(SHAPE),
        gaussian_filter(np.random.default_rng(2).standard_normal(SHAPE), 2),
        np.full(SHAPE, 7.0),
    ],
    ids=["moved", "noise", "unrelated", "flat"],
)
def test_a_reference_that_does_not_fit_changes_nothing(wrong):
    sr, alone = NonLocalSR(SCALE), NonLocalSR(SCALE).predict(LOW)
    with pytest.warns(UserWarning, match="not used"):
        result = sr.predict(LOW, reference=wrong)
    np.testing.assert_array_equal(result, alone)


def test_a_flipped_reference_does_little_harm(sr, alone):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = sr.predict(LOW, reference=REFERENCE[::-1])
    assert gain(result, alone) > -0.1


def test_a_reference_of_another_grid():
    """Rotated, finer, and larger than the input: it lies where the affines say."""
    turn = np.deg2rad(20)
    place = np.eye(4)
    place[:2, :2] = 0.8 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    place[:3, 3] = 10, -14, -3
    volume = contrasts((62, 62, 40), place)[1]
    affine = upscaled_affine(np.eye(4), (1, 1, 1 / FACTOR))
    sr = NonLocalSR(SCALE)
    guided = sr.predict(LOW, reference=volume, affine=affine, reference_affine=place)
    assert gain(guided, sr.predict(LOW)) > 1


def test_where_it_ends_the_result_is_made_without_it():
    sr, half = NonLocalSR(SCALE), REFERENCE[:18]
    affine, place = upscaled_affine(np.eye(4), (1, 1, 1 / FACTOR)), np.eye(4)
    alone = sr.predict(LOW)
    with pytest.warns(UserWarning, match="covers 50 %|covers 50%"):
        guided = sr.predict(LOW, reference=half, affine=affine, reference_affine=place)
    unknown = REFERENCE.copy()
    unknown[18:] = np.nan
    with pytest.warns(UserWarning, match="covers 50%"):
        masked = sr.predict(LOW, reference=unknown)
    for result in (guided, masked):
        assert gain(result[:16], alone[:16], TRUTH[:16]) > 1
        assert gain(result[22:], alone[22:], TRUTH[22:]) > -0.6


def test_every_block_sees_its_part_of_the_reference(monkeypatch):
    truth, reference = contrasts((80, 20, 16))
    low = MODEL.forward(truth)
    whole = NonLocalSR(SCALE).predict(low, reference=reference)
    monkeypatch.setattr(_base, "_MAX_OUTPUTS", 8000)
    blocks = NonLocalSR(SCALE).predict(low, reference=reference)
    assert not np.array_equal(whole, blocks)
    assert abs(gain(blocks, whole, truth)) < 0.3


def test_images_may_have_one_too():
    truth, reference = TRUTH[:, :, 9], REFERENCE[:, :, 9]
    low = SliceProfileDegradation(2).forward(truth)
    sr = NonLocalSR(2)
    assert gain(sr.predict(low, reference=reference), sr.predict(low), truth) > 0.3


@pytest.mark.parametrize(("scale", "n"), [((1, 1, 2.5), 30), ((2, 2, 4), 32), ((3, 1, 1.5), 30)])
def test_any_scale(scale, n):
    model = SliceProfileDegradation(scale)
    truth, reference = TRUTH[..., :n], REFERENCE[..., :n]
    low = model.forward(truth)
    sr, record = SelfVolumeSR(scale), {}
    guided = sr.predict(low, reference=reference, record=record)
    assert record["reference_used"]
    assert next(iter(record["learned"]["weights"])) == "guided non-local means"
    assert guided.shape == truth.shape
    assert gain(guided, sr.predict(low), truth) > 0.5
    assert np.abs(model.forward(guided) - low).max() < 1e-4


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 2), (5, 4, 1)])
def test_tiny_and_constant_inputs(sr, shape):
    low = np.full(shape, 3.0, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = sr.predict(low, reference=np.random.default_rng(0).random((4, 4, 4)))
    np.testing.assert_allclose(result, 3.0)


@pytest.mark.filterwarnings("ignore:The reference covers")
def test_registration_places_a_moved_reference():
    pytest.importorskip("SimpleITK", exc_type=ImportError)
    distance = [np.linspace(-1.2, 1.2, n).reshape(np.eye(3, dtype=int)[a] * (n - 1) + 1)
                for a, n in enumerate(SHAPE)]  # fmt: skip
    head = sum(d**2 for d in distance) < 1
    truth, reference = TRUTH * head, REFERENCE * head
    low, affine, place = MODEL.forward(truth), upscaled_affine(np.eye(4), (1, 1, 1 / 4)), np.eye(4)
    sr, guide = NonLocalSR(SCALE), {"reference": reference, "affine": affine}
    aligned = sr.predict(low, **guide, reference_affine=place)
    place[:3, 3] = 1.5, -1, 2
    moved = sr.predict(low, **guide, reference_affine=place, registration="rigid")
    assert gain(moved, aligned, truth) > -1


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"reference": np.zeros((4, 4, 4, 2))}, "'reference'.*an image or a volume"),
        ({"reference": np.zeros((0, 4, 4))}, "'reference'.*an image or a volume"),
        ({"reference": np.zeros((8, 8))}, "must have the 3 axes"),
        ({"reference": np.full(SHAPE, np.nan)}, "finite somewhere"),
        ({"reference": tissues()[0]}, "label map"),
        ({"reference": REFERENCE, "affine": np.eye(4)}, "'affine'"),
        (
            {"reference": REFERENCE, "affine": np.eye(4), "reference_affine": np.zeros((4, 4))},
            "'reference_affine'",
        ),
        (
            {
                "reference": REFERENCE,
                "affine": np.eye(4),
                "reference_affine": upscaled_affine(np.eye(4), 1) + np.eye(4, k=3) * 500,
            },
            "no place in common",
        ),
        ({"reference": REFERENCE, "registration": "affine"}, "'registration'"),
    ],
)
def test_bad_references(request_, message):
    with pytest.raises(ValueError, match=message):
        NonLocalSR(SCALE).predict(LOW, **request_)


def test_text_is_no_reference():
    with pytest.raises(TypeError, match="real numbers"):
        NonLocalSR(SCALE).predict(LOW, reference=np.array(["t1"]))


def test_nonlocal_means_with_a_reference_by_definition():
    rng = np.random.default_rng(0)
    image, other = rng.random((2, 9, 11)).astype(np.float32)
    widths, other_widths = (0.2 + 0.2 * rng.random((2, 9, 11))).astype(np.float32)
    other_widths[rng.random((9, 11)) < 0.3] = 0
    result = nonlocal_means(image, widths, 2, reference=(other, other_widths))
    padded = [np.pad(one.astype(float), 3, mode="symmetric") for one in (image, other)]

    def gaps(at, to):
        patches = [(p[i - 1 : i + 2, j - 1 : j + 2]) for p in padded for i, j in (at, to)]
        return np.mean((patches[0] - patches[1]) ** 2), np.mean((patches[2] - patches[3]) ** 2)

    for i, j in np.ndindex(9, 11):
        at, weights, values = (i + 3, j + 3), [], []
        for di, dj in np.ndindex(5, 5):
            to = (i + 1 + di, j + 1 + dj)
            if to != at:
                own, theirs = gaps(at, to)
                total = own / (2 * widths[i, j] ** 2)
                if other_widths[i, j]:
                    total += theirs / (2 * other_widths[i, j] ** 2)
                weights.append(np.exp(-max(total - 1, 0)))
                values.append(padded[0][to])
        most = max(weights)
        expected = (np.dot(weights, values) + most * image[i, j]) / (sum(weights) + most)
        assert abs(result[i, j] - expected) < 1e-5


def test_local_fit_is_least_squares():
    rng = np.random.default_rng(3)
    x, y = rng.random((2, 9, 8, 7)).astype(np.float32)
    slope, explained = local_fit(x, y, (3, 5, 3))
    window = np.s_[3:6, 2:7, 2:5]
    line = np.polyfit(x[window].ravel(), y[window].ravel(), 1)
    residual = y[window] - np.polyval(line, x[window])
    assert abs(slope[4, 4, 3] - line[0]) < 0.01
    assert abs(explained[4, 4, 3] - (y[window].var() - residual.var())) < 1e-3
