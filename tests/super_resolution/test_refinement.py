"""Refinement stages against a slow reference on the high-resolution grid."""

import numpy as np
import pytest

from classicsr import DualDictionarySR
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.features import estimate_gradient_matrix
from classicsr.features._gradients import derivative_filters
from classicsr.kernels.lanes import LANES
from classicsr.patches import EstimatePair, PatchSamples, TrainingPair, mirrored
from classicsr.super_resolution._filter_bank import FilterBank
from classicsr.super_resolution._patch_tiles import PatchTiles
from classicsr.super_resolution._refinement import RefinedTiles, Refinement, estimate_pairs
from classicsr.zoo import load_model


class Linear:
    """A linear regressor in float64: ``rows @ matrix``."""

    def __init__(self, matrix):
        self.matrix = matrix

    def predict_rows(self, rows, positions, out):
        out[:] = 0
        features = rows[positions, : len(self.matrix)]
        out[:, : self.matrix.shape[1]] = features.astype(float) @ self.matrix


def make_stages(scale, n_stages, seed=0):
    """The first stage and `n_stages` more, with random filters and regressors."""
    rng = np.random.default_rng(seed)
    regressors = [
        Linear(0.02 * rng.standard_normal((6, (3 * scale) ** 2))) for _ in range(n_stages + 1)
    ]
    first = PatchTiles(scale, 0.1 * rng.standard_normal((6, 81)).astype("f4"), regressors[0])
    shape = (6, (5 * scale) ** 2)
    filters = [0.1 * rng.standard_normal(shape).astype("f4") for _ in range(n_stages)]
    return first, filters, regressors[1:]


