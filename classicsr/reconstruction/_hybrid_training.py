"""What hybrid reconstruction learns: its prior, and a refinement of its own estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import resize
from classicsr.kernels.overlap import SPAN
from classicsr.patches import EstimatePair, TrainingPair
from classicsr.reconstruction._hybrid_tiles import HybridTiles, with_margin
from classicsr.super_resolution import (
    AnchoredRegressionSR,
    CoupledDictionarySR,
    NeighborEmbeddingSR,
    SuperResolver,
)
from classicsr.super_resolution._base import Images
from classicsr.super_resolution._refinement import ESTIMATE_RADIUS

if TYPE_CHECKING:
    from classicsr.reconstruction._hybrid import HybridSR
    from classicsr.regressors._piecewise import RowsPredictor

Float32 = NDArray[np.float32]
PRIORS: dict[str, type[SuperResolver]] = {
    "sparse": CoupledDictionarySR,
    "ne": NeighborEmbeddingSR,
    "regression": AnchoredRegressionSR,
}
_SHARED = ("degradation", "data_range", "channel_mode", "n_jobs")
_ENERGY = 0.99  # share of the second moment that features of an estimate keep: more win nothing


def fitted_initial(
    owner: HybridSR, X: Images, y: Images | None, scale: int, rng: Any
) -> SuperResolver:
    """The prior of `owner`, fitted unless it was given so."""
    from sklearn.base import clone

    initial = owner.initial
    if initial is None:
        params = {name: getattr(owner, name) for name in _SHARED}
        return PRIORS[owner.prior]().set_params(scale=scale, random_state=rng, **params).fit(X, y)
    if not initial.__sklearn_is_fitted__():
        unfitted: SuperResolver = clone(initial)
        return unfitted.set_params(scale=scale).fit(X, y)
    accepted = initial.native_scale_ in (None, scale)
    owner._require(accepted, "initial", f"fitted for the scale {scale}", initial)
    return initial


def estimated(pair: TrainingPair, method: HybridTiles) -> EstimatePair:
    """What a method makes of a training image, and what that lacks."""
    estimate = method.reconstruct(pair.low)
    residual = pair.residual + resize(pair.low, method.scale) - estimate
    return EstimatePair(with_margin(estimate, ESTIMATE_RADIUS * method.scale), residual)


def fitted_refinement(
    owner: HybridSR, estimates: Sequence[EstimatePair], scale: int, rng: Any
) -> tuple[Float32, RowsPredictor]:
    """Filters of the estimates, and anchored regression of what they lack."""
    from classicsr.features import estimate_gradient_matrix, principal_filters
    from classicsr.patches import PatchSamples
    from classicsr.regressors import AdjustedAnchoredRegressor

    samples = PatchSamples(
        estimates,
        scale=scale,
        span=SPAN,
        radius=ESTIMATE_RADIUS,
        n_samples=owner.n_samples,
        random_state=rng,
        n_jobs=owner.n_jobs,
    )
    filters = principal_filters(estimate_gradient_matrix(scale), samples.moment(), _ENERGY)
    regressor = AdjustedAnchoredRegressor(
        n_anchors=owner.n_anchors, random_state=rng, n_jobs=owner.n_jobs
    )
    return filters, regressor.fit(samples.features(filters), samples.targets()).map_
