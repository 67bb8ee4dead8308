"""Model files of regression on volumes, and its regressors by name."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile, write_model
from classicsr.reconstruction._volume_regression import VolumeRegression, WindowShape
from classicsr.regressors._coupled import CoupledCodes, PursuitCoder
from classicsr.regressors._piecewise import PiecewiseLinearMap, RowsPredictor
from classicsr.super_resolution._anchored import stored_partition
from classicsr.super_resolution._coupled_dictionary import dictionary_tensors
from classicsr.super_resolution._forest import pack_forest, stored_forest

if TYPE_CHECKING:
    from classicsr.reconstruction._volume_patch import VolumePatchSR

_N_NONZERO = 3
_N_NEIGHBORS = 24


@dataclass(frozen=True)
class RegressorKind:
    """A regressor: the name of its class, parameters, and its arrays to and from model files."""

    name: str
    parameters: dict[str, Any]
    pack: Callable[[Any], dict[str, NDArray[Any]]]
    restore: Callable[[ModelFile, int, int], RowsPredictor]

    def make(self, rng: Any, n_jobs: int | None, **changes: Any) -> Any:
        """An unfitted regressor, some of its parameters changed."""
        from classicsr import regressors

        made = getattr(regressors, self.name)
        return made(**{**self.parameters, **changes}, random_state=rng, n_jobs=n_jobs)


def _pack_piecewise(map_: PiecewiseLinearMap) -> dict[str, NDArray[Any]]:
    return {"maps": map_.maps.astype(np.float16), **map_.partition.to_tensors()}


def _restore_piecewise(model: ModelFile, n_features: int, n_outputs: int) -> PiecewiseLinearMap:
    maps = model.tensor("maps", (None, n_features, n_outputs)).astype(np.float32)
    partition = stored_partition(replace(model, method="aplus"), len(maps), n_features)
    return PiecewiseLinearMap(partition, maps)


def _restore_codes(model: ModelFile, n_features: int, n_outputs: int) -> CoupledCodes:
    model.require_tensors(["filters", "low_atoms", "high_atoms"])
    low = model.tensor("low_atoms", (None, n_features)).astype(np.float32)
    high = model.tensor("high_atoms", (len(low), n_outputs)).astype(np.float32)
    return CoupledCodes(PursuitCoder(low, min(_N_NONZERO, *low.shape)), high)


def _restore_neighbors(model: ModelFile, n_features: int, n_outputs: int) -> CoupledCodes:
    from classicsr.neighbors import ColumnIndex
    from classicsr.regressors._neighbors import ATOM_RIDGE, NeighborCoder

    codes = _restore_codes(model, n_features, n_outputs)
    low = codes.coder.low
    n_neighbors = min(_N_NEIGHBORS, len(low))
    return CoupledCodes(
        NeighborCoder(low, n_neighbors, "lle", ColumnIndex(low), ATOM_RIDGE), codes.high
    )


_DICTIONARY = {"n_atoms": 512, "n_iter": 10}
REGRESSORS = {
    "forest": RegressorKind(
        "PatchForestRegressor",
        {"n_trees": 8, "min_samples_leaf": 300, "min_samples_split": 600, "ridge": 0.1},
        pack_forest,
        stored_forest,
    ),
    "aplus": RegressorKind(
        "AdjustedAnchoredRegressor",
        {"n_anchors": 512, "n_neighbors": 8192, "n_iter": 5},
        _pack_piecewise,
        _restore_piecewise,
    ),
    "zeyde": RegressorKind(
        "CoupledDictionaryRegressor",
        {"n_nonzero": _N_NONZERO, **_DICTIONARY},
        dictionary_tensors,
        _restore_codes,
    ),
    "ne": RegressorKind(
        "NeighborEmbeddingRegressor",
        {
            "solver": "lle",
            "n_neighbors": _N_NEIGHBORS,
            "dictionary_samples": 200_000,
            **_DICTIONARY,
        },
        dictionary_tensors,
        _restore_neighbors,
    ),
}


def write_volume_model(
    estimator: VolumePatchSR, path: str | os.PathLike[str], info: Mapping[str, Any] | None
) -> None:
    """Write a fitted estimator: its parameters, its regression, its calibration."""
    regression, calibration = estimator.regression_, estimator.calibration_
    params = {name: getattr(estimator, name) for name in estimator._stored_names()}
    write_model(
        path,
        method=estimator._registry_name(),
        params={**params, "scale": regression.shape.block},
        degradation=None,
        tensors={
            "filters": regression.filters,
            **REGRESSORS[estimator.regressor].pack(regression.map),
            **(calibration.to_tensors() if calibration else {}),
        },
        info=info,
    )


def stored_regression(estimator: VolumePatchSR, model: ModelFile) -> VolumeRegression:
    """The regression of a stored model, every tensor checked."""
    try:
        factors = estimator._factors()
    except ValueError as error:
        raise model.error("scale", str(error)) from error
    shape = WindowShape(factors, estimator._radius(factors))
    filters = model.tensor("filters", (None, math.prod(shape.sides))).astype(np.float32)
    restore = REGRESSORS[estimator.regressor].restore
    return VolumeRegression(shape, filters, restore(model, len(filters), math.prod(factors)))
