"""Model files: tensors plus a JSON manifest in one ``.safetensors`` file, data and never code.

The file's metadata holds one key, ``classicsr``: the manifest, whose fields `_MANIFEST` lists.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classicsr._atomic import atomic_path
from classicsr._tensor_file import (
    DTYPE_NAMES,
    ModelFileError,
    load_tensors,
    open_regular,
    parse_json,
    read_table,
)
from classicsr._version import software_versions

__all__ = ["FORMAT_VERSION", "ModelFile", "ModelFileError", "read_model", "write_model"]

FORMAT = "classicsr-model"
FORMAT_VERSION = 1

_MANIFEST: dict[str, tuple[type, ...]] = {
    "format": (str,),
    "format_version": (int,),
    "method": (str,),
    "parameters": (dict,),
    "degradation": (dict, type(None)),
    "provenance": (dict,),
    "versions": (dict,),
    "measured": (dict,),
    "sha256": (str,),
    "tensors": (dict,),
}


@dataclass(frozen=True)
class ModelFile:
    """The audited content of a model file.

    Attributes
    ----------
    path : Path
        The file, for error messages.
    method : str
        Registry name of the method, such as ``"aplus"``.
    parameters : dict
        Constructor parameters of the estimator, as JSON values (tuples come back as lists).
    degradation : dict or None
        The forward model that the training pairs were made with.
    provenance, versions, measured : dict
        Training data, seed and date; software; PSNR figures.
    tensors : dict of str to ndarray
        Writable arrays in the machine's byte order, every float finite.
    """

    path: Path
    method: str
    parameters: dict[str, Any]
    degradation: dict[str, Any] | None
    provenance: dict[str, Any]
    versions: dict[str, Any]
    measured: dict[str, Any]
    tensors: dict[str, np.ndarray]

    def error(self, field: str, problem: str) -> ModelFileError:
        """Return the error that names this file, `field` and what is wrong with it."""
        return ModelFileError(self.path, field, problem)

    def require_tensors(self, names: Iterable[str]) -> None:
        """Raise `ModelFileError` unless the file holds exactly the tensors `names`."""
        expected = set(names)
        if missing := sorted(expected - self.tensors.keys()):
            raise self.error(f"tensor {missing[0]!r}", "is missing")
        if unknown := sorted(self.tensors.keys() - expected):
            raise self.error(f"tensor {unknown[0]!r}", f"is not part of a {self.method!r} model")

    def tensor(self, name: str, shape: tuple[int | None, ...], kinds: str = "f") -> np.ndarray:
        """Return a tensor after checking it.

        Parameters
        ----------
        name : str
            Name of the tensor.
        shape : tuple of int or None
            Shape it must have; None allows any length along that axis.
        kinds : str, default="f"
            Allowed NumPy dtype kinds: ``"f"`` floats, ``"i"`` signed, ``"u"`` unsigned integers.

        Raises
        ------
        ModelFileError
            The tensor is missing or has another shape or kind of dtype.
        """
        field = f"tensor {name!r}"
        if name not in self.tensors:
            raise self.error(field, "is missing")
        array = self.tensors[name]
        if array.dtype.kind not in kinds:
            raise self.error(field, f"must have a dtype of kind {kinds!r}, not {array.dtype}")
        if array.ndim != len(shape) or any(
            wanted not in (None, length) for wanted, length in zip(shape, array.shape, strict=True)
        ):
            wanted_shape = str(shape).replace("None", "any")
            raise self.error(field, f"must have shape {wanted_shape}, not {array.shape}")
        return array


def write_model(
    path: str | os.PathLike[str],
    *,
    method: str,
    params: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    degradation: Mapping[str, Any] | None = None,
    info: Mapping[str, Mapping[str, Any]] | None = None,
    overwrite: bool = True,
) -> None:
    """Write a model file; the target is replaced whole or left as it was.

    Parameters
    ----------
    path : path-like
        Target, ending in ``.safetensors``.
    method : str
        Registry name of the method.
    params : mapping
        Constructor parameters: JSON values, NumPy scalars and tuples.
    tensors : mapping of str to ndarray
        Fitted arrays: floats (finite) or integers.
    degradation : mapping, optional
        The forward model as a JSON object.
    info : mapping, optional
        ``provenance`` (training data, n_samples, seed, date) and ``measured`` (PSNR figures).
    overwrite : bool, default=True
        Whether an existing file may be replaced.

    Raises
    ------
    ValueError
        A tensor is empty, of a dtype that cannot be stored, or not finite.
    OSError
        The file cannot be written.
    """
    from safetensors.numpy import save

    notes = dict(info or {})
    arrays = {name: _storable(name, array) for name, array in tensors.items()}
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "method": method,
        "parameters": params,
        "degradation": degradation,
        "provenance": notes.pop("provenance", {}),
        "versions": software_versions(),
        "measured": notes.pop("measured", {}),
        "sha256": _digest(arrays),
        "tensors": {name: _describe(array) for name, array in arrays.items()},
    }
    if notes:
        raise ValueError(f"info must hold 'provenance' and 'measured' only. Got {list(notes)}.")
    text = json.dumps(manifest, allow_nan=False, sort_keys=True, default=_plain)
    with atomic_path(path, overwrite=overwrite) as temporary:
        # not save_file: it replaces the file by one that only its owner may read
        temporary.write_bytes(save(arrays, metadata={"classicsr": text}))


def read_model(path: str | os.PathLike[str]) -> ModelFile:
    """Read and audit a model file; nothing in it is ever executed or imported.

    Raises
    ------
    ModelFileError
        The file is missing, damaged, hostile, or made by a newer version.
    """
    path = Path(path)
    with open_regular(path) as file:
        table = read_table(path, file)
        manifest = _read_manifest(path, table.metadata)
        if manifest["tensors"] != table.entries:
            raise ModelFileError(path, "tensors", "differ between the manifest and the header")
        tensors = load_tensors(path, file, table)
    if _digest(tensors) != manifest["sha256"]:
        raise ModelFileError(path, "sha256", "does not match the tensors: the file is damaged")
    for name, array in tensors.items():
        if not _all_finite(array):
            raise ModelFileError(path, f"tensor {name!r}", "holds NaN or infinite values")
    fields = ("method", "parameters", "degradation", "provenance", "versions", "measured")
    return ModelFile(path=path, tensors=tensors, **{name: manifest[name] for name in fields})


def _read_manifest(path: Path, metadata: Mapping[str, Any]) -> dict[str, Any]:
    text = metadata.get("classicsr")
    if not isinstance(text, str):
        raise ModelFileError(path, "metadata", "has no manifest: this is not a classicsr model")
    manifest = parse_json(path, "manifest", text)
    if manifest.get("format") != FORMAT:
        raise ModelFileError(path, "format", f"must be {FORMAT!r}")
    version = manifest.get("format_version")
    # the exact type, because bool is an int in Python
    if type(version) is not int or version < 1:
        raise ModelFileError(path, "format_version", "must be a positive integer")
    if version > FORMAT_VERSION:
        problem = f"{version} was made by a newer classicsr: upgrade the package to read it"
        raise ModelFileError(path, "format_version", problem)
    for name in sorted(manifest.keys() ^ _MANIFEST.keys()):
        problem = "is missing" if name in _MANIFEST else "is not a known field"
        raise ModelFileError(path, f"manifest {name!r}", problem)
    for name, types in _MANIFEST.items():
        if not isinstance(manifest[name], types):
            raise ModelFileError(path, f"manifest {name!r}", f"must be {types[0].__name__}")
    if not re.fullmatch("[0-9a-f]{64}", manifest["sha256"]):
        raise ModelFileError(path, "sha256", "must be 64 hexadecimal digits")
    return manifest


def _storable(name: str, array: np.ndarray) -> np.ndarray:
    array = np.asarray(array, order="C")
    dtype = array.dtype.newbyteorder("<")
    if dtype not in DTYPE_NAMES:
        raise ValueError(f"tensor {name!r}: dtype {array.dtype} cannot be stored in a model file")
    if array.size == 0:
        raise ValueError(f"tensor {name!r}: an empty array cannot be stored in a model file")
    if not _all_finite(array):
        raise ValueError(f"tensor {name!r}: NaN or infinite values cannot be stored")
    return array.astype(dtype, copy=False)


def _all_finite(array: np.ndarray) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _describe(array: np.ndarray) -> dict[str, Any]:
    return {"dtype": DTYPE_NAMES[array.dtype], "shape": list(array.shape)}


def _digest(tensors: Mapping[str, np.ndarray]) -> str:
    """sha256 over name, dtype, shape and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(json.dumps([name, _describe(array)], sort_keys=True).encode())
        digest.update(array.data)
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """JSON form of NumPy scalars and arrays, and of read-only mappings."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} values cannot be stored in a model file")
