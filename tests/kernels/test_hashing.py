"""Structure tensors and their buckets against NumPy in double precision."""

import numpy as np
import pytest

from classicsr.kernels.hashing import (
    HASH_RADIUS,
    HASH_SIDE,
    hash_tensors,
    structure_tensor,
    window_tensors,
)
from classicsr.kernels.lanes import LANES

WEIGHTS = np.array([0.02, 0.05, 0.1, 0.18, 0.3], np.float32)


def tensors(image, margin=HASH_RADIUS):
    out = np.full((3, *(n - 2 * margin for n in image.shape)), np.nan, np.float32)
    structure_tensor(image, margin, WEIGHTS, out)
    return out


def expected_tensors(image):
    """Sums over shifted copies of the gradient products."""
    image = image.astype(float)
    dx = image[1:-1, 2:] - image[1:-1, :-2]
    dy = image[2:, 1:-1] - image[:-2, 1:-1]
    products = np.stack([dx**2 + dy**2, dx**2 - dy**2, 2 * dx * dy])
    weights = np.concatenate([WEIGHTS, WEIGHTS[-2::-1]]).astype(float)
    height, width = (n - 8 for n in products.shape[1:])
    return sum(
        weights[i] * weights[j] * products[:, i : i + height, j : j + width]
        for i in range(9)
        for j in range(9)
    )


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, LANES), (66, LANES + 1)])
def test_tensors_are_weighted_sums(shape):
    rng = np.random.default_rng(sum(shape))
    image = rng.random((shape[0] + 10, shape[1] + 10), dtype=np.float32)
    np.testing.assert_allclose(tensors(image), expected_tensors(image), atol=1e-6)


@pytest.mark.parametrize("cut", [(0, 1), (3, 17), (65, 40)])
def test_bits_do_not_depend_on_the_place(cut):
    image = np.random.default_rng(1).random((80, LANES + 60), dtype=np.float32)
    whole = tensors(image)
    part = tensors(np.ascontiguousarray(image[cut[0] :, cut[1] :]))
    np.testing.assert_array_equal(part, whole[:, cut[0] :, cut[1] :])


def test_a_window_has_the_bits_of_its_image():
    image = np.random.default_rng(2).random((22, 28), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(image, (HASH_SIDE, HASH_SIDE))
    rows = np.ascontiguousarray(windows).reshape(-1, HASH_SIDE**2)
    positions = np.random.default_rng(3).permutation(len(rows))
    out = np.full((3, len(rows)), np.nan, np.float32)
    window_tensors(rows, positions, np.arange(HASH_SIDE**2), WEIGHTS, out)
    np.testing.assert_array_equal(out, tensors(image).reshape(3, -1)[:, positions])


def codes_of(tensor, n_angles=24, strengths=(), coherences=()):
    tensor = np.asarray(tensor, np.float32)
    quarter = n_angles // 4
    cotangents = 1 / np.tan(np.pi / 2 * np.arange(1, quarter) / quarter)
    codes = np.full(tensor.shape[1], -1, np.int32)
    edges = (np.asarray(one, np.float32) for one in (cotangents, strengths, coherences))
    hash_tensors(tensor, *edges, codes)
    return codes


@pytest.mark.parametrize("n_angles", [4, 8, 24])
def test_angles(n_angles):
    """Bins of the doubled angle; exactly on an edge either side is right."""
    angle = (np.arange(1000) + 0.5) * 2 * np.pi / 1000
    length = np.random.default_rng(0).uniform(0.1, 9, 1000)
    tensor = [length, length * np.cos(angle), length * np.sin(angle)]
    assert np.array_equal(codes_of(tensor, n_angles), angle // (2 * np.pi / n_angles))


def test_strength_and_coherence():
    """Diagonal tensors of eigenvalues l1 >= l2."""
    l1, l2 = np.array([[4.0, 4.0, 1.0, 1.0, 0.0], [0.1, 3.5, 0.0, 0.9, 0.0]])
    codes = codes_of([l1 + l2, l1 - l2, 0 * l1], 4, [1 / 3.0, 1 / 30.0], [0.5])
    # 2 l1 above 3; l2 below l1 / 2; the angle is 0, or undefined in the flat one
    assert codes[:4].tolist() == [1 * 2 + 1, 1 * 2 + 0, 0 * 2 + 1, 0 * 2 + 0]
    assert codes[4] % 6 == 0
