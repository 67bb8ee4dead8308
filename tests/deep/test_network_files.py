"""Networks in files: the same predictions, nothing hostile is built, published names are known."""

from __future__ import annotations

import pickle
import struct

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from classicsr import load_model  # noqa: E402
from classicsr._model_file import ModelFileError, read_model, write_model  # noqa: E402
from classicsr.cli import main  # noqa: E402
from classicsr.deep import NetworkSR, convert_weights  # noqa: E402
from classicsr.deep._architectures import ARCHITECTURES  # noqa: E402
from classicsr.deep._weights import weights_of  # noqa: E402

QUICK = {"n_steps": 1, "batch_size": 1, "patch_size": 10, "loss": "l1", "random_state": 0}


@pytest.fixture(scope="module")
def espcn(training_images):
    return NetworkSR(3, "espcn", self_ensemble=True, **QUICK).fit(training_images[:1])


@pytest.mark.parametrize(("network", "variant"), [("srcnn", "9-1-5"), ("srgan", None)])
def test_round_trip(network, variant, training_images, tmp_path):
    sr = NetworkSR(2, network, variant, data_range=(0, 1), **QUICK).fit(training_images[:1])
    path, image = tmp_path / "m.safetensors", training_images[1][:12, :15]
    sr.save(path)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict(image), sr.predict(image))
    assert loaded.get_params()["variant"] == variant
    assert read_model(path).method == network


def test_calibration_is_stored(espcn, training_images, tmp_path):
    path = tmp_path / "m.safetensors"
    sr = pickle.loads(pickle.dumps(espcn)).calibrate(training_images[1:3])
    sr.save(path)
    low = training_images[3][:20, :20]
    with pytest.warns(UserWarning, match="unlike"):
        results = [model.predict(low, return_std=True) for model in (sr, load_model(path))]
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize(
    ("tensors", "params", "message"),
    [
        ({"0.weight": np.zeros((64, 1, 3, 3), np.float32)}, {}, r"'0\.weight' must have shape"),
        ({"0.weight": np.zeros((64, 1, 5, 5), np.int32)}, {}, r"'0\.weight' must hold floats"),
        ({"0.weight": None}, {}, r"'0\.weight' is missing"),
        ({"9.weight": np.zeros(3, np.float32)}, {}, r"'9\.weight' is not part of"),
        ({}, {"variant": "9-1-5"}, "variant"),
        ({}, {"variant": 7}, "variant"),
        ({}, {"residual": "yes"}, "residual"),
        ({}, {"native_scale": 2}, "must have shape"),
        ({}, {"native_scale": 10**9}, "native_scale"),
        ({}, {"network": "edsr"}, "network"),
        ({}, {"checkpoint": "/etc/passwd"}, "checkpoint"),
    ],
)
def test_hostile_models_are_refused(tensors, params, message, espcn, tmp_path):
    path = tmp_path / "m.safetensors"
    espcn.save(path)
    model = read_model(path)
    changed = {k: v for k, v in {**model.tensors, **tensors}.items() if v is not None}
    write_model(path, method="espcn", params={**model.parameters, **params}, tensors=changed,
                degradation=model.degradation)  # fmt: skip
    with pytest.raises(ModelFileError, match=message):
        load_model(path)


def test_a_model_of_another_method_is_refused(espcn, tmp_path):
    path = tmp_path / "m.safetensors"
    espcn.save(path)
    model = read_model(path)
    for method, message in (("vdsr", "missing|shape"), ("edsr", "missing"), ("swinir", "missing")):
        write_model(path, method=method, params=model.parameters, tensors=model.tensors)
        with pytest.raises(ModelFileError, match=message):
            load_model(path)


def test_negative_variances_are_refused(training_images, tmp_path):
    sr = NetworkSR(2, "srgan", **QUICK).fit(training_images[:1])
    name = next(name for name in sr.weights_ if name.endswith("running_var"))
    sr.weights_[name] = -sr.weights_[name]
    path = tmp_path / "m.safetensors"
    sr.save(path)
    with pytest.raises(ModelFileError, match=r"running_var.* must not be negative"):
        load_model(path)


# ---- published weights ------------------------------------------------------------------------


