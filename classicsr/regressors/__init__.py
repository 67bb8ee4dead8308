"""Patch-level estimators: scikit-learn regressors from features to high-resolution patches."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.regressors._anchored import (
        AdjustedAnchoredRegressor as AdjustedAnchoredRegressor,
    )
    from classicsr.regressors._anchored import (
        AnchoredNeighborhoodRegressor as AnchoredNeighborhoodRegressor,
    )
    from classicsr.regressors._anchored import GlobalRegressor as GlobalRegressor
    from classicsr.regressors._coupled import CoupledCodes as CoupledCodes
    from classicsr.regressors._coupled_regressors import (
        CoupledDictionaryRegressor as CoupledDictionaryRegressor,
    )
    from classicsr.regressors._coupled_regressors import (
        NeighborEmbeddingRegressor as NeighborEmbeddingRegressor,
    )
    from classicsr.regressors._forest import PatchForestRegressor as PatchForestRegressor
    from classicsr.regressors._hashed_filter import HashedFilterRegressor as HashedFilterRegressor
    from classicsr.regressors._ksvd import ksvd as ksvd
    from classicsr.regressors._ksvd import omp_codes as omp_codes
    from classicsr.regressors._partitions import NearestAnchor as NearestAnchor
    from classicsr.regressors._partitions import WholeSpace as WholeSpace
    from classicsr.regressors._piecewise import PiecewiseLinearMap as PiecewiseLinearMap

_ORIGINS = {
    "AdjustedAnchoredRegressor": "classicsr.regressors._anchored",
    "AnchoredNeighborhoodRegressor": "classicsr.regressors._anchored",
    "CoupledCodes": "classicsr.regressors._coupled",
    "CoupledDictionaryRegressor": "classicsr.regressors._coupled_regressors",
    "GlobalRegressor": "classicsr.regressors._anchored",
    "HashedFilterRegressor": "classicsr.regressors._hashed_filter",
    "NearestAnchor": "classicsr.regressors._partitions",
    "NeighborEmbeddingRegressor": "classicsr.regressors._coupled_regressors",
    "PatchForestRegressor": "classicsr.regressors._forest",
    "PiecewiseLinearMap": "classicsr.regressors._piecewise",
    "WholeSpace": "classicsr.regressors._partitions",
    "ksvd": "classicsr.regressors._ksvd",
    "omp_codes": "classicsr.regressors._ksvd",
}
__all__ = list(_ORIGINS)
__getattr__, __dir__ = lazy_attributes(__name__, _ORIGINS)
