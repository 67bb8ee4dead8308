"""The image-level contract: what comes in decides shape, type and units of what comes out."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classicsr import AnchoredRegressionSR, BicubicSR, PatchRegressionSR
from classicsr.degradation import resize, resized_shape
from classicsr.metrics import rgb_to_ycbcr

DTYPES = ["uint8", "uint16", "int8", "int16", "int32", "uint32", "int64", "bool"]
DTYPES += ["float16", "float32", "float64", ">u2", ">i2", ">i4", ">f4", ">f8"]


@pytest.fixture(scope="module")
def image(make_texture):
    """A float32 image in [0, 1], odd sizes."""
    return make_texture((23, 31), 50)


def in_type(image, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (image * 300 - 50).astype(dtype)
    if dtype.kind == "b":
        return image > 0.5
    if dtype.itemsize > 2:
        return (image * 200_000 - (100_000 if dtype.kind == "i" else 0)).astype(dtype)
    limits = np.iinfo(dtype)
    span = (limits.max - limits.min) * 0.6
    return (limits.min + span * (0.2 + image)).astype(dtype)


# ---- types and units ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_type_and_units_come_back(dtype, image, sr2):
    pixels = in_type(image, dtype)
    result = sr2.predict(pixels)
    assert result.shape == (46, 62)
    assert result.dtype == pixels.dtype.newbyteorder("=")
    cubic = BicubicSR(2).predict(pixels).astype(float)
    span = float(pixels.max()) - float(pixels.min())
    # the added detail is small beside the image, and it is there
    assert np.abs(result.astype(float) - cubic).mean() < 0.1 * span
    assert pixels.dtype.kind == "b" or (result != cubic.astype(result.dtype)).any()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_integers_are_the_rounded_float_result(dtype, image, sr2):
    pixels = in_type(image, dtype)
    limits = np.iinfo(dtype)
    precise = sr2.predict(pixels.astype(float), data_range=(limits.min, limits.max))
    expected = np.clip(np.rint(precise), limits.min, limits.max)
    difference = np.abs(sr2.predict(pixels).astype(float) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_integers_are_clipped_not_wrapped(dtype, sr2):
    """Next to an edge between the extremes interpolation overshoots on both sides."""
    limits = np.iinfo(dtype)
    edge = np.full((12, 12), limits.min, dtype)
    edge[:, 6:] = limits.max
    result = sr2.predict(edge).astype(float)
    assert result[:, :8].max() < limits.min + 0.2 * (limits.max - limits.min)
    assert result[:, -8:].min() > limits.max - 0.2 * (limits.max - limits.min)


def test_negative_hounsfield_units(image, sr2):
    hounsfield = (image * 2000 - 1024).astype(np.int16)
    result = sr2.predict(hounsfield)
    assert result.min() < -900
    cubic = BicubicSR(2).predict(hounsfield).astype(float)
    assert np.corrcoef(result.ravel(), cubic.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("dtype", ["uint32", "int64", "uint64"])
def test_wide_integers_keep_their_precision(dtype, image, sr2):
    """A large offset does not swallow a small contrast, and the extremes do not overflow."""
    small = (image * 1000 + 10_000).astype(dtype)
    offset = 1 << 30
    np.testing.assert_allclose(
        sr2.predict(small + np.array(offset, dtype)).astype(float) - offset,
        sr2.predict(small).astype(float),
        atol=1,
    )
    limits = np.iinfo(dtype)
    extremes = np.where(image > 0.5, limits.max, limits.min).astype(dtype)
    ends = (float(limits.min), float(limits.max))
    expected = np.clip(sr2.predict(extremes.astype(float), data_range=ends), *ends)
    np.testing.assert_allclose(
        sr2.predict(extremes).astype(float), expected, atol=1e-6 * (ends[1] - ends[0])
    )


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    "view", ["reversed", "fortran", "strided", "read-only", "big-endian", "matrix"]
)
def test_memory_layout_does_not_matter(view, image, sr2):
    given_ = {
        "reversed": np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1],
        "fortran": np.asfortranarray(image),
        "strided": np.repeat(image, 3, axis=1)[:, ::3],
        "read-only": np.frombuffer(image.tobytes(), np.float32).reshape(image.shape),
        "big-endian": image.astype(">f4"),
        "matrix": np.asmatrix(image),
    }[view]
    before = given_.copy()
    np.testing.assert_array_equal(sr2.predict(given_), sr2.predict(image))
    np.testing.assert_array_equal(given_, before)


# ---- shapes and scales ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "scale"),
    [
        ((9, 14), 2),
        ((9, 14), 1.5),
        ((9, 14), (2, 2)),
        ((9, 14), (1, 2)),
        ((9, 14), (1.3, 1.7)),
        ((9, 14), 1),
        ((9, 14), 0.5),
        ((9, 14, 2), 2),
        ((9, 14, 3), 2),
        ((9, 14, 4), 1.5),
        ((9, 14, 3), (2, 1)),
        ((9, 14, 5), 2),
        ((9, 14, 3), (2, 2, 2)),
        ((9, 14, 5), (1, 1, 3)),
        ((9, 14, 5), (1.5, 2, 2.5)),
        ((9, 14, 5), (1, 1, 0.4)),
    ],
)
@pytest.mark.parametrize("kind", ["bicubic", "aplus"])
def test_output_shape(shape, scale, kind, sr2):
    sr = sr2 if kind == "aplus" else BicubicSR()
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    result = sr.predict(pixels, scale=scale)
    is_volume = shape[-1] == 5 or (np.ndim(scale) and len(scale) == 3)
    expected = resized_shape(shape, scale) if is_volume else resized_shape(shape[:2], scale)
    assert result.shape == (*expected, *shape[len(expected) :])
    assert result.dtype == np.uint8


def test_scale_of_the_estimator_and_of_the_call(image, sr3):
    assert sr3.predict(image).shape == (69, 93)
    assert sr3.predict(image, scale=2.5).shape == (58, 78)  # half up


@pytest.mark.parametrize("scale", [2.5, (2, 3), (1, 3), 1.7])
def test_other_scales_resample_the_integer_result(scale, image, sr3):
    large = sr3.predict(image)
    factors = np.broadcast_to(scale, 2) / 3
    shape = resized_shape(image.shape, scale)
    expected = resize(large, tuple(factors), output_shape=shape)
    np.testing.assert_allclose(sr3.predict(image, scale=scale), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 3), (3, 2), (5, 5), (8, 8)])
@pytest.mark.parametrize("scale", [3, 2.5])
def test_images_smaller_than_a_patch(shape, scale, sr3):
    """The border is mirrored, so a small image is a part of its own periodic continuation."""
    small = np.random.default_rng(1).random(shape).astype(np.float32)
    result = sr3.predict(small, scale=scale)
    assert result.shape == resized_shape(shape, scale)
    assert np.isfinite(result).all()
    if scale == 3:
        mirrored = np.pad(small, 24, mode="symmetric")
        inner = sr3.predict(mirrored)[72 : 72 + 3 * shape[0], 72 : 72 + 3 * shape[1]]
        np.testing.assert_array_equal(result, inner)


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.3, 2.0), st.floats(0.3, 2.0))
def test_any_size_and_scale(sr2, height, width, a, b):
    pixels = np.random.default_rng(height * width).integers(0, 9, (height, width)).astype(np.uint8)
    assert sr2.predict(pixels, scale=(a, b)).shape == resized_shape((height, width), (a, b))


# ---- invariants -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [np.float32(0.3), np.float64(-1e6), np.float16(7), np.uint8(200), np.int16(-1000), np.int32(5)],
)
@pytest.mark.parametrize("scale", [2, 1.7])
def test_constant_images_stay_constant(value, scale, sr2):
    result = sr2.predict(np.full((11, 14), value), scale=scale)
    assert result.dtype == value.dtype
    assert (result == value).all()


@pytest.mark.parametrize(("factor", "shift"), [(1000.0, -300.0), (1e-4, 0.0), (-2.0, 5.0)])
@pytest.mark.parametrize("scale", [2, 1.5])
def test_intensity_equivariance(factor, shift, scale, image, sr2):
    result = sr2.predict(image.astype(float), scale=scale)
    changed = sr2.predict(image.astype(float) * factor + shift, scale=scale)
    np.testing.assert_allclose(changed, result * factor + shift, rtol=0, atol=5e-6 * abs(factor))


def test_data_range_only_matters_for_rounding(image, sr2):
    free = sr2.predict(image)
    np.testing.assert_allclose(sr2.predict(image, data_range=(-3, 9)), free, atol=1e-5)
    given_ = AnchoredRegressionSR(2, data_range=(0, 2))
    given_.__dict__.update(map_=sr2.map_, filters_=sr2.filters_, native_scale_=2)
    np.testing.assert_array_equal(given_.predict(image), sr2.predict(image, data_range=(0, 2)))


def test_learned_detail_beats_interpolation(make_texture, sr2, sr3):
    from classicsr import psnr
    from classicsr.degradation import BicubicDegradation

    for sr in (sr2, sr3):
        unseen = make_texture((72, 90), 99)
        low = BicubicDegradation(sr.scale).forward(unseen)
        gains = [
            psnr(unseen, method.predict(low, scale=sr.scale), data_range=1.0, crop=4)
            for method in (BicubicSR(), sr)
        ]
        assert gains[1] > gains[0] + 0.5


# ---- NaN and Inf ----------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", ["bicubic", "aplus"])
def test_non_finite_pixels_are_kept_and_do_no_harm(bad, dtype, kind, image, sr2):
    sr = sr2 if kind == "aplus" else BicubicSR(2)
    clean = image.astype(dtype)
    pixels = clean.copy()
    pixels[11, 15] = bad
    assert clean.min() < clean[11, 15] < clean.max()  # so that the range stays
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = sr.predict(pixels)
    expected = np.zeros(result.shape, bool)
    expected[22:24, 30:32] = True
    np.testing.assert_array_equal(~np.isfinite(result), expected)
    np.testing.assert_array_equal(result[expected], np.full(4, bad, dtype))
    far = np.ones(result.shape, bool)
    far[2 * (11 - 6) : 2 * (11 + 7), 2 * (15 - 6) : 2 * (15 + 7)] = False
    np.testing.assert_array_equal(result[far], sr.predict(clean)[far])


def test_non_finite_pixels_at_a_fractional_scale(image, sr2):
    pixels = image.copy()
    pixels[4] = np.nan
    result = sr2.predict(pixels, scale=1.5)
    rows = np.isnan(result).any(axis=1)
    # high-resolution rows whose centre lies in row 4: (r + 0.5) / 1.5 in [4, 5)
    assert np.flatnonzero(rows).tolist() == [6]
    assert np.isnan(result[6]).all()


def test_opposite_infinities_and_nothing_finite(sr2):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mixed = np.zeros((6, 7), np.float32)
        mixed[1, 1], mixed[4, 5] = np.inf, -np.inf
        result = sr2.predict(mixed)
        assert (result[2:4, 2:4] == np.inf).all()
        assert (result[8:10, 10:12] == -np.inf).all()
        assert np.isfinite(result).sum() == result.size - 8
        assert np.isnan(sr2.predict(np.full((3, 4), np.nan))).all()


def test_non_finite_pixels_of_one_channel(image, sr2):
    """In colour a pixel that is bad in one channel stays bad there only."""
    color = np.stack([image, image.T[:23, :23].repeat(2, 1)[:, :31], image**2], axis=-1)
    color[5, 6, 1] = np.nan
    result = sr2.predict(color)
    assert np.isnan(result[10:12, 12:14, 1]).all()
    assert np.isnan(result).sum() == 4


# ---- colour ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rgb(make_texture):
    return np.stack([make_texture((20, 26), seed) for seed in (60, 61, 62)], axis=-1)


def test_colour_is_learned_luma_and_bicubic_chroma(rgb, sr2):
    result = rgb_to_ycbcr(sr2.predict(rgb, data_range=(0, 1)).astype(float), peak=1.0)
    low = rgb_to_ycbcr(rgb.astype(float), peak=1.0)
    luma = sr2.predict(low[..., 0], data_range=(0, 1))
    np.testing.assert_allclose(result[..., 0], luma, atol=1e-5)
    for channel in (1, 2):
        np.testing.assert_allclose(result[..., channel], resize(low[..., channel], 2), atol=1e-5)


def test_grey_in_three_channels_stays_grey(image, sr2):
    grey = (image * 255).astype(np.uint8)
    result = sr2.predict(np.stack([grey] * 3, axis=-1)).astype(int)
    assert np.ptp(result, axis=-1).max() <= 1
    assert np.abs(result[..., 0] - sr2.predict(grey).astype(int)).max() <= 1


@pytest.mark.parametrize("n_channels", [2, 4])
def test_alpha_is_bicubic_and_does_not_touch_the_colours(n_channels, rgb, sr2):
    pixels = (np.concatenate([rgb, rgb[..., :1]], axis=-1) * 255).astype(np.uint8)
    pixels = np.ascontiguousarray(pixels[..., -n_channels:])
    result = sr2.predict(pixels)
    alpha = BicubicSR(2).predict(pixels[..., -1])
    assert np.abs(result[..., -1].astype(int) - alpha).max() <= 1
    assert (result[..., -1] != alpha).mean() < 0.01  # ties of rounding
    colors = pixels[..., 0] if n_channels == 2 else pixels[..., :3]
    without = sr2.predict(colors)
    np.testing.assert_array_equal(result[..., :-1].reshape(without.shape), without)


@pytest.mark.parametrize("n_channels", [1, 3, 6])
def test_independent_channels_are_images_of_their_own(n_channels, make_texture, training_images):
    pixels = np.stack([make_texture((14, 17), s) for s in range(n_channels)], axis=-1)
    pixels = (pixels * 255).astype(np.uint8)
    sr = AnchoredRegressionSR(
        2, n_anchors=8, n_iter=1, n_levels=1, channel_mode="independent", random_state=0
    ).fit(training_images[:1])
    result = sr.predict(pixels)
    assert result.shape == (28, 34, n_channels)
    for channel in range(n_channels):
        np.testing.assert_array_equal(result[..., channel], sr.predict(pixels[..., channel]))


# ---- sequences ------------------------------------------------------------------------------


def test_list_in_list_out(image, sr2):
    images = [image, image[:9, :8], (image * 255).astype(np.uint8)]
    for sequence in (images, tuple(images)):
        results = sr2.predict(sequence)
        assert isinstance(results, list)
        for one, result in zip(images, results, strict=True):
            np.testing.assert_array_equal(result, sr2.predict(one))
    assert sr2.predict([]) == []
    assert sr2.predict([image.tolist()])[0].shape == (46, 62)


# ---- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bicubic", "aplus"])
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (4, 0, 3), (0, 4, 4), (3, 3, 0)])
def test_empty_images(kind, shape, sr2):
    sr = sr2 if kind == "aplus" else BicubicSR(2)
    with pytest.raises(ValueError, match="at least one pixel"):
        sr.predict(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(), (5,), (2, 2, 2, 2)])
def test_wrong_number_of_axes(shape, sr2):
    with pytest.raises(ValueError, match="2 axes"):
        sr2.predict(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    "pixels",
    [
        np.ones((4, 4), complex),
        np.full((4, 4), None),
        np.array([["a", "b"]]),
        np.zeros((4, 4), "datetime64[s]"),
        np.zeros((4, 4), [("r", "u1")]),
    ],
    ids=["complex", "object", "text", "date", "record"],
)
def test_pixels_that_are_not_real_numbers(pixels, sr2):
    with pytest.raises(TypeError, match="real numbers"):
        sr2.predict(pixels)


@pytest.mark.parametrize("scale", [3, 2.01, (2, 4), (1, 1, 2, 2)])
def test_a_scale_out_of_reach_names_what_is(scale, image, sr2):
    with pytest.raises(ValueError, match=r"reaches x2|2 numbers|one per axis"):
        sr2.predict(image, scale=scale)


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, (2, 0)])
@pytest.mark.parametrize("kind", ["bicubic", "aplus"])
def test_impossible_scales(scale, kind, image, sr2):
    sr = sr2 if kind == "aplus" else BicubicSR()
    with pytest.raises(ValueError, match=r"'scale' parameter of \w+ must be a number"):
        sr.predict(image, scale=scale)


@pytest.mark.parametrize("cls", [AnchoredRegressionSR, PatchRegressionSR])
def test_not_fitted(cls, image):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError, match=cls.__name__):
        cls().predict(image)
    with pytest.raises(NotFittedError):
        cls().predict([])


def test_input_is_never_changed(image, sr2):
    for pixels in (image.copy(), (image * 99).astype(np.uint8), np.full((4, 5), np.nan)):
        before = pixels.copy()
        sr2.predict(pixels)
        np.testing.assert_array_equal(pixels, before)
