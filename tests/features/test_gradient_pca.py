"""Principal components of the gradients: orthonormal, of the energy asked for."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from classicsr.features import GradientPCA, gradient_matrix
from classicsr.patches import windows


@pytest.fixture(scope="module")
def patches(make_texture):
    return windows(make_texture((40, 50), 5), 4)[::2, ::2].reshape(-1, 81)


def moment_of(patches):
    wide = patches.astype(np.float64)
    return wide.T @ wide


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_directions_are_orthonormal_in_gradient_space(scale, patches):
    pca = GradientPCA(scale, 0.99).fit(patches)
    directions = pca.components_.astype(float) @ np.linalg.pinv(gradient_matrix(scale))
    np.testing.assert_allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-5)


@pytest.mark.parametrize("energy", [0.5, 0.9, 0.999])
def test_keeps_the_energy_and_no_component_more(energy, patches):
    pca = GradientPCA(3, energy).fit(patches)
    gradients = patches.astype(float) @ gradient_matrix(3).T
    total = (gradients**2).sum()
    kept = (pca.transform(patches).astype(float) ** 2).sum(axis=0)
    assert kept.sum() >= energy * total * (1 - 1e-5)
    assert kept[:-1].sum() < energy * total
    assert (np.diff(kept) <= 1e-6 * kept[0]).all()  # the strongest first


def test_features_are_uncorrelated(patches):
    features = GradientPCA(2, 0.99).fit_transform(patches).astype(float)
    gram = features.T @ features
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-5 * gram.max())


def test_fit_equals_fit_moment_and_moments_add_up(patches):
    whole = GradientPCA(3).fit(patches)
    np.testing.assert_array_equal(
        GradientPCA(3).fit_moment(moment_of(patches)).components_, whole.components_
    )
    merged = GradientPCA(3).fit_moment(moment_of(patches[:200]) + moment_of(patches[200:]))
    agreement = np.abs(np.einsum("kd,kd->k", merged.components_, whole.components_))
    norms = np.linalg.norm(whole.components_, axis=1) ** 2
    np.testing.assert_allclose(agreement, norms, rtol=1e-3)


def test_transform_is_the_documented_product(patches):
    pca = GradientPCA(2).fit(patches)
    assert pca.components_.dtype == np.float32
    np.testing.assert_array_equal(pca.transform(patches), patches @ pca.components_.T)


def test_scikit_learn_protocol(patches):
    pca = GradientPCA(4, 0.9)
    with pytest.raises(NotFittedError):
        pca.transform(patches)
    assert clone(pca).get_params() == {"scale": 4, "energy": 0.9}
    again = pickle.loads(pickle.dumps(pca.fit(patches)))
    np.testing.assert_array_equal(again.transform(patches), pca.transform(patches))
    with pytest.raises(ValueError, match="must have 81 pixels"):
        GradientPCA().fit(patches[:, :80])
