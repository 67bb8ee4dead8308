"""Stages of a cascade as the tensors of a model file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.features import ESTIMATE_SIDE, WINDOW_SIDE
from classicsr.kernels.overlap import SPAN
from classicsr.regressors._canonical import (
    CanonicalMap,
    CanonicalPart,
    CanonicalPartition,
    CanonicalPose,
)

Float32 = NDArray[np.float32]
Stage = tuple[Float32, CanonicalMap]
NAMES = ("filters", "parities", "weights", "centers", "maps", "steps")
_MOST_PARTS = 64
_LEVELS = 7  # steps above and below zero: 4 bits
_LARGEST = 1e4  # of a stored number: far above any that fitting gives


def partition_tensors(stage: Stage, suffix: str = "") -> dict[str, NDArray]:
    """What says which cell a patch belongs to."""
    filters, regressor = stage
    return {
        f"filters{suffix}": filters,
        f"parities{suffix}": regressor.pose.parities,
        f"weights{suffix}": np.stack([part.partition.weights for part in regressor.parts]),
        f"centers{suffix}": np.stack(
            [part.partition.centers.astype(np.float16) for part in regressor.parts]
        ),
    }


def stage_tensors(stage: Stage, number: int) -> dict[str, NDArray]:
    """All of a stage; its maps with 4 bits a number, and a step for each feature of each cell."""
    maps = np.stack([part.maps for part in stage[1].parts])
    steps = (np.abs(maps).max(axis=3) / _LEVELS).astype(np.float16)
    whole = np.rint(maps / np.where(steps > 0, steps, 1)[..., None].astype(np.float32))
    packed = pack_nibbles(np.clip(whole, -_LEVELS, _LEVELS).astype(np.int8))
    suffix = f"_{number}"
    return partition_tensors(stage, suffix) | {f"maps{suffix}": packed, f"steps{suffix}": steps}


def stored_stage(model: ModelFile, number: int, scale: int) -> Stage:
    """A stage of a stored model; every tensor is checked."""

    def bounded(name: str, shape: tuple[int | None, ...]) -> Float32:
        tensor = model.tensor(f"{name}_{number}", shape).astype(np.float32)
        if tensor.size == 0 or np.abs(tensor).max() > _LARGEST:
            problem = f"must hold numbers within {_LARGEST:g} of zero"
            raise model.error(f"tensor '{name}_{number}'", problem)
        return tensor

    side, n_outputs = ESTIMATE_SIDE * scale if number else WINDOW_SIDE, (SPAN * scale) ** 2
    filters = bounded("filters", (None, side**2))
    try:
        pose = CanonicalPose(model.tensor(f"parities_{number}", (len(filters), 3), "i"))
    except ValueError as error:
        raise model.error(f"tensor 'parities_{number}'", str(error)) from error
    weights = bounded("weights", (None, len(filters)))
    if len(weights) > _MOST_PARTS:
        raise model.error(f"tensor 'weights_{number}'", f"has more than {_MOST_PARTS} parts")
    centers = bounded("centers", (len(weights), None, len(filters)))
    steps = bounded("steps", centers.shape)
    packed = model.tensor(f"maps_{number}", (*steps.shape, -(-n_outputs // 2)), "u")
    maps = unpack_nibbles(packed, n_outputs) * steps[..., None]
    parts = [
        CanonicalPart(CanonicalPartition(*one), its_maps)
        for *one, its_maps in zip(weights, centers, maps, strict=True)
    ]
    return filters, CanonicalMap(pose, parts)


def pack_nibbles(numbers: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Numbers from -8 to 7 along the last axis, two to a byte, the first one in the low bits."""
    padded = np.zeros((*numbers.shape[:-1], numbers.shape[-1] + numbers.shape[-1] % 2), np.uint8)
    padded[..., : numbers.shape[-1]] = numbers.astype(np.uint8) & 15
    return padded[..., 0::2] | padded[..., 1::2] << 4


def unpack_nibbles(packed: NDArray[np.uint8], n: int) -> Float32:
    """The first `n` numbers along the last axis that `pack_nibbles` packed."""
    numbers = np.empty((*packed.shape[:-1], 2 * packed.shape[-1]), np.float32)
    for first, bits in ((0, packed & 15), (1, packed >> 4)):
        numbers[..., first::2] = (bits.astype(np.int8) ^ 8) - 8
    return np.ascontiguousarray(numbers[..., :n])
