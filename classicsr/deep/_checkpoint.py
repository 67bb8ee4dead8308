"""Training that can go on after an interruption: one ``.safetensors`` file, no pickle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._atomic import atomic_path
from classicsr._tensor_file import (
    ModelFileError,
    load_tensors,
    open_regular,
    parse_json,
    read_table,
)
from classicsr._validation import is_integer, is_number
from classicsr.deep._torch import import_torch

_KEY = "classicsr-training"
_OPTIMIZER_STATE = {"Adam": ("step", "exp_avg", "exp_avg_sq"), "SGD": ("momentum_buffer",)}


@dataclass
class TrainingState:
    """How far training is: steps, seconds, and what was logged."""

    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds modules, their optimisers and the state of the training.

    `identity` describes the training; a file of another one is refused.
    """

    path: Path
    identity: Mapping[str, Any]

    def write(self, parts: Mapping[str, tuple[Any, Any]], done: TrainingState) -> None:
        """Replace the file; `parts` are (module, optimiser) by name."""
        from safetensors.numpy import save

        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in _tensors(parts)}
        state = {"identity": self.identity, **vars(done)}
        with atomic_path(self.path) as temporary:
            temporary.write_bytes(save(arrays, metadata={_KEY: json.dumps(state)}))

    def read(self, parts: Mapping[str, tuple[Any, Any]]) -> TrainingState:
        """Give `parts` what the file holds; every name and shape is checked first."""
        path, torch = self.path, import_torch()
        with open_regular(path) as file:
            table = read_table(path, file)
            state = parse_json(path, "state", str(table.metadata.get(_KEY, "")))
            arrays = load_tensors(path, file, table)
        self._check(state)
        done = TrainingState(state["step"], float(state["seconds"]), state["history"])
        for name, (module, optimizer) in parts.items():
            for key, tensor in module.state_dict().items():
                tensor.copy_(torch.from_numpy(self._take(arrays, f"{name}.{key}", tensor.shape)))
            if done.step:
                self._restore_optimizer(arrays, f"{name}-optimizer", optimizer)
        if arrays:
            raise ModelFileError(path, f"tensor {min(arrays)!r}", "is not part of this training")
        return done

    def _check(self, state: Mapping[str, Any]) -> None:
        if state.keys() != {"identity", "step", "seconds", "history"}:
            raise ModelFileError(self.path, "state", "is not that of a training")
        stored = state["identity"] if isinstance(state["identity"], dict) else {}
        # through JSON, as what was stored went
        for name, value in json.loads(json.dumps(self.identity)).items():
            if stored.get(name) != value:
                problem = f"is {str(stored.get(name))[:40]} there and {value} here"
                raise ModelFileError(self.path, name, f"{problem}: it is of another training")
        if not (is_integer(state["step"], 0) and is_number(state["seconds"], 0)):
            raise ModelFileError(self.path, "state", "must have a step and seconds")
        if not isinstance(state["history"], list):
            raise ModelFileError(self.path, "history", "must be a list")

    def _take(self, arrays: dict[str, NDArray], name: str, shape: Any) -> NDArray:
        array = arrays.pop(name, None)
        if array is None or array.shape != tuple(shape):
            raise ModelFileError(self.path, f"tensor {name!r}", "is missing or has another shape")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFileError(self.path, f"tensor {name!r}", "holds NaN or infinite values")
        return array

    def _restore_optimizer(self, arrays: dict[str, NDArray], prefix: str, optimizer: Any) -> None:
        torch = import_torch()
        state = {
            index: {
                kind: torch.from_numpy(
                    self._take(
                        arrays, f"{prefix}.{index}.{kind}", () if kind == "step" else tensor.shape
                    )
                )
                for kind in _OPTIMIZER_STATE[type(optimizer).__name__]
            }
            for index, tensor in enumerate(optimizer.param_groups[0]["params"])
        }
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})


def _tensors(parts: Mapping[str, tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    for name, (module, optimizer) in parts.items():
        for key, tensor in module.state_dict().items():
            yield f"{name}.{key}", tensor
        for index, values in optimizer.state_dict()["state"].items():
            for key in _OPTIMIZER_STATE[type(optimizer).__name__]:
                yield f"{name}-optimizer.{index}.{key}", values[key]
