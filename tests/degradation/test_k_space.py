"""Truncation of k-space: waves below the cut are sampled, those above are gone."""

import numpy as np
import pytest

from classicsr.degradation import KSpaceTruncation, degradation_from_dict

LENGTHS = [(24, 12), (24, 8), (21, 7), (20, 8), (9, 9)]


@pytest.mark.parametrize(("n_in", "n_out"), LENGTHS)
def test_waves(n_in, n_out):
    model = KSpaceTruncation(n_in / n_out)
    centers = (np.arange(n_out) + 0.5) * n_in / n_out - 0.5
    for k in range(n_in // 2):
        wave = model.forward(np.cos(2 * np.pi * k * np.arange(n_in) / n_in + 0.4))
        kept = 1 if 2 * k < n_out else 0.5 if 2 * k == n_out else 0
        if kept == 0.5:  # the highest frequency of an even number of samples: bounded only
            assert np.abs(wave).max() <= 1
            continue
        expected = kept * np.cos(2 * np.pi * k * centers / n_in + 0.4)
        np.testing.assert_allclose(wave, expected, atol=1e-12)


def test_is_a_cropped_fourier_transform():
    """Up to the half-sample shift of the block centres."""
    x = np.random.default_rng(0).random((15, 1))
    low = KSpaceTruncation((3.0, 1.0)).forward(x)[:, 0]
    k = np.arange(-2, 3)
    spectrum = np.fft.fft(x[:, 0])[k] * np.exp(2j * np.pi * k / 15) / 3  # centre of block 0: 1
    np.testing.assert_allclose(np.fft.fft(low)[k], spectrum, atol=1e-12)


def test_adjoint_and_description():
    rng = np.random.default_rng(1)
    model = KSpaceTruncation((2.0, 1.0, 2.5))
    x, y = rng.random((8, 5, 10)), rng.random((4, 5, 4))
    assert np.sum(model.forward(x) * y) == pytest.approx(np.sum(x * model.adjoint(y, x.shape)))
    assert degradation_from_dict(model.to_dict()) == model
    assert model.at_scale((3, 3, 1)) == KSpaceTruncation((3.0, 3.0, 1.0))
    np.testing.assert_allclose(model.forward(np.full((8, 5, 10), 2.5)), 2.5)


def test_reconstruction_under_it(make_texture):
    from classicsr import TotalVariationSR

    model, high = KSpaceTruncation((2.0, 2.0)), make_texture((40, 36), 0)
    low = model.forward(high)
    result = TotalVariationSR(2, degradation=model, data_range=(0, 1)).predict(low)
    assert np.abs(model.forward(result) - low).max() < 0.02
