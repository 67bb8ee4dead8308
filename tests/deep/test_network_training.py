"""Training: losses, samples, what is logged, and going on after an interruption."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from classicsr._tensor_file import ModelFileError  # noqa: E402
from classicsr.deep import NetworkSR  # noqa: E402
from classicsr.deep import _training as training  # noqa: E402
from classicsr.deep._losses import PIXEL_TERMS, AdversarialGame  # noqa: E402
from classicsr.deep._perceptual import _vgg19  # noqa: E402
from classicsr.deep._samples import NetworkPair, PatchSampler  # noqa: E402
from classicsr.degradation import BicubicDegradation, resize  # noqa: E402

QUICK = {"batch_size": 2, "patch_size": 10, "random_state": 0}


@pytest.fixture(scope="module")
def images(make_texture):
    return [make_texture((60, 66), seed) for seed in range(3)]


def reference_loss(name, a, b):
    """The terms in NumPy."""
    d = a - b
    if name == "edge":
        total = []
        for image in d.reshape(-1, *d.shape[-2:]):
            for kernel in (SOBEL, SOBEL.T):
                windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
                total.append(np.abs((windows * kernel).sum((-2, -1))))
        return np.mean(total)
    if name == "tv":
        return np.abs(np.diff(a, axis=-1)).mean() + np.abs(np.diff(a, axis=-2)).mean()
    values = {"l1": np.abs(d), "mse": d**2, "charbonnier": np.sqrt(d**2 + 1e-6)}
    return values[name].mean()


SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8


@pytest.mark.parametrize("name", PIXEL_TERMS)
def test_losses(name):
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 2, 3, 7, 8))
    loss = PIXEL_TERMS[name](torch.from_numpy(a), torch.from_numpy(b))
    assert float(loss) == pytest.approx(reference_loss(name, a, b), rel=1e-6)


@pytest.mark.parametrize("relativistic", [False, True])
def test_adversarial_losses(relativistic):
    """Cross-entropies of the two games, for a discriminator that gives the mean as its logit."""

    class Mean(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.tensor(2.0))

        def forward(self, x):
            return self.gain * x.mean((1, 2, 3))[:, None]

    game = AdversarialGame(Mean(), relativistic, 1e-3)
    made, real = torch.rand(4, 1, 5, 5), torch.rand(4, 1, 5, 5)
    a, b = (2 * x.mean((1, 2, 3)).numpy().astype(float) for x in (made, real))

    def log_sigmoid(z):
        return -np.log1p(np.exp(-z))

    expected_generator = -log_sigmoid(a).mean()
    expected_judge = -log_sigmoid(b).mean() - log_sigmoid(-a).mean()
    if relativistic:
        expected_generator = -(log_sigmoid(a - b.mean()) + log_sigmoid(a.mean() - b)).mean() / 2
        expected_judge = -(log_sigmoid(b - a.mean()) + log_sigmoid(b.mean() - a)).mean() / 2
    assert game.generator_loss(made, real).item() == pytest.approx(expected_generator, rel=1e-5)
    assert game.train_discriminator(made, real) == pytest.approx(expected_judge, rel=1e-5)
    assert game.discriminator.gain.item() != 2


def test_patches_of_a_batch_belong_together(make_texture):
    """Reducing the target of each patch gives its input, within the patch."""
    pairs = []
    for seed in range(2):
        high = np.stack([make_texture((48, 60), 3 * seed + c) for c in range(3)])
        low = np.stack([BicubicDegradation(3).forward(plane) for plane in high])
        pairs.append(NetworkPair(low.astype(np.float32), high))
    sampler = PatchSampler(
        pairs, scale=3, patch_size=12, batch_size=20, seed=0, interpolated=False, residual=True
    )
    inputs, bases, targets = sampler.batch(4)
    assert inputs.shape == (20, 3, 12, 12)
    assert targets.shape == bases.shape == (20, 3, 36, 36)
    inner = (slice(3, -3), slice(3, -3))
    for low, base, high in zip(inputs, bases, targets, strict=True):
        reduced = resize(high, (1, 1 / 3, 1 / 3))
        np.testing.assert_allclose(reduced[:, *inner], low[:, *inner], atol=1e-5)
        enlarged = resize(low, (1, 3, 3))
        np.testing.assert_allclose(base[:, 9:-9, 9:-9], enlarged[:, 9:-9, 9:-9], atol=1e-5)
    np.testing.assert_array_equal(sampler.batch(4)[0], inputs)
    assert not np.array_equal(sampler.batch(5)[0], inputs)
    up = PatchSampler(
        pairs, scale=3, patch_size=99, batch_size=2, seed=0, interpolated=True, residual=True
    )
    assert up.patch_size == 16
    np.testing.assert_array_equal(*up.batch(0)[:2])
    direct = PatchSampler(
        pairs, scale=3, patch_size=99, batch_size=2, seed=0, interpolated=True, residual=False
    )
    np.testing.assert_array_equal(direct.batch(0)[0], up.batch(0)[0])
    assert not direct.batch(0)[1].any()


def test_loss_goes_down_and_every_term_is_logged(images):
    loss = {"mse": 1.0, "edge": 0.1, "tv": 1e-4, "perceptual": 0}
    sr = NetworkSR(2, "espcn", loss=loss, n_steps=150, learning_rate=3e-3, **QUICK).fit(images)
    assert sr.history_[0].keys() == {"step", "seconds", "learning_rate", "mse", "edge", "tv"}
    errors = [line["mse"] for line in sr.history_]
    assert np.mean(errors[-30:]) < 0.8 * np.mean(errors[:10])
    low = resize(images[0], 0.5)
    bicubic = resize(low, 2)
    better = np.square(sr.predict(low, data_range=(0, 1)) - images[0]).mean()
    assert better < np.square(bicubic - images[0]).mean()


@pytest.mark.parametrize("network", ["srcnn", "espcn"])
def test_networks_may_give_the_image_itself(network, images):
    """What was trained and what is predicted agree: the loss at the end is that of the result."""
    settings = {**QUICK, "residual": False, "loss": "mse", "n_steps": 150, "learning_rate": 2e-3}
    sr = NetworkSR(2, network, **settings).fit(images)
    result = sr.predict(resize(images[0], 0.5), data_range=(0, 1))
    assert np.square(result - images[0]).mean() < 3 * sr.history_[-1]["mse"]


def test_srgan_trains_both_sides(images):
    rgb = [np.stack([image] * 3, axis=-1) for image in images[:1]]
    loss = {"l1": 1.0, "adversarial": 1e-3}
    sr = NetworkSR(2, "srgan", loss=loss, n_steps=2, **QUICK).fit(rgb)
    assert {"l1", "adversarial", "discriminator"} <= sr.history_[-1].keys()
    assert sr.predict(rgb[0][:8, :8]).shape == (16, 16, 3)


def test_perceptual_loss_needs_weights_of_the_user(images, tmp_path):
    with pytest.raises(ValueError, match="needs 'vgg_weights'"):
        NetworkSR(2, "esrgan", n_steps=1, **QUICK).fit(images[:1])
    path = tmp_path / "vgg.pth"
    state = {f"features.{name}": tensor for name, tensor in _vgg19().state_dict().items()}
    torch.save(state, path)
    loss = {"perceptual": 1.0}
    params = {**QUICK, "patch_size": 16}
    sr = NetworkSR(2, "espcn", loss=loss, vgg_weights=path, n_steps=1, **params).fit(images[:1])
    assert sr.history_[-1]["perceptual"] > 0
    state["features.0.weight"] = torch.zeros(64, 3, 5, 5)
    torch.save(state, path)
    with pytest.raises(ModelFileError, match=r"features\.0\.weight.* must have shape"):
        NetworkSR(2, "espcn", loss=loss, vgg_weights=path, n_steps=1, **params).fit(images[:1])


class Interrupted(Exception):
    pass


@pytest.mark.parametrize(
    ("network", "params"),
    [
        ("fsrcnn", {"loss": "mse"}),
        ("vdsr", {}),
        ("srgan", {"loss": {"l1": 1, "relativistic": 0.1}}),
    ],
)
def test_training_goes_on_where_it_was(network, params, images, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "_CHECKPOINT_SECONDS", 0.0)
    settings = {**QUICK, **params, "n_steps": 3}
    straight = NetworkSR(2, network, **settings).fit(images[:1])

    def interrupt(done, total):
        if done == 2:
            raise Interrupted

    path = tmp_path / "training.safetensors"
    sr = NetworkSR(2, network, checkpoint=path, **settings)
    with pytest.raises(Interrupted):
        sr.fit(images[:1], progress=interrupt)
    steps = []
    sr.fit(images[:1], progress=lambda done, total: steps.append(done))
    assert steps == [2, 3]
    for name, weights in straight.weights_.items():
        np.testing.assert_array_equal(sr.weights_[name], weights)
    assert [line["step"] for line in sr.history_] == [1, 2, 3]
    again = NetworkSR(2, network, checkpoint=path, **settings).fit(images[:1])
    np.testing.assert_array_equal(*(next(iter(one.weights_.values())) for one in (sr, again)))


def test_checkpoints_of_others_are_refused(images, tmp_path):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "training.safetensors"
    settings = {**QUICK, "checkpoint": path, "n_steps": 2}
    NetworkSR(2, "espcn", **settings).fit(images[:1])
    with pytest.raises(ModelFileError, match=r"learning_rate .* another training"):
        NetworkSR(2, "espcn", learning_rate=0.5, **settings).fit(images[:1])
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        metadata = file.metadata()
    arrays = load_file(path)
    for change in (
        {"network.0.weight": np.zeros((3, 3), np.float32)},
        {"network.0.bias": np.full(64, np.nan, np.float32)},
        {"other": np.zeros(3, np.float32)},
    ):
        save_file({**arrays, **change}, path, metadata)
        with pytest.raises(ModelFileError, match=next(iter(change))):
            NetworkSR(2, "espcn", **settings).fit(images[:1])
    save_file(arrays, path, {"classicsr-training": "{}"})
    with pytest.raises(ModelFileError, match="state"):
        NetworkSR(2, "espcn", **settings).fit(images[:1])


def on(device: str, images, **changes) -> NetworkSR:
    settings = {**QUICK, "n_steps": 60, "learning_rate": 3e-3, "device": device} | changes
    return NetworkSR(2, "espcn", loss="mse", **settings).fit(images)


def test_mixed_precision_learns_the_same(images):
    """bfloat16 has three digits: the weights differ, what is learned hardly does."""
    full, mixed = on("cpu", images), on("cpu", images, mixed_precision=True)
    last = [np.mean([line["mse"] for line in sr.history_[-10:]]) for sr in (full, mixed)]
    assert last[1] == pytest.approx(last[0], rel=0.05)
    assert any(not np.array_equal(full.weights_[k], mixed.weights_[k]) for k in full.weights_)
    assert all(weight.dtype == np.float32 for weight in mixed.weights_.values())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no GPU here")
@pytest.mark.parametrize("mixed_precision", [False, True])
def test_a_gpu_learns_and_predicts_the_same(images, mixed_precision):
    low = resize(images[0], 0.5)
    gpu = on("cuda", images, mixed_precision=mixed_precision)
    cpu = on("cpu", images, mixed_precision=mixed_precision)
    ends = [sr.history_[-1]["mse"] for sr in (gpu, cpu)]
    assert ends[0] == pytest.approx(ends[1], rel=0.05)
    results = [gpu.set_params(device=name).predict(low) for name in ("cuda", "cpu")]
    np.testing.assert_allclose(*results, atol=1e-3)


def test_time_limit_ends_training(images):
    sr = NetworkSR(2, "espcn", max_seconds=0.2, **QUICK).fit(images[:1])
    last = sr.history_[-1]
    assert 0 < last["step"] < 50_000
    assert last["seconds"] < 5


def test_diverging_training_is_told(images):
    with pytest.raises(ValueError, match="smaller 'learning_rate'"):
        NetworkSR(2, "vdsr", learning_rate=1e30, clip=0, n_steps=50, **QUICK).fit(images[:1])


def test_pairs_of_the_user(images):
    lows = [resize(image, 0.5) for image in images]
    sr = NetworkSR(2, "espcn", n_steps=1, **QUICK).fit(lows, images)
    assert sr.native_scale_ == 2
    rgb = [np.stack([image] * 3, axis=-1) for image in images]
    small = [np.stack([low] * 3, axis=-1) for low in lows]
    NetworkSR(2, "edsr", n_steps=1, **QUICK).fit(small, rgb)
    for network, x, y in (("espcn", lows, images), ("edsr", small, rgb)):
        with pytest.raises(ValueError, match="2"):
            NetworkSR(2, network, n_steps=1, **QUICK).fit(x, y[:2])
        with pytest.raises(ValueError, match="2 times as large"):
            NetworkSR(2, network, n_steps=1, **QUICK).fit(y, y)
