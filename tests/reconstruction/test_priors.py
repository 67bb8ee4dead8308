"""Priors: gradients, proximal maps against their definition, the closed form against matrices."""

from itertools import product

import numpy as np
import pytest

from classicsr.reconstruction import (
    Denoiser,
    DictionarySparsity,
    NuclearNorm,
    RegularizationByDenoising,
    Tikhonov,
    TotalVariation,
    WaveletSparsity,
    nonlocal_means,
)
from classicsr.reconstruction._denoiser import DENOISERS

SHAPES = [(8, 12), (7, 9), (5, 6, 4), (1, 6), (1, 1)]
SHIFTED = WaveletSparsity(0.1, n_shifts=3)
CONVEX = [
    Tikhonov(0.3, 0),
    Tikhonov(0.3, 1),
    Tikhonov(0.3, 2),
    TotalVariation(0.1),
    TotalVariation(0.1, isotropic=False, huber=0.1),
    WaveletSparsity(0.1, "haar", 2, 1),
    WaveletSparsity(0.1, "db2", 2, 1),
    SHIFTED,
    NuclearNorm(0.3, 0),
]


def image(shape, seed=0):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def squares(x):
    return float(np.sum(x.astype(np.float64) ** 2))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_tikhonov_is_a_quadratic_form(order, shape):
    prior, x, z = Tikhonov(0.7, order, image(shape, 1)), image(shape), image(shape, 2)
    slope = float(np.sum(prior.gradient(x) * (z - x)))
    bend = 0.5 * float(np.sum((z - x) * prior.normal(z - x)))
    assert prior.value(z) == pytest.approx(prior.value(x) + slope + bend, rel=1e-4, abs=1e-6)
    assert bend <= 0.5 * prior.curvature() * squares(z - x) * (1 + 1e-6)
    if order:
        np.testing.assert_allclose(prior.normal(np.full(shape, 3.0, np.float32)), 0, atol=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_proximal_map_of_tikhonov(order, shape):
    prior, x = Tikhonov(0.7, order, image(shape, 1)), image(shape)
    z = prior.prox(x, 0.9)
    np.testing.assert_allclose(z + 0.9 * prior.gradient(z), x, atol=2e-5)


# that of several shifts belongs to the proximal average, whose value is not known
@pytest.mark.parametrize("prior", [p for p in CONVEX if p != SHIFTED], ids=repr)
@pytest.mark.parametrize("shape", SHAPES[:3])
def test_proximal_maps_minimise(prior, shape):
    """No other image has a smaller objective, however near."""
    x, rng = image(shape), np.random.default_rng(1)

    def objective(z):
        return 0.5 * squares(z - x) + 0.8 * prior.value(z)

    z = prior.prox(x, 0.8)
    for size in (1e-2, 1e-1):
        for _ in range(20):
            other = z + size * rng.standard_normal(z.shape).astype(np.float32)
            assert objective(other) > objective(z)
    for other in (x, np.zeros_like(x), np.full_like(x, x.mean()), prior.prox(x, 0.7)):
        assert objective(other) >= objective(z) - 1e-5


@pytest.mark.parametrize("shape", SHAPES[:3])
@pytest.mark.parametrize("prior", CONVEX, ids=repr)
def test_proximal_maps_are_firmly_nonexpansive(prior, shape):
    x, z = image(shape, 3), image(shape, 4)
    moved = prior.prox(x, 0.8) - prior.prox(z, 0.8)
    assert squares(moved) <= float(np.sum(moved * (x - z), dtype=np.float64)) + 1e-4


@pytest.mark.parametrize("shape", [(8, 12), (4, 8, 4)])
def test_wavelet_coefficients_are_those_of_pywavelets(shape):
    import pywt

    x = image(shape)
    bands = pywt.wavedecn(x, "haar", "periodization", level=2)
    details = [band for level in bands[1:] for band in level.values()]
    expected = sum(np.abs(band).sum() for band in details)
    assert WaveletSparsity(2.0, "haar", 2, 1).value(x) == pytest.approx(2 * expected, rel=1e-5)


def test_wavelets_of_shifted_grids_are_averaged():
    x = image((9, 12))
    one = WaveletSparsity(0.1, "haar", 2, 1)
    moved = [np.roll(one.prox(np.roll(x, s, (0, 1)), 1.0), -s, (0, 1)) for s in range(4)]
    np.testing.assert_allclose(
        WaveletSparsity(0.1, "haar", 2, 4).prox(x, 1.0), np.mean(moved, axis=0), atol=1e-6
    )


@pytest.mark.parametrize("shape", [(7, 9), (5, 6, 4), (1, 6), (1, 1), (2, 1)])
def test_wavelets_of_any_shape(shape):
    x = image(shape)
    prior = WaveletSparsity(0.1)
    np.testing.assert_allclose(prior.prox(x, 0.0), x, atol=1e-6)
    assert prior.prox(x, 1.0).shape == shape
    assert prior.value(np.zeros(shape, np.float32)) == 0


def slow_patches(prior, x, leftover):
    """Plain matching pursuit, patch by patch."""
    sides = prior.atoms.shape[1:]
    rows = prior.atoms.reshape(len(prior.atoms), -1).astype(float)
    starts = [
        sorted({*range(0, n - s, prior.stride), n - s}) for n, s in zip(x.shape, sides, strict=True)
    ]
    total, counts = np.zeros(x.shape), np.zeros(x.shape)
    for corner in product(*starts):
        where = tuple(slice(c, c + s) for c, s in zip(corner, sides, strict=True))
        patch = x[where].astype(float).ravel()
        rest = patch - patch.mean()
        chosen, fitted, signal = [], np.zeros_like(rest), rest
        while np.sum(rest**2) > leftover and len(chosen) < min(16, *rows.shape):
            chosen.append(int(np.argmax(np.abs(rows @ rest))))
            weights = np.linalg.lstsq(rows[chosen].T, signal)[0]
            fitted = weights @ rows[chosen]
            rest = signal - fitted
        total[where] += (patch.mean() + fitted).reshape(sides)
        counts[where] += 1
    return total / counts


@pytest.mark.parametrize(("shape", "side"), [((13, 17), 4), ((7, 6, 8), 3)])
def test_dictionary_against_plain_matching_pursuit(shape, side):
    x = image(shape)
    prior = DictionarySparsity.learned(x, 0.01, side=side, n_atoms=12, n_iter=2)
    expected = slow_patches(prior, x, 1.15**2 * 0.5 * 0.01 * side ** len(shape))
    np.testing.assert_allclose(prior.prox(x, 0.5), expected, atol=1e-4)


def test_dictionary_does_not_depend_on_chunks(monkeypatch, make_texture):
    from classicsr.reconstruction import _dictionary_sparsity

    x = make_texture((40, 44), 0)
    prior = DictionarySparsity.learned(x, 1e-3, n_atoms=32, n_iter=2)
    expected = prior.prox(x, 1.0)
    monkeypatch.setattr(_dictionary_sparsity, "_CHUNK", 100)
    np.testing.assert_allclose(prior.prox(x, 1.0), expected, atol=1e-6)


@pytest.mark.parametrize("name", DENOISERS)
@pytest.mark.parametrize("shape", [(40, 36), (12, 13, 11)])
def test_denoisers_remove_noise(name, shape):
    ramp = np.add.outer(np.linspace(0, 1, shape[0]), np.zeros(shape[1:])).astype(np.float32)
    noisy = ramp + np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)
    result = Denoiser(0.1**2, name).prox(noisy, 1.0)
    assert np.sqrt(np.mean((result - ramp) ** 2)) < 0.065
    np.testing.assert_allclose(DENOISERS[name](np.full(shape, 3, np.float32), 0.1), 3, atol=1e-5)


