"""Frames and stacks of slices anywhere in a scene: forward models, places, and what they give."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from classicsr.degradation import BicubicDegradation, SliceProfileDegradation, resize
from classicsr.io import upscaled_affine
from classicsr.metrics import psnr
from classicsr.reconstruction import _rigid_registration
from classicsr.reconstruction._frames import refined
from classicsr.reconstruction._placement import Grid, PlacedDegradation, PlacedFrames, rigid, sample
from classicsr.zoo import make_method

BLOCKS = SliceProfileDegradation(1)
RIM = 6  # of the scene, which the stacks do not show


def scene_of(shape, seed=0):
    """Smooth blobs and a few sharp boxes, float32."""
    rng = np.random.default_rng(seed)
    coordinates = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    image = np.zeros(shape)
    for _ in range(12):
        centre, width = rng.uniform(0, 1, len(shape)) * shape, rng.uniform(1.5, 5)
        square = sum((x - c) ** 2 for x, c in zip(coordinates, centre, strict=True))
        image += rng.uniform(-1, 1) * np.exp(-square / (2 * width**2))
        near = [np.abs(x - c) < 1.5 * width for x, c in zip(coordinates, centre, strict=True)]
        image += 0.3 * rng.uniform(-1, 1) * np.logical_and.reduce(near)
    return ((image - image.min()) / np.ptp(image)).astype(np.float32)


def stacks_of(scene, motions):
    """Thick slices along each axis in turn of all but a rim of the scene, and their grids."""
    frames, grids = [], []
    whole = Grid(scene.shape, np.eye(4))
    inner = np.eye(4)
    inner[:3, 3] = RIM
    for axis, motion in zip((2, 1, 0), motions, strict=True):
        factors = np.where(np.arange(3) == axis, 4, 1)
        shape = (np.array(scene.shape) - 2 * RIM) // factors
        grids.append(Grid(tuple(shape.tolist()), motion @ upscaled_affine(inner, 1 / factors)))
        model = PlacedDegradation.place(BLOCKS, grids[-1], whole)
        assert model.covered.all()
        frames.append(model.forward(scene))
    return frames, grids


def seen(scene):
    return scene[(slice(RIM, -RIM),) * 3]


def turned(step=1.0, n=3):
    angles = np.array([0.03, -0.04, 0.02][: n * (n - 1) // 2])
    return rigid(step * angles, step * np.array([0.6, -0.8, 0.4][:n]), np.full(n, 12.0))


@pytest.mark.parametrize("shape", [(13, 11), (9, 10, 8), (1, 7, 1)])
def test_interpolation_is_that_of_resize_and_whole_samples_are_exact(shape):
    image, n = scene_of(shape), len(shape)
    fine = Grid(shape, np.eye(n + 1)).finer([2.0] * n)
    expected = resize(image, 2.0)
    np.testing.assert_allclose(sample(image, fine.affine, fine.shape), expected, atol=1e-6)
    swapped = np.eye(n + 1)[[*range(n)[::-1], n]]
    np.testing.assert_array_equal(sample(image, swapped, shape[::-1]), image.T)


def test_interpolation_under_rotation_is_close_to_a_spline():
    image, matrix = scene_of((24, 24, 24)), turned()
    expected = affine_transform(image, matrix[:3, :3], matrix[:3, 3], order=3)
    inner = (slice(4, -4),) * 3
    result = sample(image, matrix, image.shape)
    assert np.abs(result[inner] - expected[inner]).max() < 0.05
    line = np.arange(24, dtype=np.float32)  # cubic pieces reproduce straight lines
    plane = np.ascontiguousarray(np.broadcast_to(line[:, None, None], (24, 24, 24)))
    rows = matrix[0, :3] @ np.indices((24, 24, 24)).reshape(3, -1) + matrix[0, 3]
    got = sample(plane, matrix, plane.shape)
    np.testing.assert_allclose(got[inner], rows.reshape(24, 24, 24)[inner], atol=1e-4)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("kind", [BLOCKS, BicubicDegradation(1)])
def test_adjoint(n, kind):
    rng = np.random.default_rng(0)
    scene = Grid((20, 22, 24)[:n], np.eye(n + 1))
    affine = turned(n=n) @ upscaled_affine(np.eye(n + 1), [1, 1 / 3.3, 1 / 2][:n])
    model = PlacedDegradation.place(kind, Grid((23, 6, 14)[:n], affine), scene)
    x = rng.normal(size=scene.shape).astype(np.float32)
    y = rng.normal(size=model.frame.shape).astype(np.float32)
    left = np.sum(model.forward(x) * y, dtype=np.float64)
    right = np.sum(x * model.adjoint(y, x.shape), dtype=np.float64)
    assert 0 < model.covered.mean() < 1
    assert left == pytest.approx(right, rel=1e-5)


def test_what_lies_outside_the_scene_counts_for_nothing():
    scene = Grid((12, 12), np.eye(3))
    far = np.array([[1.0, 0, 7], [0, 1, 0], [0, 0, 1]])
    model = PlacedDegradation.place(BLOCKS, Grid((12, 12), far), scene)
    np.testing.assert_array_equal(model.covered[:5], 1)
    np.testing.assert_array_equal(model.covered[5:], 0)
    data = PlacedFrames((BLOCKS,), (model.frame,), scene).data([np.full((12, 12), 9, np.float32)])
    assert data.value(np.full((12, 12), 9, np.float32)) == 0


@pytest.mark.parametrize(("method", "options"), [("map", {}), ("tv", {"weight": 1e-4})])
def test_three_stacks_are_better_than_one(method, options):
    scene = scene_of((32, 32, 32))
    frames, grids = stacks_of(scene, [np.eye(4), turned(), turned(-1)])
    affines = [grid.affine for grid in grids]
    sr = make_method(
        method, scale=(1, 1, 4), degradation=BLOCKS, n_iter=40, data_range=(0, 1), **options
    )
    single, result = sr.predict(frames[0]), sr.reconstruct(frames, affines=affines)
    truth, inner = seen(scene), (slice(2, -2),) * 3
    before, after = (psnr(truth[inner], x[inner], data_range=1) for x in (single, result))
    assert result.shape == truth.shape
    assert after > before + 4


def test_a_single_stack_is_predicted():
    scene = scene_of((16, 15, 16))
    low = SliceProfileDegradation((1, 1, 4)).forward(scene)
    affine = turned() @ np.diag([1.5, 1.5, 6, 1])
    sr = make_method("tv", scale=(1, 1, 4), degradation=BLOCKS, data_range=(0, 1))
    np.testing.assert_allclose(sr.reconstruct([low], affines=[affine]), sr.predict(low), atol=1e-4)


def test_grid_of_the_result():
    scene = scene_of((20, 21))
    sr = make_method("tv", degradation=BLOCKS, n_iter=20)
    affine = np.diag([2.0, 2.0, 1.0])
    whole = sr.reconstruct([scene], affines=[affine], scale=1)
    part = np.array([[2.0, 0, 10], [0, 2, 12], [0, 0, 1]])
    result = sr.reconstruct([scene], affines=[affine], grid=((8, 9), part))
    np.testing.assert_allclose(result[2:-2, 2:-2], whole[7:11, 8:13], atol=0.02)
    color = np.stack([scene, 1 - scene, scene], axis=-1)
    assert sr.reconstruct([color], affines=[affine], grid=((8, 9), part)).shape == (8, 9, 3)
    thin = sr.reconstruct([np.stack([scene] * 3, axis=-1)], affines=[np.eye(4)], scale=2)
    assert thin.shape == (40, 42, 6)


def test_stacks_of_slices_that_overlap_and_have_gaps():
    scene = scene_of((24, 18, 24), 4)
    models = [
        SliceProfileDegradation((1, 1, 3), thickness=(1, 1, 2)),
        SliceProfileDegradation((3, 1, 1), thickness=(0.4, 1, 1)),
    ]
    frames = [model.forward(scene) for model in models]
    affines = [upscaled_affine(np.eye(4), 1 / np.array(model.scale)) for model in models]
    sr = make_method("tv", scale=(1, 1, 3), degradation=BLOCKS, data_range=(0, 1))

    def quality(**options):
        return psnr(scene, sr.reconstruct(frames, affines=affines, **options), data_range=1)

    assert quality(degradations=models) > quality() + 2
    np.testing.assert_array_equal(
        sr.reconstruct(frames, affines=affines, degradations=[BLOCKS] * 2),
        sr.reconstruct(frames, affines=affines),
    )


def test_gauss_newton_finds_the_place():
    scene = scene_of((32, 32, 32))
    frames, grids = stacks_of(scene, [np.eye(4), turned(), turned()])
    near = turned(-0.3) @ grids[1].affine
    whole = Grid(scene.shape, np.eye(4))
    model = PlacedDegradation.place(BLOCKS, Grid(grids[1].shape, near), whole)
    found = refined(model, scene, frames[1])
    assert misplaced(model.frame, grids[1]) > 0.3
    assert misplaced(found.frame, grids[1]) < 0.03


def misplaced(grid, true):
    """Root mean square distance of the corners from where they are."""
    corners = np.indices((2,) * 3).reshape(3, -1) * (np.array(grid.shape)[:, None] - 1)
    corners = np.vstack([corners, np.ones(8)])
    return np.sqrt(np.mean(np.sum(((grid.affine - true.affine) @ corners) ** 2, axis=0)))


def test_rigid_registration():
    pytest.importorskip("SimpleITK", reason="the extra 'registration' is not installed")
    scene = scene_of((40, 40, 40), 3)
    frames, grids = stacks_of(scene, [np.eye(4), turned(), turned(-1)])
    header = [grid.affine for grid in stacks_of(scene, [np.eye(4)] * 3)[1]]
    given = [Grid(grid.shape, affine) for grid, affine in zip(grids, header, strict=True)]
    found = _rigid_registration.register_rigid(frames, given)
    for start, end, true in list(zip(given, found, grids, strict=True))[1:]:
        assert misplaced(start, true) > 1
        assert misplaced(end, true) < 0.9
    sr = make_method("tv", scale=(1, 1, 4), degradation=BLOCKS, n_iter=10, data_range=(0, 1))
    truth, inner = seen(scene), (slice(4, -4),) * 3

    def quality(**options):
        return psnr(truth[inner], sr.reconstruct(frames, **options)[inner], data_range=1)

    assert quality(affines=header, registration="rigid") > quality(affines=header) + 3


def test_rigid_registration_without_simpleitk(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "SimpleITK", None)
    with pytest.raises(ImportError, match=r"classicsr\[registration\]"):
        make_method("tv").reconstruct([np.eye(8)] * 2, registration="rigid")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"affines": [np.eye(3)]}, "'affines' parameter of TotalVariationSR"),
        ({"affines": [np.eye(3), np.eye(4)]}, "'affines' parameter"),
        ({"affines": [np.eye(3), np.zeros((3, 3))]}, "'affines' parameter"),
        ({"affines": [np.eye(3), np.full((3, 3), np.nan)]}, "'affines' parameter"),
        ({"affines": [np.eye(3), "rigid"]}, "'affines' parameter"),
        ({"affines": [np.eye(3)] * 2, "shifts": [(0, 0)] * 2}, "'shifts' parameter"),
        ({"affines": [np.eye(3)] * 2, "scale": 0.5}, "'scale' parameter"),
        ({"affines": [np.eye(3)] * 2, "grid": ((0, 4), np.eye(3))}, "'grid' parameter"),
        ({"affines": [np.eye(3)] * 2, "grid": ((4, 4, 4), np.eye(4))}, "'grid' parameter"),
        ({"affines": [np.eye(3)] * 2, "grid": 7}, "'grid' parameter"),
        ({"grid": ((4, 4), np.eye(3))}, "'grid' parameter"),
        ({"registration": "elastic"}, "'registration' parameter"),
        ({"degradations": [BLOCKS] * 2}, "'degradations' parameter"),
        ({"affines": [np.eye(3)] * 2, "degradations": [BLOCKS]}, "'degradations' parameter"),
        ({"affines": [np.eye(3)] * 2, "degradations": ["box"] * 2}, "'degradations' parameter"),
        ({"affines": [np.eye(3)] * 2, "degradations": 7}, "'degradations' parameter"),
    ],
)
def test_bad_places(options, message):
    frames = [np.eye(8), np.eye(8)[:5] if "affines" in options else np.eye(8)]
    with pytest.raises(ValueError, match=message):
        make_method("tv").reconstruct(frames, **options)


def test_frames_need_as_many_axes():
    with pytest.raises(ValueError, match="as many axes"):
        make_method("tv").reconstruct([np.eye(8), np.ones((4, 4, 4))], affines=[np.eye(3)] * 2)


def test_constant_and_missing_samples():
    sr = make_method("map", scale=2)
    flat = sr.reconstruct([np.full((6, 7), 5.0)] * 2, affines=[np.eye(3), turned(n=2)])
    np.testing.assert_allclose(flat, 5, atol=1e-5)
    one = sr.reconstruct([np.ones((1, 1))], affines=[np.eye(3)])
    np.testing.assert_allclose(one, 1, atol=1e-5)
    holes = scene_of((12, 12))
    holes[3, 4] = np.nan
    assert np.isfinite(sr.reconstruct([holes], affines=[np.eye(3)])).all()
