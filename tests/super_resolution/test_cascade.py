"""The cascade: agrees with a slow reference, poses, out-of-fold sums, resuming, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from classicsr import CascadeSR, load_model
from classicsr._model_file import ModelFileError, read_model, write_model
from classicsr.degradation import resize
from classicsr.features import centered_emphasis, symmetric_filters
from classicsr.metrics import psnr
from classicsr.regressors._canonical import (
    CanonicalMap,
    CanonicalPose,
    canonical_patches,
    canonical_places,
)
from classicsr.regressors._hash import GramStatistics
from classicsr.super_resolution._cascade_file import pack_nibbles, unpack_nibbles
from classicsr.super_resolution._cascade_images import StoredImage
from classicsr.super_resolution._cascade_training import StagePatches
from classicsr.super_resolution._training import training_pair

SMALL: dict[str, Any] = {
    "n_stages": 3,
    "n_parts": 2,
    "n_cells": 5,
    "n_features": 14,
    "n_folds": 2,
    "data_range": (0, 1),
    "random_state": 0,
}
TURNS = {
    "left to right": lambda a: a[:, ::-1],
    "upside down": lambda a: a[::-1],
    "axes exchanged": lambda a: a.T,
    "turned": lambda a: np.rot90(a),
    "negative": lambda a: 1 - a,
}


def _picture(seed: int, shape: tuple[int, int] = (72, 66)) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(shape)
    picture = ndimage.gaussian_filter(noise, 1.2)
    return (picture - picture.min()) / np.ptp(picture)


PICTURES = [_picture(seed) for seed in range(5)]


@pytest.fixture(scope="module", params=[2, 3])
def fitted(request: pytest.FixtureRequest) -> CascadeSR:
    return CascadeSR(request.param, **SMALL).fit(PICTURES)


def _slow_stage(
    image: np.ndarray, rows: np.ndarray, regressor: CanonicalMap, scale: int
) -> np.ndarray:
    """Add to `image` the mean of the patches predicted from rows (h, w, n), a rim of one more."""
    side, total = 3 * scale, np.zeros([n + 4 * scale for n in image.shape])
    pose, places = regressor.pose, canonical_places(side * side)
    for i, j in np.ndindex(*rows.shape[:2]):
        posed, code = pose.apply(rows[i, j][None], np.zeros(1, np.int64))
        patch = np.zeros(side * side)
        for part in regressor.parts:
            cell = part.partition.cells(posed)[0]
            patch[places[code[0] & 7]] += (-1 if code[0] & 8 else 1) * (posed[0] @ part.maps[cell])
        at = slice(i * scale, i * scale + side), slice(j * scale, j * scale + side)
        total[at] += patch.reshape(side, side)
    inner = slice(2 * scale, -2 * scale)
    return image + total[inner, inner] / 9


def _slowly(sr: CascadeSR, low: np.ndarray) -> np.ndarray:
    scale, margin = sr.native_scale_, 12
    wide = np.pad(low, margin, mode="symmetric").astype(np.float32)
    image = resize(wide, scale).astype(np.float64)
    for number, (filters, regressor) in enumerate(sr.stages_):
        radius, block, seen = (2, scale, image) if number else (4, 1, wide)
        side = (2 * radius + 1) * block
        view = np.lib.stride_tricks.sliding_window_view(seen.astype(np.float32), (side, side))
        rows = view[::block, ::block]
        rows = rows.reshape(*rows.shape[:2], -1) @ filters.T
        edge = radius + 1  # patches of these centres cover everything further inside
        part = image[edge * scale : -edge * scale, edge * scale : -edge * scale]
        image = image.copy()
        image[edge * scale : -edge * scale, edge * scale : -edge * scale] = _slow_stage(
            part, rows, regressor, scale
        )
    return image[margin * scale : -margin * scale, margin * scale : -margin * scale]


def test_agrees_with_a_slow_reference(fitted: CascadeSR) -> None:
    low = _picture(9, (9, 12)).astype(np.float32)
    np.testing.assert_allclose(fitted.predict(low), _slowly(fitted, low), atol=5e-6)


def test_cells_are_those_of_the_nearest_centre(fitted: CascadeSR) -> None:
    partition = fitted.stages_[0][1].parts[1].partition
    posed = np.random.default_rng(0).standard_normal((500, len(partition.weights)))
    seen = posed.astype(np.float32) * partition.weights
    norms = np.linalg.norm(seen, axis=1, keepdims=True)
    queries = seen / norms * np.log1p(5 * norms)
    distances = np.square(queries[:, None] - partition.centers).sum(axis=2)
    ours = distances[np.arange(500), partition.cells(posed.astype(np.float32))]
    assert len(np.unique(distances.argmin(axis=1))) > 1
    np.testing.assert_allclose(ours, distances.min(axis=1), atol=1e-4)


def test_every_stage_helps(fitted: CascadeSR) -> None:
    high, scale = _picture(20), fitted.native_scale_
    low = resize(high, 1 / scale)
    figures = [psnr(high, resize(low, scale), data_range=1.0, crop=scale)]
    for n in (1, 2, 3):
        sr = load_model_copy(fitted).set_params(n_stages=n)
        figures.append(psnr(high, sr.predict(low), data_range=1.0, crop=scale))
    assert figures[1] > figures[0] + 0.5
    assert figures[2] > figures[1]


def load_model_copy(sr: CascadeSR) -> CascadeSR:
    copy = CascadeSR(**sr.get_params())
    copy.stages_, copy.native_scale_ = sr.stages_, sr.native_scale_
    return copy


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_results_turn_with_the_image(fitted: CascadeSR, turn: Any) -> None:
    low = _picture(5, (14, 18))
    np.testing.assert_allclose(fitted.predict(turn(low)), turn(fitted.predict(low)), atol=1e-5)


def test_features_in_canonical_pose_do_not_know_the_pose() -> None:
    windows = np.random.default_rng(0).standard_normal((40, 7, 7))
    moment = np.einsum("nij,nkl->ijkl", windows, windows).reshape(49, 49)
    found = symmetric_filters(moment, centered_emphasis(7, 1, 1.2, 0.9), 20)
    pose = CanonicalPose(found.parities)
    patches = np.random.default_rng(1).standard_normal((40, 6, 6)).astype(np.float32)

    def posed(turn: Any) -> tuple[np.ndarray, np.ndarray]:
        seen = np.array([turn(one) for one in windows]).reshape(40, -1)
        x, codes = pose.apply((seen @ found.filters.T).astype(np.float32), np.arange(40))
        turned = np.array([turn(one) for one in patches]).reshape(40, -1).astype(np.float32)
        return x, canonical_patches(turned, codes)

    plain = posed(lambda a: a)
    for name, turn in TURNS.items():
        sign = (lambda a: -a) if name == "negative" else turn
        for ours, wanted in zip(posed(sign), plain, strict=True):
            np.testing.assert_allclose(ours, wanted, atol=1e-5)


def test_a_constant_image_stays_constant(fitted: CascadeSR) -> None:
    np.testing.assert_allclose(fitted.predict(np.full((5, 6), 0.3)), 0.3, atol=1e-6)


def test_tiles_and_threads_change_nothing(fitted: CascadeSR) -> None:
    low = _picture(6, (40, 37))
    whole = fitted.predict(low)
    tiled = load_model_copy(fitted).set_params(tile_shape=(16, 16), n_jobs=2)
    np.testing.assert_array_equal(tiled.predict(low), whole)


def test_threads_do_not_change_the_fit(fitted: CascadeSR) -> None:
    again = CascadeSR(fitted.scale, **SMALL, n_jobs=2).fit(PICTURES)
    for (_, ours), (_, others) in zip(again.stages_, fitted.stages_, strict=True):
        for one, other in zip(ours.parts, others.parts, strict=True):
            np.testing.assert_array_equal(one.maps, other.maps)


def test_joined_leaves_see_average_samples() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 4)), rng.standard_normal((60, 3))
    leaves = rng.integers(0, 3, 60).astype(np.int32)
    sums = GramStatistics(3, 4, 3)
    sums.add(leaves, x, y)
    sums.join(30.0)
    for leaf, ours in enumerate(sums.maps(0.1)):
        weights = np.where(leaves == leaf, 1.5, 0.5)[:, None]  # 30 of 60: half of each sample
        wanted = np.linalg.solve(x.T @ (weights * x) + 0.1 * np.eye(4), x.T @ (weights * y))
        np.testing.assert_allclose(ours, wanted, atol=1e-6)


def test_stored_images_see_what_prediction_sees(tmp_path: Path) -> None:
    high, scale = _picture(3, (36, 42)).astype(np.float32), 3
    pair = training_pair(resize(high, 1 / scale).astype(np.float32), high, scale)
    from classicsr.super_resolution._patch_tiles import interpolation

    image = StoredImage(tmp_path, "0", 0, pair.low.shape)
    patches = StagePatches(0, scale, 3)
    image.write_pair(pair, patches.margin, interpolation(scale))
    np.testing.assert_allclose(image.high(), high, atol=1e-6)
    np.testing.assert_allclose(
        patches.residuals(image, None)[0],
        pair.residual[: 3 * scale, : 3 * scale].ravel(),
        atol=1e-6,
    )
    np.testing.assert_array_equal(
        patches.windows(image, np.array([13]))[0].reshape(9, 9)[2:, 2:], pair.low[:7, :7]
    )


@pytest.mark.parametrize("killed_at", [2, 4, 6])
def test_an_interrupted_fit_goes_on(fitted: CascadeSR, tmp_path: Path, killed_at: int) -> None:
    folder = tmp_path / "work"

    def kill(done: int, total: int) -> None:
        if done == killed_at:
            raise KeyboardInterrupt

    sr = CascadeSR(fitted.scale, **SMALL, checkpoint=folder)
    with pytest.raises(KeyboardInterrupt):
        sr.fit(PICTURES, progress=kill)
    steps: list[int] = []
    sr.fit(PICTURES, progress=lambda done, total: steps.append(done))
    assert killed_at < 4 or len(steps) < 1 + SMALL["n_stages"] * (SMALL["n_parts"] + 1)
    assert not folder.exists()
    for (_, ours), (_, others) in zip(sr.stages_, fitted.stages_, strict=True):
        for one, other in zip(ours.parts, others.parts, strict=True):
            np.testing.assert_array_equal(one.maps, other.maps)


def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    CascadeSR(2, **SMALL, checkpoint=tmp_path).fit(PICTURES)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_work_of_another_training_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "work"

    def kill(done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CascadeSR(2, **SMALL, checkpoint=folder).fit(PICTURES, progress=kill)
    with pytest.raises(ValueError, match="other settings or images"):
        CascadeSR(2, **SMALL, checkpoint=folder).fit(PICTURES[1:])


def test_one_image_is_enough_and_none_is_not() -> None:
    low = _picture(9, (12, 12))
    sr = CascadeSR(2, **{**SMALL, "n_folds": 4}).fit(PICTURES[:1])
    assert np.isfinite(sr.predict(low)).all()
    with pytest.raises(ValueError, match="smaller than one patch"):
        CascadeSR(2, **SMALL).fit([np.zeros((5, 4))])


def test_pairs_teach_as_images_do(fitted: CascadeSR) -> None:
    scale = fitted.native_scale_
    lows = [resize(one.astype(np.float32), 1 / scale) for one in PICTURES]
    again = CascadeSR(scale, **SMALL).fit(lows, PICTURES)
    low = _picture(9, (12, 12))
    np.testing.assert_allclose(again.predict(low), fitted.predict(low), atol=1e-4)


def test_a_file_keeps_the_model(fitted: CascadeSR, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    high = _picture(30)
    low = resize(high, 1 / fitted.native_scale_)
    kept, ours = (psnr(high, sr.predict(low), data_range=1.0) for sr in (loaded, fitted))
    assert abs(kept - ours) < 0.01
    loaded.save(tmp_path / "again.safetensors")
    again = load_model(tmp_path / "again.safetensors")
    np.testing.assert_allclose(again.predict(low), loaded.predict(low), atol=1e-6)


def test_four_bits_come_back() -> None:
    numbers = np.arange(-8, 7, dtype=np.int8).reshape(3, 5)
    np.testing.assert_array_equal(unpack_nibbles(pack_nibbles(numbers), 5), numbers)


HOSTILE = {
    "parities_0": lambda a: np.zeros_like(a),
    "parities_1": lambda a: a[::-1],
    "weights_0": lambda a: a[:, :-1],
    "centers_1": lambda a: a[:, :-1],
    "maps_2": lambda a: a[..., :-1],
    "steps_0": lambda a: np.full_like(a, 6e4),
    "filters_1": lambda a: a[:, :-1],
    "maps_9": lambda a: None,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(fitted: CascadeSR, tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    model = read_model(path)
    tensors = dict(model.tensors)
    changed = HOSTILE[name](tensors.get(name, np.zeros(1)))
    tensors[name] = np.zeros((2, 2), np.float32) if changed is None else np.array(changed)
    write_model(
        path,
        method=model.method,
        params=model.parameters,
        degradation=model.degradation,
        tensors=tensors,
    )
    with pytest.raises(ModelFileError):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_stages", 0), ("n_cells", 0), ("n_features", 3), ("n_folds", 0), ("prior_samples", 0)],
)
def test_parameters_are_checked(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        CascadeSR(2, **{**SMALL, name: value}).fit(PICTURES)