def test_denoiser_is_told_the_noise():
    told = []
    prior = Denoiser(0.04, lambda x, sigma: told.append(sigma) or x, sigma=0.1)
    prior.prox(image((3, 3)), 0.25)
    prior.prox(image((3, 3)), 1 / prior.penalty)
    assert told == pytest.approx([0.1, 0.1])


def test_regularization_by_denoising_removes_what_the_denoiser_removes():
    x = image((9, 9))
    prior = RegularizationByDenoising(2.0, "nlm", 0.1)
    expected = 2 * (x - nonlocal_means(x, np.full_like(x, 0.1)))
    np.testing.assert_allclose(prior.gradient(x), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tikhonov(-1), "'weight' parameter of Tikhonov"),
        (lambda: Tikhonov(1, 3), "'order' parameter of Tikhonov must be 0, 1 or 2"),
        (lambda: WaveletSparsity(1, "bior2.2"), "'wavelet' parameter of WaveletSparsity"),
        (lambda: WaveletSparsity(1, "nothing"), "orthogonal wavelet"),
        (lambda: WaveletSparsity(1, n_shifts=0), "'n_shifts' parameter"),
        (lambda: Denoiser(1, "median"), "a callable or one of nlm, tv, wavelet, dictionary"),
        (lambda: Denoiser(np.nan), "'weight' parameter of Denoiser"),
        (lambda: RegularizationByDenoising(1, sigma=0), "'sigma' parameter"),
        (lambda: DictionarySparsity(1, np.full((2, 3, 3), np.nan)), "'atoms' parameter"),
        (
            lambda: DictionarySparsity(1, np.eye(9).reshape(9, 3, 3)).prox(image((2, 5)), 1),
            "do not fit",
        ),
    ],
)
def test_parameters_of_priors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
