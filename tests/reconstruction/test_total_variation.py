"""Total variation: other solvers, duality, known solutions, and the super-resolution it gives."""

import numpy as np
import pytest
from skimage.restoration import denoise_tv_chambolle

from classicsr import TotalVariationSR
from classicsr.degradation import BicubicDegradation, SliceProfileDegradation, resize
from classicsr.metrics import psnr
from classicsr.reconstruction import DataTerm, solve_tv, tv_denoise
from classicsr.reconstruction._total_variation_solver import TotalVariation, TotalVariationSolver


def noisy_box(shape, seed=0):
    image = np.random.default_rng(seed).normal(0, 0.1, shape)
    image[tuple(slice(n // 4, n // 2) for n in shape)] += 1
    return image.astype(np.float32)


def denoising_objective(x, image, weight, **options):
    residual = x.astype(np.float64) - image
    return 0.5 * np.sum(residual**2) + TotalVariation(weight, **options).value(x)


def adjoint_of_gradient(p):
    return -sum(
        np.diff(p[a], axis=a, prepend=np.zeros_like(np.take(p[a], [0], a))) for a in range(len(p))
    )


@pytest.mark.parametrize("shape", [(24, 30), (10, 12, 11)])
@pytest.mark.parametrize("weight", [0.02, 0.1])
def test_denoising_is_that_of_scikit_image(shape, weight):
    image = noisy_box(shape)
    ours = tv_denoise(image, weight)
    theirs = denoise_tv_chambolle(image.astype(float), weight, eps=1e-9, max_num_iter=1500)
    best = denoising_objective(ours, image, weight)
    assert best <= denoising_objective(theirs, image, weight) * (1 + 1e-5)
    assert np.abs(ours - theirs).max() < 0.02


@pytest.mark.parametrize("isotropic", [True, False])
@pytest.mark.parametrize("huber", [0, 0.05])
@pytest.mark.parametrize("shape", [(20, 17), (7, 9, 8)])
def test_duality_gap_closes(shape, huber, isotropic):
    """The dual objective is a lower bound for any image: no other solver is needed."""
    image, weight = noisy_box(shape), 0.08
    prior = TotalVariation(weight, isotropic, huber)
    solver = TotalVariationSolver(None, prior, image, anchor=image, anchor_weight=1.0)
    solver.run(600)
    parts = [0, 2] if image.ndim == 2 else [0, 1, 2]
    dual = solver.dual[parts].reshape(-1, *shape).astype(np.float64)
    pull = adjoint_of_gradient(dual)
    bound = np.sum(pull * image) - 0.5 * np.sum(pull**2)
    bound -= huber / (2 * weight) * np.sum(dual**2)
    assert solver.objective() == pytest.approx(bound, rel=1e-4)


def test_two_plateaus():
    """An edge between two plateaus of n samples loses weight / n on either side."""
    edge = np.repeat([0.0, 1.0], 5)[None].repeat(3, axis=0)
    expected = np.repeat([0.04, 0.96], 5)[None].repeat(3, axis=0)
    np.testing.assert_allclose(tv_denoise(edge, 0.2), expected, atol=1e-4)
    np.testing.assert_allclose(tv_denoise(edge, 0.2, isotropic=False), expected, atol=1e-4)


@pytest.mark.parametrize("weight", [1e-3, 5e-3])
@pytest.mark.parametrize("model", [BicubicDegradation((2.0, 2.0)), SliceProfileDegradation(2)])
def test_objective_is_that_of_a_long_run(model, weight, make_texture):
    high = make_texture((28, 32), 0)
    low = model.forward(high)
    data, prior = DataTerm([low], [model], high.shape), TotalVariation(weight)
    solver = TotalVariationSolver(data, prior, resize(low, 2))
    solver.run(800)
    early = solver.objective()
    solver.run(4000)
    assert early <= solver.objective() * (1 + 1e-4)


def test_anchor_pulls(make_texture):
    low, model = make_texture((10, 12), 1), BicubicDegradation(2)
    anchor = make_texture((20, 24), 2)
    held, _ = solve_tv(low, model, (20, 24), 1e-3, anchor=anchor, anchor_weight=1e4)
    np.testing.assert_allclose(held, anchor, atol=1e-3)
    free, _ = solve_tv(low, model, (20, 24), 1e-3, start=anchor)
    pulled, _ = solve_tv(low, model, (20, 24), 1e-3, anchor=anchor, anchor_weight=0.1)
    assert np.linalg.norm(pulled - anchor) < np.linalg.norm(free - anchor)
    assert np.linalg.norm(model.forward(free) - low) < np.linalg.norm(model.forward(pulled) - low)


def test_anchored_problem_without_variation_is_linear(make_texture):
    """Normal equations: the gradient of both quadratic terms is zero."""
    low, model = make_texture((8, 9), 1), SliceProfileDegradation(2)
    anchor = make_texture((16, 18), 2)
    x, _ = solve_tv(
        low, model, (16, 18), 0.0, anchor=anchor, anchor_weight=0.3, n_iter=2000, tolerance=1e-8
    )
    slope = model.adjoint(model.forward(x) - low, x.shape) + 0.3 * (x - anchor)
    assert np.abs(slope).max() < 1e-5


@pytest.mark.parametrize("shape", [(48, 40), (16, 20, 18)])
def test_beats_interpolation_on_flat_regions(shape):
    rng = np.random.default_rng(0)
    high = np.zeros(shape)
    for _ in range(6):
        corner = [rng.integers(0, n - 6) for n in shape]
        sides = [slice(a, a + rng.integers(5, n)) for a, n in zip(corner, shape, strict=True)]
        high[tuple(sides)] += 1
    model = SliceProfileDegradation((2.0,) * len(shape))
    low = model.forward(high)
    sr = TotalVariationSR((2,) * len(shape), order=1, degradation=model)
    gain = psnr(high, sr.predict(low), data_range=6) - psnr(high, resize(low, 2), data_range=6)
    assert gain > 0.5
    assert sr.convergence_.n_iter > 0


def test_factors_per_axis(make_texture):
    volume = np.stack([make_texture((20, 22), seed) for seed in range(5)], axis=-1)
    model = SliceProfileDegradation((1, 1, 3))
    result = TotalVariationSR((1, 1, 3), degradation=model).predict(volume)
    assert result.shape == (20, 22, 15)
    assert np.abs(model.forward(result) - volume).max() < 0.02


@pytest.mark.parametrize(
    ("name", "value"),
    [("weight", -1), ("weight", np.nan), ("huber", "a"), ("ratio", -1), ("order", 3),
     ("isotropic", 1), ("n_iter", -1), ("tolerance", -1e-3)],
)  # fmt: skip
def test_parameters(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of TotalVariationSR must be"):
        TotalVariationSR(**{name: value}).predict(np.zeros((4, 4)))
