"""Self-super-resolution of volumes in thick slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._validation import is_integer, is_number
from classicsr.degradation import Degradation, SliceProfileDegradation
from classicsr.reconstruction._guided import GuidedSR
from classicsr.reconstruction._reference import Reference
from classicsr.reconstruction._self_learning import SelfLearning
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._prediction import Request

Float32 = NDArray[np.float32]
_PROFILES = ("box", "gaussian")
_THICKEST = 16.0  # spacings


class SelfVolumeSR(GuidedSR):
    """Thin slices from thick ones, learned from the volume itself.

    Slices are sharp within their plane. Made thick along one of its axes, in the way that the
    slices are, the volume shows how thin slices follow from thick ones: a piecewise-linear
    regression learns it and is applied across the slices, in both planes that hold the thick
    axis. Non-local means (see `NonLocalSR`), which find similar places in three dimensions, go
    on from there; total generalised variation makes a third estimate. The result is their mean,
    with the weights that do best where the truth is known: the estimate of a part of the volume
    is made thick along its sharp axes, restored and compared with itself. No other images are
    needed, and every estimate agrees with the measured slices, so that their mean does. A
    sharper volume of another contrast, the `reference` of `predict`, helps a lot.

    Parameters
    ----------
    scale : number or one per axis
        Of a volume in thick slices (1, 1, 4), say, or (1, 1, 2.5). The voxels of the result
        are taken to be isotropic.
    axis : int, optional
        The thick one; default the one of the largest scale. Where no axis has a larger scale
        than the others, or the array is an image, nothing can be learned and non-local
        means is all that is used.
    profile : {"box", "gaussian"}
        Slice profile: the mean over the slab, or a Gaussian.
    thickness : float
        Slice thickness (of the Gaussian, full width at half maximum) as a fraction of the
        distance between slices; below 1 there are gaps, above 1 slices overlap.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum.
    channel_mode : {"luma", "independent"}
        Colour images: reconstructed luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Not used: volumes are reconstructed as a whole.
    tile_shape : (int, int)
        Not used.
    random_state : int, RandomState or None
        Decides which patches are learned from.
    n_jobs : int, optional

    Attributes
    ----------
    learning_ : SelfLearning
        What was learned from the array that was upscaled last.

    References
    ----------
    C. Zhao et al., "SMORE: a self-supervised anti-aliasing and super-resolution algorithm for
    MRI using deep learning", IEEE TMI 40(3), 2021 (learning from the sharp plane).
    J. V. Manjon et al., "Non-local MRI upsampling", Medical Image Analysis 14(6), 2010.
    R. Timofte, V. De Smet, L. Van Gool, "A+", ACCV 2014 (one linear map per direction).
    K. Bredies, K. Kunisch, T. Pock, "Total generalized variation", SIAM J. Imaging Sci. 3(3),
    2010.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import SelfVolumeSR
    >>> thick = np.random.default_rng(0).random((20, 20, 6))
    >>> thin = SelfVolumeSR(scale=(1, 1, 3)).predict(thick)
    >>> bool(np.allclose(thin.reshape(20, 20, 6, 3).mean(axis=3), thick, atol=1e-4))
    True
    """

    method = "self"
    learning_: SelfLearning

    def __init__(
        self,
        scale: Scale = 2,
        axis: int | None = None,
        profile: str = "box",
        thickness: float = 1.0,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.axis = axis
        self.profile = profile
        self.thickness = thickness
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

    def plan(
        self,
        shape: Sequence[int],
        scale: Scale | None = None,
        spacing: Sequence[float] | None = None,
    ) -> str:
        """One line that says what `predict` will do to an array of this shape."""
        scales, _ = self._scales(tuple(shape), scale)
        what = "x".join(f"{s:g}" for s in scales)
        axis = self._thick_axis(scales)
        if axis is None:
            return f"self x{what}: no thick axis to learn for, non-local means only"
        sharp = [a for a in range(len(scales)) if a != axis]
        return (
            f"self x{what}: {self.profile} slices along axis {axis}, learned from the volume's "
            f"axes {' and '.join(map(str, sharp))}"
        )

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._require(
            self.axis is None or is_integer(self.axis, 0, 2), "axis", "0, 1, 2 or None", self.axis
        )
        check_slices(self)

    def _thick_axis(self, scales: Sequence[float]) -> int | None:
        return thick_axis(scales, self.axis)

    def _predict_one(self, image: NDArray[Any], request: Request) -> NDArray[Any]:
        result = super()._predict_one(image, request)
        if request.record is not None:
            request.record["learned"] = self.learning_.summary()
        return result

    def _prepare(self, low: Float32, scales: tuple[float, ...]) -> None:
        from sklearn.utils import check_random_state

        self.learning_ = SelfLearning.learn(
            low,
            self._thick_axis(scales),
            self.degradation.at_scale(scales),
            check_random_state(self.random_state),
            self.n_jobs,
            self._reference,
        )

    def _reconstruct(self, low: Float32, model: Degradation, shape: tuple[int, ...]) -> Float32:
        return self.learning_.estimate(low, model, shape, self.n_jobs)

    def _reconstruct_guided(
        self, low: Float32, model: Degradation, reference: Reference
    ) -> Float32:
        shape = reference.image.shape
        return self.learning_.estimate(low, model, shape, self.n_jobs, reference)


def thick_axis(scales: Sequence[float], axis: int | None = None) -> int | None:
    """The axis to learn for: of three, the one that is enlarged more than the others."""
    if len(scales) != 3:
        return None
    if axis is None:
        axis = int(np.argmax(scales))
    others = max(scale for a, scale in enumerate(scales) if a != axis)
    return axis if scales[axis] > max(1.0, others) else None


def check_slices(owner: Any) -> None:
    """Raise a ValueError for a slice profile or thickness that is out of range."""
    known = isinstance(owner.profile, str) and owner.profile in _PROFILES
    owner._require(known, "profile", f"one of {', '.join(_PROFILES)}", owner.profile)
    owner._require(
        is_number(owner.thickness, 0, _THICKEST) and owner.thickness > 0,
        "thickness",
        f"a number above 0 and up to {_THICKEST:g}",
        owner.thickness,
    )
