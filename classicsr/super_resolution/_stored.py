"""Model files of learned methods: the part that all of them share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from classicsr._model_file import ModelFile, write_model
from classicsr.degradation import degradation_from_dict
from classicsr.features import WINDOW_SIDE
from classicsr.super_resolution._fixed_scale import MAX_SCALE, FixedScaleSuperResolver
from classicsr.super_resolution._patch import PatchSuperResolver

Records = Mapping[str, tuple[type, ...]]
Estimator = TypeVar("Estimator", bound=FixedScaleSuperResolver)
PatchEstimator = TypeVar("PatchEstimator", bound=PatchSuperResolver)

_IDENTITY = ("scale", "channel_mode", "plane", "data_range")
"""Parameters that decide what a model predicts; checked as those of any estimator."""
TRAINING_RECORDS: Records = {
    "n_samples": (int, type(None)),
    "n_levels": (int,),
    "level_ratio": (int, float),
    "energy": (int, float),
}
"""Parameters of the training samples, kept for the record as those of each method are: none
changes what a model predicts. With the types that they may have."""


def write_fitted(
    estimator: FixedScaleSuperResolver,
    path: str | os.PathLike[str],
    *,
    method: str,
    records: Records,
    tensors: Mapping[str, np.ndarray],
    info: Mapping[str, Any] | None = None,
) -> None:
    """Write a fitted estimator: the `tensors` of the method, its parameters, its calibration."""
    estimator._check_fitted()
    if estimator.calibration_ is not None:
        tensors = {**tensors, **estimator.calibration_.to_tensors()}
    write_model(
        path,
        method=method,
        params={
            "native_scale": estimator.native_scale_,
            **{name: getattr(estimator, name) for name in (*_IDENTITY, *records)},
        },
        degradation=estimator._forward_model().to_dict(),
        tensors=tensors,
        info=info,
    )


def write_patch_model(
    estimator: PatchSuperResolver,
    path: str | os.PathLike[str],
    *,
    method: str,
    records: Records,
    tensors: Mapping[str, np.ndarray],
    info: Mapping[str, Any] | None = None,
) -> None:
    """Write a fitted estimator: its filters, the `tensors` of the method, its parameters."""
    estimator._check_fitted()
    tensors = {"filters": estimator.filters_, **tensors}
    write_fitted(estimator, path, method=method, records=records, tensors=tensors, info=info)


def restore_fitted(estimator: Estimator, model: ModelFile, records: Records) -> Estimator:
    """Give a new estimator the stored parameters and scale; each is checked first."""
    scale = model.parameters.get("native_scale")
    if type(scale) is not int or not 2 <= scale <= MAX_SCALE:
        raise model.error("native_scale", f"must be an integer from 2 to {MAX_SCALE}")
    estimator.set_params(**{"scale": scale, **_stored_parameters(model, records)})
    try:
        estimator._check_parameters()
    except ValueError as error:
        raise model.error("parameters", str(error)) from error
    estimator.native_scale_ = scale
    factors = estimator._forward_model().scale
    if estimator._wanted_back_projections() and factors not in (scale, (scale, scale)):
        raise model.error("degradation", f"must have the scale of the model, {scale}")
    return estimator


def restore_patch_model(
    estimator: PatchEstimator, model: ModelFile, records: Records
) -> PatchEstimator:
    """Give a new estimator the stored parameters, filters and scale; each is checked first."""
    restore_fitted(estimator, model, records)
    filters = model.tensor("filters", (None, WINDOW_SIDE**2))
    estimator.filters_ = filters.astype(np.float32)
    return estimator


def _stored_parameters(model: ModelFile, records: Records) -> dict[str, Any]:
    """The parameters of a stored model, names and types checked, and its degradation."""
    params = {key: value for key, value in model.parameters.items() if key != "native_scale"}
    for name, value in params.items():
        if name not in (*_IDENTITY, *records):
            raise model.error(name[:40], "is not a parameter of this method")
        if name in records and type(value) not in records[name]:
            raise model.error(name, "has a value of the wrong type")
        if isinstance(value, list):
            params[name] = tuple(value)
    if model.degradation is not None:
        try:
            params["degradation"] = degradation_from_dict(model.degradation)
        except ValueError as error:
            raise model.error("degradation", str(error)) from error
    return params