class Dense(nn.Module):
    """BasicSR's residual dense block."""

    def __init__(self):
        super().__init__()
        for n in range(5):
            setattr(self, f"conv{n + 1}", nn.Conv2d(64 + 32 * n, 32 if n < 4 else 64, 3, 1, 1))

    def forward(self, x):
        act = nn.functional.leaky_relu
        x1 = act(self.conv1(x), 0.2)
        x2 = act(self.conv2(torch.cat((x, x1), 1)), 0.2)
        x3 = act(self.conv3(torch.cat((x, x1, x2), 1)), 0.2)
        x4 = act(self.conv4(torch.cat((x, x1, x2, x3), 1)), 0.2)
        return self.conv5(torch.cat((x, x1, x2, x3, x4), 1)) * 0.2 + x


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = Dense(), Dense(), Dense()

    def forward(self, x):
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class PublishedRRDB(nn.Module):
    """BasicSR's RRDBNet for x4."""

    def __init__(self):
        super().__init__()
        self.conv_first = nn.Conv2d(3, 64, 3, 1, 1)
        self.body = nn.Sequential(*(Block() for _ in range(23)))
        for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
            setattr(self, name, nn.Conv2d(64, 64, 3, 1, 1))
        self.conv_last = nn.Conv2d(64, 3, 3, 1, 1)

    def forward(self, x):
        act, up = nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2, mode="nearest")
        x = self.conv_first(x)
        x = x + self.conv_body(self.body(x))
        x = act(self.conv_up2(up(act(self.conv_up1(up(x))))))
        return self.conv_last(act(self.conv_hr(x)))


def test_published_rrdb_gives_the_same_image(tmp_path):
    torch.manual_seed(0)
    published, path = PublishedRRDB(), tmp_path / "RRDB.pth"
    torch.save({"params_ema": published.state_dict()}, path)
    sr = convert_weights(path, "esrgan", 4)
    image = np.random.default_rng(0).random((6, 7, 3), np.float32)
    with torch.inference_mode():
        expected = published(torch.from_numpy(image.transpose(2, 0, 1))[None])[0]
    result = sr.predict(image, data_range=(0, 1))
    np.testing.assert_allclose(result, expected.numpy().transpose(1, 2, 0), atol=1e-5)


PUBLISHED = {
    ("srcnn", None): {"0": "conv1", "4": "conv3"},
    ("fsrcnn", None): {"1": "first_part.1", "2": "mid_part.0", "13": "mid_part.11",
                       "14": "last_part"},
    ("espcn", None): {"2": "first_part.2", "4": "last_part.0"},
    ("vdsr", None): {"0": "input", "2": "residual_layer.0.conv", "36": "residual_layer.17.conv",
                     "38": "output"},
    ("edsr", None): {"first": "head.0", "body.3.body.2": "body.3.body.2", "body.16": "body.16",
                     "upsample.2": "tail.0.2", "last": "tail.1"},
    ("edsr", "basicsr"): {"first": "conv_first", "body.3.body.2": "body.3.conv2",
                          "body.16": "conv_after_body", "upsample.2": "upsample.2",
                          "last": "conv_last"},
    ("rcan", None): {"body.4.body.7.body.2": "body.4.body.7.body.2",
                     "body.4.body.7.attention.3": "body.4.body.7.body.3.conv_du.2",
                     "body.4.body.20": "body.4.body.20", "body.10": "body.10"},
    ("rcan", "basicsr"): {"body.4.body.7.body.2": "body.4.residual_group.7.rcab.2",
                          "body.4.body.7.attention.1": "body.4.residual_group.7.rcab.3.attention.1",
                          "body.4.body.20": "body.4.conv", "body.10": "conv_after_body"},
    ("swinir", "light"): {
        "norm_in": "patch_embed.norm", "norm_out": "norm", "after_body": "conv_after_body",
        "groups.1.layers.2.attention.qkv": "layers.1.residual_group.blocks.2.attn.qkv",
        "groups.1.layers.2.norm1": "layers.1.residual_group.blocks.2.norm1",
        "groups.1.layers.2.mlp.2": "layers.1.residual_group.blocks.2.mlp.fc2",
        "groups.3.conv": "layers.3.conv", "upsample.0": "upsample.0",
    },
    ("swinir", "classical"): {"upsample.0": "conv_before_upsample.0", "upsample.2.2": "upsample.2",
                              "upsample.3": "conv_last"},
    ("esrgan", None): {"body.5.blocks.2.layers.0": "RRDB_trunk.5.RDB3.conv1",
                       "body.23": "trunk_conv", "upsample.1": "upconv2", "full": "HRconv"},
}  # fmt: skip
"""Names of layers here and in published files."""


