"""resize against files made by MATLAB, and its invariants."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from classicsr.degradation import resize, resized_shape

DATA = os.environ.get("CLASSICSR_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="CLASSICSR_DATA is not set")
KERNELS = ["linear", "cubic", "lanczos3", "box", "gaussian"]


def to_uint8(values):
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def in_bytes(hr, scale):
    """Shrink rows, then columns, with 8 bits in between."""
    rows = to_uint8(resize(hr, 1 / scale, axes=(0,)))
    return to_uint8(resize(rows, 1 / scale, axes=(1,)))


@needs_data
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_matlab_bit_for_bit(scale):
    """MATLAB of that time rounded after each pass and clamped at the border (hence the pad)."""
    pad = 6 * scale
    files = sorted(Path(DATA, "natural/matlab_lr").glob(f"*_x{scale}_HR.png"))
    assert len(files) == 5
    for path in files:
        hr = np.asarray(Image.open(path))
        expected = np.asarray(Image.open(path.with_name(path.name.replace("_HR", "_LR"))))
        padded = np.pad(hr, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
        np.testing.assert_array_equal(in_bytes(padded, scale)[6:-6, 6:-6], expected)
        # the mirrored border of later versions: only the outer two pixels differ
        np.testing.assert_array_equal(in_bytes(hr, scale)[2:-2, 2:-2], expected[2:-2, 2:-2])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", [1 / 3, 0.45, 1, 2, 2.5])
def test_constants_are_preserved(kernel, scale):
    image = np.full((7, 10, 5), 3.7)
    np.testing.assert_allclose(resize(image, scale, kernel=kernel), 3.7, rtol=1e-13)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    scale=st.sampled_from([1 / 4, 1 / 3, 0.5, 2, 3, 4]),
    kernel=st.sampled_from(KERNELS),
    antialias=st.booleans(),
)
def test_flips_commute(shape, scale, kernel, antialias):
    """Sizes that are multiples, so that the block grid is symmetric too."""
    if scale < 1:
        shape = tuple(n * round(1 / scale) for n in shape)
    image = np.random.default_rng(0).normal(size=shape)
    flipped = resize(image[::-1, ::-1], scale, kernel=kernel, antialias=antialias)
    straight = resize(image, scale, kernel=kernel, antialias=antialias)
    np.testing.assert_allclose(flipped, straight[::-1, ::-1], atol=1e-12)


@pytest.mark.parametrize("scale", [3, 1 / 3])
def test_a_volume_is_its_slices(scale):
    volume = np.random.default_rng(0).normal(size=(6, 7, 9)).astype(np.float32)
    out = resize(volume, (1, 1, scale))
    assert out.dtype == np.float32
    for x in range(6):
        np.testing.assert_array_equal(out[x], resize(volume[x], scale, axes=(1,)))
    np.testing.assert_array_equal(out, resize(volume, scale, axes=(-1,)))


def test_channels_are_separate():
    image = np.random.default_rng(0).normal(size=(8, 9, 3))
    out = resize(image, 2, axes=(0, 1))
    for c in range(3):
        np.testing.assert_array_equal(out[..., c], resize(image[..., c].copy(), 2))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 2), (3, 1)])
@pytest.mark.parametrize("scale", [1 / 4, 0.6, 2, 4.5])
@pytest.mark.parametrize("kernel", KERNELS)
def test_tiny_images(shape, scale, kernel):
    image = np.random.default_rng(0).uniform(size=shape)
    out = resize(image, scale, kernel=kernel)
    assert out.shape == tuple(max(1, int(n * scale + 0.5)) for n in shape)
    assert np.isfinite(out).all()
    # with a 1-pixel side the mirrored signal is constant along it
    if shape[0] == 1:
        np.testing.assert_allclose(out, np.broadcast_to(out[:1], out.shape), rtol=1e-12)


def test_dtypes():
    counts = np.arange(12, dtype=">i2").reshape(3, 4)
    reference = resize(counts.astype(np.float64), 2)
    assert resize(counts, 2).dtype == np.float64
    np.testing.assert_array_equal(resize(counts, 2), reference)
    np.testing.assert_array_equal(resize(counts.astype(">f8"), 2), reference)
    single = resize(counts, 2, dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, reference, atol=1e-5)
    np.testing.assert_array_equal(resize(counts.astype(np.float32), 2), single)


def test_layout_does_not_matter():
    image = np.random.default_rng(0).normal(size=(12, 10))
    image.setflags(write=False)
    expected = resize(image, 1.5)
    np.testing.assert_array_equal(resize(np.asfortranarray(image), 1.5), expected)
    np.testing.assert_array_equal(resize(image.repeat(2, axis=1)[:, ::2], 1.5), expected)


def test_scale_one_is_the_identity():
    image = np.random.default_rng(0).normal(size=(5, 6))
    for kernel in ("linear", "cubic", "lanczos3", "box"):
        np.testing.assert_array_equal(resize(image, 1, kernel=kernel), image)


def test_output_shape():
    assert resized_shape((5, 5, 3), (0.5, 2.5, 0.1)) == (3, 13, 1)
    assert resized_shape((49,), 1 / 98) == (1,)
    assert resized_shape((15,), 0.1) == (2,)  # 1.5 goes up although 0.1 is not exact
    image = np.random.default_rng(0).normal(size=(5, 6))
    whole = resize(image, 2.5)
    np.testing.assert_array_equal(resize(image, 2.5, output_shape=(12, 14)), whole[:12, :14])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"scale": (2, 2, 2)}, "'scale' parameter of resize"),
        ({"scale": -1}, "'scale' parameter"),
        ({"scale": 2, "output_shape": (3,)}, "'output_shape' parameter of resize"),
        ({"scale": 2, "dtype": np.float16}, "'dtype' parameter of resize"),
        ({"scale": 2, "kernel": "bicubic"}, "'kernel' parameter"),
    ],
)
def test_wrong_parameters(arguments, match):
    with pytest.raises(ValueError, match=match):
        resize(np.ones((4, 4)), **arguments)


def test_wrong_images():
    with pytest.raises(ValueError, match="at least one sample"):
        resize(np.ones((0, 4)), 2)
    with pytest.raises(TypeError, match="real numbers"):
        resize(np.ones((4, 4), complex), 2)
