"""Model files of networks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from classicsr._model_file import ModelFile
from classicsr.super_resolution._stored import Records, restore_fitted, write_fitted

if TYPE_CHECKING:
    from classicsr.deep._network import NetworkSR

_RECORDS: Records = {
    "variant": (str, type(None)),
    "residual": (bool, type(None)),
    "self_ensemble": (bool,),
    "n_levels": (int,),
    "level_ratio": (int, float),
}


def write_network(
    estimator: NetworkSR, path: str | os.PathLike[str], info: Mapping[str, Any] | None
) -> None:
    """Write a fitted estimator: its weights by the names of the network's layers."""
    estimator._check_fitted()
    write_fitted(
        estimator,
        path,
        method=estimator.network,
        records=_RECORDS,
        tensors=estimator.weights_,
        info=info,
    )


def read_network(estimator: NetworkSR, model: ModelFile) -> NetworkSR:
    """Give a new estimator what is stored; every parameter and tensor is checked first."""
    from classicsr.deep._weights import expected_shapes, problem_of

    restore_fitted(estimator, model, _RECORDS)
    scale = estimator.native_scale_
    try:
        estimator._check_scale(scale)
    except ValueError as error:
        raise model.error("native_scale", str(error)) from error
    shapes = expected_shapes(estimator._architecture, estimator._variant, scale)
    model.require_tensors(shapes)
    for name, shape in shapes.items():
        if problem := problem_of(name, model.tensors[name], shape):
            raise model.error(f"tensor {name!r}", problem)
    estimator.weights_ = {name: model.tensors[name].astype(np.float32) for name in shapes}
    return estimator
