"""Fitting a cascade: stage after stage over images in files; goes on after an interruption."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from classicsr._atomic import atomic_path
from classicsr._tensor_file import ModelFileError, load_tensors, open_regular, read_table
from classicsr.patches import TrainingPair
from classicsr.regressors._canonical import (
    CanonicalMap,
    CanonicalPart,
    CanonicalPartition,
    CanonicalPose,
)
from classicsr.super_resolution._cascade_file import Stage, partition_tensors
from classicsr.super_resolution._cascade_images import StoredImage
from classicsr.super_resolution._cascade_training import StagePatches, StageSettings, fit_stage
from classicsr.super_resolution._patch_tiles import interpolation

_KEY = "classicsr-cascade"
_SMALLEST = 3  # low-resolution pixels across: one patch


def fit_cascade(
    groups: Iterator[Sequence[TrainingPair]],
    settings: StageSettings,
    seeds: Sequence[int],
    checkpoint: Path | None,
    tell: Callable[[int], None],
) -> list[Stage]:
    """Stages of a cascade.

    Parameters
    ----------
    groups : iterator of sequences of TrainingPair
        Pairs made of one image each: they belong to the same fold.
    settings : StageSettings
    seeds : sequence of int
        One per stage.
    checkpoint : Path, optional
        Where a folder keeps what is done; it is removed at the end.
    tell : callable
        Called with the steps done: one for the images, one for each part of a stage.
    """
    stages: list[Stage] = []
    with _work_folder(checkpoint) as folder:
        images, digest = _stored_images(folder, groups, settings)
        identity = json.dumps([repr(settings), list(map(int, seeds)), digest])
        tell(1)
        for number, seed in enumerate(seeds):
            path = folder / f"stage{number}.safetensors"
            steps = iter(range(2 + number * settings.n_parts, 2 + (number + 1) * settings.n_parts))
            stage = _read_stage(path, identity)
            if stage is None:
                stage = _new_stage(number, images, settings, seed, lambda: tell(next(steps)))  # noqa: B023
                _write_stage(path, identity, stage)
                for image in images:
                    image.forget_estimate(number)
            stages.append(stage)
            tell(1 + (number + 1) * settings.n_parts)
    return stages


@contextmanager
def _work_folder(checkpoint: Path | None) -> Iterator[Path]:
    """A folder of our own: whatever else the user keeps in `checkpoint` stays."""
    if checkpoint is None:
        with tempfile.TemporaryDirectory(prefix="classicsr-") as folder:
            yield Path(folder)
        return
    work = checkpoint / _KEY
    work.mkdir(parents=True, exist_ok=True)
    yield work
    shutil.rmtree(work)
    if not any(checkpoint.iterdir()):
        checkpoint.rmdir()


def _stored_images(
    folder: Path, groups: Iterator[Sequence[TrainingPair]], settings: StageSettings
) -> tuple[list[StoredImage], str]:
    """The pairs as files, and a digest of them; pairs too small for a patch are left out."""
    first = interpolation(settings.scale)
    margin = StagePatches(0, settings.scale, settings.n_stages).margin
    images: list[StoredImage] = []
    digest = hashlib.sha256()
    for number, group in enumerate(groups):
        for pair in group:
            if min(pair.low.shape) < _SMALLEST:
                continue
            fold = number % settings.n_folds
            image = StoredImage(folder, f"{len(images):06d}", fold, pair.low.shape)
            image.write_pair(pair, margin, first)
            digest.update(np.ascontiguousarray(pair.low).data)
            digest.update(np.ascontiguousarray(pair.residual).data)
            images.append(image)
    if not images:
        raise ValueError("The training images are smaller than one patch.")
    return images, digest.hexdigest()


def _new_stage(
    number: int,
    images: Sequence[StoredImage],
    settings: StageSettings,
    seed: int,
    tell: Callable[[], None],
) -> Stage:
    patches = StagePatches(number, settings.scale, settings.n_stages)
    stage = fit_stage(patches, images, settings, seed, tell)
    for image in images:
        image.write_estimate(number + 1, patches.before(image) + image.added(image.fold))
    return stage


def _write_stage(path: Path, identity: str, stage: Stage) -> None:
    from safetensors.numpy import save

    tensors = partition_tensors(stage) | {"maps": np.stack([part.maps for part in stage[1].parts])}
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={_KEY: identity}))


def _read_stage(path: Path, identity: str) -> Stage | None:
    """The stage that an interrupted training left, if it did."""
    if not path.exists():
        return None
    with open_regular(path) as file:
        table = read_table(path, file)
        if table.metadata.get(_KEY) != identity:
            raise ModelFileError(path, "training", "has other settings or images than this one")
        tensors = load_tensors(path, file, table)
    pose = CanonicalPose(tensors["parities"])
    parts = [
        CanonicalPart(CanonicalPartition(weights, centers.astype(np.float32)), maps)
        for weights, centers, maps in zip(
            tensors["weights"], tensors["centers"], tensors["maps"], strict=True
        )
    ]
    return tensors["filters"], CanonicalMap(pose, parts)
