"""A fitted estimator inside the model file of another one."""

from __future__ import annotations

import tempfile
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from classicsr import super_resolution
from classicsr._model_file import ModelFile, read_model
from classicsr.super_resolution import SuperResolver

_CLASSES = {
    **dict.fromkeys(("zeyde", "scsr"), "CoupledDictionarySR"),
    **dict.fromkeys(("ne-ls", "ne-nnls", "ne-lle"), "NeighborEmbeddingSR"),
    **dict.fromkeys(("ne-laplacian", "ne-aligned"), "NeighborEmbeddingSR"),
    **dict.fromkeys(("gr", "anr", "aplus"), "AnchoredRegressionSR"),
    **dict.fromkeys(("forest", "arfl", "nbsrf"), "RandomForestSR"),
    "ddl": "DualDictionarySR",
    "mdl": "ClusteredDictionarySR",
    "krr": "KernelRegressionSR",
    "raisr": "HashedFilterSR",
}
"""Methods whose models can be part of another one."""
_TYPES: dict[str, tuple[type, ...]] = {
    "method": (str,),
    "parameters": (dict,),
    "degradation": (dict, type(None)),
}


def nested_parts(
    estimator: SuperResolver, prefix: str
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """A JSON record of a fitted estimator, and its tensors with names that start by `prefix`.

    Raises
    ------
    TypeError
        For an estimator that cannot be stored.
    """
    plain = copy(estimator)
    plain.calibration_ = None  # of its own results, which are not those of the whole
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nested.safetensors"
        plain.save(path)
        model = read_model(path)
    if model.method not in _CLASSES:
        raise TypeError(f"A model of {model.method!r} cannot be stored inside another one.")
    record = {name: getattr(model, name) for name in _TYPES}
    return record, {prefix + name: tensor for name, tensor in model.tensors.items()}


def part_of(model: ModelFile, prefix: str) -> ModelFile:
    """The tensors of a model file whose names start by `prefix`, which is left off."""
    tensors = {
        name.removeprefix(prefix): tensor
        for name, tensor in model.tensors.items()
        if name.startswith(prefix)
    }
    return replace(model, tensors=tensors)


def nested_estimator(model: ModelFile, record: Any, prefix: str) -> SuperResolver:
    """The estimator that `nested_parts` described, everything checked as in a file of its own."""
    described = isinstance(record, dict) and record.keys() == _TYPES.keys()
    if not described or not all(isinstance(record[name], _TYPES[name]) for name in _TYPES):
        raise model.error(f"{prefix}model", "must hold method, parameters and degradation")
    if record["method"] not in _CLASSES:
        raise model.error(f"{prefix}model", "has a method that cannot be part of another model")
    nested = replace(part_of(model, prefix), **record)
    loaded = getattr(super_resolution, _CLASSES[nested.method])
    estimator: SuperResolver = loaded._from_model(nested)
    return estimator
