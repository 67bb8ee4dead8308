"""Weights of a network as plain arrays: read from files, checked, given to a module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._tensor_file import (
    MAX_FILE_BYTES,
    ModelFileError,
    load_tensors,
    open_regular,
    read_table,
)
from classicsr.deep._architectures import Architecture
from classicsr.deep._equivariant import weight_shapes
from classicsr.deep._torch import import_torch

Weights = dict[str, NDArray[np.float32]]
_COUNTER = "num_batches_tracked"  # of batch normalisation; nothing depends on it


def weights_of(module: Any) -> Weights:
    """All that a module has learned, as float32 arrays by name."""
    return {
        name: tensor.detach().float().cpu().numpy().copy()
        for name, tensor in module.state_dict().items()
        if not name.endswith(_COUNTER)
    }


def expected_shapes(architecture: Architecture, variant: str, scale: int) -> dict[str, tuple]:
    """Shape of every weight of a network, by name."""
    if architecture.compiled:
        return weight_shapes(scale, **architecture.variants[variant].options)
    with import_torch().device("meta"):
        state = architecture.build(variant, scale).state_dict()
    return {
        name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(_COUNTER)
    }


def problem_of(name: str, array: NDArray, shape: tuple[int, ...]) -> str | None:
    """Why an array cannot be the weight `name`, or None."""
    if array.dtype.kind != "f":
        return f"must hold floats, not {array.dtype}"
    if array.shape != shape:
        return f"must have shape {shape}, not {array.shape}"
    if not np.isfinite(array).all():
        return "holds NaN or infinite values"
    if name.endswith("running_var") and array.min() < 0:
        return "must not be negative"
    return None


def give_weights(module: Any, weights: Mapping[str, NDArray]) -> None:
    """Copy checked weights into a module."""
    torch = import_torch()
    tensors = {name: torch.from_numpy(np.asarray(array)) for name, array in weights.items()}
    module.load_state_dict(tensors, strict=False)


def read_weights(path: Path) -> dict[str, NDArray]:
    """Named arrays of a ``.safetensors`` file or a state dict of PyTorch; never runs code.

    Of a PyTorch file that holds several state dicts ("params_ema", "params", "state_dict") the
    first of these is taken.

    Raises
    ------
    ModelFileError
        The file is damaged, too large, or holds anything but named arrays.
    """
    if path.suffix == ".safetensors":
        with open_regular(path) as file:
            return load_tensors(path, file, read_table(path, file))
    with open_regular(path) as file:
        size = file.seek(0, 2)
        if size > MAX_FILE_BYTES:
            raise ModelFileError(path, "file", f"is larger than {MAX_FILE_BYTES} bytes")
        file.seek(0)
        state = _unpickled(path, file)
    for name in ("params_ema", "params", "state_dict"):
        if isinstance(state, dict) and isinstance(state.get(name), dict):
            state = state[name]
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ModelFileError(path, "file", "must hold named tensors")
    return {name: _array(path, name, tensor, size) for name, tensor in state.items()}


def _array(path: Path, name: str, tensor: Any, file_bytes: int) -> NDArray:
    """A tensor of a state dict; views that claim more than the file holds are refused."""
    torch = import_torch()
    plain = torch.is_tensor(tensor) and tensor.layout == torch.strided
    if not plain or tensor.is_quantized or tensor.nbytes > file_bytes:
        raise ModelFileError(path, f"entry {name!r}", "must be a tensor of the file's own bytes")
    return (tensor.float() if tensor.is_floating_point() else tensor).detach().numpy()


def _unpickled(path: Path, file: Any) -> Any:
    try:
        return import_torch().load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a hostile pickle provokes
        raise ModelFileError(path, "file", "is no state dict of tensors alone") from error
