"""Model files: exact round trips, and no file of any kind does more than raise ModelFileError."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file

from classicsr._model_file import FORMAT_VERSION, ModelFileError, read_model, write_model

FIXTURE = Path(__file__).parent / "fixtures" / "model-v1.safetensors"
LIGHT = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
DTYPES = ["<f2", "<f4", "<f8", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8"]

arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(
        np.dtype(dtype),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4),
        elements=(
            hnp.from_dtype(np.dtype(dtype), allow_nan=False, allow_infinity=False)
            if np.dtype(dtype).kind == "f"
            else None
        ),
    )
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def join(header: dict[str, Any] | bytes, tensors: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + tensors


@pytest.fixture
def model_path(tmp_path):
    path = tmp_path / "model.safetensors"
    write_model(
        path,
        method="aplus",
        params={"scale": 3, "n_anchors": 4},
        tensors={
            "anchors": np.arange(12, dtype=np.float32).reshape(4, 3),
            "maps": np.linspace(-1, 1, 8, dtype=np.float16).reshape(2, 4),
            "counts": np.arange(5),
        },
        degradation={"kind": "bicubic", "scale": 3},
        info={"provenance": {"seed": 0}, "measured": {"Set5": 32.58}},
    )
    return path


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        read_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@LIGHT
@given(
    tensors=st.dictionaries(st.text(min_size=1, max_size=8), arrays, max_size=4),
    params=st.dictionaries(st.text(max_size=8), json_values, max_size=4),
)
def test_round_trip_is_bit_exact(tmp_path, tensors, params):
    tensors.pop("__metadata__", None)
    path = tmp_path / "m.safetensors"
    write_model(path, method="aplus", params=params, tensors=tensors)
    model = read_model(path)
    assert model.parameters == params
    assert model.tensors.keys() == tensors.keys()
    for name, array in tensors.items():
        loaded = model.tensors[name]
        assert loaded.dtype == array.dtype
        assert loaded.shape == array.shape
        assert loaded.tobytes() == array.tobytes()
        assert loaded.flags.writeable


def test_every_field_comes_back(model_path):
    model = read_model(model_path)
    assert model.method == "aplus"
    assert model.degradation == {"kind": "bicubic", "scale": 3}
    assert model.provenance == {"seed": 0}
    assert model.measured == {"Set5": 32.58}
    assert set(model.versions) == {"classicsr", "numpy", "python"}


def test_layouts_are_normalised(tmp_path):
    path = tmp_path / "m.safetensors"
    array = np.arange(24.0).reshape(2, 3, 4)
    stored = {
        "big_endian": array.astype(">f4"),
        "fortran": np.asfortranarray(array),
        "strided": array[:, ::2],
    }
    write_model(path, method="aplus", params={}, tensors=stored)
    for name, loaded in read_model(path).tensors.items():
        np.testing.assert_array_equal(loaded, stored[name])
        assert loaded.flags.c_contiguous


def test_numpy_parameters_become_json(tmp_path):
    path = tmp_path / "m.safetensors"
    params = {"scale": (np.int64(1), 1, 3), "ridge": np.float32(0.5), "grid": np.arange(2)}
    write_model(path, method="aplus", params=params, tensors={})
    assert read_model(path).parameters == {"scale": [1, 1, 3], "ridge": 0.5, "grid": [0, 1]}


def test_same_content_gives_same_bytes(tmp_path, model_path):
    model = read_model(model_path)
    again = tmp_path / "again.safetensors"
    write_model(
        again,
        method=model.method,
        params=model.parameters,
        tensors=dict(reversed(model.tensors.items())),
        degradation=model.degradation,
        info={"provenance": model.provenance, "measured": model.measured},
    )
    assert again.read_bytes() == model_path.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_follow_the_umask(tmp_path):
    path = tmp_path / "m.safetensors"
    before = os.umask(0o022)
    try:
        write_model(path, method="aplus", params={}, tensors={"counts": np.arange(5)})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_other_readers_open_it(model_path):
    np.testing.assert_array_equal(load_file(model_path)["counts"], np.arange(5))


@pytest.mark.parametrize(
    "bad",
    [np.array([1.0, np.nan]), np.array([np.inf]), np.array([True]), np.array(["a"]),
     np.array([{}], dtype=object), np.array([1j]), np.zeros((0, 3))],
)  # fmt: skip
def test_unstorable_tensors_are_refused(tmp_path, bad):
    with pytest.raises(ValueError, match="tensor 'bad'"):
        write_model(tmp_path / "m.safetensors", method="aplus", params={}, tensors={"bad": bad})
    assert not list(tmp_path.iterdir())


def test_writing_keeps_an_existing_file(model_path):
    before = model_path.read_bytes()
    with pytest.raises(FileExistsError, match=model_path.name):
        write_model(model_path, method="gr", params={}, tensors={}, overwrite=False)
    with pytest.raises(TypeError):
        write_model(model_path, method="gr", params={"code": object()}, tensors={})
    assert model_path.read_bytes() == before
    assert len(list(model_path.parent.iterdir())) == 1


def test_version_1_keeps_loading():
    model = read_model(FIXTURE)
    assert model.method == "bicubic"
    assert model.parameters == {"scale": 3}
    np.testing.assert_array_equal(model.tensors["floats"], np.arange(6).reshape(2, 3) / 4)
    assert [model.tensors[name].dtype.str for name in sorted(model.tensors)] == [
        "|u1", "<f4", "<f2", "<i8"
    ]  # fmt: skip


@LIGHT
@given(flips=st.lists(st.tuples(st.integers(0), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes(tmp_path, flips):
    data = bytearray(FIXTURE.read_bytes())
    for position, mask in flips:
        data[position % len(data)] ^= mask
    path = tmp_path / "flipped.safetensors"
    path.write_bytes(data)
    try:
        model = read_model(path)
    except ModelFileError:
        return
    # only the free text of the manifest is outside the hash: the tensors are intact
    original = read_model(FIXTURE)
    assert model.tensors.keys() == original.tensors.keys()
    for name, array in original.tensors.items():
        assert model.tensors[name].tobytes() == array.tobytes()


def test_every_flip_in_the_tensors_is_noticed(tmp_path):
    data = FIXTURE.read_bytes()
    n_tensor_bytes = len(split(data)[1])
    for position in range(len(data) - n_tensor_bytes, len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        refused(tmp_path / "flipped.safetensors", bytes(changed))


def test_every_truncation_is_noticed(tmp_path):
    data = FIXTURE.read_bytes()
    for length in range(0, len(data), 7):
        refused(tmp_path / "short.safetensors", data[:length])


@LIGHT
@given(data=st.binary(max_size=200))
def test_random_bytes(tmp_path, data):
    refused(tmp_path / "random.safetensors", data)


@LIGHT
@given(
    field=st.sampled_from(["dtype", "shape", "data_offsets"]),
    value=json_values | st.lists(st.integers(-5, 2**70), max_size=9),
)
def test_any_value_in_the_tensor_table(tmp_path, field, value):
    header, tensors = split(FIXTURE.read_bytes())
    before = header["floats"][field]
    header["floats"][field] = value
    if value != before:
        refused(tmp_path / "table.safetensors", join(header, tensors))


@LIGHT
@given(field=st.sampled_from(["format", "format_version", "sha256", "tensors"]), value=json_values)
def test_any_value_in_the_manifest(tmp_path, field, value):
    header, tensors = split(FIXTURE.read_bytes())
    manifest = json.loads(header["__metadata__"]["classicsr"])
    before = json.dumps(manifest)
    manifest[field] = value
    header["__metadata__"]["classicsr"] = json.dumps(manifest)
    if json.dumps(manifest) != before:
        refused(tmp_path / "manifest.safetensors", join(header, tensors))


@pytest.mark.parametrize("shape", [[2**60], [2**60, 2**60], [-1, -6], [0, 2**62], [1] * 70, [6.0]])
def test_impossible_shapes_allocate_nothing(tmp_path, shape):
    header, tensors = split(FIXTURE.read_bytes())
    header["floats"]["shape"] = shape
    path = tmp_path / "m.safetensors"
    path.write_bytes(join(header, tensors))
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="floats"):
            read_model(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**40, 16 * 2**20 + 1, 10**6])
def test_impossible_header_length(tmp_path, length):
    data = struct.pack("<Q", length) + FIXTURE.read_bytes()[8:]
    assert "header length" in refused(tmp_path / "m.safetensors", data)


@pytest.mark.parametrize(
    "header",
    [b"[]", b"null", b"{", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": 1, "a": 1}', b"\xff\xfe",
     b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_malformed_header(tmp_path, header):
    assert "header" in refused(tmp_path / "m.safetensors", join(header, b""))


def test_names_that_are_unknown_missing_or_repeated(tmp_path):
    path = tmp_path / "m.safetensors"
    header, tensors = split(FIXTURE.read_bytes())
    manifest = json.loads(header["__metadata__"]["classicsr"])

    def with_manifest(**changes: Any) -> bytes:
        changed = {k: v for k, v in {**manifest, **changes}.items() if v is not ...}
        return join({**header, "__metadata__": {"classicsr": json.dumps(changed)}}, tensors)

    assert "is not a known field" in refused(path, with_manifest(code="import os"))
    assert "'measured' is missing" in refused(path, with_manifest(measured=...))
    assert "parameters" in refused(path, with_manifest(parameters=[1]))
    newer = refused(path, with_manifest(format_version=FORMAT_VERSION + 1))
    assert "newer classicsr: upgrade" in newer
    assert "not a classicsr model" in refused(path, join({**header, "__metadata__": {}}, tensors))
    text = json.dumps(header)[:-1] + ', "floats": {}}'
    assert "header" in refused(path, join(text.encode(), tensors))


def test_overlap_and_gap(tmp_path):
    path = tmp_path / "m.safetensors"
    header, tensors = split(FIXTURE.read_bytes())
    overlap = json.loads(json.dumps(header))
    overlap["floats"]["data_offsets"] = [8, 32]
    assert "overlaps another or leaves a gap" in refused(path, join(overlap, tensors))
    assert "declares" in refused(path, join(header, tensors + b"\0"))


def test_nan_behind_a_valid_hash(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    monkeypatch.setattr("classicsr._model_file._all_finite", lambda array: True)
    write_model(path, method="aplus", params={}, tensors={"maps": np.array([np.nan])})
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match="tensor 'maps' holds NaN"):
        read_model(path)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: None])
def test_what_is_no_file(tmp_path, make):
    path = tmp_path / "m.safetensors"
    make(path)
    with pytest.raises(ModelFileError, match="file"):
        read_model(path)


def test_huge_sparse_file(tmp_path):
    path = tmp_path / "m.safetensors"
    with open(path, "wb") as file:
        file.truncate(2**40)
    with pytest.raises(ModelFileError, match="must hold between"):
        read_model(path)


def test_tensor_checks_name_shape_and_kind(model_path):
    model = read_model(model_path)
    model.require_tensors(["anchors", "maps", "counts"])
    assert model.tensor("anchors", (None, 3)).shape == (4, 3)
    assert model.tensor("counts", (5,), kinds="iu").sum() == 10
    for name, shape, problem in [
        ("anchors", (4, 4), r"must have shape \(4, 4\), not \(4, 3\)"),
        ("anchors", (None,), "must have shape"),
        ("counts", (5,), "dtype of kind 'f', not int64"),
        ("roots", (1,), "is missing"),
    ]:
        with pytest.raises(ModelFileError, match=problem):
            model.tensor(name, shape)
    with pytest.raises(ModelFileError, match="tensor 'bias' is missing"):
        model.require_tensors(["anchors", "maps", "counts", "bias"])
    with pytest.raises(ModelFileError, match="tensor 'counts' is not part of a 'aplus' model"):
        model.require_tensors(["anchors", "maps"])
