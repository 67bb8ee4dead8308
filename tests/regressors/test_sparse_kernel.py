"""Kernel regression over a sparse basis, against kernel ridge regression and finite differences."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge

from classicsr.regressors import SparseKernelRegressor
from classicsr.regressors._kernel_refinement import _gradients, odd_gaussians

MODEL = SparseKernelRegressor(n_basis=40, n_iter=3, random_state=0)


@pytest.fixture(scope="module")
def fitted(patches):
    return clone(MODEL).fit(*patches)


def kernel(a, b, gamma):
    """The linear kernel plus the odd Gaussian one, in double precision."""
    a, b = np.atleast_2d(a).astype(float), np.atleast_2d(b).astype(float)
    r, s = np.linalg.norm(a, axis=1)[:, None], np.linalg.norm(b, axis=1)
    return a @ b.T + r * s * odd_gaussians(a / r, b / s[:, None], gamma)


@pytest.mark.parametrize("ridge", [1e-4, 1e-2])
def test_kernel_ridge_regression_if_every_sample_is_a_basis_point(ridge):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 5)).astype(np.float32)
    Y = np.abs(X[:, :3]) * np.sign(X[:, 3:4]) + X[:, 1:4]
    model = SparseKernelRegressor(n_basis=150, gamma=2.0, ridge=ridge, n_iter=0).fit(X, Y)
    alpha = ridge * (X**2).sum()
    known = KernelRidge(alpha=alpha, kernel="precomputed").fit(kernel(X, X, 2.0), Y)
    fresh = rng.normal(size=(50, 5)).astype(np.float32)
    wanted = known.predict(kernel(fresh, X, 2.0))
    np.testing.assert_allclose(model.predict(fresh), wanted, atol=1e-3 * np.abs(wanted).max())


def test_coefficients_are_optimal(fitted, patches):
    """No gradient of the penalised squared error is left."""
    X, Y = (a.astype(float) for a in patches)
    model = fitted.map_
    points, a, b = (p.astype(float) for p in (model.points, model.coefficients, model.linear))
    r = np.linalg.norm(X, axis=1, keepdims=True)
    features = r * odd_gaussians(X / np.maximum(r, 1e-12), points, model.gamma)
    errors = features @ a + X @ b - Y
    weight = fitted.ridge * (X**2).sum()
    penalty = weight * odd_gaussians(points, points, model.gamma) @ a
    scale = np.abs(features.T @ Y).max()
    np.testing.assert_allclose(features.T @ errors + penalty, 0, atol=1e-4 * scale)
    np.testing.assert_allclose(X.T @ errors + weight * b, 0, atol=1e-4 * np.abs(X.T @ Y).max())


def test_gradients_are_those_of_finite_differences():
    rng = np.random.default_rng(1)
    u, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    lengths = rng.uniform(0.5, 2, (30, 1))
    params = [rng.normal(size=shape) for shape in ((6, 4), (6, 2), (4, 2))]

    def loss():
        values = odd_gaussians(u, params[0], 1.5)
        return ((lengths * (values @ params[1] + u @ params[2]) - Y) ** 2).sum() / 2

    for parameter, gradient in zip(params, _gradients(params, 1.5, u, lengths, Y), strict=True):
        for at in np.ndindex(parameter.shape):
            kept, both = parameter[at], []
            for step in (1e-6, -1e-6):
                parameter[at] = kept + step
                both.append(loss())
            parameter[at] = kept
            np.testing.assert_allclose((both[0] - both[1]) / 2e-6, gradient[at], atol=1e-6)


def test_descent_lowers_the_error(patches):
    X, Y = (np.concatenate([a] * 10) for a in patches)  # enough batches for the rate to matter

    def error(**params):
        model = clone(MODEL).set_params(**params).fit(X, Y)
        return ((model.predict(patches[0]) - patches[1]) ** 2).mean()

    start, moved = error(n_iter=0), error(n_iter=8)
    assert moved < 0.97 * start
    assert start < 0.97 * error(n_iter=0, n_basis=1)


def test_homogeneous_to_the_bit(fitted, patches):
    X = patches[0][::7]
    predicted = fitted.predict(X)
    np.testing.assert_array_equal(fitted.predict(-4 * X), -4 * predicted)
    np.testing.assert_array_equal(fitted.predict(0 * X), 0 * predicted)


def test_same_bits_for_any_thread_count_and_for_the_same_seed(fitted, patches):
    two = clone(MODEL).set_params(n_jobs=2).fit(*patches)
    for name in ("points", "coefficients", "linear"):
        np.testing.assert_array_equal(getattr(two.map_, name), getattr(fitted.map_, name))
    other = clone(MODEL).set_params(random_state=1).fit(*patches)
    assert not np.array_equal(other.map_.points, fitted.map_.points)


def test_bits_of_a_patch_do_not_depend_on_the_others(fitted, patches):
    X = patches[0][:300]
    together = fitted.predict(X)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_array_equal(fitted.predict(X[order]), together[order])
    np.testing.assert_array_equal(fitted.predict(X[123:124]), together[123:124])


def test_pickle_round_trip(fitted, patches):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(patches[0]), fitted.predict(patches[0]))


def test_few_and_empty_patches(patches):
    X, Y = patches
    few = clone(MODEL).fit(X[:5], Y[:5])
    assert np.isfinite(few.predict(X)).all()
    nothing = clone(MODEL).fit(0 * X[:50], Y[:50])
    np.testing.assert_array_equal(nothing.predict(X), 0)
