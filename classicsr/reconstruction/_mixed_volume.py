"""Self-super-resolution of volumes, corrected by what other volumes teach."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.degradation import Degradation
from classicsr.reconstruction._rehearsal import rehearsals
from classicsr.reconstruction._self_learning import SelfLearning
from classicsr.reconstruction._self_volume import thick_axis
from classicsr.reconstruction._volume_patch import VolumePatchSR
from classicsr.super_resolution._prediction import Request

Float32 = NDArray[np.float32]
# little of what an estimate lacks can be told: maps of few patches are mostly noise
_FOREST = {"min_samples_leaf": 1000, "min_samples_split": 2000}


class MixedVolumeSR(VolumePatchSR):
    """Thin slices from thick ones, learned from the volume itself and from other volumes.

    `SelfVolumeSR` makes the first estimate. What such estimates lack is learned from other
    volumes, which it is applied to in the same way; here it is predicted from windows of the
    estimate: its samples up to two around the block of each low-resolution sample, and the
    means of the blocks up to two around it.

    How much of the correction to take is rehearsed on the volume itself: the estimate of its
    middle is made thick along the axes along which it was measured sharply, at their own
    resolution, so that a smooth scan is known for one. Where nothing can be rehearsed (no axis
    thicker than the others, small planes), or the correction does not help there, the result
    is that of `SelfVolumeSR`, to the bit. It agrees with the measured slices.

    Parameters
    ----------
    scale, regressor, profile, thickness, n_samples, energy, data_range, channel_mode, plane, \
tile_shape, random_state, n_jobs
        As in `VolumePatchSR`.

    Attributes
    ----------
    regression_ : VolumeRegression
    learning_ : SelfLearning
        What was learned from the volume that was upscaled last.
    share_ : float
        How much of the correction was taken, from 0 to 1.

    References
    ----------
    C. Zhao et al., "SMORE", IEEE TMI 40(3), 2021; R. Timofte, R. Rothe, L. Van Gool, "Seven
    ways to improve example-based single image super resolution", CVPR 2016 (a regressor that
    refines an estimate); S. Schulter, C. Leistner, H. Bischof, CVPR 2015 (forest).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import MixedVolumeSR
    >>> volume = np.random.default_rng(0).random((18, 18, 18))
    >>> sr = MixedVolumeSR(scale=(1, 1, 3), n_samples=2000).fit([volume])
    >>> sr.predict(volume[..., :6]).shape
    (18, 18, 18)
    """

    method = "mixed"
    _near = 2
    _by_contrast = True
    _n_samples = 3_000_000
    _side = 128
    _smoothed = False  # the rehearsal tells which scans are not to be sharpened
    learning_: SelfLearning
    share_: float

    def _registry_name(self) -> str:
        return self.method

    def _changes(self) -> dict[str, Any]:
        return _FOREST if self.regressor == "forest" else {}

    def _training_estimate(
        self, low: Float32, model: Degradation, shape: tuple[int, ...]
    ) -> Float32:
        return self._learned(low, model).estimate(low, model, shape, self.n_jobs)

    def _learned(self, low: Float32, model: Degradation) -> SelfLearning:
        from sklearn.utils import check_random_state

        axis = thick_axis(model._per_axis("scale", low.ndim))
        rng = check_random_state(self.random_state)
        return SelfLearning.learn(low, axis, model, rng, self.n_jobs)

    def _prepare(self, low: Float32, model: Degradation) -> None:
        self.learning_ = self._learned(low, model)
        power = agreement = 0.0
        for one in rehearsals(self.learning_, low, model, self.n_jobs):
            estimate = one.learning.estimate(one.thick, one.model, one.truth.shape, self.n_jobs)
            change = self._corrected(estimate, one.thick, one.model) - estimate
            power += float(np.sum(np.square(change, dtype=np.float64)))
            agreement += float(np.sum((one.truth - estimate) * change, dtype=np.float64))
        self.share_ = float(np.clip(agreement / power, 0, 1)) if power else 0.0

    def _start(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        return self.learning_.estimate(low, model, shape, self.n_jobs)

    def _reconstruct(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        estimate = self._start(low, model, shape)
        if self.share_ == 0:
            return estimate
        corrected = self._corrected(estimate, low, model)
        return estimate + np.float32(self.share_) * (corrected - estimate)

    def _predict_one(self, image: NDArray[Any], request: Request) -> NDArray[Any]:
        result = super()._predict_one(image, request)
        if request.record is not None:
            learned = {**self.learning_.summary(), "share_of_the_correction": self.share_}
            request.record["learned"] = learned
        return result
