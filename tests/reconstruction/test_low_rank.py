"""The nuclear norm against NumPy's SVD; low-rank and total-variation super-resolution."""

import numpy as np
import pytest

from classicsr import LowRankTVSR
from classicsr.degradation import SliceProfileDegradation
from classicsr.reconstruction import DataTerm, NuclearNorm
from classicsr.zoo import make_method


def low_rank_volume(shape=(16, 18, 14), seed=0):
    """Three separable terms, on [0, 1]."""
    rng = np.random.default_rng(seed)
    parts = [rng.standard_normal((3, n)).cumsum(axis=1) for n in shape]
    volume = np.einsum("ri,rj,rk->ijk", *parts)
    return ((volume - volume.min()) / np.ptp(volume)).astype(np.float32)


@pytest.mark.parametrize("shape", [(5, 7, 6), (9, 4), (4, 9)])
def test_nuclear_norm_by_singular_values(shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for axis in range(x.ndim):
        norm = NuclearNorm(0.5, axis)
        rows = np.moveaxis(x, axis, 0).reshape(shape[axis], -1)
        left, sizes, right = np.linalg.svd(rows, full_matrices=False)
        assert norm.value(x) == pytest.approx(0.5 * sizes.sum(), rel=1e-5)
        shrunk = left @ np.diag(np.maximum(sizes - 1.5, 0)) @ right
        expected = np.moveaxis(
            shrunk.reshape(shape[axis], *np.delete(shape, axis)), 0, axis
        )  # fmt: skip
        np.testing.assert_allclose(norm.prox(x, 3.0), expected, atol=1e-5)


def test_prox_of_nothing_and_of_weight_zero():
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_array_equal(NuclearNorm(1, 0).prox(np.zeros_like(x), 1), np.zeros_like(x))
    np.testing.assert_allclose(NuclearNorm(0, 0).prox(x, 1), x, atol=1e-6)


def objective(x, low, model, sr):
    variation = sr._variation(x.ndim).value(x)
    norms = [NuclearNorm(sr.rank_weight / 3, axis).value(x) for axis in range(3)]
    return DataTerm([low], [model], x.shape).value(x) + variation + sum(norms)


def test_the_objective_falls_to_its_minimum():
    model = SliceProfileDegradation((2, 2, 2))
    rng = np.random.default_rng(0)
    low = model.forward(low_rank_volume((12, 10, 11)))
    low += 0.05 * rng.standard_normal(low.shape).astype(np.float32)

    def value_after(n_iter):
        sr = LowRankTVSR(2, 1e-3, 0.02, 1, n_iter=n_iter, tolerance=0, data_range=(0, 1))
        return objective(sr.predict(low), low, model, sr)

    values = [value_after(n) for n in (0, 5, 20, 80)]
    assert values[0] > values[1] > values[2]
    assert values[2] < 1.01 * values[3]


def test_low_rank_pays_where_the_scene_has_it():
    high = low_rank_volume((24, 22, 20))
    low = SliceProfileDegradation((2, 2, 2)).forward(high)
    low += 0.05 * np.random.default_rng(1).standard_normal(low.shape).astype(np.float32)
    errors = [
        np.square(LowRankTVSR(2, 5e-4, rank_weight).predict(low) - high).mean()
        for rank_weight in (0.0, 0.1)
    ]
    assert errors[1] < 0.9 * errors[0]


def test_the_iteration_ends_by_its_criterion():
    low = SliceProfileDegradation((2, 2, 2)).forward(low_rank_volume())
    sr = LowRankTVSR(2, n_iter=200, tolerance=1e-4)
    sr.predict(low)
    assert sr.convergence_.converged
    assert 1 < sr.convergence_.n_iter == len(sr.convergence_.changes) < 200
    assert sr.convergence_.changes[-1] <= 1e-4 < sr.convergence_.changes[-2]


def test_factors_per_axis_and_negative_intensities():
    low = (2000 * low_rank_volume((9, 10, 5)) - 1024).astype(np.int16)
    result = LowRankTVSR((1, 1, 3), data_range=(-1024, 3071)).predict(low)
    assert result.shape == (9, 10, 15)
    assert result.min() < -900
    blocks = result.reshape(9, 10, 5, 3).mean(axis=3)
    assert np.abs(blocks - low).mean() < 20


def test_intensity_scale_threads_images_and_constants():
    low = low_rank_volume((8, 9, 7))
    result = LowRankTVSR(2, n_iter=5).predict(low)
    shifted = LowRankTVSR(2, n_iter=5).predict(300 * low.astype(np.float64) - 70)
    np.testing.assert_allclose(shifted, 300 * result - 70, atol=0.02)
    np.testing.assert_array_equal(LowRankTVSR(2, n_iter=5, n_jobs=2).predict(low), result)
    assert LowRankTVSR(2).predict(low[0]).shape == (18, 14)
    constant = LowRankTVSR(2).predict(np.full((4, 5, 6), 9.0))
    np.testing.assert_allclose(constant, 9, atol=1e-3)
    assert LowRankTVSR(3).predict(np.array([[2.0]])).shape == (3, 3)


@pytest.mark.parametrize(
    "name", ["weight", "rank_weight", "order", "ratio", "huber", "n_iter", "tolerance"]
)
def test_wrong_parameters_are_named(name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of LowRankTVSR must be"):
        LowRankTVSR(**{name: -1}).predict(np.ones((4, 4)))


def test_registry_name():
    assert isinstance(make_method("lrtv"), LowRankTVSR)
