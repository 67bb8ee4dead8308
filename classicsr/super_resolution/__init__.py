"""Image-level estimators: images in, larger images out."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.super_resolution._adaptive_dictionary import (
        AdaptiveDictionarySR as AdaptiveDictionarySR,
    )
    from classicsr.super_resolution._anchored import (
        AnchoredRegressionSR as AnchoredRegressionSR,
    )
    from classicsr.super_resolution._base import SuperResolver as SuperResolver
    from classicsr.super_resolution._bicubic import BicubicSR as BicubicSR
    from classicsr.super_resolution._cascade import CascadeSR as CascadeSR
    from classicsr.super_resolution._clustered_dictionary import (
        ClusteredDictionarySR as ClusteredDictionarySR,
    )
    from classicsr.super_resolution._coupled_dictionary import (
        CoupledDictionarySR as CoupledDictionarySR,
    )
    from classicsr.super_resolution._dual_dictionary import DualDictionarySR as DualDictionarySR
    from classicsr.super_resolution._evaluation import evaluate as evaluate
    from classicsr.super_resolution._forest import RandomForestSR as RandomForestSR
    from classicsr.super_resolution._hashed import HashedFilterSR as HashedFilterSR
    from classicsr.super_resolution._kernel_regression import (
        KernelRegressionSR as KernelRegressionSR,
    )
    from classicsr.super_resolution._labels import upscale_labels as upscale_labels
    from classicsr.super_resolution._neighbor_embedding import (
        NeighborEmbeddingSR as NeighborEmbeddingSR,
    )
    from classicsr.super_resolution._patch import PatchRegressionSR as PatchRegressionSR
    from classicsr.super_resolution._tree_filter import TreeFilterSR as TreeFilterSR
    from classicsr.super_resolution._volume import plan_volume as plan_volume

_ORIGINS = {
    "AdaptiveDictionarySR": "classicsr.super_resolution._adaptive_dictionary",
    "AnchoredRegressionSR": "classicsr.super_resolution._anchored",
    "BicubicSR": "classicsr.super_resolution._bicubic",
    "CascadeSR": "classicsr.super_resolution._cascade",
    "ClusteredDictionarySR": "classicsr.super_resolution._clustered_dictionary",
    "CoupledDictionarySR": "classicsr.super_resolution._coupled_dictionary",
    "DualDictionarySR": "classicsr.super_resolution._dual_dictionary",
    "HashedFilterSR": "classicsr.super_resolution._hashed",
    "KernelRegressionSR": "classicsr.super_resolution._kernel_regression",
    "NeighborEmbeddingSR": "classicsr.super_resolution._neighbor_embedding",
    "PatchRegressionSR": "classicsr.super_resolution._patch",
    "RandomForestSR": "classicsr.super_resolution._forest",
    "SuperResolver": "classicsr.super_resolution._base",
    "TreeFilterSR": "classicsr.super_resolution._tree_filter",
    "evaluate": "classicsr.super_resolution._evaluation",
    "plan_volume": "classicsr.super_resolution._volume",
    "upscale_labels": "classicsr.super_resolution._labels",
}
__all__ = list(_ORIGINS)
__getattr__, __dir__ = lazy_attributes(__name__, _ORIGINS)
