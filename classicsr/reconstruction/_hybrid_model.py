"""Model files of hybrid reconstruction: the prior's own model and the refinement."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.features import ESTIMATE_SIDE
from classicsr.kernels.overlap import SPAN
from classicsr.reconstruction._nested import nested_estimator, nested_parts, part_of
from classicsr.regressors._piecewise import PiecewiseLinearMap
from classicsr.super_resolution._anchored import stored_partition
from classicsr.super_resolution._stored import Records, restore_fitted, write_fitted

if TYPE_CHECKING:
    from classicsr.reconstruction._hybrid import HybridSR

Float32 = NDArray[np.float32]
_INITIAL, _REFINEMENT = "initial.", "refinement{}."
_RECORD = "initial_model"
_RECORDS: Records = {
    "prior": (str,),
    "noise": (int, float, type(None)),
    "n_poses": (int,),
    "n_iter": (int,),
    "tolerance": (int, float),
    "similarity": (int, float),
    "tv_weight": (int, float),
    "n_refinements": (int,),
    "n_anchors": (int,),
    "n_samples": (int, type(None)),
    "n_levels": (int,),
    "level_ratio": (int, float),
}


def write_hybrid(
    estimator: HybridSR, path: str | os.PathLike[str], info: Mapping[str, Any] | None
) -> None:
    """Write a fitted estimator; the prior's tensors are those of a file of its own."""
    estimator._check_fitted()
    record, tensors = nested_parts(estimator.initial_, _INITIAL)
    for stage, (filters, map_) in enumerate(estimator.refinements_):
        parts = {"filters": filters, "maps": map_.maps.astype(np.float16)}
        parts |= map_.partition.to_tensors()
        tensors |= {_REFINEMENT.format(stage) + name: part for name, part in parts.items()}
    described = copy(estimator)
    setattr(described, _RECORD, record)
    write_fitted(
        described,
        path,
        method=f"{estimator.method}-{estimator.prior}",
        records={**_RECORDS, _RECORD: (dict,)},
        tensors=tensors,
        info=info,
    )


def read_hybrid(estimator: HybridSR, model: ModelFile) -> HybridSR:
    """Give a new estimator what is stored; every parameter and tensor is checked first."""
    params = dict(model.parameters)
    record = params.pop(_RECORD, None)
    restore_fitted(estimator, replace(model, parameters=params), _RECORDS)
    if model.method != f"{estimator.method}-{estimator.prior}":
        raise model.error("prior", f"must be that of the method {model.method!r}")
    prefixes = [_REFINEMENT.format(stage) for stage in range(estimator.n_refinements)]
    for name in model.tensors:
        if not name.startswith((_INITIAL, *prefixes)):
            raise model.error(f"tensor {name!r}", f"is not part of a {model.method!r} model")
    scale = estimator.native_scale_
    estimator.initial_ = nested_estimator(model, record, _INITIAL)
    if estimator.initial_.native_scale_ != scale:
        raise model.error(_RECORD, f"must have the scale of the model, {scale}")
    estimator.refinements_ = [
        _stored_refinement(part_of(model, prefix), scale) for prefix in prefixes
    ]
    return estimator


def _stored_refinement(model: ModelFile, scale: int) -> tuple[Float32, PiecewiseLinearMap]:
    """Filters and regressions of a stage, checked; stored as those of A+ are."""
    filters = model.tensor("filters", (None, (ESTIMATE_SIDE * scale) ** 2))
    maps = model.tensor("maps", (None, len(filters), (SPAN * scale) ** 2))
    partition = stored_partition(replace(model, method="aplus"), len(maps), len(filters))
    return filters.astype(np.float32), PiecewiseLinearMap(partition, maps.astype(np.float32))
