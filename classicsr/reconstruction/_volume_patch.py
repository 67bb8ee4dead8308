"""Super-resolution of volumes by regression of three-dimensional patches."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._threads import thread_budget
from classicsr._validation import is_integer, is_number, is_sequence_of
from classicsr.degradation import Degradation, SliceProfileDegradation, project, resize
from classicsr.reconstruction._base import ReconstructionSR
from classicsr.reconstruction._self_volume import check_slices
from classicsr.reconstruction._volume_model import REGRESSORS, stored_regression, write_volume_model
from classicsr.reconstruction._volume_regression import VolumeRegression, WindowShape
from classicsr.reconstruction._volume_training import training_volumes
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Images, Scale
from classicsr.super_resolution._fixed_scale import _as_list
from classicsr.super_resolution._planes import Progress, Work

Float32 = NDArray[np.float32]
MAX_FACTOR = 8
_REACH = 2  # low-resolution samples around a block


class VolumePatchSR(ReconstructionSR):
    """Thin slices from thick ones, learned from other volumes.

    Cubic interpolation that agrees with the slices is corrected by what it lacks: a regressor
    of three-dimensional patches learns it from volumes that are made thick along each of their
    axes in turn. A patch is the block that one low-resolution sample becomes; what is seen of
    it are first and second differences of a window of 5 x 5 x 5 low-resolution samples.
    The result agrees with the measured slices.

    Parameters
    ----------
    scale : three numbers
        When fitted, whole: (1, 1, 3) for slices of three times the thickness, (2, 2, 2) for
        voxels of twice the side; the thick axis of the training volumes is every one in turn.
        When applied it may be smaller, and along other axes.
    regressor : {"forest", "aplus", "zeyde", "ne"}
        Random forest, anchored regression, sparse coding over a coupled dictionary, or
        neighbour embedding.
    profile : {"box", "gaussian"}
        Slice profile: the mean over the slab, or a Gaussian.
    thickness : float
        Slice thickness (FWHM of the Gaussian) as a fraction of the distance between slices.
    n_samples : int, optional
        Patches at most, a seeded random share (default 1.5 million, of `mixed` 3 million).
    energy : float
        Share of the features' second moment that their principal components keep.
    data_range : (low, high), optional
        Intensity range of float volumes; default their own minimum and maximum.
    channel_mode, plane, tile_shape
        Not used.
    random_state : int, RandomState or None
    n_jobs : int, optional

    Attributes
    ----------
    regression_ : VolumeRegression

    References
    ----------
    A. Rueda, N. Malpica, E. Romero, "Single-image super-resolution of brain MR images using
    overcomplete dictionaries", Medical Image Analysis 17(1), 2013; S. Schulter, C. Leistner,
    H. Bischof, CVPR 2015 (forest); R. Timofte, V. De Smet, L. Van Gool, ACCV 2014 (A+).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import VolumePatchSR
    >>> volume = np.random.default_rng(0).random((18, 18, 18))
    >>> sr = VolumePatchSR(scale=(1, 1, 3), n_samples=2000).fit([volume])
    >>> sr.predict(volume[..., :6]).shape
    (18, 18, 18)
    """

    method = "volume"
    _near: int | None = None  # samples around a block that are seen one by one
    _by_contrast = False  # how patches are drawn
    _n_samples = 1_500_000
    _side = 96  # samples per axis that are learned from
    _smoothed = True  # whether smoothed copies teach that many scans are not to be sharpened
    regression_: VolumeRegression

    def __init__(
        self,
        scale: Scale = (1, 1, 2),
        regressor: str = "forest",
        profile: str = "box",
        thickness: float = 1.0,
        n_samples: int | None = None,
        energy: float = 0.99,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.regressor = regressor
        self.profile = profile
        self.thickness = thickness
        self.n_samples = n_samples
        self.energy = energy
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    @property
    def degradation(self) -> Degradation:  # type: ignore[override]
        """The forward model: slices of the given profile and thickness."""
        return SliceProfileDegradation(1, self.profile, self.thickness)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "regression_")

    # ---- learning ---------------------------------------------------------------------------

    def fit(  # type: ignore[override]
        self, X: Images, y: Any = None, *, progress: Progress | None = None
    ) -> Self:
        """Learn from sharp volumes.

        Parameters
        ----------
        X : sequence of (X, Y, Z) arrays
            Sharp along all axes. Of each, the central 96 samples per axis (of `mixed` 128) count.
        y : ignored
        progress : callable, optional
            Called with (steps done, steps in all).

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a scale that is not three integers from 1 to 8, one of them above 1, and for
            volumes that hold NaN or are smaller than one window.
        """
        from sklearn.utils import check_random_state

        self._check_parameters()
        factors = self._factors()
        rng = check_random_state(self.random_state)
        volumes = training_volumes(_as_list(X), factors, self._to_unit, self._side, self._smoothed)
        tell = progress or (lambda done, total: None)
        model = self.degradation.at_scale(factors)
        pairs = []
        with thread_budget(self.n_jobs):
            for done, high in enumerate(volumes):
                tell(done, len(volumes) + 1)
                estimate = self._training_estimate(model.forward(high), model, high.shape)
                pairs.append((estimate, high - estimate))
            self.regression_ = VolumeRegression.learn(
                pairs,
                WindowShape(factors, self._radius(factors)),
                REGRESSORS[self.regressor].make(rng, self.n_jobs, **self._changes()),
                n_samples=self.n_samples or self._n_samples,
                energy=self.energy,
                rng=rng,
                near=self._near,
                by_contrast=self._by_contrast,
            )
        tell(len(volumes) + 1, len(volumes) + 1)
        self.calibration_ = None
        return self

    def _factors(self) -> tuple[int, ...]:
        """Whole factors of the scale, rising."""
        accepted = is_sequence_of(self.scale, 3, lambda s: s == int(s) and 1 <= s <= MAX_FACTOR)
        self._require(
            accepted and max(self.scale) > 1,  # type: ignore[arg-type]
            "scale",
            f"three integers from 1 to {MAX_FACTOR}, one of them above 1, when it is fitted",
            self.scale,
        )
        return tuple(sorted(int(s) for s in self.scale))  # type: ignore[union-attr]

    def _radius(self, factors: tuple[int, ...]) -> tuple[int, ...]:
        """Samples of a window around a block."""
        return tuple(_REACH * factor for factor in factors)

    def _changes(self) -> dict[str, Any]:
        """Parameters of the regressor that are not those of its kind."""
        return {}

    def _to_unit(self, volume: NDArray[Any]) -> Float32:
        return self._intensity(volume, self.data_range).to_unit(volume)

    def _training_estimate(
        self, low: Float32, model: Degradation, shape: tuple[int, ...]
    ) -> Float32:
        return self._start(low, model, shape)

    # ---- prediction -------------------------------------------------------------------------

    def plan(
        self,
        shape: Sequence[int],
        scale: Scale | None = None,
        spacing: Sequence[float] | None = None,
    ) -> str:
        """One line that says what `predict` will do to an array of this shape."""
        what = "x".join(f"{s:g}" for s in self._scales(tuple(shape), scale)[0])
        fitted = "x".join(map(str, self.regression_.shape.block))
        return f"{self._registry_name()} x{what}: {self.profile} slices, fitted for x{fitted}"

    def _registry_name(self) -> str:
        return f"{self.method}-{self.regressor}"

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_slices(self)
        for name, accepted, rule in (
            (
                "regressor",
                isinstance(self.regressor, str) and self.regressor in REGRESSORS,
                f"one of {', '.join(REGRESSORS)}",
            ),
            ("n_samples", self.n_samples is None or is_integer(self.n_samples, 1), "1 or more"),
            ("energy", is_number(self.energy, 0.01, 1), "from 0.01 to 1"),
        ):
            self._require(accepted, name, rule, getattr(self, name))

    def _in_blocks(
        self, low: Float32, scales: tuple[float, ...], shape: tuple[int, ...], work: Work
    ) -> Float32:
        largest = max(self.regression_.shape.block)
        if low.ndim != 3:
            raise ValueError(f"This model is for volumes. Got an image of shape {low.shape}.")
        if math.ceil(max(scales) - 1e-6) > largest:
            raise ValueError(
                f"This model reaches x{largest}, not x{max(scales):g}: fit one for this scale"
            )
        self._prepare(low, self.degradation.at_scale(scales))
        return super()._in_blocks(low, scales, shape, work)

    def _prepare(self, low: Float32, model: Degradation) -> None:
        """What is done once, before the blocks."""

    def _start(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        """The estimate that is corrected."""
        scales = model._per_axis("scale", low.ndim)
        return project(resize(low, scales, output_shape=shape), low, model)

    def _reconstruct(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        return self._corrected(self._start(low, model, shape), low, model)

    def _corrected(self, estimate: Float32, low: Float32, model: Degradation) -> Float32:
        """`estimate` with what it lacks, in agreement with `low`."""
        order = np.argsort(model._per_axis("scale", low.ndim), kind="stable")
        back = np.argsort(order)  # the model's factors rise
        block = [self.regression_.shape.block[axis] for axis in back]
        shape = tuple(n * factor for n, factor in zip(low.shape, block, strict=True))
        fitted = _resized(estimate, shape).transpose(order)
        missing = self.regression_.missing(fitted, self.n_jobs).transpose(back)
        return project(estimate + _resized(missing, estimate.shape), low, model)

    # ---- model files ------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.
        """
        self._check_fitted()
        write_volume_model(self, path, info)

    @classmethod
    def _from_model(cls, model: ModelFile) -> Self:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        estimator = super()._from_model(replace(model, tensors={}))
        estimator.regression_ = stored_regression(estimator, model)
        return estimator


def _resized(volume: Float32, shape: tuple[int, ...]) -> Float32:
    if shape == volume.shape:
        return volume
    factors = [to / have for to, have in zip(shape, volume.shape, strict=True)]
    return resize(volume, factors, output_shape=shape)