@pytest.mark.parametrize(("network", "variant"), PUBLISHED)
def test_published_names(network, variant, tmp_path):
    """Layers under their published names arrive; the others keep ours, which are known as well."""
    names, own = PUBLISHED[network, variant], None if variant == "basicsr" else variant
    architecture = ARCHITECTURES[network]
    torch.manual_seed(0)
    module = architecture.build(own or next(iter(architecture.variants)), 4)
    weights = weights_of(module)
    state = {}
    for name, array in weights.items():
        layer, _, kind = name.rpartition(".")
        state[f"{names.get(layer, layer)}.{kind}"] = torch.from_numpy(array)
    state["sub_mean.weight"] = torch.zeros(3)
    path = tmp_path / "published.pt"
    torch.save(state, path)
    sr = convert_weights(path, network, 4, own)
    for name, array in weights.items():
        np.testing.assert_array_equal(sr.weights_[name], array)


def test_position_bias_and_missing_biases(tmp_path):
    path = tmp_path / "published.pt"
    weights = weights_of(ARCHITECTURES["swinir"].build("light", 2))
    table = "groups.0.layers.1.attention.bias"
    state = {name: torch.from_numpy(array) for name, array in weights.items() if name != table}
    prefix = "layers.0.residual_group.blocks.1.attn"
    state[f"{prefix}.relative_position_bias_table"] = torch.full((225, 6), 0.5)
    state[f"{prefix}.relative_position_index"] = torch.zeros(64, 64, dtype=torch.int64)
    torch.save(state, path)
    assert (convert_weights(path, "swinir", 2).weights_[table] == 0.5).all()
    weights = weights_of(ARCHITECTURES["vdsr"].build("20", 2))
    state = {n: torch.from_numpy(a) for n, a in weights.items() if not n.endswith("bias")}
    torch.save(state, path)
    assert not convert_weights(path, "vdsr", 2).weights_["0.bias"].any()


class Evil:
    def __reduce__(self):
        return print, ("code was run",)


def test_hostile_weights_are_refused(tmp_path, capsys):
    path = tmp_path / "evil.pth"
    weights = {n: torch.from_numpy(a) for n, a in
               weights_of(ARCHITECTURES["espcn"].build("5-3-3", 2)).items()}  # fmt: skip
    torch.save({**weights, "evil": Evil()}, path)
    with pytest.raises(ModelFileError, match="no state dict"):
        convert_weights(path, "espcn", 2)
    path.write_bytes(pickle.dumps(Evil(), 2))
    with pytest.raises(ModelFileError, match="no state dict"):
        convert_weights(path, "espcn", 2)
    assert "code was run" not in capsys.readouterr().out
    for state, message in (
        ([1, 2], "named tensors"),
        ({"0.weight": 3}, "must be a tensor"),
        ({"0.weight": torch.zeros(1).half().expand(10**11)}, "must be a tensor"),
        ({"0.weight": torch.zeros(3, 3).to_sparse()}, "must be a tensor"),
        ({**weights, "0.weight": torch.zeros(1)}, "must have shape"),
        ({**weights, "0.weight": torch.full((64, 1, 5, 5), torch.nan)}, "NaN"),
        ({**weights, "more": torch.zeros(1)}, "'more' is not part"),
        ({**weights, "0.weight": torch.zeros(64, 1, 5, 5, dtype=torch.int8)}, "floats"),
    ):
        torch.save(state, path)
        with pytest.raises(ModelFileError, match=message):
            convert_weights(path, "espcn", 2)
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", 2**60))
    with pytest.raises(ModelFileError, match="header length"):
        convert_weights(path, "espcn", 2)


def test_convert_command(tmp_path, capsys):
    from safetensors.numpy import save_file

    source, model = tmp_path / "weights.safetensors", tmp_path / "m.safetensors"
    save_file(weights_of(ARCHITECTURES["espcn"].build("5-3-3", 3)), source)
    command = ["convert", str(source), "--method", "espcn", "--scale", "3", "-o", str(model)]
    assert main(command) == 0
    assert load_model(model).get_params()["residual"] is False
    assert main(command) == 2  # it exists
    assert main([*command, "--overwrite"]) == 0
    assert main([*command, "--overwrite", "--variant", "x"]) == 1
    assert "'variant'" in capsys.readouterr().err
    command[3] = "bicubic"
    assert main([*command, "--overwrite"]) == 1
    assert "'network'" in capsys.readouterr().err
