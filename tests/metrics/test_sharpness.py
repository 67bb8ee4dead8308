"""Resolution by Fourier ring correlation, and the width of edges, against known blurs."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from classicsr.metrics import edge_width, fourier_ring_correlation

FWHM = 2 * np.sqrt(2 * np.log(2))

# ---- Fourier ring correlation -----------------------------------------------------------------


def noisy_pair(shape, sigma, noise, seed=0):
    """Two measurements of a scene of white noise, blurred; the noise is white."""
    rng = np.random.default_rng(seed)
    scene = gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap")
    return (scene + noise * rng.standard_normal(shape) for _ in range(2))


@pytest.mark.parametrize("shape", [(200, 200), (160, 230), (40, 44, 48)])
@pytest.mark.parametrize("sigma", [1.0, 1.5])
def test_resolution_is_where_signal_and_noise_say(shape, sigma):
    """White signal through a Gaussian: the expected correlation is S / (S + N)."""
    noise = 0.1
    found = fourier_ring_correlation(*noisy_pair(shape, sigma, noise))
    signal = np.exp(-((2 * np.pi * sigma * found.frequency) ** 2))
    expected = signal / (signal + noise**2)
    assert np.abs(found.correlation - expected)[found.frequency > 0.1].max() < 0.25
    at = found.frequency[np.argmax(expected < found.threshold)]
    assert found.resolution == pytest.approx(1 / at, rel=0.1)


def test_ring_by_ring_by_its_definition():
    a, b = noisy_pair((24, 20), 1.0, 0.3)
    found = fourier_ring_correlation(a, b)
    window = np.outer(np.hanning(26)[1:-1], np.hanning(22)[1:-1])
    A, B = (np.fft.fft2((one - one.mean()) * window) for one in (a, b))
    rows, columns = np.meshgrid(np.fft.fftfreq(24), np.fft.fftfreq(20), indexing="ij")
    ring = np.rint(np.sqrt(rows**2 + columns**2) * 20).astype(int)
    for k in range(1, 11):
        here = ring == k
        cross = (A[here] * B[here].conj()).sum().real
        expected = cross / np.sqrt((abs(A[here]) ** 2).sum() * (abs(B[here]) ** 2).sum())
        assert found.correlation[k - 1] == pytest.approx(expected)
    assert found.frequency[-1] == 0.5


def test_units_do_not_matter_and_equal_images_agree():
    a, b = noisy_pair((64, 64), 1.2, 0.2)
    found = fourier_ring_correlation(a, b)
    again = fourier_ring_correlation(7 * a - 3, 0.1 * b + 9)
    np.testing.assert_allclose(again.correlation, found.correlation, rtol=1e-9)
    assert fourier_ring_correlation(a, a).resolution == 2


def test_nothing_in_common():
    rng = np.random.default_rng(2)
    found = fourier_ring_correlation(rng.random((64, 64)), rng.random((64, 64)))
    assert found.resolution > 30
    assert fourier_ring_correlation(np.ones((9, 9)), np.ones((9, 9))).resolution == np.inf


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.ones((9, 9)), np.ones((9, 8))),
        (np.ones((7, 9)), np.ones((7, 9))),
        (np.ones(30), np.ones(30)),
        (np.full((9, 9), np.nan), np.ones((9, 9))),
    ],
)
def test_ring_correlation_refuses(first, second):
    with pytest.raises(ValueError, match="fourier_ring_correlation"):
        fourier_ring_correlation(first, second)


# ---- edges ------------------------------------------------------------------------------------


def edge(shape, angle, offset, sigma):
    rows, columns = np.indices(shape, dtype=float)
    across = (rows - shape[0] / 2) * np.sin(angle) + (columns - shape[1] / 2) * np.cos(angle)
    return 100 + 40 * erf((across - offset) / (np.sqrt(2) * sigma))


@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("angle", [0, 0.09, 0.8, np.pi / 2, 2.2, 3.1, 5.0])
def test_width_of_a_known_edge(angle, sigma):
    found = edge_width(edge((30, 34), angle, 0.4, sigma))
    assert found.fwhm == pytest.approx(FWHM * sigma, rel=1e-3)
    assert found.contrast == pytest.approx(80, rel=1e-3)
    for frequency, level in ((found.mtf50, 0.5), (found.mtf10, 0.1)):
        transfer = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
        assert transfer == pytest.approx(level, rel=0.01)


def test_profiles_and_noise():
    rng = np.random.default_rng(0)
    profile = edge((1, 50), 0, 3.3, 2.0)[0]
    assert edge_width(profile).fwhm == pytest.approx(FWHM * 2, rel=1e-3)
    assert edge_width(profile[::-1]).fwhm == pytest.approx(FWHM * 2, rel=1e-3)
    noisy = edge((40, 40), 0.1, 0, 1.5) + 3 * rng.standard_normal((40, 40))
    assert edge_width(noisy).fwhm == pytest.approx(FWHM * 1.5, rel=0.08)


def test_blur_adds_in_squares():
    sharp = edge((60, 60), 0.1, 0, 1.0)
    blurred = gaussian_filter(sharp, 1.5, mode="nearest")[8:-8, 8:-8]
    assert edge_width(blurred).fwhm == pytest.approx(FWHM * np.hypot(1, 1.5), rel=0.02)


@pytest.mark.parametrize(
    "image", [np.ones((9, 9)), np.eye(4), np.full((9, 9), np.inf), np.ones((5, 5, 5)), np.ones(4)]
)
def test_edge_width_refuses(image):
    with pytest.raises(ValueError, match="'image' parameter of edge_width"):
        edge_width(image)
