"""The image-level contract: images in, larger images out."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from classicsr._model_file import ModelFile
from classicsr._validation import is_number, is_range, is_sequence_of
from classicsr.super_resolution._assessment import (
    calibration_of,
    novelty_of,
)
from classicsr.super_resolution._calibration import Calibration
from classicsr.super_resolution._novelty import Novelty
from classicsr.super_resolution._parameters import RANGE_RULE, Scale
from classicsr.super_resolution._pixels import (
    Intensity,
    NonFiniteMask,
)
from classicsr.super_resolution._planes import Progress
from classicsr.super_resolution._prediction import Pixels, Prediction, Request
from classicsr.super_resolution._volume import plan_volume

Images = ArrayLike | Sequence[ArrayLike]

DEFAULT_TILE_SHAPE = (62, 246)
"""Low-resolution pixels of a tile; with its halo a row is a multiple of the kernels' lanes."""


class SuperResolver(Prediction):
    """Base of all image-level estimators.

    It follows scikit-learn's protocol (`get_params`, `clone`, `GridSearchCV` and `Pipeline`
    work on sequences of images) without importing scikit-learn, so that a stored model is
    applied in a fraction of a second.

    Images are ``(H, W)``, ``(H, W, C)`` with C of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB,
    alpha), and volumes ``(X, Y, Z)``. A scale of three numbers says that the array is a volume;
    otherwise an array of three axes holds channels when its last one has 1 to 4 entries.
    """

    method: ClassVar[str]
    """Family name, part of the model file's registry key."""

    native_scale_: int | None
    """Integer scale of the fitted model; None for a method that takes any."""

    calibration_: Calibration | None = None
    """What `calibrate` learned; None before it, and after another `fit`."""

    # ---- fit, predict, score ----------------------------------------------------------------

    @abstractmethod
    def fit(self, X: Images, y: Images | None = None) -> Self:
        """Learn from images."""

    def predict(
        self,
        images: Images,
        *,
        scale: Scale | None = None,
        spacing: Sequence[float] | None = None,
        data_range: tuple[float, float] | None = None,
        consistent: bool = False,
        noise: float = 0.0,
        return_std: bool = False,
        return_detail: bool = False,
        record: dict[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Upscale one image, or each image of a sequence.

        Parameters
        ----------
        images : array, or sequence of arrays
            ``(H, W)``, ``(H, W, C)`` or ``(X, Y, Z)``, any real dtype. NaN and Inf are kept
            through without harming their neighbours.
        scale : number or one per axis, optional
            Instead of the estimator's own. Factors up to the model's integer scale are
            reached by exact resampling of its result.
        spacing : three floats, optional
            Voxel size of a volume in mm; says which plane is the sharp one.
        data_range : (low, high), optional
            Intensity range, instead of the estimator's own.
        consistent : bool
            Project the result onto the images that the forward model turns into the input. The
            model is the estimator's `degradation`, or MATLAB's bicubic, at the scales asked for.
            Integer types are rounded afterwards.
        noise : float
            Standard deviation of the input's noise, in its units: a consistent result need not
            agree with the input beyond it.
        return_std : bool
            Also return the standard deviation of the error, as `calibrate` measured it:
            result +- 1.645 std covers 90 % of the pixels of images like those. It is of the
            luma of colour images (BT.601), and of the result before it is rounded.
        return_detail : bool
            Also return what was added: the result minus the smallest image that agrees with
            the input, ``H^+ y`` of the forward model of `consistent`. What is added cannot be
            measured in the input; of results that are not `consistent` it holds deviations too.
        record : dict, optional
            Receives what was done; of several images the last one's. With `consistent`:
            "consistency", the forward model and its largest and mean deviation from the input,
            in the input's units, before and after (not rounded). With `return_detail`: "detail",
            the share of what was added, and of deviations, in the energy of the result. Of a
            calibrated estimator: "novelty", see there.
        progress : callable, optional
            Called with (steps done, steps in all).

        Returns
        -------
        array of shape ``round(n * scale)`` per axis in the dtype and units of the input
            (integers rounded and clipped), or a list of them
        std : float32 array, or a list of them, if `return_std`
            In the units of the input, of the shape of the result (one channel of colours).
        detail : float32 array, or a list of them, if `return_detail`
            In the units of the input, of the shape of the result.

        Warns
        -----
        UserWarning
            With `return_std` or `record`, where an image is unlike those of the calibration;
            with `return_std`, at scales other than those of the calibration.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For an empty array, a wrong number of axes, or a scale that the model cannot reach;
            with `return_std`, for an estimator that is not calibrated.
        TypeError
            For an array that does not hold real numbers.
        """
        self._check_fitted()
        self._check_parameters()
        self._require(
            data_range is None or is_range(data_range), "data_range", RANGE_RULE, data_range
        )
        self._require(
            spacing is None or is_sequence_of(spacing, 3, lambda mm: is_number(mm) and mm > 0),
            "spacing",
            "three positive numbers, or None",
            spacing,
        )
        self._require(is_number(noise, 0), "noise", "a number, 0 or more", noise)
        if return_std:
            calibration_of(self)
        n_maps = int(return_std) + int(return_detail)
        request = Request(
            scale,
            spacing,
            data_range,
            consistent,
            noise,
            return_std,
            return_detail,
            record,
            progress,
        )

        def predict_one(image: Any) -> tuple[Pixels, ...]:
            own = replace(request, maps=[])
            return self._predict_one(np.asarray(image), own), *own.maps

        if not isinstance(images, list | tuple):
            made = predict_one(images)
            return made if n_maps else made[0]
        several = [predict_one(image) for image in images]
        if not n_maps:
            return [made[0] for made in several]
        return tuple([made[k] for made in several] for k in range(1 + n_maps))

    # ---- how sure, how familiar ---------------------------------------------------------------

    def calibrate(self, images: Images, *, random_state: Any = 0) -> Self:
        """Measure on images how large the errors are, for `return_std` and `novelty`.

        The images are made smaller by the forward model and upscaled again. The error that a
        score of the result goes with is learned from half of them: how much overlapping
        predictions differ, or the activity of the result where a method has no such (with `map`
        also the spread of its posterior). It is then scaled so that 90 % of the pixels of the
        other half lie within 1.645 standard deviations (split-conformal calibration). Save the
        model afterwards to keep it.

        Parameters
        ----------
        images : sequence of arrays
            Two or more high-resolution images or volumes, of the kind to be upscaled and none of
            them used for fitting. Errors of other kinds of images may be of another size.
        random_state : int, RandomState or None
            Decides which half an image is in, and which pixels count.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For fewer than two images, images with NaN, or scales that are not integers.

        References
        ----------
        A. N. Angelopoulos, S. Bates, "A gentle introduction to conformal prediction and
        distribution-free uncertainty quantification", arXiv:2107.07511, 2021.

        Examples
        --------
        >>> import numpy as np
        >>> from classicsr import BicubicSR
        >>> rng = np.random.default_rng(0)
        >>> sr = BicubicSR(scale=2).calibrate([rng.random((40, 40)) for _ in range(4)])
        >>> result, std = sr.predict(rng.random((20, 20)), return_std=True)
        >>> std.shape
        (40, 40)
        """
        from classicsr.super_resolution._calibration import calibrate
        from classicsr.super_resolution._fixed_scale import _as_list

        self._check_fitted()
        self._check_parameters()
        self.calibration_ = calibrate(self, _as_list(images), random_state)
        return self

    def novelty(self, image: ArrayLike) -> Novelty:
        """How unlike a low-resolution image is to those that the estimator was calibrated on.

        Blocks of 6 x 6 pixels are compared, by their roughness and by how unevenly their
        gradients are distributed, with blocks of the calibration images.

        Parameters
        ----------
        image : array
            As for `predict`.

        Returns
        -------
        Novelty
            ``score`` (1 for a typical image), ``limit`` (98 % of calibration images are below) and
            ``map``, the distance of the blocks around each pixel.

        Raises
        ------
        ValueError
            Before `calibrate`.
        """
        self._check_fitted()
        array = np.asarray(image)
        scales, _ = self._scales(array.shape, None)
        finite = NonFiniteMask(array, len(scales)).image
        low = Intensity.of(array, self.data_range).to_unit(finite)
        return novelty_of(self, low, scales, None)

    def score(self, X: Images, y: Images) -> float:
        """Mean PSNR in dB of the predictions: luma, rounded to 8 bits, `scale` pixels shaved.

        Parameters
        ----------
        X, y : sequences of low- and high-resolution images
            Integer images keep their type's peak; floats use `data_range` or the range of the
            high-resolution image.
        """
        from classicsr.super_resolution._evaluation import mean_psnr

        return mean_psnr(self, X, y)

    def plan(
        self,
        shape: Sequence[int],
        scale: Scale | None = None,
        spacing: Sequence[float] | None = None,
    ) -> str:
        """One line that says what `predict` will do to an array of this shape.

        Examples
        --------
        >>> from classicsr import BicubicSR
        >>> BicubicSR(scale=(1, 1, 3)).plan((64, 64, 20))
        'plane (0, 1) kept, cubic x3 along axis 2'
        """
        scales, is_volume = self._scales(tuple(shape), scale)
        if not is_volume:
            return self._plan_plane(scales)
        plan = plan_volume(scales, spacing, self.plane)
        steps = [f"plane {plan.plane} kept"]
        if plan.plane_scales != (1, 1):
            steps = [f"{self._plan_plane(plan.plane_scales)} in plane {plan.plane}"]
        if plan.scales[plan.along] != 1:
            steps.append(f"cubic x{plan.scales[plan.along]:g} along axis {plan.along}")
        return ", ".join(steps)

    # ---- model files ------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.

        Raises
        ------
        TypeError
            For an estimator that cannot be stored as arrays.
        """
        raise TypeError(f"{type(self).__name__} has no model file: it cannot be stored as arrays.")

    @classmethod
    def _from_model(cls, model: ModelFile) -> SuperResolver:
        raise TypeError(f"{cls.__name__} has no model file.")
