"""Patch-level estimators: scikit-learn regressors from features to high-resolution patches."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.regressors._adaptive_regressor import AdaptableRegressor as AdaptableRegressor
    from classicsr.regressors._alternating_forest import (
        AlternatingForestRegressor as AlternatingForestRegressor,
    )
    from classicsr.regressors._anchored import (
        AdjustedAnchoredRegressor as AdjustedAnchoredRegressor,
    )
    from classicsr.regressors._anchored import (
        AnchoredNeighborhoodRegressor as AnchoredNeighborhoodRegressor,
    )
    from classicsr.regressors._anchored import GlobalRegressor as GlobalRegressor
    from classicsr.regressors._clustered_regressor import (
        ClusteredDictionaryRegressor as ClusteredDictionaryRegressor,
    )
    from classicsr.regressors._coupled import CoupledCodes as CoupledCodes
    from classicsr.regressors._coupled_regressors import (
        CoupledDictionaryRegressor as CoupledDictionaryRegressor,
    )
    from classicsr.regressors._forest import PatchForestRegressor as PatchForestRegressor
    from classicsr.regressors._hashed_filter import HashedFilterRegressor as HashedFilterRegressor
    from classicsr.regressors._kernel_map import KernelMap as KernelMap
    from classicsr.regressors._kernel_regressor import (
        SparseKernelRegressor as SparseKernelRegressor,
    )
    from classicsr.regressors._ksvd import ksvd as ksvd
    from classicsr.regressors._ksvd import omp_codes as omp_codes
    from classicsr.regressors._naive_bayes_forest import (
        NaiveBayesForestRegressor as NaiveBayesForestRegressor,
    )
    from classicsr.regressors._neighbor_regressor import (
        NeighborEmbeddingRegressor as NeighborEmbeddingRegressor,
    )
    from classicsr.regressors._online_dictionary import online_dictionary as online_dictionary
    from classicsr.regressors._partitions import NearestAnchor as NearestAnchor
    from classicsr.regressors._partitions import WholeSpace as WholeSpace
    from classicsr.regressors._piecewise import PiecewiseLinearMap as PiecewiseLinearMap

_ORIGINS = {
    "AdaptableRegressor": "classicsr.regressors._adaptive_regressor",
    "AdjustedAnchoredRegressor": "classicsr.regressors._anchored",
    "AlternatingForestRegressor": "classicsr.regressors._alternating_forest",
    "AnchoredNeighborhoodRegressor": "classicsr.regressors._anchored",
    "ClusteredDictionaryRegressor": "classicsr.regressors._clustered_regressor",
    "CoupledCodes": "classicsr.regressors._coupled",
    "CoupledDictionaryRegressor": "classicsr.regressors._coupled_regressors",
    "GlobalRegressor": "classicsr.regressors._anchored",
    "HashedFilterRegressor": "classicsr.regressors._hashed_filter",
    "KernelMap": "classicsr.regressors._kernel_map",
    "NaiveBayesForestRegressor": "classicsr.regressors._naive_bayes_forest",
    "NearestAnchor": "classicsr.regressors._partitions",
    "NeighborEmbeddingRegressor": "classicsr.regressors._neighbor_regressor",
    "PatchForestRegressor": "classicsr.regressors._forest",
    "PiecewiseLinearMap": "classicsr.regressors._piecewise",
    "SparseKernelRegressor": "classicsr.regressors._kernel_regressor",
    "WholeSpace": "classicsr.regressors._partitions",
    "ksvd": "classicsr.regressors._ksvd",
    "omp_codes": "classicsr.regressors._ksvd",
    "online_dictionary": "classicsr.regressors._online_dictionary",
}
__all__ = list(_ORIGINS)
__getattr__, __dir__ = lazy_attributes(__name__, _ORIGINS)
