"""Features of patches: scikit-learn transformers."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.features._gradient_pca import GradientPCA as GradientPCA
    from classicsr.features._gradient_pca import principal_filters as principal_filters
    from classicsr.features._gradients import ESTIMATE_SIDE as ESTIMATE_SIDE
    from classicsr.features._gradients import WINDOW_RADIUS as WINDOW_RADIUS
    from classicsr.features._gradients import WINDOW_SIDE as WINDOW_SIDE
    from classicsr.features._gradients import difference_matrix as difference_matrix
    from classicsr.features._gradients import (
        estimate_gradient_matrix as estimate_gradient_matrix,
    )
    from classicsr.features._gradients import gradient_matrix as gradient_matrix
    from classicsr.features._gradients import interpolation_matrix as interpolation_matrix
    from classicsr.features._symmetric import SymmetricFilters as SymmetricFilters
    from classicsr.features._symmetric import centered_emphasis as centered_emphasis
    from classicsr.features._symmetric import symmetric_filters as symmetric_filters

_ORIGINS = {
    "ESTIMATE_SIDE": "classicsr.features._gradients",
    "GradientPCA": "classicsr.features._gradient_pca",
    "SymmetricFilters": "classicsr.features._symmetric",
    "WINDOW_RADIUS": "classicsr.features._gradients",
    "WINDOW_SIDE": "classicsr.features._gradients",
    "centered_emphasis": "classicsr.features._symmetric",
    "difference_matrix": "classicsr.features._gradients",
    "estimate_gradient_matrix": "classicsr.features._gradients",
    "gradient_matrix": "classicsr.features._gradients",
    "interpolation_matrix": "classicsr.features._gradients",
    "principal_filters": "classicsr.features._gradient_pca",
    "symmetric_filters": "classicsr.features._symmetric",
}
__all__ = list(_ORIGINS)
__getattr__, __dir__ = lazy_attributes(__name__, _ORIGINS)