def slow_refinement(estimate, scale, filters, matrix):
    """Every window cut out of the large image, every patch added to it, one by one."""
    height, width = (n // scale for n in estimate.shape)
    added, count = np.zeros(estimate.shape), np.zeros(estimate.shape)
    for i in range(2, height - 2):
        for j in range(2, width - 2):
            top, left = (i - 2) * scale, (j - 2) * scale
            window = estimate[top : top + 5 * scale, left : left + 5 * scale].astype(float)
            patch = (filters.astype(float) @ window.ravel()) @ matrix
            inside = (slice(top + scale, top + 4 * scale), slice(left + scale, left + 4 * scale))
            added[inside] += patch.reshape(3 * scale, 3 * scale)
            count[inside] += 1
    margin = 3 * scale
    inside = (slice(margin, -margin),) * 2
    assert (count[inside] == 9).all()
    return (estimate + added / 9)[inside]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_stage_equals_the_slow_reference(scale):
    _, (filters,), (regressor,) = make_stages(scale, 1)
    estimate = np.random.default_rng(1).random((9 * scale, 12 * scale), dtype="f4")
    found = Refinement(scale, filters, regressor).refine(estimate)
    expected = slow_refinement(estimate, scale, filters, regressor.matrix)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("n_stages", [0, 1, 3])
def test_any_part_of_a_block_gives_the_same_bits(n_stages):
    first, filters, regressors = make_stages(2, n_stages)
    stages = [Refinement(2, *stage) for stage in zip(filters, regressors, strict=True)]
    tiles = RefinedTiles(first, stages)
    assert tiles.halo == first.halo + 3 * n_stages
    margin = 2 * tiles.halo
    block = np.random.default_rng(2).random((23 + margin, 19 + margin), dtype="f4")
    for only in (False, True):
        whole = tiles.upscale(block, interpolate_only=only)
        part = tiles.upscale(block[5 : 16 + margin, 3 : 10 + margin], interpolate_only=only)
        np.testing.assert_array_equal(part, whole[10:32, 6:20])


def test_pairs_of_the_next_stage_hold_estimate_and_what_it_lacks(make_texture):
    from classicsr.degradation import BicubicDegradation, resize

    high = make_texture((160, 52), 3)  # more than one tile
    low = BicubicDegradation(2).forward(high)
    first, filters, regressors = make_stages(2, 1)
    tiles = RefinedTiles(first, [Refinement(2, filters[0], regressors[0])])
    (pair,) = estimate_pairs([TrainingPair(low, high - resize(low, 2))], tiles, None)
    reach = tiles.halo
    block = low[np.ix_(*(mirrored(-reach, n + reach, n) for n in low.shape))]
    estimate = tiles.upscale(block, interpolate_only=False)
    np.testing.assert_array_equal(pair.estimate[4:-4, 4:-4], estimate)
    np.testing.assert_allclose(pair.residual, high - estimate, atol=1e-6)


def test_samples_of_an_estimate_are_its_windows():
    rng = np.random.default_rng(0)
    scale, shape = 3, (5, 7)
    estimate = rng.random([(n + 4) * scale for n in shape], dtype="f4")
    residual = rng.random([n * scale for n in shape], dtype="f4")
    samples = PatchSamples(
        [EstimatePair(estimate, residual)],
        scale=scale,
        span=3,
        radius=2,
        n_samples=None,
        random_state=np.random.RandomState(0),
    )
    windows, patches = [], []
    for i in range(1, 4):
        for j in range(1, 6):
            windows.append(estimate[3 * i : 3 * i + 15, 3 * j : 3 * j + 15].ravel())
            patches.append(residual[3 * i - 3 : 3 * i + 6, 3 * j - 3 : 3 * j + 6].ravel())
    np.testing.assert_array_equal(samples.features(np.eye(225, dtype="f4")), windows)
    np.testing.assert_array_equal(samples.targets(), patches)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_gradients_of_an_estimate(scale):
    window = np.random.default_rng(0).random((5 * scale, 5 * scale))
    inside = np.arange(scale, 4 * scale)
    expected = []
    for taps in derivative_filters(scale):
        vertical = sum(w * window[np.ix_(inside + k, inside)] for k, w in taps.items())
        horizontal = sum(w * window[np.ix_(inside, inside + k)] for k, w in taps.items())
        expected += [vertical.ravel(), horizontal.ravel()]
    found = estimate_gradient_matrix(scale) @ window.ravel()
    np.testing.assert_allclose(found, np.concatenate(expected), atol=1e-12)


def test_filters_of_an_image_given_as_its_phases():
    scale, height, width = 3, 6, 8
    rng = np.random.default_rng(0)
    image = rng.random((height * scale, width * scale), dtype="f4")
    filters = rng.standard_normal((4, (3 * scale) ** 2)).astype("f4")
    bank = FilterBank(filters, scale)
    assert bank.radius == 1
    pixels = np.zeros(image.size + 2 * LANES, np.float32)
    phases = [image[p::scale, q::scale] for p in range(scale) for q in range(scale)]
    pixels[: image.size] = np.ravel(phases)
    found = bank.responses(pixels, width, width + 1, 3 * width, height * width)
    for i in range(3):
        for j in range(width - 2):
            window = image[i * scale : (i + 3) * scale, j * scale : (j + 3) * scale].ravel()
            np.testing.assert_allclose(found[i * width + j, :4], filters @ window, atol=1e-5)


@pytest.fixture(scope="module")
def dual(training_images):
    sr = DualDictionarySR(2, n_atoms=48, n_iter=3, n_levels=1, random_state=0)
    return sr.fit(training_images)


def test_the_second_stage_helps(dual, make_texture):
    from classicsr.degradation import BicubicDegradation

    unseen = [make_texture((80, 96), seed) for seed in range(60, 66)]
    low = [BicubicDegradation(2).forward(image) for image in unseen]
    first = DualDictionarySR(2)
    first.__dict__.update({k: v for k, v in dual.__getstate__().items() if k.endswith("_")})
    first.refinements_ = []
    assert dual.score(low, unseen) > first.score(low, unseen) + 0.1


SPOILED = {
    "second filters short": ("filters_second", lambda a: a[:-1]),
    "second filters of another scale": ("filters_second", lambda a: np.repeat(a, 2, axis=1)),
    "second low atoms narrow": ("low_atoms_second", lambda a: a[:, :-1]),
    "second high atoms fewer": ("high_atoms_second", lambda a: a[:-1]),
    "second high atoms wide": ("high_atoms_second", lambda a: np.repeat(a, 2, axis=1)),
    "second high atoms missing": ("high_atoms_second", None),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_spoiled_second_stage(spoiled, dual, tmp_path):
    name, spoil = SPOILED[spoiled]
    dual.save(tmp_path / "good.safetensors")
    model = read_model(tmp_path / "good.safetensors")
    tensor = model.tensors.pop(name)
    tensors = model.tensors | ({name: spoil(tensor)} if spoil else {})
    write_model(
        tmp_path / "bad.safetensors",
        method=model.method,
        params=model.parameters,
        tensors=tensors,
        degradation=model.degradation,
    )
    with pytest.raises(ModelFileError, match="_second'"):
        load_model(tmp_path / "bad.safetensors")
